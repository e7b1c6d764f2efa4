"""The change feed of 南阳young over a real connection: repeats, disorder, late commits, gaps, 429, and death at each `‖`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import feeds, ledger, subjects
from gateway.feeds import Gap, pass_page
from gateway.flows import pull_changes as corridor
from gateway.flows._restaters import list_sum_faults
from gateway.flows.pull_changes import pull_changes
from gateway.house import House
from schemas.errors import UnavailableError
from tests.conftest import TestDatabase
from tests.nanyang_stage import (
    TOWN,
    SimulatedNanyang,
    change,
    later,
    nanyang_house,
    openid,
    registration,
    running_nanyang,
)
from tests.plain_town import NOW


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedNanyang]:
    with running_nanyang(_folder(tmp_path_factory)) as running:
        yield running


def _folder(factory: pytest.TempPathFactory) -> Path:
    """One development authority for the module: making keys takes time."""
    folder = factory.getbasetemp() / "nanyang"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def house(database: TestDatabase, town: SimulatedNanyang) -> House:
    house = nanyang_house(database, town)
    for number in (1, 2):
        _link(house, number)
    return house


def _link(house: House, number: int) -> None:
    with house.db.transaction() as tx:
        person, _ = subjects.register_account(
            tx, house.keys, TOWN, registration(number), openid(number), now=NOW, new_id=house.new_id
        )
        ledger.open_accounts(tx, TOWN, [int(person)])


def _references(database: TestDatabase) -> list[str]:
    return [str(r) for (r,) in database.sql("select reference from contribution order by reference")]


def _gaps(database: TestDatabase) -> list[tuple[object, ...]]:
    return database.sql("select from_seq, until_seq from feed_gap order by from_seq")


def test_a_feed_is_read_to_its_end_and_twice_is_once(
    house: House, town: SimulatedNanyang, database: TestDatabase
) -> None:
    town.post("/_changes", {"changes": [change(n, 1 + n % 2) for n in range(1, 1203)]})
    counts = pull_changes(house, now=NOW)
    assert (counts["accepted"], counts["pages"]) == (1202, 3)
    assert database.sql("select sum(points_centi) from contribution") == [(1202 * 250,)]
    assert database.sql("select cursor, high_seq from feed") == [("c1202", 1202)]
    again = pull_changes(house, now=later(100))
    assert again.get("accepted", 0) == 0
    assert len(_references(database)) == 1202
    with house.audit_db.transaction(read_only=True) as tx:
        assert list_sum_faults(tx) == []


def test_a_feed_is_asked_only_when_something_changed_or_a_minute_passed(
    house: House, town: SimulatedNanyang
) -> None:
    pull_changes(house, now=NOW)
    pull_changes(house, now=later(10))
    assert town.state()["calls"]["changes"] == 1
    with house.db.transaction() as tx:
        feeds.mark_wanted(tx, TOWN, now=later(11))
    pull_changes(house, now=later(12))
    pull_changes(house, now=later(13))
    assert town.state()["calls"]["changes"] == 2
    pull_changes(house, now=later(12 + 60))
    assert town.state()["calls"]["changes"] == 3


def test_a_lower_number_that_commits_late_is_not_lost(
    house: House, town: SimulatedNanyang, database: TestDatabase
) -> None:
    """django-hordak #142: the cursor has passed 3 when 3 commits; only who noted the hole finds it."""
    town.post("/_changes", {"changes": [change(n) for n in range(1, 7)], "hide": [2]})
    pull_changes(house, now=NOW)
    assert _gaps(database) == [(3, 4)]
    assert database.sql("select cursor from feed") == [("c6",)]
    assert len(_references(database)) == 5
    town.post("/_reveal", {"seqs": [3]})
    town.post("/_changes", {"changes": [change(7)]})
    pull_changes(house, now=later(60))
    assert _gaps(database) == []
    assert len(_references(database)) == 7
    with house.audit_db.transaction(read_only=True) as tx:
        assert list_sum_faults(tx) == []


