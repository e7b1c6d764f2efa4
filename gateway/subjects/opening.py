"""What outsiders need to check the records of a person's consents."""

from __future__ import annotations

from gateway.db import Transaction, load_queries
from gateway.subjects.restate import GIVEN, WITHDRAWN
from schemas.evidence import Opening

queries = load_queries(__file__)


def open_consents(tx: Transaction, person_id: int, *, with_identity: bool) -> dict[tuple[str, str], Opening]:
    """By (kind, row id). `with_identity`: with the salt, by which whoever knows the resident id sees that it is this person; and
    by which the id could be guessed, so the file must then be kept like the id itself."""
    openings: dict[tuple[str, str], Opening] = {}
    for row in tx.all(queries.list_consents_to_open, {"person_id": person_id}):
        attached = {"salt": bytes(row.salt).hex()} if with_identity and row.salt is not None else {}
        openings[GIVEN, row.consent_id] = Opening(attached=attached)
        if row.withdrawn:
            openings[WITHDRAWN, row.consent_id] = Opening(attached=attached)
    return openings
