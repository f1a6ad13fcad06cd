"""Build what answers Slack: Bolt, who we are, and our listeners, each lent the desk."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import ClientError
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Unavailable
from bot.slack.desk import Desk
from bot.slack.listeners import LISTENERS

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


Dispatch = Callable[[dict[str, Any]], Awaitable[BoltResponse]]
"""Hand a request's payload, verified and parsed, to whichever listener it is for."""


def build(client: AsyncWebClient, identity: Identity, desk: Desk) -> Dispatch:
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

    @app.error
    async def failed(error: Exception) -> None:
        if isinstance(error, BoltError | Unavailable):
            log.warning("a request is not answered: %s", error)
        else:
            log.error("a listener failed", exc_info=error)

    for listen in LISTENERS:
        listen(app)
    return dispatcher(app, {"desk": desk})


def dispatcher(app: AsyncApp, lent: Mapping[str, Any]) -> Dispatch:
    """The way into an app; its listeners may take what is lent by name."""

    async def dispatch(payload: dict[str, Any]) -> BoltResponse:
        # "socket_mode" is Bolt's word for a body that is parsed and verified already; parsing it again as a form would stumble
        # over the word "payload" in a command (slack-platform.md §3.4)
        return await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=payload, context={**lent}))

    return dispatch
