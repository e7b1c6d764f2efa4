"""A branch's goods: what is there and low, deliveries, write-offs, and goods on their way between branches."""

from __future__ import annotations

import re
from uuid import UUID

from flask import Blueprint, Response, redirect, request

from gateway.flows.accept_goods import accept_goods
from gateway.flows.inspect_stock import inspect_stock
from gateway.flows.record_refusal import record_refusal
from gateway.flows.send_goods import send_goods
from gateway.flows.stock_goods import stock_goods
from gateway.house import House
from gateway.web.closing_words import WORDS
from gateway.web.staff_pages import caller, form, staff_page
from gateway.web.tables import stock_csv
from schemas.errors import ConflictError, ForbiddenError, GatewayError, InvalidError
from schemas.goods import Movement
from schemas.staff import Role

MOST_COUNT = 100_000
_COUNT = re.compile(r"count:([0-9a-f-]{36})")


def stock_blueprint(house: House) -> Blueprint:
    """/stock: for clerks and supervisors of a branch; writing off is a supervisor's."""
    blueprint = Blueprint("stock", __name__)

    def shown(template: str = "stock.html", error: GatewayError | None = None, **values: object) -> Response:
        view = inspect_stock(house, caller(), now=house.clock())
        return staff_page(
            house, f"closing/{template}", words=WORDS, view=view, error=error, key=str(house.new_id()),
            may_write_off=caller().may(Role.SUPERVISOR), status=error.http_status if error else 200, **values,
        )  # fmt: skip

    @blueprint.get("/")
    def home() -> Response:
        return shown()

    @blueprint.get("/<any(receive, send, 'write-off'):task>")
    def ask(task: str) -> Response:
        return shown("stock_form.html", task=task, typed={})

    @blueprint.get("/stock.csv")
    def table() -> Response:
        answer = Response(
            stock_csv(inspect_stock(house, caller(), now=house.clock()).stock), content_type="text/csv; charset=utf-8"
        )  # fmt: skip
        answer.headers["Content-Disposition"] = f'attachment; filename="stock-{caller().branch_no}.csv"'
        return answer

    @blueprint.post("/<any(receive, send, 'write-off'):task>")
    def do(task: str) -> Response:
        typed = {name: form().get(name) for name in form().names()}
        try:
            _do(house, task, typed)
        except GatewayError as exc:
            if isinstance(exc, ForbiddenError):
                record_refusal(house, caller(), exc.code, request.path, now=house.clock())
            return shown("stock_form.html", exc, task=task, typed=typed)
        return redirect("/stock/", 303)  # type: ignore[return-value]

    @blueprint.post("/accept/<uuid:transfer_id>")
    def accept(transfer_id: UUID) -> Response:
        try:
            accept_goods(
                house,
                caller(),
                transfer_id,
                _counts(_typed()),
                reason=form().get("reason"),
                now=house.clock(),
            )
        except GatewayError as exc:
            return shown(error=exc)
        return redirect("/stock/", 303)  # type: ignore[return-value]

    return blueprint


def _typed() -> dict[str, str]:
    return {name: form().get(name) for name in form().names()}


def _do(house: House, task: str, typed: dict[str, str]) -> None:
    """Receive, send or write off what the form says, under the form's own key."""
    counts, now = {g: n for g, n in _counts(typed).items() if n}, house.clock()
    try:
        key = UUID(typed.get("key", ""))
    except ValueError:
        raise InvalidError("the form cannot be read", code="request-malformed", where="key") from None
    if not counts:
        raise InvalidError("at least one good comes or goes", code="nothing-moved", where="counts")
    if task == "send":
        send_goods(house, caller(), typed.get("to_branch_no", ""), counts, transfer_id=key, now=now)
        return
    reason = typed.get("reason", "")
    if not 2 <= len(reason) <= 200:
        raise InvalidError("a movement says why", code="movement-unexplained", where="reason")
    if task == "write-off" and not caller().may(Role.SUPERVISOR):
        raise ForbiddenError("a supervisor writes off", code="role-missing", where="role")
    kind, sign = ("receive", 1) if task == "receive" else ("write_off", -1)
    lines = [
        Movement(kind, caller().branch_no, good_id, sign * n, 0, reason) for good_id, n in counts.items()
    ]
    try:
        stock_goods(house, lines, by=caller().teller_no, cause_id=key, now=now)
    except ConflictError as exc:
        if exc.where != "stock_movement_pkey":
            raise
        raise ConflictError("this page was sent before", code="movement-key-reused", where="key") from exc


def _counts(typed: dict[str, str]) -> dict[UUID, int]:
    """The numbers of the form by good; an empty field is nothing. Raises InvalidError."""
    found = {}
    for name, text in typed.items():
        match = _COUNT.fullmatch(name)
        if match is None:
            continue
        if text and not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) <= MOST_COUNT):
            raise InvalidError("a number of goods is a whole number", code="movement-invalid", where=name)
        found[UUID(match[1])] = int(text or "0")
    return found