def test_a_gap_that_never_closes_is_raised_and_what_follows_is_received(
    house: House, town: SimulatedNanyang, database: TestDatabase
) -> None:
    town.post("/_changes", {"changes": [change(n) for n in range(1, 5)], "hide": [1]})
    assert pull_changes(house, now=NOW)["accepted"] == 3
    town.post("/_changes", {"changes": [change(5)]})
    with pytest.raises(UnavailableError) as caught:
        pull_changes(house, now=later(house.config.feed_gap_raise_s))
    assert caught.value.code == "feed-gap"
    assert "nanyang_young 1 since" in str(caught.value.value)
    assert len(_references(database)) == 4, "what follows the gap was received"
    assert _gaps(database) == [(2, 3)], "and the gap still stands"
    with pytest.raises(UnavailableError):
        pull_changes(house, now=later(house.config.feed_gap_raise_s + 60))
    town.post("/_reveal", {"seqs": [2]})
    pull_changes(house, now=later(house.config.feed_gap_raise_s + 120))
    assert _gaps(database) == []
    assert len(_references(database)) == 5


def test_numbers_that_are_void_close_their_gap(
    house: House, town: SimulatedNanyang, database: TestDatabase
) -> None:
    town.post("/_changes", {"changes": [change(1)]})
    town.post("/_skip", {"count": 3})
    town.post("/_changes", {"changes": [change(2)]})
    pull_changes(house, now=NOW)
    assert _gaps(database) == []
    assert database.sql("select high_seq from feed") == [(5,)]


def test_repeated_and_disordered_pages_store_each_change_once(
    house: House, town: SimulatedNanyang, database: TestDatabase
) -> None:
    town.arm("repeat", "changes")
    town.post("/_changes", {"changes": [change(n) for n in range(1, 201)]})
    assert pull_changes(house, now=NOW)["duplicate"] == 200
    town.arm("reorder", "changes", times=3)
    town.post("/_changes", {"changes": [change(n) for n in range(201, 1400)]})
    pull_changes(house, now=later(60))
    assert len(_references(database)) == 1399
    assert _gaps(database) == []


def test_a_town_that_asks_us_to_wait_is_not_asked_before(
    house: House, town: SimulatedNanyang, database: TestDatabase
) -> None:
    town.post("/_changes", {"changes": [change(n) for n in range(1, 4)]})
    town.arm("busy", "changes", seconds=90)
    assert pull_changes(house, now=NOW)["busy"] == 1
    assert pull_changes(house, now=later(80), unasked=True) == {}
    assert town.state()["calls"]["changes"] == 1
    assert pull_changes(house, now=later(120))["accepted"] == 3


