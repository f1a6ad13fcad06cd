"""What live sources have been asked: how often today, what they said, and pictures that are lent to them for the while.

A picture that is asked about again within a day is answered from here and costs nothing.
"""

import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from sqlalchemy import Column, Float, Integer, LargeBinary, String, Table, Text, delete, select

from bot.insights.bing import from_wire, to_wire
from bot.insights.model import Insights
from bot.storage import Database, insert, tables

KEEP_SECONDS = 24 * 3600.0
LENT_SECONDS = 60.0
"""A process that is killed meanwhile cannot take a picture back; nobody can open it any more after this."""

_asked = Table(
    "live_asked",
    tables,
    Column("source", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("times", Integer, nullable=False),
)
_answers = Table(
    "live_answers",
    tables,
    Column("team", String, primary_key=True),
    Column("question", String, primary_key=True),
    Column("answer", Text, nullable=False),
    Column("created", Float, nullable=False),
)
_lent = Table(
    "live_lent",
    tables,
    Column("name", String, primary_key=True),
    Column("picture", LargeBinary, nullable=False),
    Column("until", Float, nullable=False),
)


class Ledger:
    """The store behind it. `day` is UTC's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def may_ask(self, source: str, limit: int) -> bool:
        """Count one question to a source; False when today's are used up. Two processes never share the last one."""
        if limit <= 0:
            return False
        kept = _asked.c
        row = insert(_asked).values(source=source, day=_today(), times=1)
        more = {"times": kept.times + 1}
        counted = row.on_conflict_do_update(index_elements=["source", "day"], set_=more, where=kept.times < limit)
        async with self._database.write() as connection:
            return (await connection.execute(counted.returning(kept.times))).first() is not None

    async def asked_today(self, source: str) -> int:
        query = select(_asked.c.times).where(_asked.c.source == source, _asked.c.day == _today())
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one_or_none() or 0

    async def known(self, team: str, question: str) -> Insights | None:
        """What was answered to it within a day."""
        kept = _answers.c
        query = select(kept.answer).where(kept.team == team, kept.question == question, kept.created > time.time() - KEEP_SECONDS)
        async with self._database.read() as connection:
            answer = (await connection.execute(query)).scalar_one_or_none()
        return from_wire(json.loads(answer)) if answer else None

    async def note(self, team: str, question: str, answer: Insights) -> None:
        wire = json.dumps(to_wire(answer), ensure_ascii=False)
        row = insert(_answers).values(team=team, question=question, answer=wire, created=time.time())
        said = {name: row.excluded[name] for name in ("answer", "created")}
        async with self._database.write() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["team", "question"], set_=said))

    @asynccontextmanager
    async def lending(self, picture: bytes) -> AsyncIterator[str]:
        """A name under which the picture is to be had, for a minute at most; nobody can guess it."""
        name = secrets.token_urlsafe(24)
        async with self._database.write() as connection:
            await connection.execute(insert(_lent).values(name=name, picture=picture, until=time.time() + LENT_SECONDS))
        try:
            yield name
        finally:
            async with self._database.write() as connection:
                await connection.execute(delete(_lent).where(_lent.c.name == name))

    async def lent(self, name: str) -> bytes | None:
        query = select(_lent.c.picture).where(_lent.c.name == name, _lent.c.until > time.time())
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def forget(self, team: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(_answers).where(_answers.c.team == team))

    async def sweep(self) -> None:
        now = time.time()
        async with self._database.write() as connection:
            await connection.execute(delete(_answers).where(_answers.c.created < now - KEEP_SECONDS))
            await connection.execute(delete(_lent).where(_lent.c.until < now))
            await connection.execute(delete(_asked).where(_asked.c.day < _today()))


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"
