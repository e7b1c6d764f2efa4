"""Small pushes that arrive at the same moment share one transaction: one commit, one set of statements for all of them.

Whoever comes first leads: it takes everybody waiting for the same house and town, works for all, and hands the lead to the
next one waiting. Nobody waits for a timer; with one client there is nobody to combine and nothing is slower.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

from gateway.house import House
from schemas.contributions import Push, PushAnswer
from schemas.errors import GatewayError

MOST_TOGETHER = 64
SMALL_BYTES = 16 * 1024

Together = Callable[[House, Sequence[Push], datetime], "list[PushAnswer | GatewayError]"]


class _Ticket:
    __slots__ = ("house", "leads", "now", "outcome", "push", "ready")

    def __init__(self, house: House, push: Push, now: datetime) -> None:
        self.house, self.push, self.now = house, push, now
        self.outcome: PushAnswer | BaseException | None = None
        self.leads = False
        self.ready = threading.Event()

    def goes_with(self, other: _Ticket) -> bool:
        return self.house is other.house and self.push.town == other.push.town


class Combiner:
    """One a process. `work` receives several pushes of one town together."""

    def __init__(self, work: Together) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._waiting: deque[_Ticket] = deque()
        self._somebody_leads = False

    def receive(self, house: House, push: Push, now: datetime) -> PushAnswer:
        """The answer to `push`. Raises what its own work raised."""
        ticket = _Ticket(house, push, now)
        with self._lock:
            self._waiting.append(ticket)
            if not self._somebody_leads:
                self._somebody_leads = ticket.leads = True
        if not ticket.leads:
            ticket.ready.wait()
        if ticket.leads:
            self._lead(ticket)
        outcome = ticket.outcome
        if isinstance(outcome, BaseException):
            raise outcome
        assert outcome is not None
        return outcome

    def _lead(self, ticket: _Ticket) -> None:
        """Work for everybody waiting who goes with `ticket`, itself among them; then hand over."""
        with self._lock:
            together = [t for t in self._waiting if t.goes_with(ticket)][:MOST_TOGETHER]
            if (
                ticket not in together
            ):  # it waits behind more than one transaction holds: it leads for itself at least
                together[-1] = ticket
            taken = set(map(id, together))
            self._waiting = deque(t for t in self._waiting if id(t) not in taken)
        try:
            self._run(together)
        finally:
            with self._lock:
                if self._waiting:
                    following = self._waiting[0]
                    following.leads = True
                    following.ready.set()
                else:
                    self._somebody_leads = False
            for done in together:
                if done is not ticket:
                    done.ready.set()

    def _run(self, together: list[_Ticket]) -> None:
        first = together[0]
        try:
            outcomes: list[PushAnswer | GatewayError] = self._work(
                first.house, [t.push for t in together], first.now
            )
            for ticket, outcome in zip(together, outcomes, strict=True):
                ticket.outcome = outcome
        except GatewayError as exc:  # the database was away, or the log lags: the same for everybody
            for ticket in together:
                ticket.outcome = exc
        except BaseException as exc:
            if len(together) == 1:
                first.outcome = exc
                return
            for ticket in together:  # one of them is to blame: each alone, so that the others land
                self._run([ticket])


__all__ = ["MOST_TOGETHER", "SMALL_BYTES", "Combiner"]
