"""A resident's pages, each standing on a recorded look: what was decided, the timeline, who looked."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from gateway.flows.inspect_case import inspect_case
from gateway.web.audit.frame import AuditPages
from gateway.web.staff_pages import caller
from schemas.errors import ForbiddenError


def add_cases(blueprint: Blueprint, pages: AuditPages) -> None:
    """/audit/looks/<look>/…"""
    house = pages.house

    @blueprint.get("/looks/<uuid:look_id>/")
    def resident(look_id: UUID) -> Response:
        try:
            view = inspect_case(house, caller(), look_id, now=house.clock())
        except ForbiddenError as exc:
            raise pages.recorded(exc) from exc
        return pages.page("resident.html", view=view)
