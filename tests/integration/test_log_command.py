"""The log command: clear sentences, exit codes, and a proof checked offline."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import log as log_command
from gateway.flows import verify_log as verify_log_module
from gateway.flows.seal_log import seal_log
from gateway.house import House
from schemas.errors import GatewayError
from tests.conftest import TestDatabase
from tests.integration.log_house import NOW, RESTATERS, add_batches, make_house


@pytest.fixture
def house(database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    built = make_house(database, tmp_path)
    monkeypatch.setattr(log_command, "_house", lambda: built)
    monkeypatch.setattr(log_command, "load_config", lambda: built.config)
    monkeypatch.setattr(verify_log_module, "list_restaters", lambda: RESTATERS)
    return built


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(log_command.group, arguments)


def test_sealing_and_verifying_say_what_was_done(house: House) -> None:
    add_batches(house, 5)
    assert "5 records sealed; the log has 5 leaves" in _run("seal").output
    result = _run("verify")
    assert result.exit_code == 0
    assert "the log verifies: 5 leaves" in result.output
    assert "5 records restated from rows" in result.output


def test_a_changed_row_is_a_sentence_and_exit_code_one(database: TestDatabase, house: House) -> None:
    add_batches(house, 3)
    seal_log(house, now=NOW)
    database.sql("set session_replication_role = replica; update contribution_batch set item_count = 99")
    result = _run("verify")
    assert result.exit_code == 1
    assert (
        "THE LOG DOES NOT VERIFY: 3 things are wrong. First: A row no longer says what was recorded"
        in result.output
    )
    assert "column item_count: the log says 3, the row says 99" in result.output
    assert "What to do:" in result.output


def test_a_checkpoint_kept_outside_is_compared(database: TestDatabase, house: House, tmp_path: Path) -> None:
    add_batches(house, 3)
    seal_log(house, now=NOW)
    kept = tmp_path / "kept"
    kept.write_text(_run("checkpoint").output)
    assert _run("verify", "--checkpoint", str(kept)).exit_code == 0
    database.sql(
        "set session_replication_role = replica; truncate record, leaf, checkpoint, contribution_batch, record_pending"
    )
    assert _run("verify").exit_code == 0
    result = _run("verify", "--checkpoint", str(kept))
    assert result.exit_code == 1
    assert "[log-cut]" in result.output


def test_a_proof_is_checked_offline(house: House, tmp_path: Path) -> None:
    [row_id, _] = add_batches(house, 2)
    seal_log(house, now=NOW)
    proof, entry = tmp_path / "p.tlog-proof", tmp_path / "entry"
    proof.write_text(_run("proof", "--row", f"sample_batch/{row_id}", "--entry", str(entry)).output)
    assert (
        "the record is leaf 0 of 2, signed 2026-11-23 04:05:06 UTC"
        in _run("check", str(proof), str(entry)).output
    )
    entry.write_bytes(entry.read_bytes() + b" ")
    result = _run("check", str(proof), str(entry))
    assert isinstance(result.exception, GatewayError)


def test_other_people_get_the_public_keys(house: House, tmp_path: Path) -> None:
    lines = _run("keys").output.split()
    assert [line.split("+")[0] for line in lines] == [house.config.log_origin] * 2
    house.config.log_verifiers.write_text("# ours\n" + lines[0] + "\n")
    house.config.log_key.unlink()
    assert _run("keys").output.split() == lines  # an auditor needs no private key
    assert _run("verify").exit_code == 0


@pytest.mark.parametrize("record", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_a_record_that_is_not_there_is_said(house: House, record: str) -> None:
    assert isinstance(_run("proof", record).exception, GatewayError)


def test_an_export_says_how_much(house: House, tmp_path: Path) -> None:
    add_batches(house, 2)
    seal_log(house, now=NOW)
    assert "2 leaves exported" in _run("export", str(tmp_path / "out")).output
    assert (tmp_path / "out" / "checkpoint").exists()
