"""Redemptions whose process is killed (SIGKILL), or whose database goes away, at each commit: the matrix of bar 2.

A story is played by a process of its own, forked from the test. Its house commits as usual, until the nth commit: there the
process dies before it or after it, or PostgreSQL ends its connection, or the word that it was stored gets lost. Dying before a
commit is dying after the town was asked; dying after a commit is dying before the town is asked: so every `‖` is met from both
sides.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg2

from adapters import lijiayuan
from gateway.db import Database
from gateway.flows.approve_redemption import approve_redemption
from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.end_overdue_holds import end_overdue_holds
from gateway.flows.hand_over_goods import hand_over_goods
from gateway.flows.redeem_points import redeem_points
from gateway.flows.release_redemption import release_redemption
from gateway.flows.reverse_redemption import reverse_redemption
from gateway.flows.settle_redemptions import settle_redemptions
from gateway.house import House
from schemas.errors import GatewayError, OutcomeUnknownError
from schemas.ports import FreezeState
from schemas.redemptions import Basket
from schemas.values import TownCode
from tests.plain_town import NOW
from tests.redemption_stage import FIRST, SECOND, Stage

KILLS = ("killed before", "killed after")
BREAKS = ("connection cut", "commit not heard of")
#: told by the simulator itself
TOLD = ("drop", "refuse", "busy", "garbage", "slow")
#: made between our client and the town: the request never arrives, arrives twice, is answered with other points, or the town
#: has let the points go by itself and says so
MADE = ("lost", "twice", "forged", "ended")
ACTS = ("freeze", "confirm", "release", "reverse")
ONE = (("RICE", FIRST, 1),)
TWO = (("RICE", FIRST, 1), ("RICE", SECOND, 1))
COSTLY = (("TV", FIRST, 1),)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at a town, `times` times."""

    kind: str
    on: str
    town: TownCode = FIRST
    times: int = 1


@dataclass(frozen=True, slots=True)
class Story:
    """What is done, one step after another, and the edges it is there for: the last ones it walks."""

    name: str
    steps: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    lines: tuple[tuple[str, TownCode, int], ...] = ONE
    faults: tuple[Fault, ...] = ()
    begins_at: datetime = NOW
    step_s: float = 1.0


SOLD = ("redeem", "confirm", "hand over")
STORIES = (
    Story("sold", SOLD, (
        ("opened", "freeze_sent"), ("freezing", "town_froze"), ("frozen", "confirm_sent"), ("confirming", "town_confirmed"),
        ("confirmed", "handed_over"))),
    Story("approved", ("redeem", "approve"), (("frozen", "approved"),), COSTLY),
    Story("given up", ("redeem", "release"), (("frozen", "release_needed"), ("releasing", "town_released"))),
    Story("given up after the towns confirmed", ("redeem", "confirm", "release"),
          (("confirmed", "release_needed"), ("releasing", "town_reversed"))),
    Story("reversed", (*SOLD, "reverse"), (("handed_over", "reversal_asked"), ("releasing", "town_reversed"))),
    Story("reversed after midnight in Beijing", (*SOLD, "reverse"),
          (("handed_over", "reversal_asked"), ("releasing", "town_reversed")),
          begins_at=NOW.replace(hour=15, minute=59, second=58), step_s=0.9),
    Story("hold ended", ("redeem", "wait"), (("frozen", "release_needed"), ("releasing", "town_released"))),
    Story("refused", ("redeem",), (("freezing", "town_refused"),), faults=(Fault("refuse", "freeze"),)),
    Story("the second town refuses", ("redeem",), (("freezing", "release_needed"), ("releasing", "town_released")), TWO,
          (Fault("refuse", "freeze", SECOND),)),
    Story("freeze answered late", ("redeem", "settle"), (("freezing", "answer_lost"), ("unknown", "found_frozen")),
          faults=(Fault("drop", "freeze"),)),
    Story("freeze never arrived", ("redeem", "settle"), (("freezing", "answer_lost"), ("unknown", "found_nothing")),
          faults=(Fault("lost", "freeze"),)),
    Story("confirmation answered late", ("redeem", "confirm", "settle"),
          (("confirming", "answer_lost"), ("unknown", "found_confirmed")), faults=(Fault("drop", "confirm"),)),
    Story("confirmation never arrived", ("redeem", "confirm", "settle"),
          (("unknown", "confirm_sent"), ("confirming", "town_confirmed")), faults=(Fault("lost", "confirm"),)),
    Story("a town let go before it was to confirm", ("redeem", "confirm"),
          (("confirming", "release_needed"), ("releasing", "town_released")), TWO, (Fault("ended", "confirm", SECOND),)),
    Story("release answered late", ("redeem", "release", "settle"),
          (("releasing", "answer_lost"), ("unknown", "found_released")), faults=(Fault("drop", "release"),)),
    Story("release never arrived", ("redeem", "release", "settle"),
          (("unknown", "release_needed"), ("releasing", "town_released")), faults=(Fault("lost", "release"),)),
    Story("reversal answered late", (*SOLD, "reverse", "settle"),
          (("releasing", "answer_lost"), ("unknown", "found_reversed")), faults=(Fault("drop", "reverse"),)),
)  # fmt: skip


