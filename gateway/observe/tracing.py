"""OpenTelemetry, when an endpoint is configured; otherwise spans cost nothing and the library is not imported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gateway.observe.context import correlation_id

_tracer: Any = None


def configure_tracing(endpoint: str, service: str) -> bool:
    """Send spans to an OTLP/HTTP endpoint. False when `endpoint` is empty. Call after a fork, once a process."""
    global _tracer  # noqa: PLW0603 - one tracer a process, set once before requests come
    if not endpoint:
        return False
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = provider.get_tracer("gateway")
    return True


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[None]:
    """A span around a piece of work, with the correlation id. Attributes carry no personal data."""
    if _tracer is None:
        yield
        return
    with _tracer.start_as_current_span(name) as current:
        current.set_attribute("correlation.id", correlation_id.get())
        for key, value in attributes.items():
            current.set_attribute(key, value)
        yield


def tracing_on() -> bool:
    """Whether spans go anywhere."""
    return _tracer is not None
