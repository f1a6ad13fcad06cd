"""Traces for OpenTelemetry, from Slack's request to our last call, where OTEL_EXPORTER_OTLP_ENDPOINT is set; else nothing.

A job's trace is named by its key, so that what accepts a job and what does it later, in whatever process, tell one story. Spans
are called by words of ours and hold the job's reference: no team, person, address or text (threats.md H10).
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from bot.errors import ConfigurationError

_begun: ContextVar[int] = ContextVar("request begun, nanoseconds", default=0)
_tracer = trace.get_tracer("image-insights")
"""The API's: it does nothing until `report` has been called."""


def report(endpoint: str, process: str) -> None:
    """From here on, send spans to the endpoint, under the name of the process. Raises ConfigurationError without the packages."""
    if not endpoint:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 (an extra)
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError(
            "OTEL_EXPORTER_OTLP_ENDPOINT needs OpenTelemetry. Install it: pip install 'image-insights[otel]'"
        ) from None
    provider = TracerProvider(resource=Resource({"service.name": "image-insights", "service.instance.id": process}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")))
    trace.set_tracer_provider(provider)


def begun() -> None:
    """A request of Slack's has come; whatever it starts was asked for now."""
    _begun.set(time.time_ns())


def _of(key: str) -> Context:
    """Where everything about a job belongs."""
    digest = hashlib.sha256(key.encode()).digest()
    flags = TraceFlags(TraceFlags.SAMPLED)
    parent = SpanContext(int.from_bytes(digest[:16]), int.from_bytes(digest[16:24]), is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(NonRecordingSpan(parent))


def accepted(key: str, kind: str, reference: str) -> None:
    """A job is stored; Slack has its answer now. The time since the request began is a span."""
    now = time.time_ns()
    span = _tracer.start_span(
        "slack request",
        context=_of(key),
        kind=SpanKind.SERVER,
        start_time=_begun.get() or now,
        attributes={"job.kind": kind, "job.reference": reference},
    )
    span.end(now)


@contextmanager
def job(key: str, kind: str, reference: str) -> Iterator[None]:
    """What is done within belongs to the job."""
    attributes = {"job.kind": kind, "job.reference": reference}
    with _tracer.start_as_current_span(f"job {kind}", context=_of(key), kind=SpanKind.CONSUMER, attributes=attributes):
        yield


@contextmanager
def span(name: str, *, client: bool = False) -> Iterator[None]:
    """A part of it; an error is noted by its type alone."""
    kind = SpanKind.CLIENT if client else SpanKind.INTERNAL
    with _tracer.start_as_current_span(name, kind=kind, record_exception=False, set_status_on_exception=False) as current:
        try:
            yield
        except BaseException as error:
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def called(name: str, since: int, status: str) -> None:
    """A call to Slack that is over. since: nanoseconds."""
    ended = _tracer.start_span(name, kind=SpanKind.CLIENT, start_time=since, attributes={"http.response.status": status})
    ended.end()


def flush() -> None:
    """Send what is left before the process ends."""
    provider = trace.get_tracer_provider()
    if shutdown := getattr(provider, "shutdown", None):
        shutdown()
