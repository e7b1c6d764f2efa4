"""Guards: who may pass a door. Each is attached to a blueprint by the table of doors; a door without one is refused."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from gateway.flows.authorize_request import authorize_request
from gateway.flows.authorize_staff import authorize_staff
from gateway.flows.record_refusal import record_refusal
from gateway.house import House
from gateway.web.certificates import certificate_reader
from gateway.web.limits import RateLimiter, rate_header
from gateway.web.problems import TITLES, DoorError
from gateway.web.reading import discard_rest
from gateway.web.staff_pages import (
    SESSION_COOKIE,
    guard_answer,
    is_forged,
    read_form,
    refusal_page,
    to_sign_in,
)
from schemas.errors import ForbiddenError, GatewayError, UnauthenticatedError
from schemas.soap import SoapSecurity
from schemas.staff import Role
from schemas.values import TownCode

Guard = Callable[[House, Blueprint], None]

log = logging.getLogger("gateway.door")


def open_to_all(house: House, blueprint: Blueprint) -> None:
    """Nothing to protect: pages, health, public keys."""


def proves_itself(house: House, blueprint: Blueprint) -> None:
    """The token endpoint: its flow demands the client's key and certificate."""


def carries_entry(house: House, blueprint: Blueprint) -> None:
    """Residents: each flow demands an entry link the bank sealed, or the return of a linking this browser began."""


def signs_events(house: House, blueprint: Blueprint) -> None:
    """Towns' events: the flow demands a signature with a secret of that town (Standard Webhooks)."""


def metrics_reader(house: House, blueprint: Blueprint) -> None:
    """A bearer token when one is configured; otherwise loopback only, and never through a proxy."""
    _token_or_loopback(blueprint, house.config.metrics_token, "metrics", "GATEWAY_METRICS_TOKEN")


def entries_reader(house: House, blueprint: Blueprint) -> None:
    """The same for whole bundles of the log's records: they name persons by number, which is still personal (PIPL art. 73)."""
    _token_or_loopback(blueprint, house.config.log_entries_token, "entries", "GATEWAY_LOG_ENTRIES_TOKEN")


def _token_or_loopback(blueprint: Blueprint, token: str, what: str, setting: str) -> None:
    @blueprint.before_request
    def check() -> None:
        if token:
            shown = request.headers.get("Authorization", "")
            if not hmac.compare_digest(shown.encode(), f"Bearer {token}".encode()):
                raise ForbiddenError(f"{what} need their token", code=f"{what}-token", where="Authorization")
        elif (
            not _loopback(request.remote_addr)
            or "Forwarded" in request.headers
            or "X-Forwarded-For" in request.headers
        ):
            raise ForbiddenError(
                f"{what} answer this machine only", code=f"{what}-loopback", remedy=f"set {setting}"
            )


def town_client(town: TownCode, scopes: Mapping[str, str]) -> Guard:
    """A town's client: certificate-bound access token with the scope of the endpoint, within its rate. `scopes` says
    the scope of each endpoint of the blueprint; one that is missing there lets nobody in."""

    def attach(house: House, blueprint: Blueprint) -> None:
        read_certificate = certificate_reader(house.config.trusted_proxies)
        limiter = RateLimiter(house.config.rate_per_minute, house.config.web_processes)
        needed = {f"{blueprint.name}.{endpoint}": scope for endpoint, scope in scopes.items()}

        @blueprint.before_request
        def check() -> None:
            environ = request.environ
            environ["gateway.town"] = town
            caller = authorize_request(
                house,
                _bearer(environ.get("HTTP_AUTHORIZATION")),
                read_certificate(environ),
                needed[str(request.endpoint)],
                town,
                now=house.clock(),
            )
            environ["gateway.caller"] = caller
            environ["gateway.client"] = caller.client_id
            standing = limiter.take(caller.client_id)
            environ["gateway.standing"] = standing
            if standing.wait_s:
                raise _rate_limited(limiter.quota, standing.wait_s)

        _tell_standing(blueprint, limiter, read_certificate)

    return attach


