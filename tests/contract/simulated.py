"""Any simulated neighbour on loopback over TLS, found by its name, and what the suite needs to call it."""

from __future__ import annotations

import dataclasses
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from adapters import registry
from adapters.kit.subject import Accounts, Calling, Town
from adapters.simulating import SimulatorPlace
from certs import ensure_development
from certs.assertion import public_jwks
from certs.authority import Development
from certs.files import key_pem, new_ec_key, write_private, write_public
from gateway.config import load_config
from gateway.sandbox.places import free_ports
from schemas.values import TownCode


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: Any) -> None:
        pass

    log = log_request  # type: ignore[assignment]


@dataclass
class SimulatedNeighbour:
    """Where it is, how we reach it, and how to turn its faults."""

    name: str
    place: SimulatorPlace
    certificates: Development
    calls: requests.Session

    def settings(self, **changes: Any) -> Any:
        """The adapter's Config for it."""
        adapter = registry.TOWNS[TownCode(self.name)]
        simulator = registry.find_simulator(self.name)
        assert simulator is not None
        config = registry.read_settings(
            adapter.Config, self.name, simulator.settings_for(self.place), mode="sandbox"
        )
        return dataclasses.replace(config, **changes)

    def arm(self, fault: str, on: str, **more: Any) -> None:
        answer = self.calls.post(
            f"{self.place.address}/_faults",
            json={"fault": fault, "on": on, "seconds": 1.5, **more},
            timeout=5,
        )
        assert answer.ok, answer.text

    def calm(self) -> None:
        self.calls.delete(f"{self.place.address}/_faults", timeout=5).raise_for_status()

    def open_accounts(self, balances: Any) -> None:
        self.calls.post(f"{self.place.address}/_accounts", json=balances, timeout=5).raise_for_status()

    def state(self) -> dict[str, Any]:
        return self.calls.get(f"{self.place.address}/_state", timeout=5).json()  # type: ignore[no-any-return]


@contextmanager
def simulated(name: str, folder: Path) -> Iterator[SimulatedNeighbour]:
    """Serve a neighbour's simulator for some tests."""
    made = ensure_development(load_config({"GATEWAY_STATE_DIR": str(folder)}))
    key_file = made.folder / "assertion-gateway.key"
    if not key_file.exists():
        write_private(key_file, key_pem(new_ec_key()))
        write_public(
            made.folder / "assertion-gateway.jwks.json", json.dumps(public_jwks([key_file])).encode()
        )
    (port,) = free_ports(1)
    place = SimulatorPlace(name, f"https://localhost:{port}", folder / "simulators" / name, made.folder)
    place.books.parent.mkdir(parents=True, exist_ok=True)
    simulator = registry.find_simulator(name)
    assert simulator is not None, f"{name} has no simulator"
    running = simulator.create_simulator(place)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*made.simulator(name))
    if running.asks_certificate:
        context.load_verify_locations(made.ca_cert)
        context.verify_mode = ssl.CERT_REQUIRED
    server = make_server(
        "127.0.0.1", port, running.app, threaded=True, request_handler=_Quiet, ssl_context=context
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    calls = requests.Session()
    calls.trust_env = False
    calls.verify = str(made.ca_cert)
    calls.cert = tuple(map(str, place.caller_cert))  # type: ignore[assignment]
    try:
        yield SimulatedNeighbour(name, place, made, calls)
    finally:
        calls.close()
        server.shutdown()
        thread.join(5)
        server.server_close()


def calling_of(town: Town, it: SimulatedNeighbour, strange_ca: Path) -> Calling:
    """What the scenarios of part 'call' need, at a simulator: two accounts, one with 100 points."""
    adapter = registry.TOWNS[TownCode(it.name)]
    accounts: Accounts = town.accounts
    it.open_accounts(
        town.accounts_body(accounts) if town.accounts_body else {accounts.rich: 10_000, accounts.empty: 0}
    )
    return Calling(
        town=town,
        capabilities=adapter.CAPABILITIES,
        create=adapter.create_client,
        config=it.settings(),
        accounts=accounts,
        faults=it,
        run_id="20261124",
        strange_ca=str(strange_ca),
        hasty=adapter.create_client(it.settings(answer_timeout_s=0.8)),
    )
