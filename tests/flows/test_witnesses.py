"""Witnesses: what they sign is published, what they refuse is not; and each way of showing two histories ends in an alarm."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from gateway.flows.answer_refusal import answer_refusal
from gateway.flows.cosign_checkpoint import CosignOutcome, cosign_checkpoint
from gateway.flows.inspect_witnesses import inspect_witnesses
from gateway.flows.read_checkpoint import read_checkpoint
from gateway.flows.read_proof import read_proof
from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import VerifyReport, verify_log
from gateway.house import House
from gateway.translog import check_proof, leaf_hash, load_verifiers, open_checkpoint
from gateway.translog.checkpoint import Checkpoint, sign_checkpoint
from gateway.translog.keys import load_signer
from gateway.translog.note import parse_vkey
from gateway.verifier.witness import Witness
from jobs.table import get_job
from schemas.errors import ConflictError, InvalidError, NotFoundError, TamperedError, UnavailableError
from tests.conftest import TestDatabase
from tests.integration.log_house import NOW, RESTATERS, add_batches, make_house
from tests.witnessing import CLOCK_S, Running, log_keys, running_witness, watched


@pytest.fixture
def witnesses(house: House, tmp_path: Path) -> Iterator[list[Running]]:
    """Two, of two towns, watching the log."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(running_witness(tmp_path / name, f"{name}.example/witness", log_keys(house)))
            for name in ("guali", "nanyang")
        ]


@pytest.fixture
def house(database: TestDatabase, tmp_path: Path) -> House:
    return make_house(database, tmp_path)


def _grow(house: House, count: int = 3) -> None:
    add_batches(house, count)
    seal_log(house, now=NOW)


def _verify(house: House, **changes: object) -> VerifyReport:
    from gateway.translog.restate import RESTATERS as OURS

    return verify_log(house, now=NOW, restaters={**RESTATERS, **OURS}, **changes)


