"""What Slack waits for: our answer to a posted photo (signature, authorisation, durable commit), against a bare Bolt app."""

import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from aiohttp import web as aiohttp_web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier

from bot import web
from bot.demo.driver import running_workspace
from bot.demo.objects import TEAM_ID
from bot.fetch import Fetcher
from bot.insights.service import InsightsService
from bot.pixels import Pixels
from bot.slack.running import running_bot
from bot.storage import Database
from tests.bench.measure import Figure
from tests.worlds import SECRET, TOKEN, settings_for

EVENTS = 150
ROUNDS = 5
VERIFIER = SignatureVerifier(SECRET)


def bare() -> AsyncApp:
    """The least a Bolt app can be: signature check, a known identity, one listener that does nothing."""

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_user_id="U0BOT", bot_id="B0BOT", bot_token="xoxb-1-2-3"
        )

    app = AsyncApp(signing_secret=SECRET, authorize=authorize)

    @app.event("message")
    async def message(event: dict[str, Any]) -> None:
        assert event

    return app


def bare_routes() -> list[aiohttp_web.RouteDef]:
    app = bare()

    async def events(request: aiohttp_web.Request) -> aiohttp_web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    return [aiohttp_web.post("/slack/events", events)]


def signed(body: str) -> dict[str, str]:
    """The headers of a request of Slack's."""
    stamp = str(int(time.time()))
    signature = VERIFIER.generate_signature(timestamp=stamp, body=body) or ""
    return {"Content-Type": "application/json", "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}


def poster(session: ClientSession, url: str, team: str, channel: str) -> Callable[[], Awaitable[float]]:
    """Posts a batch of new photos, one after another; the seconds a photo took to acknowledge."""
    numbers = count(1)

    async def batch() -> float:
        before = time.perf_counter()
        for _ in range(EVENTS):
            at = f"{time.time():.6f}"
            number = next(numbers)
            file = {"id": f"F{number:08}", "name": "a.jpg", "mimetype": "image/jpeg", "mode": "hosted", "url_private": f"{url}/f"}
            event = {"type": "message", "subtype": "file_share", "channel": channel, "channel_type": "channel", "user": "U0ANA",
                     "text": "", "ts": at, "event_ts": at, "files": [file]}  # fmt: skip
            body = json.dumps(
                {"type": "event_callback", "team_id": team, "api_app_id": "A1", "event_id": f"Ev{number}", "event": event,
                 "event_time": int(time.time()), "authorizations": [{"team_id": team, "user_id": "U0BOT", "is_bot": True}]}
            )  # fmt: skip
            async with session.post(f"{url}/slack/events", data=body, headers=signed(body)) as response:
                assert response.status == 200, await response.text()
        return (time.perf_counter() - before) / EVENTS

    return batch


async def figures() -> Sequence[Figure]:
    ours_at, bare_at = web.bind("127.0.0.1", 0), web.bind("127.0.0.1", 0)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Pixels.open() as pixels,
            running_workspace(bot_url="", signing_secret=SECRET, bot_token=TOKEN, pixels=pixels) as people,
            Fetcher.open(allow=()) as fetcher,
            ClientSession() as session,
        ):
            settings = settings_for(Path(folder), slack_api_url=people.api_url)
            async with (
                Database.open(settings.database) as database,
                InsightsService.open(settings, database, pixels, fetcher, base_url="http://localhost") as service,
                running_bot(settings, database, service, pixels, fetcher, worker=False) as bot,
                web.listening(ours_at, bot.routes),
                web.listening(bare_at, bare_routes()),
            ):
                web.settle()  # as until_stopped does
                room = people.channel("photos").id
                ours = poster(session, web.address(ours_at), TEAM_ID, room)
                plain = poster(session, web.address(bare_at), TEAM_ID, room)
                await ours()
                await plain()
                pairs = [(await ours(), await plain()) for _ in range(ROUNDS)]
    least = [min(one) * 1000 for one in zip(*pairs, strict=True)]
    detail = f"{least[0]:.2f} ms with the commit, {least[1]:.2f} ms bare Bolt"
    return [Figure("acknowledging a photo: added time / a bare Bolt app", (least[0] - least[1]) / least[1], 3.0, detail)]
