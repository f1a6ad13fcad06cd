"""A workspace and an app that listens to it."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.driver import Driver, running_workspace
from bot.demo.objects import Timing

from .listening import App


@pytest.fixture
async def app() -> AsyncIterator[App]:
    listening = App()
    server = web.Application()
    server.router.add_post("/slack/events", listening.handle)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listening.url = "http://{}:{}".format(*runner.addresses[0][:2])
    yield listening
    await runner.cleanup()


@pytest.fixture
async def workspace(app: App) -> AsyncIterator[Driver]:
    async def picture(request: web.Request) -> web.Response:
        """Bytes that look like the format named, for Slack's picture check."""
        magic = {"png": b"\x89PNG\r\n\x1a\n", "webp": b"RIFF\0\0\0\0WEBP", "html": b"<html>"}[request.match_info["kind"]]
        return web.Response(body=magic + bytes(32), content_type="image/png")

    timing = Timing(ack=0.4, trigger=0.5, retries=(0.0, 0.05, 0.05), picture=0.5)
    async with running_workspace(bot_url=app.url, timing=timing, routes=[web.get("/pictures/{kind}", picture)]) as running:
        yield running


@pytest.fixture
def slack(workspace: Driver) -> AsyncWebClient:
    return AsyncWebClient(token=workspace.workspace.bot_token, base_url=workspace.api_url)