@dataclass
class DyingDatabase:
    """A house's database; something happens at the nth commit."""

    inner: Database
    nth: int
    how: str
    admin_dsn: str
    committed: int = 0

    @contextmanager
    def transaction(self, **options: Any) -> Iterator[Any]:
        due = self.committed + 1 == self.nth
        with self.inner.transaction(**options) as tx:
            yield tx
            if due and self.how in ("killed before", "connection cut"):
                tx.flush()
                self._die(tx)
        self.committed += 1
        if due and self.how == "killed after":
            os.kill(os.getpid(), signal.SIGKILL)
        if due and self.how == "commit not heard of":
            raise OutcomeUnknownError("the database went away while committing", code="commit-unknown")

    def _die(self, tx: Any) -> None:
        if self.how == "killed before":
            os.kill(os.getpid(), signal.SIGKILL)
        self.nth = 0
        self.committed += 1  # the one that is cut is not met again
        connection = psycopg2.connect(self.admin_dsn)
        with connection, connection.cursor() as cursor:
            cursor.execute("select pg_terminate_backend(%s, 5000)", [tx._connection.get_backend_pid()])
        connection.close()

    def close(self) -> None:
        self.inner.close()


@dataclass
class Between:
    """A town's client; what is wrong between it and the town."""

    inner: Any
    faults: list[Fault] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def _call(self, name: str, *arguments: Any) -> FreezeState:
        call = getattr(self.inner, name)
        fault = next((f for f in self.faults if f.on == name), None)
        if fault is None:
            return call(*arguments)  # type: ignore[no-any-return]
        self.faults.remove(fault)
        if fault.times > 1:
            self.faults.append(replace(fault, times=fault.times - 1))
        if fault.kind == "lost":
            raise OutcomeUnknownError("it did not answer; it may have acted", code="neighbour-answer-lost")
        if fault.kind == "ended" and name == "confirm":
            return self.inner.release(arguments[0])  # type: ignore[no-any-return]
        said: FreezeState = call(*arguments)
        if fault.kind == "twice":
            said = call(*arguments)
        return replace(said, points_centi=said.points_centi + 1) if fault.kind == "forged" else said

    def freeze(self, *arguments: Any) -> FreezeState:
        return self._call("freeze", *arguments)

    def confirm(self, *arguments: Any) -> FreezeState:
        return self._call("confirm", *arguments)

    def release(self, *arguments: Any) -> FreezeState:
        return self._call("release", *arguments)

    def reverse(self, *arguments: Any) -> FreezeState:
        return self._call("reverse", *arguments)


@dataclass
class Player:
    """Whoever plays a story: the clerk, the supervisor and the jobs of one process."""

    stage: Stage
    house: House
    basket: Basket
    now: datetime
    redemption_id: UUID | None = None

    def play(self, story: Story) -> None:
        """Every step; one that fails is tried once more, as people do."""
        for step in story.steps:
            for _ in range(2):
                with suppress(GatewayError):
                    self._step(step)
                    break
            self.now += timedelta(seconds=story.step_s)

    def _step(self, step: str) -> None:
        clerk, supervisor = self.stage.clerk, self.stage.supervisor
        if step == "redeem":
            self.redemption_id = redeem_points(self.house, clerk, self.basket, now=self.now).redemption_id
            return
        if step == "settle":
            for _ in range(3):
                self.now += timedelta(seconds=70)
                if not settle_redemptions(self.house, now=self.now):
                    break
            return
        if step == "wait":
            self.now += timedelta(seconds=self.house.config.desk_hold_s)
            end_overdue_holds(self.house, now=self.now)
            return
        if self.redemption_id is None:
            return
        flow, who = {
            "approve": (approve_redemption, supervisor),
            "confirm": (confirm_redemption, clerk),
            "hand over": (hand_over_goods, clerk),
            "release": (release_redemption, clerk),
            "reverse": (reverse_redemption, supervisor),
        }[step]
        flow(self.house, who, self.redemption_id, now=self.now)


def play_apart(stage: Stage, story: Story, basket: Basket, nth: int, how: str) -> bool:
    """Play it in a process of its own until the nth commit. Whether there was an nth commit."""
    for fault in story.faults:
        if fault.kind in TOLD:
            stage.towns.arm(fault.town, fault.kind, fault.on, times=fault.times, seconds=1.3)
    pid = os.fork()
    if pid == 0:
        _play_here(stage, story, basket, nth, how)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, status
        return True
    assert os.WEXITSTATUS(status) in (0, 7), f"{story.name} broke at commit {nth} ({how}): see standard error"
    return os.WEXITSTATUS(status) == 7


def _play_here(stage: Stage, story: Story, basket: Basket, nth: int, how: str) -> None:
    """In the child: connections of its own; never returns. Ends with 7 when the nth commit was met, else with 0."""
    ends = 3
    try:
        database = DyingDatabase(Database(stage.database.app_dsn), nth, how, stage.database.admin_dsn)
        clients: dict[TownCode, Any] = {}
        for town, running in stage.towns.by_code.items():
            made = [f for f in story.faults if f.kind in MADE and f.town == town]
            clients[town] = Between(lijiayuan.create_client(running.config), made)
        house = replace(stage.house, db=database, clients=clients)
        Player(stage, house, basket, stage.now).play(story)
        ends = 7 if database.committed >= nth else 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(ends)


def finish(stage: Stage) -> None:
    """The faults are over, time passes, the jobs run; then the clerk hands over what the towns confirmed."""
    stage.towns.heal()
    stage.settle()
    rows = stage.database.sql("select redemption_id::text from redemption where state = 'confirmed'")
    for (confirmed,) in rows:
        hand_over_goods(stage.house, stage.clerk, UUID(str(confirmed)), now=stage.now)


def edges_walked(stage: Stage, basket: Basket) -> list[tuple[str, str]]:
    """The edges that were stored for a basket, in their order."""
    rows = stage.database.sql(
        "select e.from_state, e.event from redemption_event e join redemption r using (redemption_id)"
        " where r.idempotency_key = %s order by e.event_no",
        [basket.idempotency_key],
    )
    return [(str(state), str(event)) for state, event in rows]
