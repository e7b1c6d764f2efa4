"""Pages for people: the start page, the API documentation, what a problem code means. Server-rendered, no scripts."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

import orjson
from flask import Blueprint, Response, redirect, render_template, request

from gateway.flows.inspect_health import inspect_health
from gateway.flows.inspect_witnesses import inspect_witnesses
from gateway.house import House
from gateway.web.openapi import openapi_document
from gateway.web.problems import KIND_TITLES, TITLES, DoorError
from gateway.web.words import said_in, words_in
from schemas.errors import GatewayError
from schemas.goods import PICTURES
from schemas.values import BEIJING

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_METHODS = ("get", "post", "put", "patch", "delete")


def pages_blueprint(house: House) -> Blueprint:
    """/, /docs, /openapi.json, /problems/<code> and the style sheet."""
    blueprint = Blueprint("pages", __name__)
    styles, drawing, staff_styles, link_styles, audit_styles, audit_check = (
        (Path(__file__).parent / "static" / name).read_bytes()
        for name in ("gateway.css", "gateway.svg", "staff.css", "link.css", "audit.css", "audit-check.js")
    )

    @cache
    def document() -> dict[str, Any]:
        return openapi_document(house)

    def page(template: str, **values: Any) -> Response:
        language = "en" if request.args.get("lang") == "en" else "zh"
        text = render_template(
            template,
            said=partial(said_in, language),
            t=words_in(language),
            lang=language,
            config=house.config,
            path=request.path,
            **values,
        )
        response = Response(text, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
        return response

    @blueprint.get("/")
    def start() -> Response:
        health = inspect_health(house, now=house.clock())
        pushes = {push.town: push for push in health.pushes}
        try:
            log = inspect_witnesses(house)
        except GatewayError:  # the database is away: the checks above say so
            log = None
        return page(
            "start.html",
            health=health,
            log=log,
            pushes=pushes,
            towns=[reader.profile for reader in house.readers.values()],
            beijing=BEIJING,
        )

    @blueprint.get("/neighbours")
    def neighbours() -> Response:
        return redirect("/operations/", 303)  # type: ignore[return-value]

    @blueprint.get("/docs")
    def docs() -> Response:
        return page(
            "docs.html",
            operations=_operations(document()),
            forms=_forms(document()),
            example=next(iter(house.readers), "TOWN"),
        )

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        return Response(orjson.dumps(document(), option=orjson.OPT_INDENT_2), content_type="application/json")

    @blueprint.get("/problems/<code>")
    def problem(code: str) -> Response:
        if not code.replace("-", "").isalnum() or not code.isascii() or len(code) > 64:
            raise DoorError("not-found", "no problem has this code")
        status, title = TITLES.get(code, (None, KIND_TITLES.get(code, code.replace("-", " "))))
        return page("problem.html", code=code, status=status, title=title)

    @blueprint.get("/static/gateway.css")
    def style() -> Response:
        return _kept(styles, "text/css; charset=utf-8")

    @blueprint.get("/static/staff.css")
    def staff_style() -> Response:
        return _kept(staff_styles, "text/css; charset=utf-8")

    @blueprint.get("/static/link.css")
    def link_style() -> Response:
        return _kept(link_styles, "text/css; charset=utf-8")

    @blueprint.get("/static/audit.css")
    def audit_style() -> Response:
        return _kept(audit_styles, "text/css; charset=utf-8")

    @blueprint.get("/static/audit-check.js")
    def audit_script() -> Response:
        return _kept(audit_check, "text/javascript; charset=utf-8")

    drawings = {
        word: (Path(__file__).parent / "static" / "goods" / f"{word}.svg").read_bytes() for word in PICTURES
    }

    @blueprint.get("/static/goods/<word>.svg")
    def drawing_of(word: str) -> Response:
        if word not in drawings:
            raise DoorError("not-found", "there is no such drawing")
        return _kept(drawings[word], "image/svg+xml")

    @blueprint.get("/static/gateway.svg")
    def icon() -> Response:
        return _kept(drawing, "image/svg+xml")

    return blueprint


def _kept(content: bytes, content_type: str) -> Response:
    response = Response(content, content_type=content_type)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Operations as the page shows them, towns' first."""
    found = []
    for path, entry in document["paths"].items():
        for method in _METHODS:
            operation = entry.get(method)
            if operation is not None:
                found.append(_operation(document, path, method, operation))
    return sorted(
        found, key=lambda o: (not o["path"].startswith("/towns/"), not o["path"].startswith("/oauth"))
    )


def _operation(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    scopes = [scope for entry in operation.get("security", []) for found in entry.values() for scope in found]
    content = operation.get("requestBody", {}).get("content", {})
    bodies = []
    for content_type, media in content.items():
        examples = media.get("examples", {})
        shown = {
            name: orjson.dumps(example.get("value"), option=orjson.OPT_INDENT_2).decode()
            for name, example in examples.items()
        }
        bodies.append({"type": content_type, "names": _names(media.get("schema", {})), "examples": shown})
    answers = [
        {
            "status": status,
            "description": answer.get("description", ""),
            "names": [
                n for media in answer.get("content", {}).values() for n in _names(media.get("schema", {}))
            ],
        }
        for status, answer in sorted(operation.get("responses", {}).items())
    ]
    return {
        "id": operation.get("operationId", f"{method}-{path}"),
        "tag": (operation.get("tags") or [""])[0],
        "path": path,
        "method": method.upper(),
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "scopes": scopes,
        "parameters": [_resolved(document, p) for p in operation.get("parameters", [])],
        "bodies": bodies,
        "answers": answers,
    }


def _resolved(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in value:
        return value
    found: Any = document
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _names(schema: dict[str, Any]) -> list[str]:
    """Names of the component schemas a schema refers to at its top."""
    if "$ref" in schema:
        return [schema["$ref"].rsplit("/", 1)[-1]]
    return [name for part in [*schema.get("oneOf", []), *schema.get("anyOf", [])] for name in _names(part)]


def _forms(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name, schema in sorted(document["components"].get("schemas", {}).items()):
        required = set(schema.get("required", []))
        fields = [
            {
                "name": field,
                "type": _type(entry),
                "required": field in required,
                "about": entry.get("description", ""),
            }
            for field, entry in schema.get("properties", {}).items()
        ]
        found.append({"name": name, "about": schema.get("description", ""), "fields": fields})
    return found


def _type(schema: dict[str, Any]) -> str:
    """A schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    options = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf")
    if options:
        return " | ".join(dict.fromkeys(_type(option) for option in options))
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = schema.get("type", "")
    text = " | ".join(kind) if isinstance(kind, list) else str(kind)
    if text == "array":
        return f"{_type(schema.get('items', {}))}[]"
    return f"{text} ({schema['format']})" if "format" in schema else text