def _cosigned(running: Running, origin: str) -> str:
    connection = http.client.HTTPConnection(urlsplit(running.address).netloc, timeout=5)
    connection.request("GET", f"/cosigned/{quote(origin, safe='')}")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def _post(running: Running, body: bytes) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(urlsplit(running.address).netloc, timeout=5)
    connection.request("POST", "/add-checkpoint", body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers["Content-Type"], text


def test_what_enough_witnesses_signed_is_published(house: House, witnesses: list[Running]) -> None:
    house = watched(house, witnesses, quorum=2)
    _grow(house)
    with pytest.raises(NotFoundError):
        read_checkpoint(house)  # sealed, and not shown to anybody yet
    assert cosign_checkpoint(house, now=NOW) == CosignOutcome(signed=2)
    note = read_checkpoint(house).decode()
    keys = [parse_vkey(one.vkey) for one in witnesses]
    ours = load_verifiers(house.config.log_verifiers, house.config.log_key, house.config.log_origin)
    opened = open_checkpoint(note, [*ours, *keys])
    assert opened.checkpoint.size == 3
    assert set(keys) <= set(opened.by)
    _grow(house, 300)
    assert open_checkpoint(read_checkpoint(house).decode(), ours).checkpoint.size == 3  # not signed yet
    assert cosign_checkpoint(house, now=NOW).signed == 2
    assert open_checkpoint(read_checkpoint(house).decode(), ours).checkpoint.size == 303
    report = _verify(house)
    assert (report.ok, report.checked["cosignatures"]) == (True, 4)


def test_twice_is_once(house: House, witnesses: list[Running], database: TestDatabase) -> None:
    house = watched(house, witnesses, quorum=2)
    assert cosign_checkpoint(house, now=NOW) == CosignOutcome()  # nothing is sealed
    _grow(house)
    assert cosign_checkpoint(house, now=NOW).signed == 2
    assert cosign_checkpoint(house, now=NOW) == CosignOutcome()
    assert database.sql("select count(*) from cosignature") == [(2,)]


def test_a_proof_leads_to_a_checkpoint_with_its_witnesses(house: House, witnesses: list[Running]) -> None:
    house = watched(house, witnesses, quorum=1)
    [row_id] = add_batches(house, 1)
    seal_log(house, now=NOW)
    with pytest.raises(NotFoundError):
        read_proof(house, kind="sample_batch", row_id=str(row_id))
    cosign_checkpoint(house, now=NOW)
    found = read_proof(house, kind="sample_batch", row_id=str(row_id))
    ours = load_verifiers(house.config.log_verifiers, house.config.log_key, house.config.log_origin)
    keys = [parse_vkey(one.vkey) for one in witnesses]
    assert set(keys) <= set(check_proof(found.proof, leaf_hash(found.body), [*ours, *keys]).by)


@pytest.mark.parametrize("where", ["before the witness", "after the witness"])
def test_killed_beside_the_call_it_goes_on(
    house: House, witnesses: list[Running], where: str, database: TestDatabase
) -> None:
    house = watched(house, witnesses[:1], quorum=1)
    _grow(house)
    real = house.witnesses.known[0]

    class Killed:
        name, vkey = real.name, real.vkey

        def add_checkpoint(self, *asked: object) -> str:
            if where == "after the witness":
                real.add_checkpoint(*asked)
            raise KeyboardInterrupt

    dying = replace(house, witnesses=replace(house.witnesses, known=(Killed(),)))
    with pytest.raises(KeyboardInterrupt):
        cosign_checkpoint(dying, now=NOW)
    assert database.sql("select count(*) from cosignature") == [(0,)]
    assert cosign_checkpoint(house, now=NOW).signed == 1
    assert inspect_witnesses(house).published_size == 3


def test_one_that_is_away_keeps_nobody_from_the_others(house: House, witnesses: list[Running]) -> None:
    gone = replace(witnesses[1], address="http://127.0.0.1:9")
    house = watched(house, [witnesses[0], gone], quorum=1)
    _grow(house)
    assert cosign_checkpoint(house, now=NOW) == CosignOutcome(signed=1, away=1)
    assert inspect_witnesses(house).published_size == 3


def test_a_witness_that_was_away_catches_up(house: House, witnesses: list[Running]) -> None:
    for count in (1, 255, 1, 300):
        _grow(house, count)
        cosign_checkpoint(watched(house, witnesses[:1], quorum=1), now=NOW)
    both = watched(house, witnesses, quorum=2)
    assert cosign_checkpoint(both, now=NOW).signed == 1
    assert inspect_witnesses(both).published_size == 557


def _rewrite(database: TestDatabase) -> None:
    """As the administrator of PostgreSQL who holds the signing key would: begin the log anew."""
    database.sql(
        "set session_replication_role = replica;"
        " truncate record, record_pending, leaf, tile, checkpoint, contribution_batch;"
        " set session_replication_role = origin"
    )


def test_a_rewritten_tree_with_a_valid_signature_is_refused(
    house: House, witnesses: list[Running], database: TestDatabase
) -> None:
    house = watched(house, witnesses, quorum=1)
    _grow(house, 5)
    cosign_checkpoint(house, now=NOW)
    kept = _cosigned(witnesses[0], house.config.log_origin)
    _rewrite(database)
    _grow(house, 9)  # other leaves, and the right key signs them
    assert verify_log(house, now=NOW, restaters=RESTATERS, outside=()).checked["signatures"] == 2
    done = cosign_checkpoint(house, now=NOW)
    assert (done.signed, done.refused, done.open_refusals) == (0, 2, 2)
    view = inspect_witnesses(house)
    assert view.published_size == 0  # the new tree is shown to nobody
    assert {one.code for one in view.refusals} == {"witness-inconsistent"}
    assert cosign_checkpoint(house, now=NOW) == CosignOutcome(open_refusals=2)  # not asked again and again
    assert all(len(one.evidence) == 1 for one in witnesses)
    report = verify_log(house, now=NOW, restaters=RESTATERS, outside=[kept])
    assert "rewritten" in {fault.code for fault in report.faults}
    with pytest.raises(TamperedError, match="nothing is published"):
        get_job("cosign_checkpoint").run(house, NOW)


def test_a_tree_that_was_set_back_is_refused(
    house: House, witnesses: list[Running], database: TestDatabase
) -> None:
    house = watched(house, witnesses, quorum=1)
    _grow(house, 5)
    early = database.sql("select size from checkpoint")
    _grow(house, 5)
    cosign_checkpoint(house, now=NOW)
    database.sql(  # an old backup is played back
        "set session_replication_role = replica; delete from checkpoint where size > 5; delete from leaf where position > 4;"
        " delete from record where record_id not in (select record_id from leaf); delete from cosignature"
    )
    assert database.sql("select size from checkpoint") == early
    assert cosign_checkpoint(house, now=NOW).refused == 2
    assert {(one.code, one.seen_size) for one in inspect_witnesses(house).refusals} == {
        ("witness-saw-more", 10)
    }


def test_two_histories_for_two_towns_are_found(
    house: House, witnesses: list[Running], database: TestDatabase
) -> None:
    """Each town alone sees a log that only grows. Published is neither, because both must sign; and their notes side by side
    prove it."""
    one, two = (watched(house, [witness], quorum=1) for witness in witnesses)
    _grow(house, 4)
    cosign_checkpoint(one, now=NOW)
    _rewrite(database)
    database.sql("set session_replication_role = replica; truncate cosignature")
    _grow(house, 4)
    cosign_checkpoint(two, now=NOW)
    origin = house.config.log_origin
    ours = load_verifiers(house.config.log_verifiers, house.config.log_key, house.config.log_origin)
    seen = [open_checkpoint(_cosigned(witness, origin), ours).checkpoint for witness in witnesses]
    assert seen[0].size == seen[1].size
    assert seen[0].root != seen[1].root  # both signed by us: we have lied to one of them
    both = watched(house, witnesses, quorum=2)
    assert cosign_checkpoint(both, now=NOW).refused == 1
    assert inspect_witnesses(both).published_size == 0
    assert {r.code for r in inspect_witnesses(both).refusals} == {"witness-other-root"}


def test_a_stolen_key_alone_moves_no_witness(house: House, witnesses: list[Running]) -> None:
    house = watched(house, witnesses, quorum=1)
    _grow(house, 5)
    cosign_checkpoint(house, now=NOW)
    signer = load_signer(house.config.log_key, house.config.log_origin)
    forged = sign_checkpoint(Checkpoint(signer.name, 9, bytes(32)), signer, datetime.now(UTC))
    status, _, _ = _post(witnesses[0], f"old 5\n\n{forged}".encode())
    assert status == 422
    assert [path.read_text() for path in witnesses[0].evidence] == [
        "no consistency with what it showed before\n"
    ]
    assert cosign_checkpoint(house, now=NOW) == CosignOutcome()  # the witness stands where it stood


def test_a_stolen_key_that_comes_first_is_seen(house: House, witnesses: list[Running]) -> None:
    """To a new witness the thief may show any tree first. Then ours is refused, and that is the alarm."""
    house = watched(house, witnesses, quorum=2)
    signer = load_signer(house.config.log_key, house.config.log_origin)
    forged = sign_checkpoint(Checkpoint(signer.name, 9, bytes(32)), signer, datetime.now(UTC))
    assert _post(witnesses[0], f"old 0\n\n{forged}".encode())[0] == 200
    _grow(house, 5)
    done = cosign_checkpoint(house, now=NOW)
    assert (done.signed, done.refused) == (1, 1)
    assert inspect_witnesses(house).published_size == 0


def test_an_answer_is_recorded_and_publication_goes_on(
    house: House, witnesses: list[Running], database: TestDatabase
) -> None:
    house = watched(house, witnesses, quorum=1)
    signer = load_signer(house.config.log_key, house.config.log_origin)
    forged = sign_checkpoint(Checkpoint(signer.name, 99, bytes(32)), signer, datetime.now(UTC))
    _post(witnesses[0], f"old 0\n\n{forged}".encode())
    _grow(house, 5)
    cosign_checkpoint(house, now=NOW)
    [refusal] = inspect_witnesses(house).refusals
    with pytest.raises(InvalidError):
        answer_refusal(house, refusal.refusal_id, by="auditor", reason="ok", now=NOW)
    answer_refusal(
        house, refusal.refusal_id, by="auditor", reason="the key was stolen and is changed", now=NOW
    )
    with pytest.raises(ConflictError):
        answer_refusal(house, refusal.refusal_id, by="auditor", reason="the key was stolen again", now=NOW)
    assert inspect_witnesses(house).published_size == 5
    seal_log(house, now=NOW)
    report = _verify(house)
    assert report.ok, report.faults
    kinds = {row[0] for row in database.sql("select kind from record")}
    assert {"witness_refusal", "witness_refusal_answer"} <= kinds


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            "update cosignature set line = overlay(line placing 'A' from 60) where number = 1",
            "does not verify",
        ),
        ("update cosignature set cosigned_at = cosigned_at + interval '1 s' where number = 2", "cosigned_at"),
        ("delete from cosignature where number = 1", "one was removed"),
        ("delete from cosignature where number = 2", "expected 2: the newest were removed"),
        ("delete from cosignature", "expected 1: the newest were removed"),
        ("update cosignature_count set kept = 1", "some were added"),
        ("delete from cosignature_count", "some were added"),
        ("update cosignature set size = 4 where number = 1", "no checkpoint of this size"),
        ("update cosignature set vkey = 'x.example+00000000+AA==' where number = 2", "no witness"),
    ],
)
def test_a_changed_cosignature_is_named(
    house: House, witnesses: list[Running], database: TestDatabase, change: str, named: str
) -> None:
    house = watched(house, witnesses[:1], quorum=1)
    for _ in range(2):
        _grow(house)
        cosign_checkpoint(house, now=NOW)
    assert _verify(house).ok
    database.sql(f"set session_replication_role = replica; {change}")
    report = _verify(house)
    assert any(fault.code == "cosignature-wrong" and named in str(fault) for fault in report.faults), (
        report.faults
    )


