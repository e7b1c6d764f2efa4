"""/healthz, /readyz and /metrics."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response

from gateway.flows.inspect_health import inspect_health
from gateway.flows.inspect_neighbours import inspect_neighbours
from gateway.house import House
from gateway.observe.metrics import Measured, exposition


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
        measured = _of_neighbours(house) if health.ready else []
        return Response(
            exposition({**gauges, **health.gauges}, measured),
            content_type="text/plain; version=0.0.4; charset=utf-8",
        )

    return blueprint


def _of_neighbours(house: House) -> list[Measured]:
    """The numbers of the page of neighbours."""
    now = house.clock()
    found: list[Measured] = []
    for one in inspect_neighbours(house, now=now):
        name = (("neighbour", one.name),)
        found.append(Measured("neighbour_up", name, float(one.state in ("well", "quiet"))))
        found.append(Measured("neighbour_paused", name, float(one.state == "paused")))
        if one.last_push_at is not None:
            found.append(Measured("last_push_seconds", name, (now - one.last_push_at).total_seconds()))
        for code, items, oldest_at in one.quarantine:
            labels = (("town", one.name), ("code", code))
            found.append(Measured("quarantine_items", labels, float(items)))
            found.append(Measured("quarantine_oldest_seconds", labels, (now - oldest_at).total_seconds()))
        for owner, state, count, oldest_at in one.differences:
            whose = (("town", one.name), ("owner", owner), ("state", state))
            found.append(Measured("differences", whose, float(count)))
            found.append(Measured("differences_oldest_seconds", whose, (now - oldest_at).total_seconds()))
        for certificate in one.certificates:
            if certificate.days_left is not None:
                ends = (*name, ("file", certificate.name))
                found.append(Measured("certificate_days_left", ends, float(certificate.days_left)))
    return found


def _json(body: object, status: int) -> Response:
    response = Response(orjson.dumps(body), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
