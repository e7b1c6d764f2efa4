"""Nothing happens at a branch on a day it has closed. PostgreSQL refuses it too; here it is said in words, and first."""

from __future__ import annotations

from datetime import datetime

from gateway import closings
from gateway.db import Transaction
from schemas.errors import RefusedError
from schemas.values import beijing_date


def require_open_day(tx: Transaction, branch_no: str, now: datetime) -> None:
    """Until the transaction ends the branch's day stays open. Raises RefusedError `branch-day-closed`."""
    on = beijing_date(now)
    closings.share_branch(tx, branch_no)
    if closings.is_shut(tx, branch_no, on):
        raise RefusedError(
            "the branch has closed this accounting date",
            code="branch-day-closed",
            where="accounting_on",
            value=on.isoformat(),
            remedy="go on tomorrow: what is reversed then is a correcting entry of that day",
        )
