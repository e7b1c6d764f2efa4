"""The pages of operations: how neighbours stand, what waits in quarantine, what the day statements differ in."""

from __future__ import annotations

from datetime import date, datetime

from flask import Blueprint, Response, request

from gateway.flows.inspect_neighbours import inspect_neighbours
from gateway.flows.list_differences import list_differences
from gateway.flows.list_quarantined import list_quarantined
from gateway.house import House
from gateway.web.operations_words import WORDS
from gateway.web.staff_pages import language, staff_page
from gateway.web.tables import csv_of
from schemas.values import TownCode

SHOWN = 500


def operations_blueprint(house: House) -> Blueprint:
    """/operations: for operators. Numbers, references and reasons; nothing personal."""
    blueprint = Blueprint("operations", __name__)

    @blueprint.get("/")
    def neighbours() -> Response:
        now = house.clock()
        found = inspect_neighbours(house, now=now)
        return staff_page(
            house, "staff/neighbours.html", words=WORDS, neighbours=found, now=now, age=_age_in(now)
        )

    @blueprint.get("/differences")
    def differences() -> Response:
        now = house.clock()
        rows = list_differences(house, _town(), _on(), settled=_settled())
        return staff_page(
            house, "staff/differences.html", words=WORDS, rows=rows[:SHOWN], more=max(0, len(rows) - SHOWN), town=_town() or "",
            on=_on(), settled=_settled(), towns=[r.profile for r in house.readers.values()], names=_names(), age=_age_in(now),
            query=request.query_string.decode("ascii", "ignore"),
        )  # fmt: skip

    @blueprint.get("/differences.csv")
    def table() -> Response:
        rows = list_differences(house, _town(), _on(), settled=_settled())
        answer = Response(csv_of(rows), content_type="text/csv; charset=utf-8")
        name = "-".join(["differences", _town() or "all", str(_on() or "open")])
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return answer

    @blueprint.get("/quarantine")
    def quarantine() -> Response:
        rows = list_quarantined(house, _town())
        return staff_page(
            house, "staff/quarantine.html", words=WORDS, rows=rows[:SHOWN], more=max(0, len(rows) - SHOWN), town=_town() or "",
            towns=[r.profile for r in house.readers.values()], names=_names(), age=_age_in(house.clock()),
        )  # fmt: skip

    def _names() -> dict[str, str]:
        return {town: reader.profile.name(language()) for town, reader in house.readers.items()}

    def _town() -> TownCode | None:
        asked = request.args.get("town", "")
        return TownCode(asked) if asked in house.readers else None

    return blueprint


def _on() -> date | None:
    try:
        return date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        return None


def _settled() -> bool:
    return request.args.get("settled") == "yes"


class _age_in:  # noqa: N801  called like a function in templates
    """How long ago, in words of the page's language."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def __call__(self, at: datetime | None) -> str:
        if at is None:
            return "—"
        minutes = max(0, int((self._now - at).total_seconds() // 60))
        for size, zh, en in ((1440, "天", "d"), (60, "小时", "h")):
            if minutes >= size:
                return f"{minutes // size} {zh if language() == 'zh' else en}"
        return f"{minutes} {'分钟' if language() == 'zh' else 'min'}"
