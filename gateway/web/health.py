"""/healthz, /readyz and /metrics."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response

from gateway.flows.inspect_health import inspect_health
from gateway.house import House
from gateway.observe.metrics import exposition


def health_blueprint(house: House) -> Blueprint:
    """Alive (/healthz: this process answers) and ready (/readyz: everything it needs is there; says what is not)."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return _json({"status": "ok"}, 200)

    @blueprint.get("/readyz")
    def readyz() -> Response:
        health = inspect_health(house, now=house.clock())
        checks = [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in health.checks]
        return _json(
            {"status": "ready" if health.ready else "not ready", "checks": checks},
            200 if health.ready else 503,
        )

    return blueprint


def metrics_blueprint(house: House) -> Blueprint:
    """/metrics in the Prometheus text format."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def metrics() -> Response:
        health = inspect_health(house, now=house.clock())
        gauges = {f"check_{c.name}": float(c.ok) for c in health.checks}
        return Response(
            exposition({**gauges, **health.gauges}), content_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return blueprint


def _json(body: object, status: int) -> Response:
    response = Response(orjson.dumps(body), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
