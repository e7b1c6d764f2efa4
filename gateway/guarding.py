"""Around each port of a neighbour: a pause, a breaker, a bound of calls at once, and few retries where nothing happened.

Adapters never retry and know nobody's state; this stands between a corridor and the adapter and has the adapter's own shape.
A refused call is UnavailableError: nothing was said to the neighbour. pybreaker was looked at and not taken: it holds its lock
while it calls, so that all calls to a neighbour would go one after another (docs/decisions).
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

from gateway.flows.note_neighbour import note_neighbour
from gateway.house import House
from gateway.observe.waiting import add_waited
from schemas.boundary import before_neighbour_call
from schemas.day_files import DayFile, TownDayFiles
from schemas.errors import GatewayError, OutcomeUnknownError, RefusedError, UnavailableError
from schemas.feeds import FeedPage, Grant, TownFeed, TownLinking
from schemas.policy import Facility
from schemas.ports import BankPort, FreezeState, Reversing, StatementLine, TownClient
from schemas.proposals import BankAnswer, BenefitProposal, BenefitRevocation
from schemas.values import Serial

log = logging.getLogger(__name__)
T = TypeVar("T")

BANK = "bank_core"
REMEMBER = timedelta(seconds=1)  # how old what we know of the other processes may be
ANSWER_NOTED_EVERY = timedelta(seconds=30)
DOOR_WAITS_S = 0.5  # how long a request waits for its place before a neighbour
BANKS_SHARE = 3  # three jobs speak to the bank at the same time


class Look(Protocol):
    """What a standing says; `gateway.neighbours.Standing` by shape."""

    @property
    def paused(self) -> bool: ...
    @property
    def why(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def retry_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one neighbour may take of us."""

    at_once: int  # calls of one process at the same time
    opens_after: int  # failures in a row
    retries: int = 2
    first_wait_s: float = 0.1
    longest_wait_s: float = 1.0
    place_wait_s: float = 2.0  # how long a call waits for its place


@dataclass(slots=True)
class Guard:
    """One neighbour's guard in one process. Threads share it; nothing is held while the neighbour is called but a place."""

    house: House  # with the bare ports: only its database, settings and clock are used
    neighbour: str
    limits: Limits
    crowd: threading.BoundedSemaphore | None = (
        None  # all calls of this process to all neighbours; None: no bound
    )
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = field(default_factory=lambda: secrets.SystemRandom().random)
    _places: threading.BoundedSemaphore = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _failures: int = 0
    _known: tuple[datetime, Look | None] | None = None
    _answered_at: datetime | None = None

    def __post_init__(self) -> None:
        self._places = threading.BoundedSemaphore(self.limits.at_once)

    def call(self, ask: Callable[[], T]) -> T:
        """`ask()`, within the limits; again only after UnavailableError, with full jitter, and not when it is busy."""
        before_neighbour_call(self.neighbour)
        for attempt in range(self.limits.retries + 1):
            probing = self._admit()
            try:
                return self._once(ask, probing=probing)
            except UnavailableError as exc:
                if attempt == self.limits.retries or probing or _not_now(exc):
                    raise
            longest_s = min(self.limits.longest_wait_s, self.limits.first_wait_s * 2**attempt)
            self.sleep(self.chance() * longest_s)
        raise AssertionError("the last attempt answers or raises")

    def _once(self, ask: Callable[[], T], *, probing: bool) -> T:
        if self.crowd is None:
            return self._in_place(ask, probing=probing)
        if not self.crowd.acquire(blocking=False):
            raise self._crowded("neighbours")
        try:
            return self._in_place(ask, probing=probing)
        finally:
            self.crowd.release()

    def _crowded(self, whom: str) -> UnavailableError:
        return UnavailableError(
            f"too many calls to {whom} are under way", code="neighbour-crowded", where=self.neighbour,
            remedy="nothing was said to it; try again", retry_after_s=1,
        )  # fmt: skip

    def _in_place(self, ask: Callable[[], T], *, probing: bool) -> T:
        if not self._places.acquire(timeout=self.limits.place_wait_s):
            raise self._crowded(self.neighbour)
        begun = time.perf_counter()
        try:
            answer = ask()
        except (UnavailableError, OutcomeUnknownError) as exc:
            self._failed(exc.code, probing=probing)
            raise
        except GatewayError:  # it answered, and said no
            self._answered(probing=probing)
            raise
        except Exception as exc:  # an adapter that breaks counts against its neighbour, and is raised on
            self._failed(f"unexpected-{type(exc).__name__}", probing=probing)
            raise
        finally:
            self._places.release()
            add_waited(time.perf_counter() - begun)
        self._answered(probing=probing)
        return answer

    def _admit(self) -> bool:
        """Whether this call is the one that tries a neighbour whose breaker is open. UnavailableError: nobody may call."""
        standing = self._look()
        if standing is None:
            return False
        now = self.house.clock()
        if standing.paused:
            raise UnavailableError(
                f"{self.neighbour} is paused for maintenance", code="neighbour-paused", where=self.neighbour,
                remedy="nothing was said to it; `gateway neighbour resume` ends the pause", retry_after_s=60,
            )  # fmt: skip
        if standing.state == "closed":
            return False
        wait_s = (standing.retry_at - now).total_seconds() if standing.retry_at else 0.0
        if wait_s <= 0 and self._note("due") is not None:
            return True
        raise UnavailableError(
            f"{self.neighbour} failed several times in a row and is left alone for a while", code="neighbour-breaker-open",
            where=self.neighbour, remedy="nothing was said to it; try again later", retry_after_s=max(1, round(wait_s)),
        )  # fmt: skip

    def _look(self) -> Look | None:
        """How it stands, at most REMEMBER old. None when the database does not say: then the call is made."""
        now = self.house.clock()
        with self._lock:
            known = self._known
            stale = known is None or abs(now - known[0]) > REMEMBER
            if known is not None and stale:
                self._known = (now, known[1])  # the others go by what was known while this thread looks
        return self._note("looked") if known is None or stale else known[1]

    def _note(self, found: str, code: str = "") -> Look | None:
        now = self.house.clock()
        try:
            standing = note_neighbour(self.house, self.neighbour, found, now=now, code=code)
        except GatewayError as exc:
            log.warning("how %s stands is not known: %s", self.neighbour, exc.code)
            return None
        with self._lock:
            self._known = None if standing is None else (now, standing)
        return standing

    def _failed(self, code: str, *, probing: bool) -> None:
        with self._lock:
            self._failures += 1
            opens = probing or self._failures == self.limits.opens_after
            if opens:
                self._failures = 0
        if opens:
            self._note("failed", code)

    def _answered(self, *, probing: bool) -> None:
        now = self.house.clock()
        with self._lock:
            self._failures = 0
            due = self._answered_at is None or abs(now - self._answered_at) > ANSWER_NOTED_EVERY
            if due or probing:
                self._answered_at = now
        if due or probing:
            self._note("answered")


