"""Records with their proofs, in the form of a file of evidence (docs/evidence.md): for the file and the check in the page."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from gateway import benefits, policy
from gateway.db import Transaction
from gateway.translog import RecordProof, StoredCheckpoint, list_proofs
from schemas.errors import UnavailableError
from schemas.evidence import Opening

Openings = dict[tuple[str, str], Opening]  # by (kind, row id)


def open_decisions(tx: Transaction, decision_ids: Sequence[str]) -> Openings:
    """The decisions, their rulesets, the proposals made of them and what became of these."""
    story = benefits.open_story(tx, decision_ids)
    return {**policy.open_rulesets(tx, story.ruleset_ids), **story.openings} if story.openings else {}


def prove_openings(tx: Transaction, openings: Openings, under: StoredCheckpoint) -> list[dict[str, Any]]:
    """Each record with its path to the checkpoint, in the log's order. Raises UnavailableError when one waits for its leaf."""
    proofs = list_proofs(tx, list(openings), under)
    missing = [f"{kind} {row_id}" for kind, row_id in openings if (kind, row_id) not in proofs]
    if missing:
        raise UnavailableError(
            "a record has no place in the published log yet",
            code="evidence-not-sealed",
            where=missing[0],
            remedy="seconds after it was written it has one; else run `gateway log verify`",
            retry_after_s=5,
        )
    found = sorted(proofs.items(), key=lambda one: one[1].proof.position)
    return [say_proven(proof, openings[key]) for key, proof in found]


def say_proven(found: RecordProof, opening: Opening) -> dict[str, Any]:
    """One record: its bytes, its leaf, its path, and what its commitment hides."""
    shown: Mapping[str, Any] | None = None
    if opening.salt:
        shown = {"salt": opening.salt.hex(), "content": opening.content}
    return {
        "record": found.body.decode(),
        "leaf": found.proof.position,
        "path": [base64.b64encode(one).decode() for one in found.proof.path],
        "opening": shown,
        "attached": opening.attached,
    }
