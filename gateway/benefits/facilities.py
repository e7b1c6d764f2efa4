"""What the bank's credit system said about applicants: a cache with a date, asked again when it grows old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.db import Row, Transaction, load_queries
from schemas.policy import Facility
from schemas.values import PersonId

queries = load_queries(__file__)


class FacilityAnswer(NamedTuple):
    """The bank's answer for an applicant and a product; None when it knows no such customer."""

    applicant_id: int
    product: str
    facility: Facility | None


def want_facilities(
    tx: Transaction, product: str, applicants: Sequence[tuple[int, int]], *, now: datetime
) -> int:
    """Ask the bank, when the job next runs, about (applicant_id, subject_id) pairs never asked about; how many are new."""
    if not applicants:
        return 0
    ordered = sorted(set(applicants))
    params = {
        "product": product,
        "applicant_ids": [a for a, _ in ordered],
        "subject_ids": [s for _, s in ordered],
        "now": now,
    }
    return tx.run(queries.want_facilities, params)


def list_facilities(tx: Transaction, product: str, applicant_ids: Sequence[int]) -> dict[PersonId, Facility]:
    """What the bank said, by applicant. Absent: not asked yet, or the bank knows no such customer."""
    return {row.applicant_id: _facility(row) for row in _asked(tx, product, applicant_ids) if row.known}


def list_asked(tx: Transaction, product: str, applicant_ids: Sequence[int]) -> dict[PersonId, bool]:
    """Applicants the bank was asked about, and whether it knows them."""
    return {row.applicant_id: row.known for row in _asked(tx, product, applicant_ids)}


def _asked(tx: Transaction, product: str, applicant_ids: Sequence[int]) -> list[Row]:
    return tx.all(queries.list_facilities, {"product": product, "applicant_ids": list(applicant_ids)})


def _facility(row: Row) -> Facility:
    return Facility(
        row.product,
        row.base_rate_bp,
        row.base_limit_fen,
        row.asset_limit_fen,
        tuple(row.vetoes),
        tuple(row.honours),
        row.age_min,
        row.age_max,
    )


def claim_facilities(tx: Transaction, limit: int, *, now: datetime, claimed_until: datetime) -> list[Row]:
    """Take what is to be asked: rows (applicant_id, product, subject_id, attempts). Others skip them until `claimed_until`."""
    return tx.all(queries.claim_facilities, {"limit": limit, "now": now, "claimed_until": claimed_until})


def put_facilities(
    tx: Transaction, answers: Sequence[FacilityAnswer], *, now: datetime, next_ask_at: datetime
) -> list[int]:
    """Keep answers; applicants (and who asked for them) whose answer is new or differs from the last one."""
    if not answers:
        return []
    ordered = sorted(answers, key=lambda a: (a.applicant_id, a.product))
    given = [a.facility for a in ordered]
    params = {
        "applicant_ids": [a.applicant_id for a in ordered],
        "products": [a.product for a in ordered],
        "known": [f is not None for f in given],
        "base_rates": [f and f.base_rate_bp for f in given],
        "base_limits": [f and f.base_limit_fen for f in given],
        "asset_limits": [f and f.asset_limit_fen for f in given],
        "vetoes": [",".join(sorted(f.vetoes)) if f else "" for f in given],
        "honours": [",".join(sorted(f.honours)) if f else "" for f in given],
        "age_mins": [f and f.age_min for f in given],
        "age_maxs": [f and f.age_max for f in given],
        "now": now,
        "next_ask_at": next_ask_at,
    }
    changed = [row for row in tx.all(queries.put_facilities, params) if row.changed]
    return sorted({row.subject_id for row in changed} | {row.applicant_id for row in changed})


def remove_facilities(tx: Transaction, applicant_ids: Sequence[int]) -> None:
    """Forget what the bank said of persons who no longer consent (PIPL art. 47); asked for again when they do."""
    if applicant_ids:
        tx.run(queries.remove_facilities, {"applicant_ids": list(applicant_ids)})


def postpone_facilities(tx: Transaction, later: Sequence[tuple[int, str, datetime]]) -> None:
    """The bank could not say: ask (applicant_id, product) again at the given instant."""
    if later:
        params = {
            "applicant_ids": [a for a, _, _ in later],
            "products": [p for _, p, _ in later],
            "next_ask_ats": [at for _, _, at in later],
        }
        tx.run(queries.postpone_facilities, params)
