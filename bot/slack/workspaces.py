"""Whose token answers for which team: one workspace by SLACK_BOT_TOKEN, or every one that installed the app."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp import ClientError
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Unavailable
from bot.installations import Installation, Installations
from bot.slack.desk import Desk
from bot.slack.identity import Identity

log = logging.getLogger(__name__)

KNOWN_SECONDS = 60.0
"""An uninstallation that another process hears of is noticed within a minute (threats.md O5)."""
MOST_KNOWN = 2000
REFRESH_BEFORE = 2 * 3600.0
LOOK_EVERY = 300.0
CALL_SECONDS = 10.0
REFRESH_TRIES = 20
SLACK = frozenset({"slack.com", "slack-gov.com"})


class Workspaces(Protocol):
    async def authorize(self, organisation: str | None, team: str | None) -> AuthorizeResult | None:
        """Bolt's question. None for a team that is not ours: answered with 200, and nothing happens (threats.md S7)."""
        ...

    async def desk(self, team: str, organisation: str = "") -> Desk:
        """What listeners and jobs of a team work with. Without an installation Slack refuses whatever it posts."""
        ...

    async def check(self) -> None:
        """Raises Unavailable when Slack cannot be reached."""
        ...


@dataclass(frozen=True, slots=True)
class OneWorkspace:
    """Where SLACK_BOT_TOKEN belongs."""

    identity: Identity
    own: Desk

    async def authorize(self, organisation: str | None, team: str | None) -> AuthorizeResult | None:
        return await self.identity.authorize(organisation, team)

    async def desk(self, _team: str, _organisation: str = "") -> Desk:
        return self.own

    async def check(self) -> None:
        await self.identity.get()


class ManyWorkspaces:
    """Those that installed the app with OAuth. `build`: a desk around a client of Slack's API."""

    def __init__(
        self,
        installations: Installations,
        client: AsyncWebClient,
        build: Callable[[AsyncWebClient], Desk],
        *,
        client_id: str,
        client_secret: str,
    ) -> None:
        self._installations = installations
        self._client = client
        self._build = build
        self._id = client_id
        self._secret = client_secret
        self._nobody = build(client)
        self._known: dict[str, tuple[float, Installation | None]] = {}
        self._desks: dict[str, tuple[str, Desk]] = {}

    async def authorize(self, organisation: str | None, team: str | None) -> AuthorizeResult | None:
        one = await self._find(team or "", organisation or "")
        if one is None:
            log.warning("a request from team %s, where the app is not installed", team or organisation)
            return None
        return AuthorizeResult(
            enterprise_id=organisation, team_id=team, bot_user_id=one.bot_user, bot_id=one.bot, bot_token=one.token
        )

    async def desk(self, team: str, organisation: str = "") -> Desk:
        one = await self._find(team, organisation)
        if one is None:
            return self._nobody
        token, desk = self._desks.get(one.owner, ("", self._nobody))
        if token != one.token:
            client = AsyncWebClient(
                token=one.token, base_url=self._client.base_url, session=self._client.session, retry_handlers=[]
            )
            desk = self._build(client)
            if len(self._desks) >= MOST_KNOWN:
                self._desks.clear()
            self._desks[one.owner] = (one.token, desk)
        return desk

    async def check(self) -> None:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await self._client.api_test()
        except (SlackApiError, ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"api.test: {str(error) or type(error).__name__}") from error

    def changed(self) -> None:
        """Something was installed, or removed, here: nothing that is remembered counts."""
        self._known.clear()

    async def _find(self, team: str, organisation: str) -> Installation | None:
        until, one = self._known.get(team or organisation, (0.0, None))
        if time.monotonic() >= until:
            one = await self._installations.of(team, organisation)
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            # where it is not installed it may be in a moment
            self._known[team or organisation] = (time.monotonic() + (KNOWN_SECONDS if one else 0.0), one)
        if one and one.expires and one.expires < time.time():
            one = await self._refresh(one.owner, wait=True)
            if one is None:
                raise Unavailable("the token of a workspace has ended and is not renewed yet")
            self.changed()
        return one

    # --- tokens that end after twelve hours

    async def keep_fresh(self) -> None:
        """Refresh every token two hours before its end, for ever. The old one works until then, so nobody waits."""
        while True:
            try:
                for owner in await self._installations.expiring(time.time() + REFRESH_BEFORE):
                    if await self._refresh(owner, wait=False):
                        self.changed()
            except Exception:  # whatever it was: without this loop every workspace falls silent within the day
                log.exception("tokens could not be refreshed; trying again in %d s", LOOK_EVERY)
            await asyncio.sleep(LOOK_EVERY)

    async def _refresh(self, owner: str, *, wait: bool) -> Installation | None:
        """In one place at a time over all processes: a refresh token works once (threats.md O7). None where it did not work."""
        for _ in range(REFRESH_TRIES if wait else 1):
            one = await self._installations.claim(owner)
            if one is None:
                await asyncio.sleep(0.1)
                continue
            if one.expires > time.time() + REFRESH_BEFORE:
                return await self._installations.refreshed(one, one.token, one.refresh_token, one.expires)  # just done elsewhere
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    answer = await self._client.oauth_v2_access(
                        client_id=self._id,
                        client_secret=self._secret,
                        grant_type="refresh_token",
                        refresh_token=one.refresh_token,
                    )
            except (SlackApiError, ClientError, OSError, TimeoutError) as error:
                reason = error.response.get("error") if isinstance(error, SlackApiError) else str(error) or type(error).__name__
                log.error("the token of %s could not be refreshed: %s", owner, reason)  # noqa: TRY400 (it says it all)
                return None
            expires = time.time() + float(answer.get("expires_in") or 0)
            return await self._installations.refreshed(one, str(answer["access_token"]), str(answer["refresh_token"]), expires)
        return None


def web_address(api_url: str, path: str) -> str:
    """A page of the Slack whose API this is: GovSlack's for GovSlack (slack-platform.md §0.14)."""
    parts = urlsplit(api_url)
    return f"{parts.scheme}://{parts.netloc}{path}"


def apps_page(api_url: str) -> str:
    """Where admins find the settings of their apps."""
    host = urlsplit(api_url).netloc
    return f"https://api.{host}/apps" if host in SLACK else web_address(api_url, "/apps")
