"""A person says why a difference stands, or closes it; their word is in the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway import settlements, translog
from gateway.house import House
from schemas.errors import InvalidError, NotFoundError
from schemas.values import TownCode

STATES = ("explained", "closed")
LONGEST_WHY = 500


def explain_difference(
    house: House, town: TownCode, references: Sequence[str], *, why: str, by: str, state: str, now: datetime
) -> list[str]:
    """The references whose difference changed; the same word twice changes nothing. `state` is 'explained' or 'closed'.

    A closed difference that is seen again opens again. Errors: InvalidError (no reason, no name, another state), NotFoundError
    (none of the references has a difference that is not closed).
    """
    if state not in STATES:
        raise InvalidError("a difference becomes explained or closed", where="state", value=state)
    if not why.strip() or len(why) > LONGEST_WHY or not by.strip():
        raise InvalidError(
            "a difference is settled by somebody and for a reason", code="reason-needed", where="why",
            remedy=f"give a name and a reason of at most {LONGEST_WHY} characters",
        )  # fmt: skip
    with house.db.transaction() as tx:
        settlements.lock_town(tx, town)
        standing = {row.reference for row in settlements.list_differences(tx, town, None)}
        if not standing & set(references):
            raise NotFoundError(
                "no such difference stands", where="reference", value=", ".join(references)[:200]
            )
        changed, drafts = settlements.insert_word(
            tx, house.new_id(), town, references, state=state, why=why.strip(), said_by=by.strip(), now=now
        )
        translog.append_records(tx, drafts, now=now, new_id=house.new_id)
    return changed
