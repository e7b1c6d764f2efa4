"""What is not about one resident: what a member of staff did, what was decided in a period. Numbers and our ids only."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint, Response

from gateway.flows.inspect_clerk import inspect_clerk
from gateway.flows.inspect_period import inspect_period
from gateway.flows.list_staff import list_staff
from gateway.web.audit.cases import cause
from gateway.web.audit.frame import AuditPages, period
from schemas.values import beijing_date


def add_tables(blueprint: Blueprint, pages: AuditPages) -> None:
    """/audit/period, /audit/staff, /audit/staff/<teller>."""
    house = pages.house

    @blueprint.get("/period")
    def in_period() -> Response:
        from_at, until_at = period(7, house.clock())
        view = inspect_period(house, from_at, until_at)
        return pages.page("period.html", view=view, cause=cause, days=_days(from_at, until_at))

    @blueprint.get("/staff")
    def everybody() -> Response:
        return pages.page("staff.html", rows=list_staff(house))

    @blueprint.get("/staff/<teller_no>")
    def clerk(teller_no: str) -> Response:
        from_at, until_at = period(30, house.clock())
        view = inspect_clerk(house, teller_no[:16], from_at, until_at)
        return pages.page("clerk.html", view=view, days=_days(from_at, until_at))


def _days(from_at: datetime, until_at: datetime) -> tuple[str, str]:
    """The first and the last day of a period, as the form shows them."""
    return beijing_date(from_at).isoformat(), beijing_date(until_at - timedelta(days=1)).isoformat()
