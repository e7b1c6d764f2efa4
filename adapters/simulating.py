"""What every simulated neighbour offers, so that one command starts any of them and the sandbox finds its address.

`adapters/<name>/simulator` has two functions: `create_simulator(place) -> Simulated`, and `settings_for(place) -> table`, which
says how the gateway reaches it (the neighbour's table of the neighbours file). A simulator is a WSGI application and, beside the
town's contract, has `GET /healthz`, `GET /_state`, `POST /_accounts`, `POST /_faults` and `DELETE /_faults`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class SimulatorPlace:
    """Where a simulated neighbour stands and what lies there. Paths are files of the development authority."""

    name: str  # the adapter's folder
    address: str  # https://localhost:8444
    books: Path  # a file of its own that survives a restart
    certs: Path = field(
        repr=False
    )  # folder of the development authority: every certificate and key by its name
    caller: str = "gateway"  # who we are there

    @property
    def ca_file(self) -> Path:
        """The authority whose certificates both sides show."""
        return self.certs / "ca.crt"

    @property
    def caller_cert(self) -> tuple[Path, Path]:
        """Certificate and key we show to neighbours."""
        return self.certs / "client-gateway.crt", self.certs / "client-gateway.key"

    @property
    def caller_key(self) -> Path:
        """Our private_key_jwt key (PEM)."""
        return self.certs / "assertion-gateway.key"

    @property
    def caller_jwks(self) -> Path:
        """Its public half, as a JWK set."""
        return self.certs / "assertion-gateway.jwks.json"


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated neighbour, ready to be served."""

    app: Any  # WSGI
    asks_certificate: bool = False  # mutual TLS
    before_end: Callable[[], None] = lambda: None


class Simulator(Protocol):
    """A module `adapters.<name>.simulator`."""

    def create_simulator(self, place: SimulatorPlace) -> Simulated: ...
    def settings_for(self, place: SimulatorPlace) -> Mapping[str, Any]: ...
