"""平安共富积分: real time and the night's day file agree, or it shows. The file comes from the simulated town over real TLS."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from adapters.pingan_gongfu import create_client, create_reader
from gateway import contributions
from gateway.cli import town_files
from gateway.config import Config
from gateway.flows._day_caps import list_over_caps
from gateway.flows.add_code import add_code
from gateway.flows.list_day_files import list_day_files
from gateway.flows.pull_day_files import pull_day_files
from gateway.flows.read_again import read_again
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.receive_day_file import receive_day_file
from gateway.flows.reconcile_day import reconcile_day
from gateway.flows.register_households import register_households
from gateway.guarding import guarded
from gateway.house import House
from schemas.contributions import Push, PushAnswer
from schemas.crypto import Sealed
from schemas.errors import ConflictError, InvalidError, RefusedError, UnavailableError
from schemas.resident_id import check_character
from schemas.values import TownCode
from tests.conftest import TestDatabase
from tests.contract.simulated import SimulatedNeighbour, simulated
from tests.plain_town import plain_house

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

TOWN = TownCode("pingan_gongfu")
NS = "urn:pingan-gongfu:gateway:1"
DAY = date(2026, 11, 19)
NIGHT = datetime(2026, 11, 19, 19, 30, tzinfo=UTC)  # half past three in Beijing, the day after
WHO = [f"33019919800517{n:03d}" + check_character(f"33019919800517{n:03d}") for n in range(1, 5)]
STRANGER = "33019919800517099" + check_character("33019919800517099")


def item(serial: str, who: str = WHO[0], **changes: str) -> dict[str, str]:
    said = {"LSH": serial, "SFZH": who, "XM": "测试𠮷", "HDLX": "PAXF", "LX": "01", "JF": "5"}
    return {**said, "FSSJ": "20261119083000", "YLSH": "", **changes}


def _xml(words: dict[str, Any]) -> str:
    return "".join(
        f"<{name}>{_xml(one) if isinstance(one, dict) else one}</{name}>"
        for name, value in words.items()
        for one in (value if isinstance(value, list) else [value])
    )


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedNeighbour]:
    with simulated("pingan_gongfu", tmp_path_factory.mktemp("pingan")) as it:
        yield it


class Town:
    """The simulated town beside a house that knows four of its residents."""

    def __init__(self, house: House, it: SimulatedNeighbour) -> None:
        self.house, self.it = house, it

    def enter(self, on: date, *items: dict[str, str]) -> None:
        """The town's own books."""
        address = f"{self.it.place.address}/_items/{on:%Y%m%d}"
        self.it.calls.post(address, json=list(items), timeout=5).raise_for_status()

    def push(self, serial: str, *items: dict[str, str]) -> PushAnswer:
        """In real time."""
        body = f'<JFTS xmlns="{NS}">{_xml({"LSH": serial, "HDLB": {"HD": list(items)}})}</JFTS>'
        asked = Push(TOWN, "pingan", serial, body.encode(), NIGHT - timedelta(hours=10), self.house.new_id())
        return receive_contributions(self.house, asked, now=NIGHT - timedelta(hours=10))

    def stored(self) -> dict[str, int]:
        return {row.accounting_on.isoformat(): row.item_count for row in list_day_files(self.house, TOWN)}


@pytest.fixture
def town(database: TestDatabase, neighbour: SimulatedNeighbour) -> Iterator[Town]:
    client = create_client(neighbour.settings())
    house = plain_house(
        database,
        config=replace(Config(), seal_lag_refuse_s=10**9),  # nothing seals here
        readers={TOWN: create_reader()},
        clients={TOWN: client},
        day_files={TOWN: client},
        clock=lambda: NIGHT,
    )
    consent = {"YT": "01", "TYSJ": "20260401090000", "WBBB": "2025-07", "PZH": "", "JHR": ""}
    persons = [{"SFZH": who, "XM": "测试𠮷", "SJH": "", "TYLB": {"TY": [consent]}} for who in WHO]
    body = f'<RYDJ xmlns="{NS}">{_xml({"LSH": "DJ1", "RYLB": {"RY": persons}})}</RYDJ>'
    answers = register_households(house, TOWN, "pingan", body.encode(), now=NIGHT - timedelta(days=30))
    assert {str(a.status) for a in answers} == {"accepted"}
    yield Town(house, neighbour)
    neighbour.calm()
    neighbour.calls.post(f"{neighbour.place.address}/_caps", json={}, timeout=5).raise_for_status()
    kept = neighbour.state()["days"]
    for day in kept:  # the books forget: each test has its own days
        neighbour.calls.delete(f"{neighbour.place.address}/_items/{day}", timeout=5).raise_for_status()


