"""The simulated 沥家园 on loopback over TLS, for client tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from joserfc.jwk import ECKey
from werkzeug.serving import WSGIRequestHandler, make_server

from adapters import lijiayuan
from adapters.lijiayuan.simulator import Books, SimulatorSettings, create_simulator_app
from certs import ensure_development
from gateway.config import load_config


@dataclass
class SimulatedTown:
    """Where it is and how to turn its faults."""

    address: str
    config: lijiayuan.Config
    calls: requests.Session

    def arm(self, fault: str, on: str, **more: Any) -> None:
        assert self.calls.post(
            f"{self.address}/_faults", json={"fault": fault, "on": on, **more}, timeout=5
        ).ok

    def state(self) -> dict[str, Any]:
        return self.calls.get(f"{self.address}/_state", timeout=5).json()  # type: ignore[no-any-return]


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: Any) -> None:
        pass

    log = log_request  # type: ignore[assignment]


@contextmanager
def running_town(folder: Path, **settings: Any) -> Iterator[SimulatedTown]:
    """A server for one module of tests. Two families have 100 and 0 points."""
    made = ensure_development(load_config({"GATEWAY_STATE_DIR": str(folder)}))
    key_file = made.assertion("lijiayuan")[0]
    key = ECKey.import_key(key_file.read_text())
    books = Books()
    books.set_balances({"GL000001": 10_000, "GL000002": 0})
    cert, private = made.simulator("lijiayuan")
    jwks = {"keys": [{**key.as_dict(private=False), "kid": key.thumbprint(), "alg": "ES256"}]}
    simulated = SimulatorSettings("", "gateway", jwks, books, **settings)
    app = create_simulator_app(simulated)
    server = make_server(
        "127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, ssl_context=(str(cert), str(private))
    )
    simulated.issuer = f"https://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    calls = requests.Session()
    calls.verify = str(made.ca_cert)
    calls.trust_env = False
    config = lijiayuan.Config(
        address=simulated.issuer,
        client_id="gateway",
        key_file=key_file,
        key_id=key.thumbprint(),
        ca_file=made.ca_cert,
        connect_timeout_s=2.0,
        answer_timeout_s=1.0,
        sandbox=True,
    )
    try:
        yield SimulatedTown(simulated.issuer, config, calls)
    finally:
        calls.close()
        server.shutdown()
        thread.join(5)
        server.server_close()
