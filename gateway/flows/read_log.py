"""The log as static resources (c2sp.org/tlog-tiles), and proofs: what a door serves and other people's tools fetch."""

from __future__ import annotations

from uuid import UUID

from gateway.config import Config
from gateway.house import House
from gateway.translog import (
    RecordProof,
    check_proof,
    find_checkpoint,
    find_proof,
    find_record_proof,
    get_consistency,
    get_tile,
    leaf_hash,
    load_verifiers,
    parse_proof,
    parse_tile_path,
)
from schemas.errors import NotFoundError

CHECKPOINT_TYPE = "text/plain; charset=utf-8"  # changes with every sealing: cache for a few seconds at most
TILE_TYPE = "application/octet-stream"  # never changes: cache for ever


def read_checkpoint(house: House) -> bytes:
    """The newest signed checkpoint. Raises NotFoundError while nothing is sealed."""
    with house.db.transaction(read_only=True) as tx:
        newest = find_checkpoint(tx)
    if newest is None:
        raise NotFoundError(
            "the log is empty", code="log-empty", where="checkpoint", remedy="ask again in a second"
        )
    return newest.note.encode()


def read_tile(house: House, path: str) -> bytes:
    """A tile or entry bundle: `path` is what follows /tile/, e.g. '0/x001/234', '1/000.p/17', 'entries/000'.

    Raises NotFoundError for any other spelling and for tiles beyond the signed tree.
    """
    tile = parse_tile_path(path)
    with house.db.transaction(read_only=True) as tx:
        newest = find_checkpoint(tx)
        return get_tile(tx, tile, newest.size if newest else 0)


def read_proof(
    house: House, *, record_id: UUID | None = None, kind: str = "", row_id: str = ""
) -> RecordProof:
    """A record's inclusion proof, by record id or by the row it speaks of. NotFoundError: no such record, or not sealed."""
    with house.db.transaction(read_only=True, isolation="repeatable read") as tx:
        proof = find_record_proof(tx, record_id) if record_id else find_proof(tx, kind, row_id)
    if proof is None:
        raise NotFoundError(
            "no sealed record of that name",
            code="record-not-found",
            where="log",
            value=str(record_id) if record_id else f"{kind} {row_id}",
            remedy="a record gets its leaf within seconds: ask again, or look the record up",
        )
    return proof


def read_consistency(house: House, old: int, new: int) -> list[bytes]:
    """RFC 6962 consistency proof from tree size `old` to `new`. Raises NotFoundError beyond the signed tree."""
    with house.db.transaction(read_only=True, isolation="repeatable read") as tx:
        return get_consistency(tx, old, new)


def list_log_keys(config: Config) -> list[str]:
    """The public keys that checkpoints are verified with, as C2SP verifier key lines. Asks no database."""
    return [one.vkey() for one in load_verifiers(config.log_verifiers, config.log_key, config.log_origin)]


def check_record_proof(config: Config, proof: str, entry: bytes) -> str:
    """Check a tlog-proof for a record's bytes offline; a sentence saying where it stands. TamperedError when it does not."""
    verifiers = load_verifiers(config.log_verifiers, config.log_key, config.log_origin)
    found = parse_proof(proof)
    signed = check_proof(found, leaf_hash(entry), verifiers)
    when = "" if signed.signed_at is None else f", signed {signed.signed_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"the record is leaf {found.position} of {signed.checkpoint.size}{when}"
