"""The door at which towns say that something changed: signed events (Standard Webhooks), for every town that sends them."""

from __future__ import annotations

from flask import Blueprint, Response, request

from gateway.flows.receive_event import receive_event
from gateway.house import House
from gateway.web.limits import RateLimiter
from gateway.web.problems import DoorError
from gateway.web.reading import check_content, read_body
from schemas.feeds import HookMessage
from schemas.values import TownCode

BODY_BYTES = 64 * 1024


def hooks_blueprint(house: House, town: TownCode) -> Blueprint:
    """POST /towns/<town>/v1/events, of one town."""
    blueprint = Blueprint(f"hooks_{town}", __name__)
    limiter = RateLimiter(house.config.rate_per_minute, house.config.web_processes)

    @blueprint.post("/events", endpoint="event")
    def event() -> Response:
        environ = request.environ
        environ["gateway.town"] = town
        if wait_s := limiter.take(request.remote_addr or "").wait_s:
            raise DoorError("rate-limited", "too many events", headers={"Retry-After": str(wait_s)})
        check_content(environ, "application/json")
        body = read_body(environ, BODY_BYTES)
        header = request.headers.get
        message = HookMessage(
            header("webhook-id", ""), header("webhook-timestamp", ""), header("webhook-signature", ""), body
        )
        receive_event(house, town, message, now=house.clock())
        return Response(status=204)

    return blueprint
