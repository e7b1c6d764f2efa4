"""The end of a branch's day: what hinders it, the count, and the signature of a supervisor. One task a page."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

from flask import Blueprint, Response, redirect, request

from gateway.flows.close_branch_day import close_branch_day
from gateway.flows.count_stock import count_stock
from gateway.flows.inspect_branch_day import inspect_branch_day
from gateway.flows.record_refusal import record_refusal
from gateway.house import House
from gateway.web.closing_words import WORDS
from gateway.web.staff_pages import caller, form, language, staff_page
from schemas.errors import ForbiddenError, GatewayError, InvalidError
from schemas.goods import CountedGood
from schemas.staff import Role

_COUNTED = re.compile(r"counted:([0-9a-f-]{36})")


def closing_blueprint(house: House) -> Blueprint:
    """/closing: for clerks and supervisors of a branch. Who may sign is the flow's."""
    blueprint = Blueprint("closing", __name__)

    def page(template: str, *, error: GatewayError | None = None, **values: object) -> Response:
        names = {town: reader.profile.name(language()) for town, reader in house.readers.items()}
        return staff_page(
            house, f"closing/{template}", words=WORDS, status=error.http_status if error else 200, error=error,
            names=names, may_sign=caller().may(Role.SUPERVISOR), **values,
        )  # fmt: skip

    def day(on: date | None, template: str = "day.html", error: GatewayError | None = None) -> Response:
        view = inspect_branch_day(house, caller(), on, now=house.clock())
        return page(template, view=view, error=error)

    @blueprint.get("/")
    def home() -> Response:
        return day(_on(request.args.get("on", "")))

    @blueprint.get("/count")
    def ask_count() -> Response:
        return counting({})

    def counting(typed: dict[str, str], error: GatewayError | None = None) -> Response:
        view = inspect_branch_day(house, caller(), now=house.clock())
        key = typed.get("key") or str(house.new_id())
        return page("count.html", view=view, key=key, typed=typed, error=error)

    @blueprint.post("/count")
    def count() -> Response:
        typed = {name: form().get(name) for name in form().names()}
        try:
            count_stock(
                house, caller(), _counted(typed), count_id=_uuid(typed.get("key", "")), now=house.clock()
            )
        except GatewayError as exc:
            return counting(typed, exc)
        return redirect("/closing/", 303)  # type: ignore[return-value]

    @blueprint.get("/sign")
    def ask_signature() -> Response:
        return day(_on(request.args.get("on", "")), "sign.html")

    @blueprint.post("/sign")
    def sign() -> Response:
        on = _on(form().get("on"))
        if on is None:
            raise InvalidError("a day is closed by its date", code="request-malformed", where="on")
        try:
            close_branch_day(house, caller(), on, now=house.clock())
        except ForbiddenError as exc:
            record_refusal(house, caller(), exc.code, "/closing/sign", now=house.clock())
            return day(on, error=exc)
        except GatewayError as exc:
            return day(on, error=exc)
        return redirect(f"/closing/?on={on.isoformat()}", 303)  # type: ignore[return-value]

    return blueprint


def _on(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidError("the form cannot be read", code="request-malformed", where="key") from None


def _counted(typed: dict[str, str]) -> list[CountedGood]:
    """The lines of the form. Raises InvalidError for what is no number; an empty field is none."""
    found = []
    for name, text in typed.items():
        match = _COUNTED.fullmatch(name)
        if match is None:
            continue
        good_id, book = match[1], typed.get(f"book:{match[1]}", "")
        if not (text.isascii() and text.isdigit() and book.isascii() and book.isdigit()) or len(text) > 7:
            raise InvalidError("every good is counted", code="count-invalid", where=good_id)
        reason = typed.get(f"reason:{good_id}", "") if int(text) != int(book) else ""
        found.append(CountedGood(_uuid(good_id), int(book), int(text), reason))
    return found
