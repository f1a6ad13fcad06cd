"""Who we are, asked of a Slack that hangs up, falls silent, or answers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web as aio
from slack_sdk.web.async_client import AsyncWebClient

from bot import web
from bot.errors import Unavailable
from bot.slack import identity as identities
from bot.slack.identity import Identity

ME = {"ok": True, "team_id": "T1", "user_id": "UBOT", "bot_id": "BBOT", "url": "https://acme.slack.com/"}


@dataclass
class Slack:
    """Answers auth.test in the way it is told to."""

    mood: str = "fine"
    asked: int = 0
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    async def auth_test(self, request: aio.Request) -> aio.Response:
        self.asked += 1
        if self.mood == "hangs up":
            assert request.transport
            request.transport.close()
        elif self.mood == "silent":
            await self.awake.wait()
        return aio.json_response(ME)


@asynccontextmanager
async def slack_and_us() -> AsyncIterator[tuple[Slack, Identity]]:
    slack, sock = Slack(), web.bind("127.0.0.1", 0)
    async with web.listening(sock, [aio.post("/api/auth.test", slack.auth_test)], drain_seconds=0.1):
        yield slack, Identity(AsyncWebClient(token="xoxb-1", base_url=f"{web.address(sock)}/api/", retry_handlers=[]))
        slack.awake.set()


async def test_asked_once_it_is_known() -> None:
    async with slack_and_us() as (slack, identity):
        assert (await identity.get())["user_id"] == "UBOT"
        assert (await identity.get())["team_id"] == "T1"
        assert slack.asked == 1


async def test_a_slack_that_hangs_up_at_first_is_an_outage_and_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    async with slack_and_us() as (slack, identity):
        slack.mood = "hangs up"
        with pytest.raises(Unavailable, match=r"auth\.test"):
            await identity.get()
        assert not [record for record in caplog.records if record.exc_info and record.name.startswith("bot")]
        slack.mood = "fine"
        assert (await identity.get())["team_id"] == "T1"


async def test_a_silent_slack_is_given_up_before_our_own_answer_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identities, "ASK_SECONDS", 0.05)
    async with slack_and_us() as (slack, identity):
        slack.mood = "silent"
        with pytest.raises(Unavailable, match="TimeoutError"):
            await identity.get()


@pytest.mark.parametrize("mood", ["silent", "hangs up"])
async def test_once_known_nobody_waits_for_slack_again(
    mood: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(identities, "IDENTITY_SECONDS", 0.0)
    monkeypatch.setattr(identities, "ASK_SECONDS", 0.05)
    caplog.set_level(logging.WARNING, "bot")
    async with slack_and_us() as (slack, identity):
        await identity.get()
        slack.mood = mood
        assert (await identity.get())["team_id"] == "T1"
        async with asyncio.timeout(10):
            while "keeping what auth.test said" not in caplog.text:  # noqa: ASYNC110 (the log tells nobody)
                await asyncio.sleep(0.01)
        assert slack.asked == 2
        assert (await identity.get())["team_id"] == "T1"


async def test_a_team_that_is_not_ours_is_nobody_we_answer(caplog: pytest.LogCaptureFixture) -> None:
    async with slack_and_us() as (_, identity):
        assert await identity.authorize(None, "T2") is None
        ours = await identity.authorize(None, "T1")
        assert ours
        assert ours.bot_user_id == "UBOT"
        assert "T2" in caplog.text
