"""Connections are left to the process that has fewer, and never for long."""

from __future__ import annotations

from gateway.web.sharing import FRESH_S, LEAVE_S, MOST_LEFT, Counts, Turn


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def turn(counts: Counts, worker_no: int, waits: list[float]) -> Turn:
    return Turn(counts, worker_no, waits.append)


def test_whoever_has_fewer_takes_it() -> None:
    counts, waits = Counts(8, Clock()), []  # type: ignore[var-annotated]
    first, second = turn(counts, 1, waits), turn(counts, 2, waits)
    first.say(3)
    second.say(2)
    assert not first.is_ours(3)
    assert second.is_ours(2)
    assert waits == [LEAVE_S]


def test_as_many_is_not_fewer() -> None:
    counts = Counts(8, Clock())
    first, second = turn(counts, 1, []), turn(counts, 2, [])
    first.say(2)
    second.say(2)
    assert first.is_ours(2)
    assert second.is_ours(2)


def test_one_alone_takes_everything_whoever_was_there_before() -> None:
    clock = Clock()
    counts, waits = Counts(8, clock), []  # type: ignore[var-annotated]
    gone, living = turn(counts, 1, waits), turn(counts, 2, waits)
    gone.say(0)
    clock.now += FRESH_S + 0.1  # it says nothing any more: killed, or hung
    living.say(40)
    assert living.is_ours(40)
    assert waits == []


def test_nothing_is_left_waiting_for_one_that_never_takes_it() -> None:
    counts, waits = Counts(8, Clock()), []  # type: ignore[var-annotated]
    slow, other = turn(counts, 1, waits), turn(counts, 2, waits)
    slow.say(0)
    other.say(5)
    taken = [other.is_ours(5) for _ in range(MOST_LEFT + 1)]
    assert taken == [False] * MOST_LEFT + [True]
    assert sum(waits) <= 0.05


def test_a_worker_in_place_of_another_begins_anew() -> None:
    counts = Counts(4, Clock())
    turn(counts, 1, []).say(9)
    replacing = turn(counts, 5, [])  # the same place
    replacing.say(0)
    assert not turn(counts, 2, []).is_ours(1)
