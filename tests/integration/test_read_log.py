"""The log from outside: tiles, bundles and proofs as other people's tools read them, rebuilt here from bytes
alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.flows.export_log import export_log
from gateway.flows.read_checkpoint import read_checkpoint
from gateway.flows.read_consistency import read_consistency
from gateway.flows.read_proof import read_proof
from gateway.flows.read_tile import read_tile
from gateway.flows.seal_log import seal_log
from gateway.house import House
from gateway.translog import check_proof, load_verifiers, open_checkpoint, parse_proof
from gateway.translog.merkle import leaf_hash, perfect_root, root_of, verify_consistency
from schemas.errors import NotFoundError
from tests.conftest import TestDatabase
from tests.integration.log_house import NOW, add_batches, make_house


@pytest.fixture
def house(database: TestDatabase, tmp_path: Path) -> House:
    built = make_house(database, tmp_path)
    for count in (300, 1, 299):
        add_batches(built, count)
        seal_log(built, now=NOW)
    return built


def _entries(bundle: bytes) -> list[bytes]:
    found = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return found


def _root(house: House, folder: Path | None = None) -> bytes:
    def fetch(path: str) -> bytes:
        return read_tile(house, path) if folder is None else (folder / "tile" / path).read_bytes()

    entries = [e for path in ("000", "001", "002.p/88") for e in _entries(fetch(f"entries/{path}"))]
    leaves = [leaf_hash(entry) for entry in entries]
    assert b"".join(leaves) == b"".join(fetch(f"0/{path}") for path in ("000", "001", "002.p/88"))
    assert fetch("1/000.p/2") == perfect_root(fetch("0/000")) + perfect_root(fetch("0/001"))
    return root_of(leaves)


def test_the_tree_is_rebuilt_from_what_is_served(house: House) -> None:
    verifiers = load_verifiers(house.config.log_verifiers, house.config.log_key, house.config.log_origin)
    signed = open_checkpoint(read_checkpoint(house).decode(), verifiers, timed=True)
    assert signed.checkpoint.size == 600
    assert signed.checkpoint.root == _root(house)


@pytest.mark.parametrize(
    "path",
    (
        "0/002 0/002.p/89 0/003.p/1 1/000 1/000.p/3 2/000.p/1 entries/002 9/000 63/000.p/1 64/000 0/0 00/000 x"
        " 0/x999/x999/x999/x999/x999/x999/999 0/000/ ../etc/passwd 0/000.p/0 0/000.p/256 0/x000/001 0/٠٠٠"
        " entries/000.p/-1 0/000.p/01"
    ).split(" "),
)
def test_other_paths_are_not_found(house: House, path: str) -> None:
    with pytest.raises(NotFoundError):
        read_tile(house, path)


def test_a_proof_is_checked_without_the_database(database: TestDatabase, house: House) -> None:
    verifiers = load_verifiers(house.config.log_verifiers, house.config.log_key, house.config.log_origin)
    rows = database.sql(
        "select position, record_id, row_id from leaf join record using (record_id) order by position"
    )
    for position, record_id, row_id in [rows[at] for at in (0, 1, 255, 256, 300, 511, 512, 599)]:
        found = read_proof(house, record_id=record_id)
        assert found.proof.position == position
        assert (
            check_proof(parse_proof(found.proof.text()), leaf_hash(found.body), verifiers).checkpoint.size
            == 600
        )
        assert read_proof(house, kind="sample_batch", row_id=str(row_id)) == found


def test_what_is_not_sealed_has_no_proof_yet(database: TestDatabase, house: House) -> None:
    [row_id] = add_batches(house, 1)
    with pytest.raises(NotFoundError):
        read_proof(house, kind="sample_batch", row_id=str(row_id))
    with pytest.raises(NotFoundError):
        read_proof(house, kind="sample_batch", row_id="no such row")


@pytest.mark.parametrize(
    ("old", "new"), [(1, 600), (256, 600), (300, 301), (300, 600), (301, 600), (600, 600)]
)
def test_each_older_tree_is_the_beginning_of_the_newer(
    database: TestDatabase, house: House, old: int, new: int
) -> None:
    hashes = [bytes(row[0]) for row in database.sql("select leaf_hash from leaf order by position")]  # type: ignore[call-overload]
    proof = read_consistency(house, old, new)
    assert verify_consistency(old, new, root_of(hashes[:old]), root_of(hashes[:new]), proof)


def test_beyond_the_signed_tree_there_is_no_consistency(house: House) -> None:
    with pytest.raises(NotFoundError):
        read_consistency(house, 1, 601)


def test_an_empty_log_has_no_checkpoint(database: TestDatabase, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_checkpoint(make_house(database, tmp_path))


def test_an_export_is_the_same_log_and_grows(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert export_log(house, folder, now=NOW) == 600
    assert _root(house, folder) == _root(house)
    kept = (folder / "tile/0/000").stat().st_mtime_ns
    add_batches(house, 1)
    seal_log(house, now=NOW)
    assert export_log(house, folder, now=NOW) == 601
    assert (folder / "tile/0/000").stat().st_mtime_ns == kept
    assert (folder / "checkpoint").read_bytes() == read_checkpoint(house)
    assert len(list((folder / "checkpoints").iterdir())) == 2
