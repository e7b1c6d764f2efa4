"""Whose facts changed: the queue a sweep takes from, and the turn that keeps two sweeps off one subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from gateway.db import Transaction, load_queries
from schemas.policy import SubjectKind

queries = load_queries(__file__)

#: How the cause of a correction after an objection begins; it outlives every other cause of the same subject.
CORRECTED = "correction:"


class Changed(NamedTuple):
    """A subject to evaluate, and what caused it ('batch:<id>', 'consent', …)."""

    subject_id: int
    subject_kind: SubjectKind
    cause: str


def claim_changes(tx: Transaction, limit: int, on: date) -> list[Changed]:
    """Take queued changes and the subjects they concern, each subject once, ascending.

    Removes the queue's rows in this transaction and skips what another sweep holds: after a crash they are queued
    again. A push concerns the holder, the members it names and the households those belong to. At most `limit` queued
    subjects are taken, and batches until they hold `limit` items; a batch is taken whole, so the answer may be longer.
    """
    causes: dict[int, str] = {}
    batch_ids = [batch_id for (batch_id,) in tx.tuples(queries.take_changed_batches, {"limit": limit})]
    if batch_ids:
        for subject_id, batch_id in tx.tuples(queries.list_batch_subjects, {"batch_ids": batch_ids}):
            causes[subject_id] = f"batch:{batch_id}"
    for subject_id, cause in tx.tuples(queries.take_changed_subjects, {"limit": limit}):
        if not causes.get(subject_id, "").startswith(CORRECTED):
            causes[subject_id] = cause  # a named cause says more than 'there was a push'
    return _with_households(tx, causes, on)


def _with_households(tx: Transaction, causes: Mapping[int, str], on: date) -> list[Changed]:
    rows = tx.tuples(queries.list_concerned, {"subject_ids": sorted(causes), "on": on})
    found = {
        subject_id: Changed(subject_id, SubjectKind(kind), causes.get(subject_id) or causes[through])
        for subject_id, kind, through in rows
    }
    return [found[subject_id] for subject_id in sorted(found)]


def mark_changed(tx: Transaction, subject_ids: Sequence[int], *, cause: str, now: datetime) -> int:
    """Ask for an evaluation of these subjects; how many were not queued for this cause already."""
    if not subject_ids:
        return 0
    return tx.run(queries.mark_changed, {"subject_ids": sorted(set(subject_ids)), "cause": cause, "now": now})


def mark_everybody(tx: Transaction, *, cause: str, now: datetime) -> int:
    """Ask for an evaluation of every household and person (a new ruleset is in force)."""
    return tx.run(queries.mark_everybody, {"cause": cause, "now": now})


def mark_swept(tx: Transaction, ruleset_ids: Sequence[str], *, now: datetime) -> list[str]:
    """Those of the rulesets that were not yet known to be in force: everybody is to be evaluated under them."""
    params = {"ruleset_ids": sorted(ruleset_ids), "now": now}
    return [ruleset_id for (ruleset_id,) in tx.tuples(queries.mark_swept, params)]


def count_changes(tx: Transaction) -> int:
    """Rows waiting in the queue, batches and subjects together, counted up to 10 000."""
    return int(tx.one(queries.count_changes).waiting)


def lock_subjects(tx: Transaction, subject_ids: Sequence[int], *, now: datetime) -> None:
    """Hold the turn of these subjects until the transaction ends; taken in ascending order, so sweeps never deadlock."""
    tx.run(queries.lock_subjects, {"subject_ids": sorted(subject_ids), "now": now})