def count(database: TestDatabase, table: str) -> int:
    return int(str(database.sql(f"select count(*) from {table}")[0][0]))


def test_what_was_pushed_in_real_time_is_known_and_what_was_missing_is_received(
    town: Town, database: TestDatabase
) -> None:
    pushed = [item(f"A{n}", WHO[n]) for n in range(3)]
    town.push("T1", *pushed)
    town.enter(DAY, *pushed, item("A9", WHO[3], JF="2.50"))
    taken = receive_day_file(town.house, TOWN, DAY, now=NIGHT)
    assert (taken.item_count, taken.duplicate_count, taken.accepted_count) == (4, 3, 1)
    assert taken.points_centi == 1750
    assert count(database, "contribution") == 4
    assert receive_day_file(town.house, TOWN, DAY, now=NIGHT + timedelta(hours=1)) == taken
    assert count(database, "contribution") == 4
    assert count(database, "day_file") == 1
    assert database.sql("select count(*) from record where kind = 'day_file'") == [(1,)]
    compared = reconcile_day(town.house, TOWN, DAY, now=NIGHT)
    assert (compared.matched, compared.ours_only, compared.theirs_only, compared.differing) == (4, 0, 0, 0)


def test_what_stands_otherwise_is_a_conflict_the_first_stands_and_the_run_says_so(
    town: Town, database: TestDatabase
) -> None:
    town.push("T1", item("A1"), item("A2"))
    town.enter(DAY, item("A1", JF="50"), item("A2"))
    with pytest.raises(ConflictError) as differs:
        pull_day_files(town.house, now=NIGHT)
    assert differs.value.code == "day-file-differs"
    assert "2026-11-19: 1" in str(differs.value.value)
    assert database.sql("select points_centi from contribution where reference = 'A1'") == [(500,)]
    [row] = list_day_files(town.house, TOWN)
    assert (row.conflict_count, row.duplicate_count) == (1, 1)
    assert pull_day_files(town.house, now=NIGHT) == {}
    compared = reconcile_day(town.house, TOWN, DAY, now=NIGHT)
    assert (compared.matched, compared.differing) == (1, 1)


def test_what_only_we_have_is_a_difference_of_the_same_night(town: Town) -> None:
    town.push("T1", item("A1"), item("A2"))
    town.enter(DAY, item("A1"))
    assert receive_day_file(town.house, TOWN, DAY, now=NIGHT).duplicate_count == 1
    assert reconcile_day(town.house, TOWN, DAY, now=NIGHT).ours_only == 1


def test_an_empty_day_is_a_file_too(town: Town) -> None:
    assert pull_day_files(town.house, now=NIGHT)["files"] == 1
    [row] = list_day_files(town.house, TOWN)
    assert (row.accounting_on, row.item_count) == (DAY, 0)


@pytest.mark.parametrize("fault", ["missing", "cut", "another_day", "busy", "drop", "garbage"])
def test_a_file_that_is_not_right_is_refused_and_asked_for_again(
    fault: str, town: Town, database: TestDatabase
) -> None:
    town.enter(DAY, item("A1"))
    town.it.arm(fault, "file")
    with pytest.raises(UnavailableError):
        pull_day_files(town.house, now=NIGHT)
    assert (count(database, "day_file"), count(database, "contribution")) == (0, 0)
    assert pull_day_files(town.house, now=NIGHT + timedelta(minutes=30))["accepted"] == 1


