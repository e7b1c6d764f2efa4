"""Where everything of one sandbox is: directories, ports, addresses, and the environment its processes get."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters import registry
from adapters.simulating import SimulatorPlace
from gateway.config import Config, load_config
from schemas.errors import UnavailableError
from schemas.values import TownCode

WITNESSES = ("guali", "nanyang")  # two towns' witnesses of our log
PORT = 8443


@dataclass(frozen=True, slots=True)
class Places:
    """One sandbox. Addresses are on loopback; the simulators stand on the ports after the web's."""

    config: Config
    environment: Mapping[str, str]
    web_port: int
    town_ports: Mapping[str, int]  # of every simulated town, in the registry's order
    bank_port: int
    witness_ports: Mapping[str, int]

    @property
    def web(self) -> str:
        return self.config.public_url

    @property
    def town_port(self) -> int:
        """The first town's: 沥家园, whose year is seeded."""
        return next(iter(self.town_ports.values()))

    @property
    def town(self) -> str:
        return f"https://localhost:{self.town_port}"

    def door(self, town: str) -> str:
        """Where a town's platform comes in."""
        soap = registry.TOWNS[TownCode(town)].CAPABILITIES.speaks == "soap"
        return f"{self.web}/towns/{town}/{'soap?wsdl' if soap else 'v1'}"

    def simulator(self, name: str) -> SimulatorPlace:
        """Where a simulated neighbour stands."""
        port = self.bank_port if name == "bank_core" else self.town_ports[name]
        return simulator_place(self.config, self.config.tls_cert.parent, name, port)

    @property
    def bank(self) -> str:
        return f"https://localhost:{self.bank_port}"

    @property
    def logs(self) -> Path:
        return self.config.state_dir / "logs"


def find_places(
    port: int | None,
    extra: Mapping[str, str] | None = None,
    ports: Sequence[int] | None = None,
    witness_ports: Sequence[int] | None = None,
) -> Places:
    """The sandbox of the present environment. `port` moves the web and the simulators; `extra` are more GATEWAY_ settings.
    `ports` are those of the first town, the bank, and the other towns; a town without one is not started.
    `witness_ports` are those of the two witnesses; given `ports` and not these, there are none.

    Raises ConfigError.
    """
    environ = {**os.environ, **(extra or {})}
    if port is not None:
        environ["GATEWAY_BIND"] = f"127.0.0.1:{port}"
        environ["GATEWAY_PUBLIC_URL"] = f"https://localhost:{port}"
    config = load_config(environ)
    web_port = int(config.bind.rpartition(":")[2])
    first, bank_port, *more = ports or range(web_port + 1, web_port + 1 + count_simulators())
    environ["GATEWAY_STATE_DIR"] = str(config.state_dir)
    town_ports: dict[str, int] = dict(zip(registry.simulated_towns(), [first, *more], strict=False))
    if witness_ports is None:
        after = web_port + 1 + count_simulators()
        witness_ports = () if ports else range(after, after + len(WITNESSES))
    witnesses = dict(zip(WITNESSES, witness_ports, strict=False))
    return Places(config, environ, web_port, town_ports, bank_port, witnesses)


def town_name(town: str) -> str:
    """A town's platform in both languages."""
    profile = registry.TOWNS[TownCode(town)].PROFILE
    return f"{profile.name_zh} {profile.name_en}"


def count_simulators() -> int:
    """How many ports the simulated neighbours take: every town's and the bank's."""
    return len(registry.simulated_towns()) + 1


def simulator_place(config: Config, certs: Path, name: str, port: int) -> SimulatorPlace:
    """A simulated neighbour's place in a state directory."""
    return SimulatorPlace(name, f"https://localhost:{port}", config.state_dir / "simulators" / name, certs)


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
    wanted = {"web": places.web_port, "simulated bank": places.bank_port}
    wanted |= {f"simulated {town}": port for town, port in places.town_ports.items()}
    wanted |= {f"witness {name}": port for name, port in places.witness_ports.items()}
    taken = [f"{port} ({name})" for name, port in wanted.items() if not is_free(port)]
    if taken:
        raise UnavailableError(
            f"port {', '.join(taken)} is taken by another program",
            code="port-taken",
            remedy=f"stop it, or choose others with --port N (N to N+{count_simulators() + len(WITNESSES)} are used)",
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
