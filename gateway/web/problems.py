"""Problem documents (RFC 9457): every refusal says what, where and what to do, and nothing of our insides."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from gateway.observe.context import correlation_id
from gateway.observe.metrics import count_refusal
from schemas.errors import GatewayError

log = logging.getLogger("gateway.door")

#: Codes the doors themselves give → (status, title). Codes of flows and adapters get the title of their kind.
TITLES: dict[str, tuple[int, str]] = {
    "body-incomplete": (400, "The body ended before its announced length"),
    "body-too-slow": (408, "The body came too slowly"),
    "body-missing": (400, "A body is needed"),
    "body-too-large": (413, "The body is too large"),
    "broken-gzip": (400, "The gzip stream cannot be read"),
    "client-disabled": (401, "The client is not enabled"),
    "certificate-mismatch": (401, "The token belongs to another certificate"),
    "certificate-withdrawn": (401, "The certificate is no longer registered"),
    "content-encoding-unsupported": (415, "This content encoding is not taken here"),
    "content-type-unsupported": (415, "This content type is not taken here"),
    "idempotency-key-invalid": (400, "The Idempotency-Key cannot be used"),
    "idempotency-key-missing": (400, "An Idempotency-Key is needed"),
    "idempotency-key-reused": (422, "The Idempotency-Key was used with another payload"),
    "idempotency-in-progress": (409, "A request with this Idempotency-Key is being worked on"),
    "internal": (500, "Something went wrong on our side"),
    "line-too-long": (400, "A line is too long"),
    "method-not-allowed": (405, "This method is not offered here"),
    "not-found": (404, "There is nothing here"),
    "other-town": (403, "The client speaks for another town"),
    "rate-limited": (429, "Too many requests"),
    "request-malformed": (400, "The request cannot be read"),
    "scope-missing": (403, "The token lacks a scope"),
    "stream-too-long": (413, "The stream is too long"),
    "token-expired": (401, "The access token has ended"),
    "token-invalid": (401, "The access token is not valid here"),
    "token-missing": (401, "An access token is needed"),
}
KIND_TITLES = {
    "invalid": "The request is wrong",
    "not-found": "There is no such thing",
    "conflict": "The request contradicts what is stored",
    "refused": "Understood, and refused by a rule",
    "unavailable": "Nothing happened; send the same again later",
    "outcome-unknown": "It may or may not have happened; ask first",
    "unauthenticated": "Who is calling could not be established",
    "forbidden": "The caller may not do this",
    "tampered": "Evidence does not agree with itself",
}


class DoorError(Exception):
    """A refusal by the door itself, with a status of HTTP's own (413, 415, 429, …)."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        where: str | None = None,
        remedy: str | None = None,
        headers: dict[str, str] | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.where = where
        self.remedy = remedy
        self.headers = headers or {}
        self.more = more or {}


def problem_body(
    base_url: str, status: int, code: str, title: str, detail: str, **more: Any
) -> dict[str, Any]:
    """The members of a problem document; empty ones are left out."""
    body = {
        "type": f"{base_url}/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path[:200],
        "code": code,
        "correlationId": correlation_id.get(),
    }
    body.update({name: value for name, value in more.items() if value is not None})
    return body


def install_problems(app: Flask, base_url: str) -> None:
    """Answer every error of this application with a problem document."""

    def answer(status: int, code: str, title: str, detail: str, **more: Any) -> Response:
        headers: dict[str, str] = more.pop("headers", None) or {}
        body = problem_body(base_url, status, code, title, detail, **more)
        request.environ["gateway.code"] = code
        count_refusal(code)
        response = Response(orjson.dumps(body, default=str), status, content_type="application/problem+json")
        response.headers.update(headers)
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.errorhandler(DoorError)
    def door_refuses(error: DoorError) -> Response:
        status, title = TITLES[error.code]
        return answer(
            status, error.code, title, error.detail,
            where=error.where, remedy=error.remedy, headers=error.headers, **error.more,
        )  # fmt: skip

    @app.errorhandler(GatewayError)
    def flow_refuses(error: GatewayError) -> Response:
        status = error.http_status
        headers: dict[str, str] = {}
        if error.retry_after_s is not None or status == 503:
            headers["Retry-After"] = str(error.retry_after_s or 5)
        if status == 401 and str(request.endpoint).startswith("hooks_"):
            headers["WWW-Authenticate"] = 'Signature realm="standard-webhooks"'
        elif status in (401, 403) and request.path.startswith("/towns/"):
            headers["WWW-Authenticate"] = _challenge(error)
        if status >= 500:
            log.error(
                "failed", extra={"code": error.code, "kind": error.kind, "what": str(error)}, exc_info=error
            )
        title = TITLES.get(error.code, (0, ""))[1] or KIND_TITLES.get(error.kind, "Refused")
        hide = error.kind == "tampered"
        return answer(
            status, error.code, title, title if hide else error.what,
            where=None if hide else error.where, remedy=error.remedy, headers=headers,
        )  # fmt: skip

    @app.errorhandler(HTTPException)
    def http_refuses(error: HTTPException) -> Response:
        status = error.code or 500
        code = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}.get(
            status, "request-malformed"
        )
        headers = {k: v for k, v in error.get_headers() if k in ("Allow", "Location", "Retry-After")}
        detail = {
            404: "no door has this address; /docs lists them",
            405: f"use {headers.get('Allow', 'another method')}",
        }.get(status, TITLES[code][1])
        return answer(status, code, TITLES[code][1], detail, headers=headers)

    @app.errorhandler(TimeoutError)
    def too_slow(_error: TimeoutError) -> Response:
        return answer(
            408, "body-too-slow", TITLES["body-too-slow"][1], "the body stalled; it was not stored",
            remedy="send the same request with the same Idempotency-Key again",
        )  # fmt: skip

    @app.errorhandler(Exception)
    def something_broke(error: Exception) -> Response:
        log.error("broke", exc_info=error)
        return answer(
            500, "internal", TITLES["internal"][1],
            "the request was not answered; send it again with the same Idempotency-Key, or tell us the correlation id",
        )  # fmt: skip


def _challenge(error: GatewayError) -> str:
    """RFC 6750 section 3: no error code when no token was shown."""
    if error.code == "token-missing":
        return 'Bearer realm="gateway"'
    if error.http_status == 403:
        scope = f', scope="{error.value}"' if error.code == "scope-missing" else ""
        return f'Bearer realm="gateway", error="insufficient_scope"{scope}'
    return 'Bearer realm="gateway", error="invalid_token"'
