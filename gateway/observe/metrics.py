"""Counters for Prometheus. Under gunicorn each worker writes files (PROMETHEUS_MULTIPROC_DIR) that /metrics adds up."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_OWN = CollectorRegistry()
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0)

requests_total = Counter(
    "gateway_requests_total", "Requests by door, town and status", ["door", "town", "status"], registry=_OWN
)
request_seconds = Histogram(
    "gateway_request_seconds", "Time to answer", ["door", "town"], buckets=_SECONDS, registry=_OWN
)
push_items_total = Counter(
    "gateway_push_items_total", "Pushed items by town and answer", ["town", "answer"], registry=_OWN
)
push_size = Histogram(
    "gateway_push_size", "Items a push", ["town"], buckets=(1, 10, 100, 1000, 5000), registry=_OWN
)
refusals_total = Counter("gateway_refusals_total", "Refused requests by code", ["code"], registry=_OWN)

_children: dict[tuple[Any, ...], Any] = {}
_codes_seen: set[str] = set()
MAX_CODES = 200


def count_request(door: str, town: str, status: int, seconds: float) -> None:
    """One request was answered. Label children are remembered: looking them up costs more than counting."""
    key = (door, town, status)
    pair = _children.get(key)
    if pair is None:
        pair = _children[key] = (
            requests_total.labels(door, town, str(status)),
            request_seconds.labels(door, town),
        )
    pair[0].inc()
    pair[1].observe(seconds)


def count_push(town: str, counts: dict[str, int]) -> None:
    """One push was answered with these counts by status."""
    total = 0
    for answer, count in counts.items():
        if count:
            child = _children.get((town, answer)) or _children.setdefault(
                (town, answer), push_items_total.labels(town, answer)
            )
            child.inc(count)
            total += count
    child = _children.get((town,)) or _children.setdefault((town,), push_size.labels(town))
    child.observe(total)


def count_refusal(code: str) -> None:
    """A problem was answered. The number of label values is bounded."""
    if code not in _codes_seen:
        if len(_codes_seen) >= MAX_CODES:
            code = "other"
        _codes_seen.add(code)
    refusals_total.labels(code).inc()


class Measured(NamedTuple):
    """One number with its labels, as measured now."""

    name: str
    labels: tuple[tuple[str, str], ...]  # (label, value), the same labels for every number of a name
    value: float


def exposition(gauges: dict[str, float], measured: Sequence[Measured] = ()) -> bytes:
    """The text format: what all workers counted, and `gauges` and `measured` as they are now."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        counted = generate_latest(registry)
    else:
        counted = generate_latest(_OWN)
    now = CollectorRegistry()
    for name, value in gauges.items():
        Gauge(f"gateway_{name}", name.replace("_", " "), registry=now).set(value)
    families: dict[str, Gauge] = {}
    for one in measured:
        family = families.get(one.name)
        if family is None:
            names = [label for label, _ in one.labels]
            family = families[one.name] = Gauge(
                f"gateway_{one.name}", one.name.replace("_", " "), names, registry=now
            )
        family.labels(*[value for _, value in one.labels]).set(one.value)
    return counted + generate_latest(now)