def _not_now(exc: UnavailableError) -> bool:
    """Whether a retry within a second could not help: we ourselves refused, or the neighbour says it is busy."""
    return exc.code in (
        "neighbour-paused",
        "neighbour-breaker-open",
        "neighbour-crowded",
    ) or exc.code.endswith(("busy", "9001"))


@dataclass(frozen=True, slots=True)
class GuardedTown:
    """A town's client behind its guard."""

    guard: Guard
    client: TownClient

    def freeze(self, serial: Serial, account: str, points_centi: int, reason: str) -> FreezeState:
        return self.guard.call(lambda: self.client.freeze(serial, account, points_centi, reason))

    def confirm(self, serial: Serial) -> FreezeState:
        return self.guard.call(lambda: self.client.confirm(serial))

    def release(self, serial: Serial) -> FreezeState:
        return self.guard.call(lambda: self.client.release(serial))

    def reverse(self, serial: Serial) -> FreezeState:
        """Only where the town's capabilities say that it can."""
        if not isinstance(self.client, Reversing):
            raise RefusedError(
                f"{self.guard.neighbour} takes nothing confirmed back", code="town-cannot-reverse"
            )
        reversing = self.client
        return self.guard.call(lambda: reversing.reverse(serial))

    def find(self, serial: Serial) -> FreezeState | None:
        return self.guard.call(lambda: self.client.find(serial))

    def balance(self, account: str) -> int:
        return self.guard.call(lambda: self.client.balance(account))

    def day_statement(self, on: date) -> Iterator[StatementLine]:
        """The whole statement is one call: it is had whole or asked for again."""
        return iter(self.guard.call(lambda: list(self.client.day_statement(on))))


@dataclass(frozen=True, slots=True)
class GuardedDayFiles:
    """A town's day files behind the guard of the town. A file that is not made yet or not whole is an answer: the town stands."""

    guard: Guard
    files: TownDayFiles

    def fetch_day_file(self, on: date) -> DayFile:
        def fetch() -> DayFile | UnavailableError:
            try:
                return self.files.fetch_day_file(on)
            except UnavailableError as exc:
                if exc.code.startswith("day-file-"):
                    return exc
                raise

        found = self.guard.call(fetch)
        if isinstance(found, UnavailableError):
            raise found
        return found


