"""Who somebody is, as far as it decides what they may do."""

import asyncio
import logging
import time
from dataclasses import dataclass

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)

KNOWN_SECONDS = 300.0  # threats.md C4
ASK_SECONDS = 5.0
MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Person:
    """admin: of the workspace, or its owner. member: belongs to it in full, is no guest, no bot and not of another company."""

    admin: bool = False
    member: bool = False


NOBODY = Person()


class People:
    """Asked of Slack, remembered for five minutes. Who cannot be asked about may nothing (threats.md C4)."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: dict[tuple[str, str], tuple[float, Person]] = {}

    async def get(self, team: str, user: str) -> Person:
        until, known = self._known.get((team, user), (0.0, NOBODY))
        if time.monotonic() < until:
            return known
        try:
            async with asyncio.timeout(ASK_SECONDS):
                answer = await self._client.users_info(user=user)
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
        self._known[team, user] = (time.monotonic() + KNOWN_SECONDS, person)
        return person
