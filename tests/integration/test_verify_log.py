"""Every change anywhere between rows and signatures is found and named; an untouched log passes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import VerifyReport, verify_log
from gateway.house import House
from gateway.translog import add_sm2_key, note, publish_verifiers
from gateway.translog.sm2 import is_installed
from schemas.errors import TamperedError
from tests.conftest import TestDatabase
from tests.integration.log_house import NOW, RESTATERS, add_batches, later, make_house

LEAVES = 600  # two full tiles and a part, in three checkpoints


def _verify(house: House, outside: tuple[str, ...] = ()) -> VerifyReport:
    return verify_log(house, now=later(10), restaters=RESTATERS, outside=outside)


@pytest.fixture
def house(database: TestDatabase, tmp_path: Path) -> House:
    built = make_house(database, tmp_path)
    for step, count in enumerate((300, 299, 1)):
        add_batches(built, count)
        seal_log(built, now=later(step))
    return built


def _tamper(database: TestDatabase, statement: str) -> None:
    database.sql(f"set session_replication_role = replica; {statement}")


def test_an_untouched_log_passes_and_says_what_it_checked(house: House) -> None:
    add_batches(house, 5)  # and some that wait
    report = _verify(house)
    assert report.ok
    assert report.size == LEAVES
    assert report.checked == {
        "leaves": 600,
        "records": 605,
        "records restated from rows": 605,
        "records waiting": 5,
        "rows looked up in the log": 605,
        "checkpoints": 3,
        "signatures": 6,
        "roots compared": 3,
        "tiles": 2,
        "leaves hashed into the tree": 600,
    }


def test_an_empty_log_passes(database: TestDatabase, tmp_path: Path) -> None:
    assert _verify(make_house(database, tmp_path)).ok


AT = "(select record_id from leaf where position = {})"
TAMPERS = [
    # record
    ("update record set body = convert_to(replace(convert_from(body, 'utf8'), 'lijiayuan', 'lijiayuam'), 'utf8')"
     f" where record_id = {AT.format(17)}", "leaf-differs", "leaf 17"),
    (f"update record set recorded_at = recorded_at - interval '1 day' where record_id = {AT.format(18)}",
     "record-column-differs", "leaf 18"),
    (f"update record set row_id = gen_random_uuid()::text where record_id = {AT.format(19)}",
     "record-column-differs", "leaf 19"),
    (f"update record set kind = 'other' where record_id = {AT.format(20)}", "record-column-differs", "leaf 20"),
    (f"delete from record where record_id = {AT.format(21)}", "record-missing", "leaf 21"),
    ("insert into record select gen_random_uuid(), kind, 'x', body, recorded_at from record limit 1",
     "record-without-leaf", "sample_batch x"),
    # leaf
    ("update leaf set leaf_hash = sha256('x') where position = 22", "leaf-differs", "leaf 22"),
    ("delete from leaf where position = 23", "leaf-missing", "leaf 23"),
    ("update leaf set position = 100000 where position = 24", "leaf-missing", "leaf 24"),
    ("insert into leaf select 600, gen_random_uuid(), sha256('x')", "record-missing", "leaf 600"),
    ("update leaf set position = 9999 where position = 30; update leaf set position = 30 where position = 31;"
     " update leaf set position = 31 where position = 9999", "tile-differs", "tile level 0, index 0"),
    ("update leaf set position = 9999 where position = 590; update leaf set position = 590 where position = 591;"
     " update leaf set position = 591 where position = 9999", "root-differs", "checkpoint of size 599"),
    # tile
    ("update tile set hashes = set_byte(hashes, 100, get_byte(hashes, 100) # 1) where index = 1",
     "tile-differs", "tile level 0, index 1"),
    ("update tile set root = sha256('x') where index = 1", "tile-differs", "tile level 0, index 1"),
    ("delete from tile where index = 0", "tile-differs", "tile level 0, index 0"),
    ("insert into tile select 0, 2, hashes, root from tile limit 1", "tile-added", "tile level 0, index 2"),
    ("insert into tile select 5, 0, hashes, root from tile limit 1", "tile-added", "tile level 5, index 0"),
    # checkpoint
    ("update checkpoint set root = sha256('x') where size = 599", "checkpoint-wrong", "checkpoint of size 599"),
    ("update checkpoint set note = replace(note, '599', '598') where size = 599",
     "checkpoint-wrong", "checkpoint of size 599"),
    ("update checkpoint set size = 598 where size = 599", "checkpoint-wrong", "checkpoint of size 598"),
    ("update checkpoint set signed_at = signed_at - interval '1 second' where size = 600",
     "checkpoint-wrong", "checkpoint of size 600"),
    ("delete from checkpoint where size = 300", "checkpoint-wrong", "checkpoint of size 599"),
    ("delete from checkpoint where size = 600", "leaf-unsigned", "leaves 599 to 599"),
    ("insert into checkpoint select 500, 4, root, note, signed_at from checkpoint where size = 600",
     "checkpoint-wrong", "checkpoint of size 500"),
    # rows
    ("update contribution_batch set item_count = 4 where batch_id::text = (select row_id from record where record_id ="
     f" {AT.format(40)})", "row-differs", "leaf 40"),
    (f"delete from contribution_batch where batch_id::text = (select row_id from record where record_id = {AT.format(41)})",
     "row-missing", "leaf 41"),
    ("insert into contribution_batch select '00000000-0000-4000-8000-000000000001', town, client_id, 'other',"
     " payload_sha256, adapter, received_at, item_count, accepted_count, exceptions, item_digests, receipt"
     " from contribution_batch limit 1", "row-without-record", "00000000-0000-4000-8000-000000000001"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "code", "where"), TAMPERS)
def test_a_change_is_found_and_named(
    database: TestDatabase, house: House, statement: str, code: str, where: str
) -> None:
    _tamper(database, statement)
    report = _verify(house)
    assert report.fault_count > 0
    assert (report.faults[0].code, where in report.faults[0].where) == (code, True), report.faults


def test_a_changed_row_is_named_to_the_column(database: TestDatabase, house: House) -> None:
    _tamper(database, "update contribution_batch set item_count = 4 where item_count = 3 and batch_id = "
            "(select min(batch_id::text)::uuid from contribution_batch)")  # fmt: skip
    [fault] = _verify(house).faults
    assert "contribution_batch (batch_id" in fault.value
    assert "column item_count: the log says 3, the row says 4" in fault.value


def test_which_side_was_changed_is_said_when_the_tile_knows(database: TestDatabase, house: House) -> None:
    _tamper(database, "update leaf set leaf_hash = sha256('x') where position = 22")
    assert "leaf.leaf_hash was changed" in _verify(house).faults[0].value
    _tamper(database, f"update record set body = body || '\\x20' where record_id = {AT.format(21)}")
    assert "record.body was changed" in _verify(house).faults[0].value


def test_a_record_that_left_the_queue_without_a_leaf_is_found(database: TestDatabase, house: House) -> None:
    add_batches(house, 1)
    _tamper(database, "delete from record_pending")
    assert _verify(house).faults[0].code == "record-without-leaf"


def test_a_sealed_record_put_back_into_the_queue_is_found(database: TestDatabase, house: House) -> None:
    _tamper(
        database,
        "insert into record_pending (record_id, recorded_at) select record_id, recorded_at from record limit 1",
    )
    assert _verify(house).faults[0].code == "queue-wrong"


def test_a_record_that_waits_too_long_is_a_fault(house: House) -> None:
    add_batches(house, 1, at=later(-house.config.seal_lag_refuse_s))
    assert _verify(house).faults[0].code == "seal-late"


def test_records_of_a_kind_nobody_restates_are_a_fault(house: House) -> None:
    report = verify_log(house, now=NOW, restaters={})
    assert report.faults[0].code == "kind-not-restated"
    assert report.faults[0].value == "600 records"


def test_a_rewritten_tree_with_valid_signatures_is_caught_by_a_checkpoint_kept_outside(
    database: TestDatabase, house: House
) -> None:
    [(kept,)] = database.sql("select note from checkpoint where size = 599")
    assert _verify(house, (str(kept),)).ok
    # somebody with the key and the database removes a batch and everything that speaks of it, and seals anew
    gone = "select row_id from record where record_id = " + AT.format(50)
    _tamper(
        database,
        f"delete from contribution_batch where batch_id::text = ({gone});"
        f" delete from record where record_id = {AT.format(50)};"
        " truncate leaf, tile, checkpoint; truncate record_pending;"
        " insert into record_pending (record_id, recorded_at) select record_id, recorded_at from record",
    )
    seal_log(house, now=later(5))
    assert _verify(house).ok  # the database alone agrees with itself: that is what a kept checkpoint is for
    report = _verify(house, (str(kept),))
    assert (report.faults[0].code, report.fault_count) == ("log-cut", 1) or report.faults[
        0
    ].code == "rewritten"


def test_a_log_cut_short_with_valid_signatures_is_caught_by_a_checkpoint_kept_outside(
    database: TestDatabase, house: House
) -> None:
    [(kept,)] = database.sql("select note from checkpoint where size = 600")
    _tamper(
        database,
        f"delete from contribution_batch where batch_id::text = (select row_id from record where record_id = {AT.format(599)});"
        f" delete from record where record_id = {AT.format(599)}; delete from leaf where position = 599;"
        " delete from checkpoint where size = 600",
    )
    assert _verify(house).ok
    assert _verify(house, (str(kept),)).faults[0].code == "log-cut"


def test_an_outside_checkpoint_nobody_signed_is_refused(database: TestDatabase, house: House) -> None:
    [(kept,)] = database.sql("select note from checkpoint where size = 600")
    with pytest.raises(TamperedError):
        _verify(house, (str(kept).replace("600", "601"),))


def test_a_foreign_key_does_not_verify(database: TestDatabase, house: House, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stranger = make_house(database, other)
    report = verify_log(stranger, now=NOW, restaters=RESTATERS)
    assert report.faults[0].code == "checkpoint-wrong"
    assert "no signature is by a key we know" in report.faults[0].value


def test_a_row_that_cannot_be_read_is_named_and_the_rest_still_checked(house: House) -> None:
    class Breaking(type(RESTATERS["sample_batch"])):  # type: ignore[misc]
        def restate(self, tx: object, row_ids: list[str]) -> object:
            if broken in row_ids:
                raise KeyError("category")
            return super().restate(tx, row_ids)

    with house.audit_db.transaction() as tx:
        broken = RESTATERS["sample_batch"].list_row_ids(tx, "", 77)[-1]
    report = verify_log(house, now=NOW, restaters={"sample_batch": Breaking()})
    assert [(fault.code, broken in fault.where) for fault in report.faults] == [("row-unreadable", True)]


def test_rows_that_cannot_be_listed_are_a_fault_and_the_tree_is_still_checked(house: House) -> None:
    class Repeating(type(RESTATERS["sample_batch"])):  # type: ignore[misc]
        def list_row_ids(self, tx: object, after: str, limit: int) -> list[str]:
            return ["always the same"]

    report = verify_log(house, now=NOW, restaters={"sample_batch": Repeating()})
    assert [fault.code for fault in report.faults] == ["row-without-record", "rows-unlistable"]
    assert report.checked["checkpoints"] == 3


def test_verification_passes_while_records_are_written_and_sealed(house: House) -> None:
    stop = threading.Event()

    def write_and_seal() -> None:
        while not stop.is_set():
            add_batches(house, 40)
            seal_log(house, now=NOW)
            add_batches(house, 3)

    writer = threading.Thread(target=write_and_seal)
    writer.start()
    try:
        reports = [verify_log(house, now=NOW, restaters=RESTATERS) for _ in range(6)]
    finally:
        stop.set()
        writer.join()
    assert [report.faults for report in reports if not report.ok] == []
    assert reports[-1].size > reports[0].size


@pytest.mark.skipif(not is_installed(), reason="the extra guomi is not installed: pip install gateway[guomi]")
def test_the_second_signature_is_checked_and_missed(
    database: TestDatabase, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = house.config
    publish_verifiers(config.log_verifiers, config.log_key, config.log_origin)
    add_sm2_key(config.log_key, config.log_verifiers, config.log_origin)
    for step in (3, 4):
        add_batches(house, 1)
        seal_log(house, now=later(step))
    assert (_verify(house).faults, _verify(house).checked["SM2 signatures"]) == ((), 2)
    monkeypatch.setattr(note, "is_installed", lambda: False)
    without = _verify(house)
    assert without.ok
    assert without.checked["SM2 signatures NOT checked (the extra guomi is not installed)"] == 2
    monkeypatch.undo()
    _tamper(
        database, "update checkpoint set note = rtrim(regexp_replace(note, '[^\n]*\n$', '')) where size = 602"
    )
    assert "second signature (SM2) is missing" in _verify(house).faults[0].value