def test_a_witness_remembers_what_it_signed(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "town"
    with running_witness(folder, "town.example", log_keys(house)) as running:
        _grow(house, 5)
        assert cosign_checkpoint(watched(house, [running], quorum=1), now=NOW).signed == 1
        with pytest.raises(UnavailableError):
            Witness(folder, lambda: CLOCK_S)  # one process a folder
    with running_witness(folder, "town.example", []) as running:
        _grow(house, 5)
        assert cosign_checkpoint(watched(house, [running], quorum=1), now=NOW).signed == 1
        assert "\n10\n" in _cosigned(running, house.config.log_origin)
    [state] = (folder / "state").iterdir()
    kept = state.read_bytes()
    state.write_bytes(kept.replace(b"\n10\n", b"\n99\n"))
    with pytest.raises(TamperedError):
        Witness(folder, lambda: CLOCK_S)
    state.unlink()
    with pytest.raises(InvalidError, match="lost"):
        Witness(folder, lambda: CLOCK_S)


def test_hostile_requests_change_nothing(house: House, witnesses: list[Running]) -> None:
    watched_house = watched(house, witnesses, quorum=1)
    _grow(house, 5)
    cosign_checkpoint(watched_house, now=NOW)
    note = read_checkpoint(watched_house).decode()
    other = note.replace(house.config.log_origin, "another.example/log")
    wrong: list[tuple[bytes, int]] = [
        (b"", 400),
        (b"old 5", 400),
        (f"old 05\n\n{note}".encode(), 400),
        (f"old -1\n\n{note}".encode(), 400),
        (f"old 6\n\n{note}".encode(), 400),
        (f"old 5\nAAAA\n\n{note}".encode(), 400),
        (("old 5\n" + "A" * 43 + "=\n").encode() * 1 + f"\n{note}".encode(), 422),
        (f"old 5\n\n{other}".encode(), 404),
        (f"old 5\n\n{note.replace('— gateway', '— gatewax')}".encode(), 403),
        (b"old 5\n\n" + note.encode().replace(b"\n5\n", b"\n4\n"), 403),
        (b"\xff\xfe", 400),
        (b"old 5\n\n" + b"x" * 70_000, 400),
        (f"old 3\n\n{note}".encode(), 409),
        (f"old 5\n\n{note}".encode(), 200),  # the same again is signed again
    ]
    assert [_post(witnesses[0], body)[0] for body, _ in wrong] == [status for _, status in wrong]
    assert _post(witnesses[0], wrong[-2][0])[1:] == ("text/x.tlog.size", "5\n")
