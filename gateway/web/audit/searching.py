"""The page an auditor begins at: what is sought, and why; and the look that opens a resident's pages."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, redirect

from gateway.flows.look_at_resident import look_at_resident
from gateway.flows.search_audited import search_audited
from gateway.web.audit.frame import AuditPages, reason
from gateway.web.staff_pages import caller, form
from schemas.audit import AuditReason, Sought
from schemas.errors import GatewayError, InvalidError


def add_search(blueprint: Blueprint, pages: AuditPages) -> None:
    """/audit/, /audit/find, /audit/look."""
    house = pages.house

    def start(error: GatewayError | None = None) -> Response:
        return pages.page("start.html", error=error, status=error.http_status if error else 200)

    def opened(person_id: int, why: AuditReason, decision_id: UUID | None) -> Response:
        look_id = look_at_resident(house, caller(), person_id, why, now=house.clock())
        where = f"/audit/looks/{look_id}/"
        return redirect(f"{where}decisions/{decision_id}" if decision_id else where, 303)  # type: ignore[return-value]

    @blueprint.get("/")
    def home() -> Response:
        return start()

    @blueprint.post("/find")
    def find() -> Response:
        try:
            why, sought = reason(), _sought()
            found = search_audited(house, sought, form().get("words")[:128], now=house.clock())
        except GatewayError as exc:
            return start(exc)
        if found.ruleset_id:
            return redirect(f"/audit/rulesets/{found.ruleset_id}", 303)  # type: ignore[return-value]
        if found.teller_no:
            return redirect(f"/audit/staff/{found.teller_no}", 303)  # type: ignore[return-value]
        if len(found.residents) == 1:
            one = found.residents[0]
            return opened(one.person_id, why, one.decision_id)
        return pages.page("candidates.html", found=found.residents, reason=why)

    @blueprint.post("/look")
    def look() -> Response:
        person_id, decision_id = _wanted(form().get("open"))
        return opened(person_id, reason(), decision_id)


def _wanted(text: str) -> tuple[int, UUID | None]:
    """What a button opens: '<person>' or '<person>/<decision>'. Raises InvalidError."""
    person, _, decision = text.partition("/")
    try:
        if person.isascii() and person.isdigit() and len(person) <= 18:
            return int(person), UUID(decision) if decision else None
    except ValueError:
        pass
    raise InvalidError("the form cannot be read", code="request-malformed", where="open")


def _sought() -> Sought:
    try:
        return Sought(form().get("sought"))
    except ValueError:
        raise InvalidError("choose what is sought", code="search-unreadable", where="sought") from None
