"""A record's proof to carry away: its bytes, its path in the tree, and the signed checkpoint it leads to."""

from __future__ import annotations

from uuid import UUID

from gateway.house import House
from gateway.translog import RecordProof, find_proof, find_published, find_record_proof
from schemas.errors import NotFoundError


def read_proof(
    house: House, *, record_id: UUID | None = None, kind: str = "", row_id: str = ""
) -> RecordProof:
    """An inclusion proof under the published checkpoint, by record id or by the row that the record speaks of.

    Raises NotFoundError when there is no such record or it still waits for its leaf (or for the
    witnesses).
    """
    with house.db.transaction(read_only=True, isolation="repeatable read") as tx:
        vkeys = [one.vkey for one in house.witnesses.known]
        published = find_published(tx, vkeys, house.witnesses.quorum)
        under = published.checkpoint if published else None
        proof = find_record_proof(tx, record_id, under) if record_id else find_proof(tx, kind, row_id, under)
    if proof is None:
        raise NotFoundError(
            "no sealed record of that name",
            code="record-not-found",
            where="log",
            value=str(record_id) if record_id else f"{kind} {row_id}",
            remedy="a record gets its leaf within seconds: ask again, or look the record up",
        )
    return proof
