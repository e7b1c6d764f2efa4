"""Rulesets: all there ever were, each as it was written with its references, and what each changed of the one before."""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.flows.inspect_ruleset import inspect_ruleset
from gateway.flows.list_rulesets import list_rulesets
from gateway.web.audit.frame import AuditPages


def add_rulesets(blueprint: Blueprint, pages: AuditPages) -> None:
    """/audit/rulesets, /audit/rulesets/<id>: every line has the anchor L<number>."""
    house = pages.house

    @blueprint.get("/rulesets")
    def rulesets() -> Response:
        return pages.page("rulesets.html", rows=list_rulesets(house))

    @blueprint.get("/rulesets/<ruleset_id>")
    def ruleset(ruleset_id: str) -> Response:
        return pages.page("ruleset.html", view=inspect_ruleset(house, ruleset_id[:64]))
