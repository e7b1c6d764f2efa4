"""Days pass: accepted benefits begin, benefits whose last day has passed expire, and their subjects are evaluated again."""

from __future__ import annotations

from datetime import datetime

from gateway import benefits
from gateway.benefits import Move, ProposalEvent
from gateway.flows._proposal_moves import apply_moves
from gateway.house import House
from schemas.values import beijing_date


def expire_benefits(house: House, *, now: datetime, limit: int = 5000) -> dict[str, int]:
    """Begin and end benefits of the day, up to `limit` each; how many. Safe to run twice at once."""
    on = beijing_date(now)
    with house.db.transaction() as tx:
        ending = benefits.take_ending(tx, on, limit)
        starting = benefits.take_starting(tx, on, limit)
        moves = [Move(row.proposal_id, ProposalEvent.EXPIRED) for row in ending]
        moves += [Move(row.proposal_id, ProposalEvent.STARTED) for row in starting]
        apply_moves(house, tx, moves, now=now)
        benefits.mark_changed(tx, [row.subject_id for row in ending], cause="expired", now=now)
    return {"expired": len(ending), "started": len(starting)}
