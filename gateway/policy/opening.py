"""What outsiders need to check the records of rulesets: the document as it was hashed, and the text with its references."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.db import Transaction, load_queries
from gateway.policy.restate import APPROVED, PROPOSED
from schemas.evidence import Opening

queries = load_queries(__file__)


def open_rulesets(tx: Transaction, ruleset_ids: Sequence[str]) -> dict[tuple[str, str], Opening]:
    """By (kind, row id): each ruleset as proposed, and its approval."""
    openings: dict[tuple[str, str], Opening] = {}
    for row in tx.all(queries.restate_proposed, {"row_ids": list(ruleset_ids)}):
        attached = {"document": bytes(row.document).decode(), "yaml": row.yaml}
        openings[PROPOSED, row.ruleset_id] = Opening(attached=attached)
    for row in tx.all(queries.restate_approved, {"row_ids": list(ruleset_ids)}):
        openings[APPROVED, row.ruleset_id] = Opening()
    return openings
