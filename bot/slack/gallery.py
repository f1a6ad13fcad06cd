"""Pictures of the catalogue as Slack files, where Slack cannot reach us to fetch them: uploaded once, and used again."""

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import Protocol

from sqlalchemy import Column, Float, String, Table, delete, select

from bot.errors import Error
from bot.slack.replies import Replies
from bot.storage import Database, insert, tables

KEEP_SECONDS = 90 * 24 * 3600.0
AT_ONCE = 5
SIDE = 480

_files = Table(
    "slack_files",
    tables,
    Column("team", String, primary_key=True),
    Column("address", String, primary_key=True),
    Column("file", String, nullable=False),
    Column("created", Float, nullable=False),
)


class Thumbnails(Protocol):
    """Whoever serves pictures at addresses of its own."""

    async def thumbnail(self, url: str, side: int) -> bytes:
        """The JPEG behind one of its addresses. Raises CannotFetch for any other, and NotAPicture."""
        ...


class Gallery:
    """What has been uploaded for a team, by the address that a card would name otherwise."""

    def __init__(self, database: Database, replies: Replies, thumbnails: Thumbnails | None) -> None:
        self._database = database
        self._replies = replies
        self._thumbnails = thumbnails
        self._known: dict[str, dict[str, str]] = {}

    def known(self, team: str) -> Mapping[str, str]:
        """File ids by address, as far as they are at hand."""
        return self._known.get(team, {})

    async def prepare(self, team: str, addresses: Collection[str]) -> None:
        """Upload what is missing. What cannot be had, or may not be uploaded, is left out: the card does without."""
        known = self._known.get(team)
        if known is None:
            known = self._known[team] = await self._read(team)
        missing = [address for address in dict.fromkeys(addresses) if address and address not in known][:AT_ONCE]
        await asyncio.gather(*(self._bring(team, address) for address in missing))

    async def _bring(self, team: str, address: str) -> None:
        if self._thumbnails is None:
            return
        try:
            data = await self._thumbnails.thumbnail(address, SIDE)
        except (Error, OSError):
            return
        if file := await self._replies.upload(data, "picture.jpg", "A picture of the catalogue"):
            self._known.setdefault(team, {})[address] = file
            values = {"team": team, "address": address, "file": file, "created": time.time()}
            async with self._database.write() as connection:
                await connection.execute(insert(_files).values(values).on_conflict_do_nothing())

    async def _read(self, team: str) -> dict[str, str]:
        query = select(_files.c.address, _files.c.file).where(
            _files.c.team == team, _files.c.created > time.time() - KEEP_SECONDS
        )
        async with self._database.read() as connection:
            return {row.address: row.file for row in await connection.execute(query)}

    async def lost(self, files: Collection[str]) -> None:
        """Slack does not show them any more: somebody deleted them."""
        for known in self._known.values():
            for address in [address for address, file in known.items() if file in files]:
                del known[address]
        async with self._database.write() as connection:
            await connection.execute(delete(_files).where(_files.c.file.in_(files)))

    async def forget(self, team: str) -> None:
        self._known.pop(team, None)
        async with self._database.write() as connection:
            await connection.execute(delete(_files).where(_files.c.team == team))
