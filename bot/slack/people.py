"""Who somebody is: what they may do, and the language they read."""

import asyncio
import logging
import time
from dataclasses import dataclass

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.language import of_locale

log = logging.getLogger(__name__)

KNOWN_SECONDS = 300.0  # threats.md C4
LANGUAGE_SECONDS = 24 * 3600.0  # cards.md §7
ASK_SECONDS = 5.0
LANGUAGE_ASK_SECONDS = 1.0  # what they read can wait for no longer: a modal has three seconds
MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Person:
    """admin: of the workspace, or its owner. member: belongs to it in full, is no guest, no bot and not of another company."""

    admin: bool = False
    member: bool = False


NOBODY = Person()


class People:
    """Asked of Slack, remembered for five minutes, their language for a day. Who cannot be asked about may nothing."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: dict[tuple[str, str], tuple[float, Person]] = {}
        self._languages: dict[tuple[str, str], tuple[float, str]] = {}

    async def get(self, team: str, user: str) -> Person:
        until, known = self._known.get((team, user), (0.0, NOBODY))
        return known if time.monotonic() < until else await self._ask(team, user, ASK_SECONDS)

    async def language(self, team: str, user: str) -> str:
        """The code of the language their Slack is in; "" where we may not know, or cannot find out at once."""
        until, known = self._languages.get((team, user), (0.0, ""))
        if user and time.monotonic() >= until:
            await self._ask(team, user, LANGUAGE_ASK_SECONDS)
            _, known = self._languages.get((team, user), (0.0, known))
        return known

    async def _ask(self, team: str, user: str, seconds: float) -> Person:
        try:
            async with asyncio.timeout(seconds):
                answer = await self._client.users_info(user=user, include_locale=True)
        except (SlackApiError, ClientError, OSError, TimeoutError) as error:
            log.warning("users.info: %s", str(error) or type(error).__name__)
            return NOBODY
        said = answer.get("user") or {}
        home = {said.get("team_id"), *((said.get("enterprise_user") or {}).get("teams") or ())}
        out = any(said.get(name) for name in ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger"))
        member = team in home and not out
        person = Person(admin=member and bool(said.get("is_admin") or said.get("is_owner")), member=member)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
            self._languages.clear()
        now, locale = time.monotonic(), said.get("locale")
        self._known[team, user] = (now + KNOWN_SECONDS, person)
        self._languages[team, user] = (now + LANGUAGE_SECONDS, of_locale(locale) if isinstance(locale, str) and locale else "")
        return person
