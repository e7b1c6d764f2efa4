"""Pages for people."""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.house import House


def pages_blueprint(house: House) -> Blueprint:
    """/"""
    blueprint = Blueprint("pages", __name__)

    @blueprint.get("/")
    def start() -> Response:
        return Response("gateway", content_type="text/plain")

    return blueprint
