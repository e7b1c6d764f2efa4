"""The OpenAPI 3.1 document: our own schemas (`forms`) with apispec, merged with each town's contract."""

from __future__ import annotations

import copy
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from gateway.house import House
from gateway.web import forms
from gateway.web.log_openapi import add_log_paths
from schemas.oauth import SCOPES

VERSION = "1"
OAUTH, JSON = "OAuth 2.0", "application/json"
ABOUT = """Towns push residents' contribution points; the bank learns what they are worth. Get a token at /oauth/token with
private_key_jwt over mutual TLS, then push. Every push carries an Idempotency-Key, every answer a receipt, every refusal is a
problem document (RFC 9457)."""
_NAMES: list[tuple[str, type[Schema]]] = [
    ("Problem", forms.Problem),
    ("ItemAnswer", forms.ItemAnswer),
    ("ItemAnswers", forms.ItemAnswers),
    ("Counts", forms.Counts),
    ("PushAnswer", forms.PushAnswer),
    ("Token", forms.Token),
    ("TokenRefusal", forms.TokenRefusal),
    ("Check", forms.Check),
    ("Readiness", forms.Readiness),
    ("Health", forms.Health),
    ("KeySet", forms.KeySet),
]


def openapi_document(house: House) -> dict[str, Any]:
    """The whole document. Every status an operation can answer with is named in it."""
    spec = APISpec(
        title="Government-bank gateway 政银互联网关",
        version=VERSION,
        openapi_version="3.1.0",
        info={"description": " ".join(ABOUT.split())},
        plugins=[MarshmallowPlugin()],
        servers=[{"url": house.config.public_url.rstrip("/")}],
    )
    for name, schema in _NAMES:
        spec.components.schema(name, schema=schema)
    spec.components.security_scheme(
        "oauth",
        {
            "type": "oauth2",
            "description": "private_key_jwt; the token is bound to the client certificate (RFC 8705)",
            "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": dict(SCOPES)}},
        },
    )
    _token_path(spec)
    _read_paths(spec)
    add_log_paths(spec)
    document: dict[str, Any] = spec.to_dict()
    for reader in house.readers.values():
        _merge(document, copy.deepcopy(dict(reader.openapi_paths())))
    return document


def _token_path(spec: APISpec) -> None:
    fields = {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_assertion_type": {
            "type": "string",
            "enum": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
        },
        "client_assertion": {
            "type": "string",
            "maxLength": 8192,
            "description": "a JWT, ES256 or PS256 (RFC 7523)",
        },
        "scope": {"type": "string"},
    }
    form = {
        "type": "object",
        "properties": fields,
        "required": ["grant_type", "client_assertion_type", "client_assertion"],
    }
    refusal = _answer("RFC 6749 section 5.2.", "TokenRefusal")
    spec.path(
        "/oauth/token",
        operations={
            "post": {
                "operationId": "issueToken",
                "tags": [OAUTH],
                "summary": "An access token for a town's client",
                "requestBody": {
                    "required": True,
                    "content": {"application/x-www-form-urlencoded": {"schema": form}},
                },
                "responses": {
                    "200": _answer("The token; it lives ten minutes.", "Token"),
                    "400": {
                        "description": "The request is wrong.",
                        "content": {
                            "application/json": {"schema": _ref("TokenRefusal")},
                            "application/problem+json": {"schema": _ref("Problem")},
                        },
                    },
                    "401": refusal,
                    "413": _problem("The form is too long."),
                    "415": _problem("Not a form."),
                    "503": _problem("Nothing happened; send it again with a new assertion."),
                    "504": _problem("It may or may not have happened; send it again with a new assertion."),
                },
            }
        },
    )


def _read_paths(spec: APISpec) -> None:
    jwks = "application/jwk-set+json"
    for path, name, tag, summary, schema, content_type in (
        (
            "/oauth/jwks",
            "tokenKeys",
            OAUTH,
            "Keys that sign access tokens; two during rotation",
            "KeySet",
            jwks,
        ),
        ("/oauth/receipt-jwks", "receiptKeys", OAUTH, "Keys that sign receipts", "KeySet", jwks),
        ("/.well-known/oauth-authorization-server", "metadata", OAUTH, "RFC 8414 metadata", "", JSON),
        ("/healthz", "alive", "Operations", "This process answers", "Health", JSON),
        (
            "/readyz",
            "ready",
            "Operations",
            "Everything it needs is there; says what is not",
            "Readiness",
            JSON,
        ),
    ):
        content = {content_type: {"schema": _ref(schema) if schema else {"type": "object"}}}
        responses = {"200": {"description": summary, "content": content}}
        if name == "ready":
            responses["503"] = _answer("Something is not ready.", "Readiness")
        operation = {"operationId": name, "tags": [tag], "summary": summary, "responses": responses}
        spec.path(path, operations={"get": operation})


def _merge(document: dict[str, Any], contract: dict[str, Any]) -> None:
    """A town's paths and components beside ours; where both name a component, ours stands: the door answers."""
    document["paths"].update(contract["paths"])
    for kind, entries in contract["components"].items():
        ours = document["components"].setdefault(kind, {})
        for name, entry in entries.items():
            ours.setdefault(name, entry)


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(schema)}}}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {"schema": _ref("Problem")}}}