@dataclass(frozen=True, slots=True)
class GuardedBank:
    """The bank behind its guard. Nothing is retried here: the outbox keeps what was not said, and asks before saying it again."""

    guard: Guard
    bank: BankPort

    def query_facility(self, serial: Serial, customer_id_no: str, product: str) -> Facility:
        return self.guard.call(lambda: self.bank.query_facility(serial, customer_id_no, product))

    def propose_benefit(self, proposal: BenefitProposal) -> BankAnswer:
        return self.guard.call(lambda: self.bank.propose_benefit(proposal))

    def query_proposal(self, serial: Serial, original_serial: Serial) -> BankAnswer:
        return self.guard.call(lambda: self.bank.query_proposal(serial, original_serial))

    def revoke_benefit(self, revocation: BenefitRevocation) -> BankAnswer:
        return self.guard.call(lambda: self.bank.revoke_benefit(revocation))


@dataclass(frozen=True, slots=True)
class GuardedFeed:
    """A town's change feed behind the town's guard: a pause stops it too."""

    guard: Guard
    feed: TownFeed

    def fetch_changes(self, cursor: str) -> FeedPage:
        return self.guard.call(lambda: self.feed.fetch_changes(cursor))

    def fetch_missing(self, from_seq: int, until_seq: int) -> FeedPage:
        return self.guard.call(lambda: self.feed.fetch_missing(from_seq, until_seq))

    def fetch_history(self, account: str, cursor: str) -> FeedPage:
        return self.guard.call(lambda: self.feed.fetch_history(account, cursor))


@dataclass(frozen=True, slots=True)
class GuardedLinking:
    """A town's account linking behind the town's guard. `begin` calls nobody."""

    guard: Guard
    linking: TownLinking

    @property
    def issuer(self) -> str:
        return self.linking.issuer

    @property
    def authorize_origin(self) -> str:
        return self.linking.authorize_origin

    def begin(self, *, state: str, nonce: str, code_verifier: str, redirect_uri: str, language: str) -> str:
        return self.linking.begin(
            state=state,
            nonce=nonce,
            code_verifier=code_verifier,
            redirect_uri=redirect_uri,
            language=language,
        )

    def exchange(self, code: str, *, nonce: str, code_verifier: str, redirect_uri: str) -> Grant:
        return self.guard.call(
            lambda: self.linking.exchange(
                code, nonce=nonce, code_verifier=code_verifier, redirect_uri=redirect_uri
            )
        )

    def renew(self, refresh_token: str, account: str) -> Grant:
        return self.guard.call(lambda: self.linking.renew(refresh_token, account))

    def revoke(self, refresh_token: str) -> None:
        self.guard.call(lambda: self.linking.revoke(refresh_token))


def guarded(house: House, *, threads: int | None = None) -> House:
    """The same house with every neighbour behind a guard of its own.

    `threads`: of a process that answers requests. Half of them never stand before a neighbour, whichever hangs, and one
    neighbour holds a quarter at most: pushes, pages and questions that need no neighbour always find a thread.
    """
    config = house.config
    towns = Limits(config.neighbour_at_once, config.breaker_opens_after)
    crowd = None
    if threads is not None:
        at_once = max(1, min(config.neighbour_at_once, threads // 4))
        towns = replace(towns, at_once=at_once, place_wait_s=DOOR_WAITS_S)
        crowd = threading.BoundedSemaphore(max(1, threads // 2))
    banks = replace(towns, at_once=towns.at_once * BANKS_SHARE, retries=0)
    bank = house.bank
    towns_called = {*house.clients, *house.day_files, *house.feeds, *house.linkings}
    guards = {t: Guard(house, t, towns, crowd) for t in towns_called}
    return replace(
        house,
        clients={t: GuardedTown(guards[t], client) for t, client in house.clients.items()},
        day_files={t: GuardedDayFiles(guards[t], files) for t, files in house.day_files.items()},
        feeds={t: GuardedFeed(guards[t], feed) for t, feed in house.feeds.items()},
        linkings={t: GuardedLinking(guards[t], linking) for t, linking in house.linkings.items()},
        bank=None if bank is None else GuardedBank(Guard(house, BANK, banks, crowd), bank),
    )