def test_a_day_that_cannot_be_had_keeps_no_other_back(town: Town) -> None:
    town.it.arm("missing", "file")
    with pytest.raises(UnavailableError):
        pull_day_files(town.house, now=NIGHT)
    town.it.arm("missing", "file")
    with pytest.raises(UnavailableError) as missing:
        pull_day_files(town.house, now=NIGHT + timedelta(days=1))
    assert missing.value.value == DAY.isoformat()
    assert town.stored() == {"2026-11-20": 0}
    assert pull_day_files(town.house, now=NIGHT + timedelta(days=1))["files"] == 1
    assert set(town.stored()) == {"2026-11-19", "2026-11-20"}


def test_days_missed_while_we_were_down_are_made_up_for(town: Town) -> None:
    assert pull_day_files(town.house, now=NIGHT)["files"] == 1
    for days in (1, 2, 3):
        on = DAY + timedelta(days=days)
        town.enter(on, item(f"B{days}", FSSJ=f"{on:%Y%m%d}120000"))
    found = pull_day_files(town.house, now=NIGHT + timedelta(days=3))
    assert (found["files"], found["accepted"]) == (3, 3)
    assert pull_day_files(town.house, now=NIGHT + timedelta(days=3)) == {}


def test_before_the_town_can_have_made_it_no_file_is_asked_for(town: Town) -> None:
    midnight = datetime(2026, 11, 19, 16, 5, tzinfo=UTC)
    pull_day_files(town.house, now=midnight)
    assert set(town.stored()) == {"2026-11-18"}


