"""The audit desk: why an auditor looks, what can be searched for, and what a search may find."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from schemas.values import BEIJING


class AuditReason(StrEnum):
    """Why an auditor looks at a resident: chosen, never typed; kept with each look (`staff_look`)."""

    ROUTINE = "audit_routine"  # 例行审计
    SAMPLE = "audit_sample"  # 抽样
    OBJECTION = "audit_objection"  # 居民异议
    ANOMALY = "audit_anomaly"  # 异常线索
    REGULATOR = "audit_regulator"  # 监管检查


class Sought(StrEnum):
    """What an auditor searches by."""

    RESIDENT = "resident"  # id number or phone
    HOUSEHOLD = "household"  # a family's code in a town
    REFERENCE = "reference"  # a town's own reference of one contribution
    DECISION = "decision"
    CLERK = "clerk"  # teller number
    RULESET = "ruleset"  # id, or the first 8 characters of it


class Found(NamedTuple):
    """Somebody a search may mean. Names are masked; nothing else about them is shown before a look is recorded."""

    person_id: int
    masked_name: str
    masked_id_no: str
    decision_id: UUID | None = None  # which decision the search was for


class Happening(NamedTuple):
    """One thing that happened to somebody, as the room that keeps it tells it: all rooms in the same columns.

    `what` is a word of the desk's (`what_…`), `detail` a code that depends on it, `row_id` the
    row, `reference` what others call it."""

    at: datetime
    what: str
    town: str
    detail: str
    points_centi: int | None
    discount_bp: int | None
    row_id: str
    reference: str

    @property
    def day(self) -> str:
        """Its day in Beijing."""
        return self.at.astimezone(BEIJING).date().isoformat()