def soap_client(town: TownCode) -> Guard:
    """A town's SOAP client, before a byte of the message is read: a client certificate where the town's security stands on
    one, and the rate of whoever connects. The message itself is proven by `authorize_soap`."""

    def attach(house: House, blueprint: Blueprint) -> None:
        read_certificate = certificate_reader(house.config.trusted_proxies)
        limiter = RateLimiter(house.config.rate_per_minute, house.config.web_processes)
        mutual = house.soap_towns[town].security is SoapSecurity.USERNAME_DIGEST

        @blueprint.before_request
        def check() -> None:
            environ = request.environ
            environ["gateway.town"] = town
            certificate = read_certificate(environ)
            standing = limiter.take(certificate or environ.get("REMOTE_ADDR", ""))
            environ["gateway.standing"] = standing
            if mutual and certificate is None:
                raise UnauthenticatedError(
                    "this door is for connections with a client certificate",
                    code="certificate-missing",
                    where="client certificate",
                    remedy="connect with the certificate that was registered",
                )
            if standing.wait_s:
                raise _rate_limited(limiter.quota, standing.wait_s)

        _tell_standing(blueprint, limiter, lambda environ: not environ["gateway.standing"].wait_s)

    return attach


def _rate_limited(quota: int, wait_s: int) -> DoorError:
    return DoorError(
        "rate-limited",
        f"this client may make {quota} requests a minute here",
        remedy=f"wait {wait_s} s",
        headers={"Retry-After": str(wait_s)},
    )


def _tell_standing(
    blueprint: Blueprint, limiter: RateLimiter, worth_reading: Callable[[Mapping[str, Any]], object]
) -> None:
    """RateLimit headers on every answer; what a refused client still sends is read away (bounded), so that it reads our answer
    instead of meeting a closed connection: for whom `worth_reading` says so."""

    @blueprint.after_request
    def tell(response: Response) -> Response:
        standing = request.environ.get("gateway.standing")
        if standing is not None:
            response.headers["RateLimit-Policy"] = limiter.policy
            response.headers["RateLimit"] = rate_header(standing)
        if response.status_code >= 400 and _sends_much(request.environ) and worth_reading(request.environ):
            discard_rest(request.environ)
            response.headers["Connection"] = "close"
        return response


def signs_in(house: House, blueprint: Blueprint) -> None:
    """The sign-in: its flow demands password and second factor, or the provider's word. Refusals are pages."""
    _refuse_in_words(house, blueprint)


def staff(*roles: Role) -> Guard:
    """Staff with a live session and one of these roles (none named: anybody signed in).

    Forms that no page of ours made are refused and recorded; refusals are pages; nothing is cached. The caller is
    `staff_pages.caller()`, the form `staff_pages.form()`."""

    def attach(house: House, blueprint: Blueprint) -> None:
        @blueprint.before_request
        def check() -> Response | None:
            environ = request.environ
            token = request.cookies.get(SESSION_COOKIE)
            place = request.url_rule.rule if request.url_rule else request.path[:200]
            try:
                caller = authorize_staff(house, token, roles, place, now=house.clock())
            except UnauthenticatedError as exc:
                environ["gateway.code"] = exc.code
                return to_sign_in(exc)
            environ["gateway.staff"] = caller
            environ["gateway.client"] = f"staff:{caller.teller_no}"
            if request.method not in ("GET", "HEAD"):
                environ["gateway.form"] = read_form()
                if is_forged(environ["gateway.form"], token):
                    record_refusal(house, caller, "form-forged", place, now=house.clock())
                    raise ForbiddenError(
                        "the form was not made by a page of ours", code="form-forged", where=place
                    )
            return None

        blueprint.after_request(guard_answer)
        _refuse_in_words(house, blueprint)

    return attach


def _refuse_in_words(house: House, blueprint: Blueprint) -> None:
    """Refusals of this door are pages for people, not problem documents."""

    @blueprint.errorhandler(GatewayError)
    def flow_refuses(error: GatewayError) -> Response:
        if error.http_status >= 500:
            log.error("failed", extra={"code": error.code, "kind": error.kind}, exc_info=error)
        return refusal_page(house, error, error.http_status)

    @blueprint.errorhandler(DoorError)
    def door_refuses(error: DoorError) -> Response:
        answer = refusal_page(house, error, TITLES[error.code][0])
        answer.headers.update(error.headers)
        return answer

    @blueprint.errorhandler(HTTPException)
    def http_refuses(error: HTTPException) -> Response:
        status = error.code or 500
        code = {404: "not-found", 405: "method-not-allowed"}.get(status, "request-malformed")
        return refusal_page(house, DoorError(code, ""), status)


def _sends_much(environ: Mapping[str, Any]) -> bool:
    """Whether a refused body may be longer than what the server reads away by itself."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return True
    length = str(environ.get("CONTENT_LENGTH") or "0")
    return not length.isdigit() or int(length) > 32 * 1024


def _bearer(header: str | None) -> str | None:
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _loopback(address: str | None) -> bool:
    try:
        return address is not None and ip_address(address).is_loopback
    except ValueError:
        return False
