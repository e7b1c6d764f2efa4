"""The authorization server's door: token endpoint, keys, metadata (RFC 6749, 7517, 8414, 8705)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import orjson
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from flask import Blueprint, Response, request

from gateway.flows.issue_token import issue_token
from gateway.flows.publish_keys import publish_keys
from gateway.house import House
from gateway.web.certificates import certificate_reader
from gateway.web.problems import problem_body
from gateway.web.reading import check_content, read_body
from schemas.oauth import ASSERTION_ALGORITHMS, SCOPES, TokenRequest

FORM_BYTES = 32 * 1024
FORM_FIELDS = 20


def oauth_blueprint(house: House) -> Blueprint:
    """/oauth/token, /oauth/jwks and /oauth/receipt-jwks."""
    blueprint = Blueprint("oauth", __name__)
    read_certificate = certificate_reader(house.config.trusted_proxies)
    base_url = house.config.public_url.rstrip("/")

    @blueprint.post("/token")
    def token() -> Response:
        check_content(request.environ, "application/x-www-form-urlencoded")
        certificate = read_certificate(request.environ)
        try:
            text = read_body(request.environ, FORM_BYTES).decode("ascii")
            form = tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS, errors="strict"))
        except ValueError:
            return _answer(
                base_url, 400, {"error": "invalid_request", "error_description": "The form cannot be read."}
            )
        answer = issue_token(house, TokenRequest(form, certificate), now=house.clock())
        request.environ["gateway.client"] = answer.client_id
        return _answer(base_url, answer.status, answer.body)

    @blueprint.get("/jwks")
    def jwks() -> Response:
        return _keys(house, "token")

    @blueprint.get("/receipt-jwks", endpoint="receipt_jwks")
    def receipt_jwks() -> Response:
        return _keys(house, "receipt")

    return blueprint


def metadata_blueprint(house: House) -> Blueprint:
    """/.well-known/oauth-authorization-server."""
    blueprint = Blueprint("metadata", __name__)
    document = orjson.dumps(metadata(house.config.public_url.rstrip("/")))

    @blueprint.get("/oauth-authorization-server")
    def server() -> Response:
        response = Response(document, content_type="application/json")
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    return blueprint


def metadata(issuer: str) -> dict[str, Any]:
    """RFC 8414 section 2, checked by Authlib."""
    found = AuthorizationServerMetadata(
        {
            "issuer": issuer,
            "token_endpoint": f"{issuer}/oauth/token",
            "jwks_uri": f"{issuer}/oauth/jwks",
            "scopes_supported": list(SCOPES),
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
            "service_documentation": f"{issuer}/docs",
            "ui_locales_supported": ["zh-CN", "en"],
        }
    )
    for name in ("issuer", "token_endpoint", "jwks_uri", "grant_types_supported", "scopes_supported"):
        getattr(found, f"validate_{name}")()
    return {**found, "tls_client_certificate_bound_access_tokens": True}


def _keys(house: House, use: str) -> Response:
    response = Response(orjson.dumps(publish_keys(house)[use]), content_type="application/jwk-set+json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def _answer(base_url: str, status: int, body: dict[str, Any]) -> Response:
    """RFC 6749 section 5. An error carries the members of a problem document too."""
    if status >= 400:
        error = str(body["error"])
        code = error.replace("_", "-")
        title = {"invalid-client": "The client could not be authenticated"}.get(
            code, "The token request is refused"
        )
        problem = problem_body(base_url, status, code, title, str(body.get("error_description", title)))
        body = {**problem, **body}
        request.environ["gateway.code"] = code
    response = Response(orjson.dumps(body), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    if status == 401:
        response.headers["WWW-Authenticate"] = 'private_key_jwt realm="gateway"'
    return response
