"""What every simulated neighbour offers, so that one command starts any of them and the sandbox finds its address.

`adapters/<name>/simulator` has two functions: `create_simulator(place) -> Simulated`, and `settings_for(place) -> table`, which
says how the gateway reaches it (the neighbour's table of the neighbours file). A simulator is a WSGI application and, beside the
town's contract, has `GET /healthz`, `GET /_state`, `POST /_accounts`, `POST /_faults` and `DELETE /_faults`.

A town whose simulator has a module `seeding` with `seed_year(ground) -> Sent` sends an invented year through the gateway's own
doors, as its platform would: `make run` and `make demo` call every one of them.

Accounting days are those of `now()`, which a rehearsal on a compressed clock turns by `turn_clock`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

_turned: list[datetime] = []


def now() -> datetime:
    """The time on simulated platforms of this process, in UTC: the real one, unless a rehearsal turned it."""
    return _turned[-1] if _turned else datetime.now(UTC)


def turn_clock(to: datetime | None) -> None:
    """Every simulated platform of this process keeps its books as of `to` from now on; None: the real time again."""
    _turned[:] = [] if to is None else [to]


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


class Resident(NamedTuple):
    """An invented person."""

    id_no: str
    name: str
    phone: str


class Family(NamedTuple):
    """An invented family of another simulated town that lives in this one too. The head comes first."""

    village: str
    members: tuple[Resident, ...]


@dataclass(frozen=True, slots=True)
class SeedGround:
    """What a town's seeding stands on. `step(description, total)` begins a progress bar and gives what advances it."""

    place: SimulatorPlace
    gateway: str  # https://localhost:8443
    families: Sequence[Family]  # who lives in another town as well; empty for the first town
    seed: int
    size: int  # about how many families or persons this town has
    zeal: float
    today_on: date
    step: Callable[[str, int], Callable[[int], None]]
    entry: Callable[[Resident], str]  # the bank's link for a resident who will link their account here


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: (what, how many, answers by status), why what was not accepted, and who lives there."""

    rows: Sequence[tuple[str, int, Counter[str]]]
    reasons: Counter[str]
    families: Sequence[Family]
    spendable_centi: Mapping[str, int] = field(default_factory=dict)  # by the town's own accounts


class Seeding(Protocol):
    """A module `adapters.<name>.simulator.seeding`."""

    CLIENT_ID: str  # who the town's platform is at our door; '' when it never comes in

    def seed_year(self, ground: SeedGround) -> Sent: ...


class Simulator(Protocol):
    """A module `adapters.<name>.simulator`."""

    def create_simulator(self, place: SimulatorPlace) -> Simulated: ...
    def settings_for(self, place: SimulatorPlace) -> Mapping[str, Any]: ...
