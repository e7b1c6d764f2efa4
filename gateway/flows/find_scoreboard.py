"""The answer to an earlier list or correction, again."""

from __future__ import annotations

from gateway import contributions
from gateway.contributions import CORRECTION, LIST
from gateway.house import House
from schemas.contributions import ItemAnswer
from schemas.errors import NotFoundError
from schemas.scoreboards import ScoreAnswer, Stand
from schemas.values import ItemStatus, TownCode


def find_scoreboard(house: House, town: TownCode, document_no: str, *, correction: bool) -> ScoreAnswer:
    """What the town was told, with the receipt. Raises NotFoundError."""
    kind = CORRECTION if correction else LIST
    with house.db.transaction(read_only=True) as tx:
        row = contributions.find_scoreboard(tx, town, kind, document_no)
    if row is None:
        raise NotFoundError(
            f"no {kind} of this number is with us",
            code="document-unknown",
            where="document_no",
            value=document_no,
            remedy="send it; it was never stored",
        )
    entries, added, taken_back, fallen = row.answers
    items = [ItemAnswer(e[0], e[1], ItemStatus(e[2]), *e[3:]) for e in entries]
    stand = Stand(added, taken_back, fallen)
    return ScoreAnswer(
        row.batch_id, town, document_no, row.received_at, items, stand, row.receipt, replayed=True
    )
