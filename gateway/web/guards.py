"""Guards: who may pass a door. Each is attached to a blueprint by the table of doors; a door without one is refused."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Response, request

from gateway.flows.authorize_request import authorize_request
from gateway.house import House
from gateway.web.certificates import certificate_reader
from gateway.web.limits import RateLimiter, rate_header
from gateway.web.problems import DoorError
from gateway.web.reading import discard_rest
from schemas.errors import ForbiddenError
from schemas.values import TownCode

Guard = Callable[[House, Blueprint], None]


def open_to_all(house: House, blueprint: Blueprint) -> None:
    """Nothing to protect: pages, health, public keys."""


def proves_itself(house: House, blueprint: Blueprint) -> None:
    """The token endpoint: its flow demands the client's key and certificate."""


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
                raise DoorError(
                    "rate-limited",
                    f"this client may make {limiter.quota} requests a minute here",
                    remedy=f"wait {standing.wait_s} s",
                    headers={"Retry-After": str(standing.wait_s)},
                )

        @blueprint.after_request
        def tell(response: Response) -> Response:
            standing = request.environ.get("gateway.standing")
            if standing is not None:
                response.headers["RateLimit-Policy"] = limiter.policy
                response.headers["RateLimit"] = rate_header(standing)
            if (
                response.status_code >= 400
                and _sends_much(request.environ)
                and read_certificate(request.environ)
            ):
                discard_rest(request.environ)
                response.headers["Connection"] = "close"
            return response

    return attach


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
