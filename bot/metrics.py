"""What is counted and timed, for Prometheus at `/metrics`.

Labels are words of ours: no team, person, address or text is ever one (threats.md H10). docs/operations.md says what each means.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import urlsplit

from aiohttp import TraceConfig, TraceRequestEndParams, TraceRequestExceptionParams, TraceRequestStartParams, web
from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from bot import tracing

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 25.0)
GAUGE_SECONDS = 2.0
FAILED = "failed"

lookups = Counter("insights_lookups", "Lookups, by what became of them", ["outcome"], registry=REGISTRY)
jobs_ended = Counter(
    "insights_jobs_ended", "Jobs that ended, by kind and how: done, refused, dead", ["kind", "outcome"], registry=REGISTRY
)
job_seconds = Histogram("insights_job_seconds", "From a job's first step to its end", ["kind"], buckets=_FAST, registry=REGISTRY)
stage_seconds = Histogram("insights_stage_seconds", "Parts of a lookup", ["stage"], buckets=_FAST, registry=REGISTRY)
acknowledged = Histogram(
    "slack_request_seconds", "Until Slack had its answer, by status", ["status"], buckets=_FAST, registry=REGISTRY
)
slack_calls = Histogram(
    "slack_call_seconds", "Calls to Slack, by method and HTTP status", ["method", "status"], buckets=_FAST, registry=REGISTRY
)
api_requests = Histogram(
    "insights_api_request_seconds", "Requests to the engine's API", ["endpoint", "status"], buckets=_FAST, registry=REGISTRY
)
live_questions = Counter("insights_live_questions", "Questions to live sources", ["source", "outcome"], registry=REGISTRY)
remembered = Counter("insights_remembered", "Pictures looked at before, or not", ["outcome"], registry=REGISTRY)
queued = Gauge("insights_jobs", "Jobs that wait or run now", ["state"], registry=REGISTRY)
queue_age = Gauge("insights_jobs_oldest_seconds", "Age of the oldest job that waits", registry=REGISTRY)
clock_apart = Gauge("slack_clock_apart_seconds", "How far our clock is ahead of Slack's", registry=REGISTRY)
catalogue = Gauge("insights_catalogue", "What is in the catalogue", ["what"], registry=REGISTRY)

Measure = Callable[[], Awaitable[None]]
"""Sets gauges to what they are now."""


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Times a part of a lookup; a thread's or a coroutine's."""
    since = time.perf_counter()
    try:
        with tracing.span(name):
            yield
    finally:
        stage_seconds.labels(name).observe(time.perf_counter() - since)


def slack_calling(api_url: str) -> TraceConfig:
    """For the session that talks to Slack: every call by its method; response_urls and uploads are `other`."""
    path = urlsplit(api_url).path

    def method(url: str) -> str:
        said = urlsplit(url).path
        return said.removeprefix(path)[:60] if said.startswith(path) and path != "/" else "other"

    async def began(_: object, context: SimpleNamespace, params: TraceRequestStartParams) -> None:
        del params
        context.since, context.at = time.perf_counter(), time.time_ns()

    async def ended(_: object, context: SimpleNamespace, params: TraceRequestEndParams) -> None:
        observe(context, method(str(params.url)), str(params.response.status))

    async def failed(_: object, context: SimpleNamespace, params: TraceRequestExceptionParams) -> None:
        observe(context, method(str(params.url)), FAILED)

    def observe(context: SimpleNamespace, name: str, status: str) -> None:
        slack_calls.labels(name, status).observe(time.perf_counter() - context.since)
        tracing.called(name, context.at, status)

    config = TraceConfig()
    config.on_request_start.append(began)
    config.on_request_end.append(ended)
    config.on_request_exception.append(failed)
    return config


def routes(measures: Iterable[Measure]) -> list[web.RouteDef]:
    """`/metrics`. A gauge that cannot be read now keeps its last value: being watched must not depend on being well."""

    async def answer(_: web.Request) -> web.Response:
        async def measured(measure: Measure) -> None:
            try:
                await asyncio.wait_for(measure(), GAUGE_SECONDS)
            except Exception:  # noqa: BLE001 (whatever it is, the rest is still worth knowing)
                return

        await asyncio.gather(*map(measured, measures))
        text = await asyncio.to_thread(generate_latest, REGISTRY)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/metrics", answer)]


def set_catalogue(counts: Mapping[str, int]) -> None:
    for what, number in counts.items():
        catalogue.labels(what).set(number)