def test_killed_after_its_items_were_stored_it_is_taken_once(
    town: Town, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.enter(DAY, item("A1"), item("A2", WHO[1]), item("A3", STRANGER))
    with monkeypatch.context() as patch:

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(contributions, "insert_day_file", killed)
        with pytest.raises(KeyboardInterrupt):
            receive_day_file(town.house, TOWN, DAY, now=NIGHT)
    assert (count(database, "contribution"), count(database, "day_file")) == (2, 0)
    taken = receive_day_file(town.house, TOWN, DAY, now=NIGHT + timedelta(hours=1))
    assert (taken.accepted_count, taken.rejected_count) == (2, 1)
    assert (count(database, "contribution"), count(database, "contribution_batch")) == (2, 1)


def test_killed_before_its_items_were_stored_nothing_was_taken(
    town: Town, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.enter(DAY, item("A1"))
    with monkeypatch.context() as patch:

        def killed(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        patch.setattr("gateway.flows.receive_day_file.store", killed)
        with pytest.raises(KeyboardInterrupt):
            receive_day_file(town.house, TOWN, DAY, now=NIGHT)
    assert (count(database, "contribution"), count(database, "day_file")) == (0, 0)
    assert receive_day_file(town.house, TOWN, DAY, now=NIGHT).accepted_count == 1


def test_of_a_person_without_consent_nothing_is_kept(town: Town, database: TestDatabase) -> None:
    town.enter(DAY, item("A1"), item("A2", STRANGER, XM="测试陌生人"), item("A3", WHO[1]))
    taken = receive_day_file(town.house, TOWN, DAY, now=NIGHT)
    assert (taken.accepted_count, taken.rejected_count) == (2, 1)
    [(key_id, sealed)] = database.sql("select key_id, sealed from raw_push")
    kept = zlib.decompress(town.house.keys.open(Sealed(str(key_id), bytes(sealed)), "raw_push"))  # type: ignore[call-overload]
    assert STRANGER.encode() not in kept
    assert "陌生人".encode("gb18030") not in kept
    assert [i.item_no for i in create_reader().read_lines(kept, {}).items] == [0, 2]


def test_an_unknown_activity_waits_and_a_faulty_line_spoils_no_other(town: Town) -> None:
    town.enter(DAY, item("A1", HDLX="XXXX"), item("A2", WHO[0][:-1]), item("A3"))
    taken = receive_day_file(town.house, TOWN, DAY, now=NIGHT)
    assert (taken.accepted_count, taken.quarantined_count, taken.rejected_count) == (1, 1, 1)


def test_what_waits_of_a_day_file_is_read_again_from_its_lines(town: Town, database: TestDatabase) -> None:
    town.enter(DAY, item("A1", XM="测试倈"), item("A2", STRANGER), item("A3", HDLX="XXXX", XM="测试𠮷"))
    assert receive_day_file(town.house, TOWN, DAY, now=NIGHT).quarantined_count == 1
    add_code(town.house, TOWN, "XXXX", "patrol", by="operator", now=NIGHT)
    read_again(town.house, now=NIGHT + timedelta(hours=1))
    assert database.sql("select reference, category from contribution order by 1") == [
        ("A1", "patrol"),
        ("A3", "patrol"),
    ]
    assert database.sql("select count(*) from quarantined_item where released_at is null") == [(0,)]


def test_what_is_over_the_towns_cap_is_taken_and_noted(town: Town) -> None:
    town.it.calls.post(f"{town.it.place.address}/_caps", json={"PAXF": 2000}, timeout=5).raise_for_status()
    town.enter(
        DAY,
        *(item(f"A{n}", JF="10", FSSJ=f"2026111908{n:02d}00") for n in range(3)),
        item("B1", WHO[1], JF="20"),
    )
    taken = receive_day_file(town.house, TOWN, DAY, now=NIGHT)
    assert taken.accepted_count == 4
    assert taken.over_cap == [["A2", "PAXF", 3000, 2000]]
    [row] = list_day_files(town.house, TOWN)
    assert row.over_cap_count == 1


def test_the_command_takes_a_day_and_lists_what_was_taken(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(town_files, "_house", lambda: town.house)
    town.it.calls.post(f"{town.it.place.address}/_caps", json={"PAXF": 2000}, timeout=5).raise_for_status()
    town.enter(DAY, item("A1", JF="30"), item("A2", WHO[1]))
    for command, asked in (
        (town_files.day_file, [TOWN, "--on", DAY.isoformat()]),
        (town_files.day_files, [TOWN]),
    ):
        said = CliRunner().invoke(command, asked, catch_exceptions=False)
        assert said.exit_code == 0
        assert "2026-11-19  2 items, 35 points: 2 received, 0 known, 0 conflicts" in said.output
        assert "PAXF: 30 of 20 allowed, crossed by A1" in said.output


def test_the_cap_counts_awards_of_the_day_that_were_not_taken_back() -> None:
    lines = [
        item("A1", JF="15"), item("A2", JF="15"), item("R1", LX="03", YLSH="A1", JF="15"),
        item("A3", FSSJ="20261118083000", JF="15"), item("D1", LX="02", JF="90"),
    ]  # fmt: skip
    order = ("LSH", "SFZH", "XM", "HDLX", "LX", "JF", "FSSJ", "YLSH")
    body = "\n".join("|".join(["MX", *(line[name] for name in order)]) for line in lines).encode("gb18030")
    items = create_reader().read_lines(body, {}).items
    assert list_over_caps(items, {"PAXF": 2000}, DAY) == []
    assert [o.reference for o in list_over_caps(items, {"PAXF": 1000}, DAY)] == ["A2"]
    assert list_over_caps(items, {"AQSP": 1}, DAY) == []


def test_what_cannot_be_asked_is_said(town: Town) -> None:
    with pytest.raises(InvalidError) as early:
        receive_day_file(town.house, TOWN, DAY + timedelta(days=1), now=NIGHT)
    assert early.value.code == "day-not-over"
    with pytest.raises(InvalidError):
        receive_day_file(town.house, TownCode("nowhere"), DAY, now=NIGHT)
    with pytest.raises(UnavailableError) as away:
        receive_day_file(replace(town.house, day_files={}), TOWN, DAY, now=NIGHT)
    assert away.value.code == "neighbour-not-configured"
    reader: Any = create_reader()
    reader.capabilities = replace(reader.capabilities, day_file=False)
    with pytest.raises(RefusedError):
        receive_day_file(replace(town.house, readers={TOWN: reader}), TOWN, DAY, now=NIGHT)


def test_a_missing_file_opens_no_breaker(town: Town) -> None:
    """The town answered; only its file is not there. Its freezes go on."""
    house = guarded(town.house)
    for _ in range(house.config.breaker_opens_after + 1):
        town.it.arm("missing", "file")
        with pytest.raises(UnavailableError) as missing:
            house.day_files[TOWN].fetch_day_file(DAY)
        assert missing.value.code == "day-file-missing"
    assert house.day_files[TOWN].fetch_day_file(DAY).lines == ()
