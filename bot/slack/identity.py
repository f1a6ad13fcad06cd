"""Who SLACK_BOT_TOKEN is."""

import asyncio
import logging
import time
from typing import Any

from aiohttp import ClientError
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Unavailable

log = logging.getLogger(__name__)

IDENTITY_SECONDS = 600.0
ASK_SECONDS = 2.0  # Slack waits three for us


class Identity:
    """Who our token is, asked once and then every ten minutes in the background.

    Bolt would ask before every acknowledgement (slack-platform.md §3.3), and a slow answer would eat Slack's three seconds.
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: dict[str, Any] = {}
        self._until = 0.0
        self._asking = asyncio.Lock()
        self._again: asyncio.Task[None] | None = None

    async def get(self) -> dict[str, Any]:
        """auth.test's answer. An old one is better than none; raises Unavailable where there never was one."""
        if not self._known:
            async with self._asking:
                if not self._known:
                    await self._ask()
        elif time.monotonic() >= self._until:
            self._until = time.monotonic() + IDENTITY_SECONDS  # one request asks, and none waits
            self._again = asyncio.create_task(self._ask_again())
        return self._known

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                answer = await self._client.auth_test()
        except (SlackApiError, ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"auth.test: {str(error) or type(error).__name__}") from error
        self._known = {name: answer.get(name) for name in ("team_id", "enterprise_id", "bot_id", "user_id", "url")}
        self._until = time.monotonic() + IDENTITY_SECONDS

    async def _ask_again(self) -> None:
        try:
            await self._ask()
        except Unavailable as error:
            log.warning("keeping what auth.test said before: %s", error)

    async def authorize(self, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        """Bolt's question. None for a team that is not ours: answered with 200, and nothing happens (threats.md S7)."""
        me = await self.get()
        if team_id and team_id != me["team_id"]:
            log.warning("a request from team %s, which is not ours", team_id)
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=me["team_id"],
            bot_user_id=me["user_id"],
            bot_id=me["bot_id"],
            bot_token=self._client.token,
        )
