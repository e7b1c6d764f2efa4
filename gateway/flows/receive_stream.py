"""Points arrive in a stream: pushes of one client one after the other, a few of them under way at once.

While PostgreSQL works on one push, the next is read. A push that reverses something waits until all before it are stored,
because what it reverses may be among them; answers come in the order of the pushes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from gateway.flows._readiness import refuse_if_sealing_lags
from gateway.flows._receiving import read, store
from gateway.house import House
from schemas.contributions import Push, PushAnswer
from schemas.errors import GatewayError

UNDER_WAY = 3  # memory stays bounded: this many pushes, whatever the stream's length


def receive_stream(house: House, pushes: Iterable[Push]) -> Iterator[PushAnswer]:
    """The answer to each push, in order; `pushes` is drawn from as answers are taken.

    Raises what `receive_contributions` raises, at the first push it concerns; up to UNDER_WAY − 1 pushes after it may be stored
    already, and answer the same when they are sent again.
    """
    with ThreadPoolExecutor(UNDER_WAY, thread_name_prefix="stream") as pool:
        under_way: deque[Future[PushAnswer]] = deque()
        for push in pushes:
            under_way.append(pool.submit(_receive, house, push, tuple(under_way)))
            if len(under_way) == UNDER_WAY:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _receive(house: House, push: Push, before: Sequence[Future[PushAnswer]]) -> PushAnswer:
    """One push. Those before it were begun earlier and have threads of their own, so waiting for them ends."""
    now = push.received_at
    refuse_if_sealing_lags(house, now)
    reading = read(house, push, now)
    if any(item.reverses for item in reading.read.items):
        wait(before)
    outcome = store(house, push.town, [reading], now)[0]
    if isinstance(outcome, GatewayError):
        raise outcome
    return outcome
