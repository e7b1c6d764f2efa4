"""The month's settlement with each town: the statement, its differences, and the papers to send."""

from __future__ import annotations

import re

from flask import Blueprint, Response, redirect

from gateway.flows.inspect_month import MonthStatement, inspect_month
from gateway.flows.list_months import list_months
from gateway.flows.settle_month import settle_month
from gateway.house import House
from gateway.web.closing_words import WORDS
from gateway.web.staff_pages import caller, language, staff_page
from gateway.web.statement_files import pdf_of, point_price_text, xlsx_of
from schemas.errors import GatewayError, NotFoundError
from schemas.values import TownCode

TYPES = {
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_of),
    "pdf": ("application/pdf", pdf_of),
}
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


def settlement_blueprint(house: House) -> Blueprint:
    """/settlement: for supervisors."""
    blueprint = Blueprint("settlement", __name__)

    def names() -> dict[str, str]:
        return {town: reader.profile.name(language()) for town, reader in house.readers.items()}

    def statement(town: str, month: str) -> MonthStatement:
        if not _MONTH.fullmatch(month) or town not in house.readers:
            raise NotFoundError("there is no such statement", where="month", value=month[:16])
        return inspect_month(house, TownCode(town), int(month.replace("-", "")), now=house.clock())

    def shown(town: str, month: str, error: GatewayError | None = None) -> Response:
        return staff_page(
            house, "closing/month.html", words=WORDS, s=statement(town, month), month=month, names=names(), error=error,
            point_price=point_price_text, status=error.http_status if error else 200, now=house.clock(),
        )  # fmt: skip

    @blueprint.get("/")
    def home() -> Response:
        return staff_page(house, "closing/months.html", words=WORDS, months=list_months(house), names=names())

    @blueprint.get("/<town>/<month>")
    def show(town: str, month: str) -> Response:
        return shown(town, month)

    @blueprint.get("/<town>/<month>.<any(xlsx, pdf):kind>")
    def paper(town: str, month: str, kind: str) -> Response:
        content_type, made = TYPES[kind]
        found = statement(town, month)
        answer = Response(made(found, names()[town], language()), content_type=content_type)
        name = f"{town}-{month}{'' if found.settled else '-draft'}.{kind}"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    @blueprint.post("/<town>/<month>")
    def settle(town: str, month: str) -> Response:
        found = statement(town, month)
        try:
            settle_month(house, found.town, found.month, by=caller().teller_no, now=house.clock())
        except GatewayError as exc:
            return shown(town, month, exc)
        return redirect(f"/settlement/{town}/{month}", 303)  # type: ignore[return-value]

    return blueprint