def test_busy_in_the_middle_keeps_what_came(
    house: House, town: SimulatedNanyang, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.post("/_changes", {"changes": [change(n) for n in range(1, 1201)]})
    pages = itertools.count()
    fetch = house.feeds[TOWN].fetch_changes

    def armed(cursor: str) -> Any:
        if next(pages) == 1:
            town.arm("busy", "changes", seconds=7)
        return fetch(cursor)

    monkeypatch.setattr(house.feeds[TOWN], "fetch_changes", armed)
    counts = pull_changes(house, now=NOW)
    assert (counts["accepted"], counts["busy"]) == (500, 1)
    assert database.sql("select cursor from feed") == [("c500",)]
    assert pull_changes(house, now=later(60))["accepted"] == 700


@pytest.mark.parametrize("fault", ["drop", "garbage", "slow"])
def test_a_page_that_did_not_come_moves_nothing(
    house: House, town: SimulatedNanyang, database: TestDatabase, fault: str
) -> None:
    town.post("/_changes", {"changes": [change(n) for n in range(1, 4)]})
    town.arm(fault, "changes", seconds=3)
    with pytest.raises(UnavailableError):
        pull_changes(house, now=NOW)
    assert _references(database) == []
    assert pull_changes(house, now=later(60))["accepted"] == 3


def test_killed_between_fetch_and_store_the_page_is_fetched_again(
    house: House, town: SimulatedNanyang, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.post("/_changes", {"changes": [change(n) for n in range(1, 11)]})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(corridor, "_move", killed)  # in the storing transaction, before its commit
        with pytest.raises(KeyboardInterrupt):
            pull_changes(house, now=NOW)
    assert (_references(database), database.sql("select * from feed")) == ([], [])
    assert pull_changes(house, now=NOW)["accepted"] == 10


def test_killed_between_asking_for_a_gap_and_storing_it_stays_open(
    house: House, town: SimulatedNanyang, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.post("/_changes", {"changes": [change(n) for n in range(1, 4)], "hide": [0]})
    pull_changes(house, now=NOW)
    town.post("/_reveal", {"seqs": [1]})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(corridor, "_store_missing", killed)
        with pytest.raises(KeyboardInterrupt):
            pull_changes(house, now=later(60))
    assert _gaps(database) == [(1, 2)]
    pull_changes(house, now=later(120))
    assert (_gaps(database), len(_references(database))) == ([], 3)


def test_of_two_runs_at_once_one_moves_the_cursor(
    house: House, town: SimulatedNanyang, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.post("/_changes", {"changes": [change(n) for n in range(1, 4)]})
    store = corridor.store  # type: ignore[attr-defined]
    inner: list[dict[str, int]] = []

    def meanwhile(*arguments: Any, **more: Any) -> Any:
        monkeypatch.setattr(corridor, "store", store)
        inner.append(pull_changes(house, now=NOW))
        return store(*arguments, **more)

    monkeypatch.setattr(corridor, "store", meanwhile)
    assert pull_changes(house, now=NOW) == {"elsewhere": 1}
    assert inner[0]["accepted"] == 3
    assert len(_references(database)) == 3


def test_of_people_who_did_not_link_nothing_is_kept(
    house: House, town: SimulatedNanyang, database: TestDatabase
) -> None:
    town.post("/_changes", {"changes": [change(1, 3), change(2, 1)]})
    counts = pull_changes(house, now=NOW)
    assert (counts["accepted"], counts["rejected"]) == (1, 1)
    stored = [str(row) for (row,) in database.sql("select b::text from contribution_batch b")]
    assert "no-consent" in stored[0]
    assert openid(3) not in "".join(stored)
    assert database.sql("select whole from raw_push") == [(False,)]
    assert database.sql("select high_seq from feed") == [(2,)], "its number is no gap: it came"


def test_a_broken_item_does_not_spoil_its_page(
    house: House, town: SimulatedNanyang, database: TestDatabase
) -> None:
    town.post(
        "/_changes", {"changes": [change(1), change(2, points="2.3"), change(3, occurred_at=1), change(4)]}
    )
    counts = pull_changes(house, now=NOW)
    assert (counts["accepted"], counts["rejected"]) == (2, 2)
    assert _gaps(database) == []


def _everything_missing(high: int, gaps: list[Gap]) -> set[int]:
    return {n for gap in gaps for n in range(gap.from_seq, gap.until_seq)}


@given(
    st.lists(st.lists(st.integers(1, 40), max_size=8), max_size=12),
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 5)), max_size=3),
)
def test_whatever_comes_in_whatever_order_what_is_missing_is_known(
    pages: list[list[int]], ranges: list[tuple[int, int]]
) -> None:
    void = [(low, low + size) for low, size in ranges]
    high, gaps, came = 0, list[Gap](), set[int]()
    first: dict[int, datetime] = {}
    for number, page in enumerate(pages):
        now = NOW + timedelta(seconds=number)
        said = void if number == len(pages) - 1 else []
        high, gaps = pass_page(high, gaps, page, said, now=now)
        came |= set(page) | {n for low, until in said for n in range(low, until)}
        assert high == max(came, default=0)
        assert _everything_missing(high, gaps) == set(range(1, high + 1)) - came
        assert all(a.until_seq <= b.from_seq for a, b in itertools.pairwise(gaps)), "ascending and apart"
        for gap in gaps:
            for n in range(gap.from_seq, gap.until_seq):
                assert first.setdefault(n, gap.seen_at) == gap.seen_at, "its age does not begin anew"
