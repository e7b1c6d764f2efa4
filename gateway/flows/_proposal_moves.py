"""What several corridors do when something happened to proposals: move them, give quota back, write the records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from gateway import benefits, outbox, translog
from gateway.benefits import Move, NewRevocation, ProposalEvent
from gateway.db import Row, Transaction
from gateway.house import House
from schemas.records import RecordDraft

BANK = "bank_core"
PROPOSE, REVOKE = "propose_benefit", "revoke_benefit"

_ENDS = frozenset(
    {ProposalEvent.BANK_DECLINED, ProposalEvent.SUPERSEDED, ProposalEvent.REVOKED, ProposalEvent.EXPIRED}
)


def serial_of(letter: str, on: date, row_id: UUID) -> str:
    """Our serial (29 characters): a letter for the service, the business date, the random end of the row's id."""
    return f"{letter}{on:%Y%m%d}{row_id.hex[-20:]}"


def lane_of(subject_id: int, product: str) -> str:
    """Messages about one subject and product are said one after another."""
    return f"{product}:{subject_id}"


def apply_moves(house: House, tx: Transaction, moves: Sequence[Move], *, now: datetime) -> None:
    """Move proposals, release the quota of those that ended, call whom that leaves room for, and record every event."""
    drafts = benefits.move_proposals(tx, moves, now=now, new_id=house.new_id)
    translog.append_records(tx, drafts, now=now, new_id=house.new_id)
    ended = [m.proposal_id for m in moves if m.event in _ENDS]
    for programme, room_fen in benefits.release_quota(tx, ended, now=now).items():
        waiting = benefits.list_first_waiting(tx, programme, room_fen)
        benefits.mark_changed(tx, waiting, cause="quota", now=now)


def revoke_open(
    house: House,
    tx: Transaction,
    opened: Iterable[Row],
    causes: dict[UUID, tuple[str, str]],
    *,
    on: date,
    now: datetime,
) -> int:
    """End proposals: cancelled where the bank certainly never heard of them, else by RevokeBenefit. How many.

    `opened` are rows of `benefits.list_open`; `causes` gives reason code and cause by proposal.
    """
    rows = {row.proposal_id: row for row in opened}
    if not rows:
        return 0
    cancelled = outbox.abandon_messages(tx, rows, code="revoked", now=now)
    moves = [Move(p, ProposalEvent.REVOKED, causes[p][0]) for p in sorted(cancelled)]
    apply_moves(house, tx, moves, now=now)
    news = []
    for proposal_id in sorted(rows.keys() - cancelled):
        revocation_id = house.new_id()
        reason_code, caused_by = causes[proposal_id]
        serial = serial_of("R", on, revocation_id)
        news.append(NewRevocation(revocation_id, proposal_id, serial, reason_code, caused_by))
    written, drafts = benefits.insert_revocations(tx, news, on=on, now=now)
    translog.append_records(tx, drafts, now=now, new_id=house.new_id)
    kept = set(written)
    messages = [
        outbox.NewMessage(
            house.new_id(), BANK, REVOKE, new.serial, new.revocation_id,
            lane_of(rows[new.proposal_id].subject_id, rows[new.proposal_id].product), new.caused_by,
        )
        for new in news
        if new.revocation_id in kept
    ]  # fmt: skip
    outbox.insert_messages(tx, messages, now=now)
    return len(cancelled) + len(written)


def append(house: House, tx: Transaction, drafts: Sequence[RecordDraft], *, now: datetime) -> None:
    """Records of this transaction."""
    translog.append_records(tx, drafts, now=now, new_id=house.new_id)
