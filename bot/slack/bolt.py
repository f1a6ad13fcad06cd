"""Build Bolt's app: who we are, and our listeners, each lent the desk."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.error import BoltError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Unavailable
from bot.slack.desk import Desk
from bot.slack.listeners import LISTENERS

log = logging.getLogger(__name__)

IDENTITY_SECONDS = 600.0


class Identity:
    """Who our token is, asked once in ten minutes: Bolt would ask before every acknowledgement (slack-platform.md §3.3)."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: dict[str, Any] = {}
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def get(self) -> dict[str, Any]:
        """auth.test's answer. An old one is better than none; raises Unavailable where there never was one."""
        async with self._asking:
            if time.monotonic() >= self._until:
                try:
                    answer = await self._client.auth_test()
                except (TimeoutError, SlackApiError, OSError) as error:
                    if not self._known:
                        raise Unavailable(f"auth.test: {error}") from error
                    log.warning("auth.test failed, keeping what it said before: %s", error)
                else:
                    self._known = {name: answer.get(name) for name in ("team_id", "enterprise_id", "bot_id", "user_id", "url")}
                self._until = time.monotonic() + IDENTITY_SECONDS
        return self._known

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


def build(client: AsyncWebClient, identity: Identity, desk: Desk) -> AsyncApp:
    """Bolt with our listeners. Requests must be verified before (web.py, socket.py).

    process_before_response holds Slack's 200 until the listener has returned, and a listener returns when its order is
    committed; one that raises becomes a 500, which web.py turns into "try again".
    """

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:  # Bolt does not take a method
        return await identity.authorize(enterprise_id, team_id)

    app = AsyncApp(
        logger=logging.getLogger("slack_bolt"),
        name="image-insights",
        # without the token: Bolt takes it from authorize and would warn of two
        client=AsyncWebClient(base_url=client.base_url, session=client.session),
        authorize=authorize,  # type: ignore[arg-type]  # None is allowed: a team that is not ours
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )

    @app.middleware
    async def lend(context: AsyncBoltContext, next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002 (Bolt passes it by this name)
        context["desk"] = desk
        await next()

    @app.error
    async def failed(error: Exception) -> None:
        if isinstance(error, BoltError):
            log.warning("%s", error)
        else:
            log.error("a listener failed", exc_info=error)

    for listen in LISTENERS:
        listen(app)
    return app
