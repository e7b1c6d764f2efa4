"""A programme's quota: credit handed out until it is used up, first come, first served, never over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.db import Transaction, load_queries

queries = load_queries(__file__)


class Want(NamedTuple):
    """What a proposal would use of the quota. `amount_fen` > 0; `instead_of` is a proposal it would take the place of."""

    proposal_id: UUID
    amount_fen: int
    instead_of: UUID | None = None


def take_quota(
    tx: Transaction, programme: str, total_fen: int, wants: Sequence[Want], *, now: datetime
) -> set[UUID]:
    """Take for as many of `wants`, in their order, as there is room for; the proposals that got theirs.

    One that does not fit is passed over and a later, smaller one may still fit. One that takes the place of a bigger use
    always fits and is counted when that ends, so lowering a benefit never waits. The quota's row stays locked until the
    transaction ends, so takers stand in line; PostgreSQL refuses an overshoot besides. `total_fen` is the ruleset's
    amount: a newer ruleset may raise it, or lower it as far as what is used.
    """
    if not wants:
        return set()
    tx.run(queries.open_quota, {"programme": programme, "total_fen": total_fen})
    row = tx.one(queries.lock_quota, {"programme": programme})
    room_fen = min(row.total_fen, total_fen) - row.used_fen
    replaced = [w.instead_of for w in wants if w.instead_of is not None]
    uses = dict(tx.tuples(queries.list_quota_uses, {"proposal_ids": replaced})) if replaced else {}
    taken: list[tuple[Want, bool]] = []
    for want in wants:
        assert want.amount_fen > 0, "a proposal that uses nothing of a quota does not ask for it"
        if want.instead_of is not None and want.amount_fen <= uses.get(want.instead_of, 0):
            taken.append((want, False))
        elif want.amount_fen <= room_fen:
            room_fen -= want.amount_fen
            taken.append((want, True))
    _insert_uses(tx, programme, taken, now)
    return {want.proposal_id for want, _ in taken}


def _insert_uses(tx: Transaction, programme: str, taken: Sequence[tuple[Want, bool]], now: datetime) -> None:
    if not taken:
        return
    amount_fen = sum(want.amount_fen for want, counted in taken if counted)
    tx.run(queries.add_to_quota, {"programme": programme, "amount_fen": amount_fen})
    tx.run(
        queries.insert_quota_uses,
        {
            "programme": programme,
            "proposal_ids": [want.proposal_id for want, _ in taken],
            "amounts": [want.amount_fen for want, _ in taken],
            "counted": [counted for _, counted in taken],
            "instead_ofs": [want.instead_of for want, _ in taken],
            "now": now,
        },
    )


def release_quota(tx: Transaction, proposal_ids: Iterable[UUID], *, now: datetime) -> dict[str, int]:
    """Give back what ended proposals used; programmes that got room, and how much they have now, in fen. Twice is once."""
    params = {"proposal_ids": list(proposal_ids), "now": now}
    if not params["proposal_ids"]:
        return {}
    tx.run(queries.lock_quotas_of, params)
    return {row.programme: int(row.room_fen) for row in tx.all(queries.release_quota, params)}


def put_waiting(
    tx: Transaction, programme: str, waiting: Sequence[tuple[int, str, int]], *, now: datetime
) -> None:
    """Remember (subject_id, product, amount_fen) that found no room; who waits keeps their place."""
    if waiting:
        params = {
            "programme": programme,
            "subject_ids": [s for s, _, _ in waiting],
            "products": [p for _, p, _ in waiting],
            "amounts": [a for _, _, a in waiting],
            "now": now,
        }
        tx.run(queries.put_waiting, params)


def end_waiting(tx: Transaction, served: Sequence[tuple[int, str]]) -> None:
    """These (subject_id, product) no longer wait."""
    if served:
        tx.run(
            queries.end_waiting, {"subject_ids": [s for s, _ in served], "products": [p for _, p in served]}
        )


def end_all_waiting(tx: Transaction, subject_ids: Sequence[int]) -> None:
    """These subjects wait for nothing any more."""
    if subject_ids:
        tx.run(queries.end_all_waiting, {"subject_ids": list(subject_ids)})


def list_first_waiting(tx: Transaction, programme: str, room_fen: int, limit: int = 1000) -> list[int]:
    """Subjects at the head of the line for whom `room_fen` suffices, in order."""
    found = []
    for subject_id, amount_fen in tx.tuples(
        queries.list_first_waiting, {"programme": programme, "limit": limit}
    ):
        if amount_fen > room_fen:
            break
        room_fen -= amount_fen
        found.append(subject_id)
    return found
