"""What a workspace has decided, and what its people are adding to the catalogue. Deleted with the workspace."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Boolean, Column, Float, Index, Row, String, Table, Text, UniqueConstraint, delete, select, update

from bot.insights.model import SafeSearch
from bot.jobs import ImageRef
from bot.language import of_locale
from bot.storage import Database, insert, tables

UNFINISHED_SECONDS = 30 * 24 * 3600
"""An addition that nobody went through with is kept as long as a result."""

_teams = Table(
    "teams",
    tables,
    Column("team", String, primary_key=True),
    Column("adding", Boolean, nullable=False),
    Column("reaction", String, nullable=False),
    Column("changed", Float, nullable=False),
)
_additions = Table(
    "additions",
    tables,
    Column("rid", String, primary_key=True),
    Column("job", String, nullable=False),
    Column("team", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("thread_ts", String, nullable=False),
    Column("message_ts", String, nullable=False),
    Column("person", String, nullable=False),
    Column("article", Text, nullable=False),
    Column("card_ts", String, nullable=False),
    Column("created", Float, nullable=False),
    UniqueConstraint("job"),
    Index("ix_additions_team", "team"),
    Index("ix_additions_created", "created"),
)
_preferences = Table(
    "preferences",
    tables,
    Column("team", String, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("market", String, nullable=False),
    Column("safe_search", String, nullable=False),
    Column("size", String, nullable=False),
    Column("language", String, nullable=False),
    Column("outside", Boolean, nullable=False),
    Column("changed", Float, nullable=False),
)
FULL, SHORT = "full", "short"


@dataclass(frozen=True, slots=True)
class Preferences:
    """How pictures are answered: market of offers and captions, safe search, size of cards (FULL or SHORT).

    language: of what everybody reads, where it is not the market's. outside: pictures may go to live sources.
    """

    market: str
    safe_search: SafeSearch = SafeSearch.MODERATE
    size: str = FULL
    language: str = ""
    outside: bool = False

    @property
    def speaks(self) -> str:
        return self.language or of_locale(self.market)


@dataclass(frozen=True, slots=True)
class Addition:
    """Something a person wants in the catalogue; its rid is the article's id there.

    title, price, link and description as they wrote them. message_ts: their message, `card_ts` ours that says it is in.
    """

    rid: str
    team: str
    channel: str
    thread_ts: str
    message_ts: str
    person: str
    images: tuple[ImageRef, ...]
    title: str = ""
    price: str = ""
    link: str = ""
    description: str = ""
    card_ts: str = ""

    @property
    def source(self) -> str:
        return source_of(self.team)


_SAID = ("images", "title", "price", "link", "description")


def source_of(team: str) -> str:
    """What the catalogue calls the things that people of a workspace have added."""
    return f"slack:{team}"


class Teams:
    """The store behind it. Every question names the team."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def adding(self, team: str) -> bool:
        """Whether people of the workspace may add to the catalogue: not unless an admin has said so."""
        query = select(_teams.c.adding).where(_teams.c.team == team)
        async with self._database.read() as connection:
            return bool((await connection.execute(query)).scalar_one_or_none())

    async def switch_adding(self, team: str, *, on: bool) -> None:
        await self._decide(team, adding=on)

    async def reaction(self, team: str) -> str:
        """The name of the reaction that asks about a picture; empty where none does."""
        query = select(_teams.c.reaction).where(_teams.c.team == team)
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one_or_none() or ""

    async def choose_reaction(self, team: str, name: str) -> None:
        await self._decide(team, reaction=name)

    async def _decide(self, team: str, **said: Any) -> None:
        values = {"adding": False, "reaction": ""} | said | {"changed": time.time()}
        row = insert(_teams).values(team=team, **values).on_conflict_do_update(index_elements=["team"], set_=said)
        async with self._database.write() as connection:
            await connection.execute(row)

    async def preferences(self, team: str, channel: str, usual: Preferences) -> Preferences:
        """A channel's own, else the workspace's (channel ""), else the usual ones."""
        kept = _preferences.c
        query = select(_preferences).where(kept.team == team, kept.channel.in_(("", channel))).order_by(kept.channel.desc())
        async with self._database.read() as connection:
            row = (await connection.execute(query.limit(1))).one_or_none()
        return Preferences(row.market, SafeSearch(row.safe_search), row.size, row.language, row.outside) if row else usual

    async def prefer(self, team: str, channel: str, wanted: Preferences) -> None:
        values = asdict(wanted) | {"safe_search": wanted.safe_search.value, "changed": time.time()}
        row = insert(_preferences).values(team=team, channel=channel, **values)
        said = {name: row.excluded[name] for name in values}
        async with self._database.write() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["team", "channel"], set_=said))

    async def begin(self, job: str, addition: Addition) -> Addition:
        """Keep what a job wants to add, once: the same job a second time gets back what it kept first."""
        values = {"job": job, "created": time.time()} | _values(addition)
        async with self._database.write() as connection:
            await connection.execute(insert(_additions).values(values).on_conflict_do_nothing(index_elements=["job"]))
            return _read((await connection.execute(select(_additions).where(_additions.c.job == job))).one())

    async def addition(self, rid: str, team: str) -> Addition | None:
        """None if there is none, or it is another team's."""
        query = select(_additions).where(_additions.c.rid == rid, _additions.c.team == team)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _read(row) if row else None

    async def change(self, addition: Addition) -> None:
        query = update(_additions).where(_additions.c.rid == addition.rid, _additions.c.team == addition.team)
        async with self._database.write() as connection:
            await connection.execute(query.values(_values(addition)))

    async def forget(self, team: str) -> None:
        async with self._database.write() as connection:
            for table in (_teams, _additions, _preferences):
                await connection.execute(delete(table).where(table.c.team == team))

    async def sweep(self) -> None:
        """Delete what nobody went through with."""
        kept = _additions.c
        old = (kept.card_ts == "") & (kept.created < time.time() - UNFINISHED_SECONDS)
        async with self._database.write() as connection:
            await connection.execute(delete(_additions).where(old))


def _values(addition: Addition) -> dict[str, Any]:
    values = asdict(addition)
    return values | {"article": json.dumps({name: values.pop(name) for name in _SAID}, ensure_ascii=False)}


def _read(row: Row[Any]) -> Addition:
    values = row._asdict()
    article = json.loads(values.pop("article"))
    images: Sequence[dict[str, Any]] = article.pop("images")
    for name in ("job", "created"):
        del values[name]
    return replace(Addition(images=tuple(ImageRef(**one) for one in images), **values), **article)
