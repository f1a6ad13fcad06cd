"""A bot that answers every photo with the same card: enough to look at the page without an engine."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo import client_api, slack_api
from bot.demo.workspace import Workspace
from bot.pixels import Pixels

GOLDEN = Path(__file__).parents[1] / "golden"


def card(name: str, base_url: str) -> dict[str, Any]:
    """A card as a golden file has it, with pictures that are really there."""
    text = (GOLDEN / f"{name}.json").read_text()
    numbers = iter(range(1, 1000))
    shown = re.sub(
        r'"https://pictures\.example/[^"]*"', lambda _: f'"{base_url}/samples/photo-{next(numbers) % 20 + 1:02}.jpg"', text
    )
    value: dict[str, Any] = json.loads(shown)
    return value


class CannedBot:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._tasks: set[asyncio.Task[None]] = set()

    async def events(self, request: web.Request) -> web.Response:
        if request.content_type == "application/json":
            self._start(self._event((await request.json())["event"]))
            return web.Response()
        form = await request.post()
        if "command" in form:
            return web.json_response({"text": "How to use Image Insights", **card("notice.help", self._workspace.base_url)})
        payload = json.loads(str(form["payload"]))
        if payload["type"] == "view_submission":
            if payload["view"]["callback_id"] == "test.form":
                return web.json_response({"response_action": "errors", "errors": {"edges": "Use four numbers from 0 to 100."}})
            return web.Response()
        self._start(self._click(payload))
        return web.Response()

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def _client(self) -> AsyncWebClient:
        return AsyncWebClient(token=self._workspace.bot_token, base_url=self._workspace.api_url)

    async def _event(self, event: dict[str, Any]) -> None:
        base = self._workspace.base_url
        if event["type"] == "app_home_opened" and event["tab"] == "home":
            await self._client.views_publish(user_id=event["user"], view=card("home.first_visit", base))
        if event["type"] != "message" or event.get("bot_id") or not event.get("files"):
            return
        if not event["files"][0]["mimetype"].startswith("image/"):
            return
        await self._client.reactions_add(channel=event["channel"], timestamp=event["ts"], name="eyes")
        answer = card("insights.full", base)
        text = json.dumps(answer["blocks"]).replace("U0ANA", event["user"])
        thread = {} if event["channel_type"] == "im" else {"thread_ts": event.get("thread_ts") or event["ts"]}
        await self._client.chat_postMessage(channel=event["channel"], text=answer["text"], blocks=json.loads(text), **thread)
        await self._client.reactions_remove(channel=event["channel"], timestamp=event["ts"], name="eyes")

    async def _click(self, payload: dict[str, Any]) -> None:
        base = self._workspace.base_url
        action = payload["actions"][0]
        opened = {"insights.offers.open": "offers.ok", "insights.images.open": "similar_images.8"}.get(action["action_id"])
        if opened:
            method = self._client.views_push if payload["container"]["type"] == "view" else self._client.views_open
            try:
                await method(trigger_id=payload["trigger_id"], view=card(opened, base))
            except SlackApiError as error:
                raise AssertionError(error.response) from error


@asynccontextmanager
async def page(port: int = 0) -> AsyncIterator[Workspace]:
    """A workspace with its page and this bot, on a loopback port."""
    async with Pixels.open(workers=1) as pixels:
        workspace = Workspace(pixels=pixels)
        app = web.Application(client_max_size=64 * 2**20)
        bot = CannedBot(workspace)
        app.add_routes([*client_api.routes(workspace), *slack_api.routes(workspace), web.post("/slack/events", bot.events)])
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
            workspace.base_url = workspace.bot_url = "http://{}:{}".format(*runner.addresses[0][:2])
            async with workspace.running():
                yield workspace
        finally:
            await runner.cleanup()
