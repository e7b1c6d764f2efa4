"""A resident's pages, each standing on a recorded look: why they got what they got, what changed it, the timeline, who looked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID

import orjson
from flask import Blueprint, Response, request

from gateway.flows.compare_decisions import compare_decisions
from gateway.flows.export_case import export_case
from gateway.flows.inspect_case import inspect_case
from gateway.flows.inspect_mapping import MappingView, inspect_mapping
from gateway.flows.inspect_timeline import inspect_timeline
from gateway.flows.prove_decision import prove_decision
from gateway.web.audit.check_words import CHECK_WORDS
from gateway.web.audit.drawing import draw_mapping
from gateway.web.audit.frame import AuditPages
from gateway.web.audit.words import WORDS
from gateway.web.staff_pages import LANGUAGES, caller, form, language, words_for
from schemas.errors import ForbiddenError, GatewayError, InvalidError
from schemas.values import BEIJING, percent_text

CAUSES = ("batch", "correction", "ruleset", "facility", "consent", "registration", "expired", "quota")


def add_cases(blueprint: Blueprint, pages: AuditPages) -> None:
    """/audit/looks/<look>/…"""
    house = pages.house

    @blueprint.get("/looks/<uuid:look_id>/")
    @recorded(pages)
    def resident(look_id: UUID) -> Response:
        return shown(look_id, None)

    @blueprint.get("/looks/<uuid:look_id>/decisions/<uuid:decision_id>")
    @recorded(pages)
    def decision(look_id: UUID, decision_id: UUID) -> Response:
        return shown(look_id, decision_id)

    @blueprint.get("/looks/<uuid:look_id>/decisions/<uuid:decision_id>/proof")
    def proof(look_id: UUID, decision_id: UUID) -> Response:
        try:
            found = prove_decision(house, caller(), look_id, decision_id, now=house.clock())
        except GatewayError as exc:
            error = pages.recorded(exc) if isinstance(exc, ForbiddenError) else exc
            return _json({"code": error.code}, error.http_status)
        return _json(found, 200)

    @blueprint.get("/looks/<uuid:look_id>/decisions/<uuid:decision_id>/before")
    @recorded(pages)
    def before(look_id: UUID, decision_id: UUID) -> Response:
        now = house.clock()
        view = inspect_case(house, caller(), look_id, now=now)
        both = compare_decisions(house, caller(), look_id, decision_id, now=now)
        return pages.page(
            "before.html", view=view, both=both, tab="mapping", cause=cause, percent=percent_text
        )

    @blueprint.get("/looks/<uuid:look_id>/timeline")
    @recorded(pages)
    def timeline(look_id: UUID) -> Response:
        now = house.clock()
        view = inspect_timeline(house, caller(), look_id, before=_instant("before", now), now=now)
        return pages.page("timeline.html", view=view, tab="timeline")

    @blueprint.post("/looks/<uuid:look_id>/export")
    @recorded(pages)
    def export(look_id: UUID) -> Response:
        wanted = form().get("decision_id")
        made = export_case(
            house,
            caller(),
            look_id,
            _uuid(wanted) if wanted else None,
            with_identity=form().get("with_identity") == "yes",
            now=house.clock(),
        )
        response = Response(made.content, content_type="text/html; charset=utf-8")
        name = f"evidence-{'decision' if wanted else 'resident'}-{made.export_id}.html"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    @blueprint.get("/looks/<uuid:look_id>/looks")
    @recorded(pages)
    def looks(look_id: UUID) -> Response:
        view = inspect_case(house, caller(), look_id, now=house.clock())
        return pages.page("looks.html", view=view, tab="looks")

    def shown(look_id: UUID, decision_id: UUID | None) -> Response:
        now = house.clock()
        view = inspect_case(house, caller(), look_id, now=now)
        standing = view.standing or view.decisions
        chosen = decision_id or (standing[0].decision_id if standing else None)
        mapping = inspect_mapping(house, caller(), look_id, chosen, now=now) if chosen else None
        return pages.page(
            "resident.html",
            script=mapping is not None,
            view=view,
            tab="mapping",
            mapping=mapping,
            cause=cause,
            **(_drawn(pages, mapping) if mapping else {}),
        )


def recorded(pages: AuditPages) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """A page about a resident: whoever tries what is not theirs is in the log."""

    def around(page: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(page)
        def made(**values: UUID) -> Response:
            try:
                return page(**values)
            except ForbiddenError as exc:
                raise pages.recorded(exc) from exc

        return made

    return around


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidError("the form cannot be read", code="request-malformed", where="decision_id") from None


def _instant(name: str, now: datetime) -> datetime:
    """As the address says (ISO 8601 with offset), else a moment after now: what happens this very second is shown."""
    text = request.args.get(name, "")
    try:
        at = datetime.fromisoformat(text) if text else now + timedelta(minutes=5)
        return at if at.tzinfo else at.replace(tzinfo=BEIJING)
    except ValueError:
        raise InvalidError(
            "an instant is written as 2026-11-24T10:00:00+08:00", code="period-unreadable", where=name
        ) from None


def _json(content: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(content), status, content_type="application/json")


def cause(said: str) -> str:
    """The word for what caused a decision, from how it was written down ('batch:<id>', 'consent withdrawn', …)."""
    first = said.partition(":")[0].partition(" ")[0]
    return f"cause_{first}" if first in CAUSES else "cause_other"


def _drawn(pages: AuditPages, mapping: MappingView) -> dict[str, Any]:
    """The picture, and where each of its numbers leads."""
    lang = language()
    t = words_for(WORDS, lang)
    names = {str(town): reader.profile.name(lang) for town, reader in pages.house.readers.items()}

    def source(path: str) -> tuple[str, int | None, str]:
        """Path, line and reference of the line a number follows: that of the block when it has none of its own."""
        while path:
            found = mapping.sources.get(path)
            if found is not None and found.line is not None:
                return found.path, found.line, found.reference
            path = path.rpartition(".")[0]
        return "", None, ""

    def line(path: str) -> str:
        at = source(path)[1]
        return f"/audit/rulesets/{mapping.ruleset.ruleset_id}" + (f"#L{at}" if at else "")

    def title(path: str) -> str:
        name, at, reference = source(path)
        return f"{name} · {t['line_no'].format(n=at)} · {reference}" if at else path

    check_words = {name: pair[LANGUAGES.index(lang)] for name, pair in CHECK_WORDS.items()}
    return {
        "check_words": check_words,
        "drawing": draw_mapping(mapping, t, names),
        "line": line,
        "source": title,
        "found": source,
    }
