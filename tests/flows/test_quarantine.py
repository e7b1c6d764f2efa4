"""Quarantine: read again when somebody can say what it is, posted once, gone at its end with its part of the bytes."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from gateway import contributions, ledger
from gateway.cli import town as town_cli
from gateway.flows.add_code import add_code
from gateway.flows.list_quarantined import list_quarantined
from gateway.flows.read_again import read_again
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.register_households import register_households
from gateway.flows.remove_quarantined import remove_quarantined
from gateway.flows.withdraw_consents import withdraw_consents
from gateway.house import House
from schemas.crypto import Sealed
from schemas.errors import ConflictError, InvalidError
from schemas.values import Purpose
from tests.conftest import TestDatabase
from tests.plain_town import KEYS, NOW, TOWN, PlainReader, invented_id_no, plain_house, push

ID_A, ID_B = invented_id_no(1), invented_id_no(2)
LATER = NOW + timedelta(minutes=1)


class KeepsNumbers(PlainReader):
    """Cut items leave a hole, as the contract of `without_items` asks."""

    def without_items(self, body: bytes, item_nos: Any, *, as_lines: bool) -> bytes:
        return orjson.dumps([{} if no in item_nos else item for no, item in enumerate(orjson.loads(body))])


@pytest.fixture
def house(database: TestDatabase) -> House:
    made = plain_house(database, readers={TOWN: KeepsNumbers()})
    _register(made, "F1", ID_A)
    return made


def _register(house: House, code: str, id_no: str) -> None:
    families = [{"code": code, "members": [{"id_no": id_no, "head": True}]}]
    register_households(house, TOWN, "town-a", orjson.dumps(families), now=NOW)


def _push(house: House, *items: dict[str, Any], key: str = "k1") -> list[str]:
    full = [{"code": "F1", "id_no": ID_A, **item} for item in items]
    return [str(i.status) for i in receive_contributions(house, push(full, key), now=NOW).items]


def _posted(database: TestDatabase) -> list[Any]:
    return database.sql("select reference, category, points_centi from contribution order by reference")


def _whole(database: TestDatabase) -> None:
    with database.auditor.transaction(read_only=True) as tx:
        assert [*contributions.list_faults(tx), *ledger.list_faults(tx)] == []


def test_a_new_code_posts_what_waited_for_it(house: House, database: TestDatabase) -> None:
    unknown = {"activity": "drone", "points_centi": 300}
    assert _push(house, {"reference": "A"}, {"reference": "B", **unknown}, {"reference": "C", "activity": "?"}) == [
        "accepted", "quarantined", "quarantined"]  # fmt: skip
    assert read_again(house, now=LATER) == {}
    assert add_code(house, TOWN, "drone", "patrol", by="li", now=LATER)
    assert read_again(house, now=LATER) == {"posted": 1}
    assert _posted(database) == [("A", "sorting", 100), ("B", "patrol", 300)]
    assert database.sql("select sum(balance_centi) from account") == [(400,)]
    assert [r.reference for r in list_quarantined(house)] == ["C"]
    batches = database.sql(
        "select b.client_id, b.accepted_count, r.kind from contribution_batch b join record r on r.row_id = b.batch_id::text"
        " where b.batch_id = (select released_as from quarantined_item where reference = 'B')"
    )
    assert batches == [("gateway", 1, "contribution_batch")]
    _whole(database)


def test_twice_is_once(house: House, database: TestDatabase) -> None:
    _push(house, {"reference": "B", "activity": "drone"})
    assert add_code(house, TOWN, "drone", "patrol", by="li", now=LATER)
    assert not add_code(house, TOWN, "drone", "patrol", by="wang", now=LATER)
    assert read_again(house, now=LATER, always=True) == {"posted": 1}
    assert read_again(house, now=LATER, always=True) == {}
    assert len(_posted(database)) == 1
    assert database.sql("select count(*) from record where kind = 'activity_code'") == [(1,)]


def test_a_registration_posts_what_waited_for_it(house: House, database: TestDatabase) -> None:
    """The member must be known before: an item of somebody without consent is not kept at all."""
    _register(house, "F1", ID_A)
    assert _push(house, {"reference": "B", "code": "F9"}) == ["quarantined"]
    read_again(house, now=LATER)
    _register(house, "F9", ID_A)
    assert read_again(house, now=LATER) == {"posted": 1}
    assert _posted(database) == [("B", "sorting", 100)]


def test_a_later_version_of_the_adapter_posts_what_it_understands(
    house: House, database: TestDatabase
) -> None:
    class Newer(KeepsNumbers):
        version = "plain/2"

        def _read(self, document: list[dict[str, Any]], codes: Any, first_no: int) -> Any:
            known = [{**i, "activity": "patrol"} if i.get("activity") == "drone" else i for i in document]
            return super()._read(known, codes, first_no)

    _push(house, {"reference": "B", "activity": "drone"})
    assert read_again(house, now=LATER) == {}
    assert read_again(replace(house, readers={TOWN: Newer()}), now=LATER) == {"posted": 1}
    assert database.sql("select adapter from contribution_batch order by batch_id") == [
        ("plain/1",),
        ("plain/2",),
    ]


def test_a_reversal_that_came_before_its_original(house: House, database: TestDatabase) -> None:
    assert _push(house, {"reference": "R", "kind": "reversal", "reverses": "A"}) == ["quarantined"]
    assert _push(house, {"reference": "A"}, key="k2") == ["accepted"]
    assert read_again(house, now=NOW + timedelta(hours=1)) == {"posted": 1}
    assert database.sql("select sum(balance_centi) from account") == [(0,)]
    _whole(database)


def test_what_the_town_sent_again_meanwhile_is_settled(house: House, database: TestDatabase) -> None:
    _push(house, {"reference": "B", "activity": "drone"})
    add_code(house, TOWN, "drone", "patrol", by="li", now=NOW - timedelta(minutes=1))
    later = replace(
        push([{"reference": "B", "activity": "drone", "code": "F1", "id_no": ID_A}], "k2"), received_at=LATER
    )
    assert str(receive_contributions(house, later, now=LATER).items[0].status) == "accepted"
    assert read_again(house, now=LATER) == {"settled": 1}
    assert len(_posted(database)) == 1
    assert list_quarantined(house) == []


class _Killed(BaseException):
    """The process dies."""


@pytest.mark.parametrize("at", ["judge_all", "write_all", "contributions.mark_released"])
def test_killed_in_between_nothing_is_lost_or_doubled(
    house: House, database: TestDatabase, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    _push(house, {"reference": "B", "activity": "drone"})
    add_code(house, TOWN, "drone", "patrol", by="li", now=LATER)

    def die(*_: Any, **__: Any) -> None:
        raise _Killed

    with monkeypatch.context() as patched:
        patched.setattr(f"gateway.flows.read_again.{at}", die)
        with pytest.raises(_Killed):
            read_again(house, now=LATER)
    assert _posted(database) == []
    assert read_again(house, now=LATER) == {"posted": 1}
    _whole(database)


def _bytes_of(database: TestDatabase) -> list[Any]:
    sealed: Any = database.sql("select key_id, sealed from raw_push order by batch_id limit 1")[0]
    read: list[Any] = orjson.loads(
        zlib.decompress(KEYS.open(Sealed(sealed[0], bytes(sealed[1])), "raw_push"))
    )
    return read


def test_past_its_end_it_is_gone_and_so_are_its_bytes(house: House, database: TestDatabase) -> None:
    _push(house, {"reference": "A"}, {"reference": "B", "activity": "drone"})
    assert remove_quarantined(house, now=NOW + timedelta(days=89)) == {}
    assert _bytes_of(database)[1]["reference"] == "B"
    assert remove_quarantined(house, now=NOW + timedelta(days=91)) == {"removed": 1}
    assert remove_quarantined(house, now=NOW + timedelta(days=91)) == {}
    assert [item.get("reference") for item in _bytes_of(database)] == ["A", None]
    assert database.sql("select count(*) from quarantined_item") == [(0,)]
    assert database.sql("select whole from raw_push") == [(False,)]
    add_code(house, TOWN, "drone", "patrol", by="li", now=LATER)
    assert read_again(house, now=NOW + timedelta(days=92), always=True) == {}


def test_a_withdrawn_consent_ends_the_keeping(house: House, database: TestDatabase) -> None:
    _push(house, {"reference": "B", "activity": "drone"})
    for purpose in Purpose:
        withdraw_consents(
            house, TOWN, "town-a", orjson.dumps([{"id_no": ID_A, "purpose": purpose}]), now=LATER
        )
    add_code(house, TOWN, "drone", "patrol", by="li", now=LATER)
    assert read_again(house, now=LATER) == {"refused": 1}
    assert remove_quarantined(house, now=LATER) == {"removed": 1}
    assert _bytes_of(database) == [{}]


def test_a_code_is_never_another_afterwards(house: House) -> None:
    add_code(house, TOWN, "drone", "patrol", by="li", now=NOW)
    with pytest.raises(ConflictError) as stands:
        add_code(house, TOWN, "drone", "hygiene", by="li", now=NOW)
    assert stands.value.code == "code-stands"
    for wrong in ({"category": "flying"}, {"activity": " "}, {"by": ""}, {"town": "atlantis"}):
        asked: Any = {"town": TOWN, "activity": "x", "category": "patrol", "by": "li", **wrong}
        with pytest.raises(InvalidError):
            add_code(house, asked.pop("town"), asked.pop("activity"), asked.pop("category"), now=NOW, **asked)


def test_a_thousand_and_more_are_read_in_passes(house: House, database: TestDatabase) -> None:
    _push(house, *[{"reference": f"B{n}", "activity": "drone" if n % 2 else "??"} for n in range(2500)])
    add_code(house, TOWN, "drone", "patrol", by="li", now=LATER)
    assert read_again(house, now=LATER) == {"posted": 1250}
    assert database.sql("select count(*) from quarantined_item where released_at is null") == [(1250,)]
    _whole(database)


def test_the_commands_say_reason_age_and_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    _push(house, {"reference": "B", "activity": "drone"}, {"reference": "C", "code": "F9"})
    monkeypatch.setattr(town_cli, "_house", lambda: house)

    def said(*words: str) -> str:
        done = CliRunner().invoke(town_cli.group, list(words))
        assert done.exit_code == 0, done.output
        return done.output

    text = said("quarantine", "--items")
    assert "lijiayuan unknown-activity: 1, oldest 0 days, first end 2027-02-18; activity 'drone'" in text
    assert "    C since 2026-11-20, until 2027-02-18; no family had this code" in text
    assert ID_A not in text
    assert said("codes", TOWN, "add", "drone", "patrol", "--by", "li") == "drone: added\n"
    assert "drone" in said("codes", TOWN)
    assert said("read-again") == "posted 1\n"
