"""What a town feeds the suite: its reader with recorded bytes, its client with a platform to call, its door."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from adapters.kit.speech import Item, Speech
from schemas.ports import Capabilities, TownClient, TownReader
from schemas.values import Serial


@dataclass(frozen=True, slots=True)
class Town:
    """What a town's package tells the kit, in `adapters/<town>/check.py`: one constant `TOWN`."""

    speech: Speech
    #: (their field, a wrong value or ... for none, the code of the refusal)
    wrong: Sequence[tuple[str, Any, str]]
    #: accounts of a simulator: one that has 100 points, one that has none, one nobody has
    accounts: Accounts
    #: settings that make us a stranger there, such as {"client_id": "stranger"}, or what makes them of the right ones
    stranger: Mapping[str, Any] | Callable[[Any], Mapping[str, Any]] = field(default_factory=dict)
    #: a correction made of a recorded item: the item that takes it back
    correction: Callable[[Item], Item] | None = None
    #: how the town sends to us; None: nothing is pushed, we fetch
    sender: Callable[[DoorPlace], DoorSender] | None = None
    #: what a simulator's POST /_accounts takes to open the accounts; None: {account: hundredths of points}
    accounts_body: Callable[[Accounts], Any] | None = None
    connect: str = ""  # the page that says how to connect: docs/<town>.md


@dataclass(frozen=True, slots=True)
class Accounts:
    """Accounts at the town's platform, in its own words."""

    rich: str
    empty: str
    unknown: str


@dataclass(frozen=True, slots=True)
class Reading:
    """For the scenarios of part 'read'."""

    town: Town
    reader: TownReader
    push: bytes  # recorded, and good in every word
    households: bytes | None = None
    withdrawals: bytes | None = None
    golden: Sequence[Mapping[str, Any]] | None = (
        None  # what the push said when it was recorded; None: not recorded
    )

    def items(self) -> list[Item]:
        """The recorded items in the town's words."""
        return self.town.speech.items_of(self.push)

    def first(self) -> Item:
        """The first recorded item."""
        return dict(self.items()[0])

    def document(self, items: Sequence[Any]) -> bytes:
        """A push of these."""
        return self.town.speech.document(items)


class Faults(Protocol):
    """Whatever can make the neighbour, or the line to it, fail once."""

    def arm(self, fault: str, on: str) -> None:
        """'drop', 'slow', 'garbage' (each after acting), 'busy', 'refuse' (each before), 'repeat', 'reorder' (statements)."""

    def calm(self) -> None: ...


@dataclass(slots=True)
class Calling:
    """For the scenarios of part 'call'."""

    town: Town
    capabilities: Capabilities
    create: Callable[[Any], TownClient]
    config: Any  # the adapter's Config
    accounts: Accounts
    faults: Faults
    run_id: str  # part of every serial, so that a second run meets no serial of the first
    strange_ca: str  # a file with an authority that signed nothing of theirs
    hasty: TownClient | None = (
        None  # one that waits less long than a slow platform takes; None: the line is made slow
    )
    client: TownClient = field(init=False)
    _serials: int = 0

    def __post_init__(self) -> None:
        self.client = self.create(self.config)

    def serial(self) -> Serial:
        """A serial never used before."""
        self._serials += 1
        return Serial(f"K{self.run_id}{self._serials:05d}")


@dataclass(frozen=True, slots=True)
class DoorAnswer:
    """What the gateway answered to one request of the town."""

    status: int  # HTTP
    code: str  # of a refusal as a whole; '' when items were answered
    statuses: tuple[str, ...]  # of the items, in order
    codes: tuple[str, ...]  # of the items that were not accepted
    receipt: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class DoorPlace:
    """A served gateway as a town meets it. Paths are files; pairs are certificate and key."""

    address: str
    town: str
    client_id: str
    ca_file: str
    client_cert: tuple[str, str] = field(repr=False)
    assertion_key: str = field(repr=False)
    other_cert: tuple[str, str] = field(repr=False)  # another town's
    other_town: str
    certs: str  # folder of the development authority: every certificate and key by its name
    username: str = ""  # for a town that names itself by a UsernameToken
    password: str = field(default="", repr=False)


class DoorSender(Protocol):
    """The town's sending side, with its credentials at a served gateway."""

    @property
    def forgeries(self) -> Sequence[str]: ...
    def close(self) -> None: ...
    def register(self, document: bytes) -> DoorAnswer: ...
    def withdraw(self, document: bytes) -> DoorAnswer: ...
    def push(self, document: bytes, key: str) -> DoorAnswer: ...
    def push_forged(self, document: bytes, key: str, how: str) -> DoorAnswer: ...


@dataclass(slots=True)
class Door:
    """For the scenarios of part 'door'."""

    reading: Reading
    sender: DoorSender
    stored: Callable[[], int]  # contributions of this town that are stored
    run_id: str
    _keys: int = 0

    def key(self) -> str:
        """An idempotency key never used before."""
        self._keys += 1
        return f"kit-{self.run_id}-{self._keys}"
