"""Where everything of one sandbox is: directories, ports, addresses, and the environment its processes get."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.config import Config, load_config
from schemas.errors import UnavailableError

CLIENT_ID = "lijiayuan-platform"
PORT = 8443


@dataclass(frozen=True, slots=True)
class Places:
    """One sandbox. Addresses are on loopback; the simulators stand on the two ports after the web's."""

    config: Config
    environment: Mapping[str, str]
    web_port: int
    town_port: int
    bank_port: int

    @property
    def web(self) -> str:
        return self.config.public_url

    @property
    def town(self) -> str:
        return f"https://localhost:{self.town_port}"

    @property
    def bank(self) -> str:
        return f"https://localhost:{self.bank_port}"

    @property
    def logs(self) -> Path:
        return self.config.state_dir / "logs"


def find_places(
    port: int | None, extra: Mapping[str, str] | None = None, ports: Sequence[int] | None = None
) -> Places:
    """The sandbox of the present environment. `port` moves the web and the simulators; `extra` are more GATEWAY_ settings.

    Raises ConfigError.
    """
    environ = {**os.environ, **(extra or {})}
    if port is not None:
        environ["GATEWAY_BIND"] = f"127.0.0.1:{port}"
        environ["GATEWAY_PUBLIC_URL"] = f"https://localhost:{port}"
    config = load_config(environ)
    web_port = int(config.bind.rpartition(":")[2])
    town_port, bank_port = ports or (web_port + 1, web_port + 2)
    environ["GATEWAY_STATE_DIR"] = str(config.state_dir)
    return Places(config, environ, web_port, town_port, bank_port)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now."""
    held = []
    try:
        for _ in range(count):
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            held.append(listener)
        return [listener.getsockname()[1] for listener in held]
    finally:
        for listener in held:
            listener.close()


def refuse_taken_ports(places: Places) -> None:
    """Raises UnavailableError naming every port that is taken, and what to do."""
    wanted = {"web": places.web_port, "simulated town": places.town_port, "simulated bank": places.bank_port}
    taken = [f"{port} ({name})" for name, port in wanted.items() if not is_free(port)]
    if taken:
        raise UnavailableError(
            f"port {', '.join(taken)} is taken by another program",
            code="port-taken",
            remedy="stop it, or choose others with --port N (N, N+1 and N+2 are used)",
        )


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
