"""Traces: one story from Slack's request to the last call, told to a collector (OTLP over HTTP)."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web as aio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bot import web
from bot.demo.driver import running_workspace
from tests.faults.household import Member, household
from tests.test_cli import one_line_error, run
from tests.worlds import SECRET, TOKEN, Engine, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(slots=True)
class Collector:
    url: str
    spans: list[tuple[str, str, str]] = field(default_factory=list)
    """Trace, name, and everything said in it."""

    async def take(self, request: aio.Request) -> aio.Response:
        told = ExportTraceServiceRequest.FromString(await request.read())
        for resource in told.resource_spans:
            for scope in resource.scope_spans:
                self.spans += [(span.trace_id.hex(), span.name, str(span)) for span in scope.spans]
        return aio.Response(body=b"", content_type="application/x-protobuf")


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    sock = web.bind("127.0.0.1", 0)
    found = Collector(web.address(sock))
    async with web.listening(sock, [aio.post("/v1/traces", found.take)], max_body=8 * 2**20):
        yield found


async def test_a_photo_is_one_trace_over_two_processes(engine: Engine, tmp_path: Path) -> None:
    with web.bind("127.0.0.1", 0) as sock:
        bot_url = web.address(sock)
    async with (
        collector() as heard,
        running_workspace(bot_url=bot_url, signing_secret=SECRET, bot_token=TOKEN, pixels=engine.pixels) as people,
    ):
        common = {
            "DATA_DIR": str(tmp_path),
            "SLACK_API_URL": people.api_url,
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "PUBLIC_URL": engine.url,
            "INSIGHTS_URL": engine.url,
            "INSIGHTS_FETCH_ALLOW": "127.0.0.1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": heard.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        members = [
            Member("web", ["serve", "--no-worker"], common | {"PORT": bot_url.rsplit(":", 1)[1]}, tmp_path / "web.log"),
            Member("worker", ["worker"], common, tmp_path / "worker.log"),
        ]
        async with household(members) as house:
            photos = people.channel("photos")
            await photos.next_reply(to=await photos.upload("cup.jpg", photo("photo-09.jpg"), text="<@insights> a private word"))
            await people.settled()
            assert {code for _, code, _ in await house.ended()} == {0}
        story = next(trace for trace, name, _ in heard.spans if name == "job lookup")
        names = [name for trace, name, _ in heard.spans if trace == story]
        for name in ("slack request", "job lookup", "step look", "fetch", "decode", "chat.postMessage", "reactions.remove"):
            assert name in names, (name, names)
        said = json.dumps([text for _, _, text in heard.spans])
        assert [word for word in (TOKEN, "private", "T07LOCALWS", "U07TORRESANA", "C07PHOTOS", "cup.jpg") if word in said] == []


async def test_without_an_endpoint_nothing_is_loaded() -> None:
    program = (
        "import sys; import bot.cli, bot.slack.running; print([name for name in sys.modules if 'opentelemetry.sdk' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: ASYNC221
    assert done.stdout.strip() == "[]"


async def test_where_the_packages_are_missing_it_says_which(tmp_path: Path) -> None:
    hide = tmp_path / "sitecustomize.py"
    hide.write_text("import sys; sys.modules['opentelemetry.sdk'] = None")
    said = run("check", data_dir=tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", PYTHONPATH=str(tmp_path))
    assert "image-insights[otel]" in one_line_error(said)
