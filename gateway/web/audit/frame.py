"""What the pages of the audit desk share: the frame, the places in its navigation, reasons, and refusals that are recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from flask import Response, request

from gateway.flows.record_refusal import record_refusal
from gateway.house import House
from gateway.web.audit.words import WORDS
from gateway.web.staff_pages import OUR_SCRIPT, POLICY, caller, form, language, staff_page
from schemas.audit import AuditReason, Sought
from schemas.errors import ForbiddenError, InvalidError
from schemas.values import BEIJING


class Place(NamedTuple):
    """A page in the navigation: its address and its word."""

    path: str
    word: str


#: In the order of the bar. A page of its own adds its line here.
NAV = (
    Place("/audit/", "search"),
    Place("/audit/rulesets", "rulesets"),
    Place("/audit/period", "period"),
    Place("/audit/staff", "staff"),
)


class AuditPages:
    """The house, and how a page of the desk is made."""

    def __init__(self, house: House) -> None:
        self.house = house

    def page(self, template: str, *, script: bool = False, status: int = 200, **values: object) -> Response:
        """A page in the desk's frame. In the template, over what every staff page has: `names` (of towns), `places`, `reasons`,
        `searches`. `script`: our own script files may run on it."""
        lang = language()
        names = {town: reader.profile.name(lang) for town, reader in self.house.readers.items()}
        made = staff_page(
            self.house,
            f"audit/{template}",
            words=WORDS,
            status=status,
            names=names,
            places=NAV,
            reasons=list(AuditReason),
            searches=list(Sought),
            **values,
        )
        if script:
            made.headers["Content-Security-Policy"] = f"{POLICY}; {OUR_SCRIPT}"
        return made

    def recorded(self, error: ForbiddenError) -> ForbiddenError:
        """What somebody tried and may not do is in the log."""
        place = request.url_rule.rule if request.url_rule else ""
        record_refusal(self.house, caller(), error.code, place, now=self.house.clock())
        return error


def reason() -> AuditReason:
    """Why, as chosen in the form. Raises InvalidError."""
    try:
        return AuditReason(form().get("reason"))
    except ValueError:
        raise InvalidError(
            "a reason is chosen from the list", code="reason-missing", where="reason"
        ) from None


def period(days: int, now: datetime) -> tuple[datetime, datetime]:
    """[first day, day after the last) as asked in the address (`from`, `until`: both days included), else the last `days` days,
    in Beijing. Raises InvalidError."""
    today = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    first, last = request.args.get("from", ""), request.args.get("until", "")
    try:
        until_at = _day(last) if last else today
        from_at = _day(first) if first else until_at - timedelta(days=days - 1)
    except ValueError:
        raise InvalidError("a day is written as 2026-11-24", code="period-unreadable", where="from") from None
    if from_at > until_at:
        raise InvalidError("a period begins before it ends", code="period-unreadable", where="from")
    return from_at.astimezone(UTC), (until_at + timedelta(days=1)).astimezone(UTC)


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=BEIJING)
