"""Products that people keep, and the prices they watch."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Column, Float, Index, Row, Select, String, Table, Text, UniqueConstraint, delete, select, update

from bot.insights.bing import from_wire, to_wire
from bot.insights.model import ImageObject, Insights
from bot.jobs import ImageRef
from bot.results import Result
from bot.storage import Database, insert, tables

EVERY_SECONDS = 24 * 3600.0

_saved = Table(
    "saved",
    tables,
    Column("sid", String, primary_key=True),
    Column("team", String, nullable=False),
    Column("person", String, nullable=False),
    Column("token", String, nullable=False),
    Column("product", Text, nullable=False),
    Column("market", String, nullable=False),
    Column("watching", Boolean, nullable=False),
    Column("below", String, nullable=False),
    Column("told", String, nullable=False),
    Column("checked", Float, nullable=False),
    Column("created", Float, nullable=False),
    UniqueConstraint("team", "person", "token"),
    Index("ix_saved_watching", "watching", "checked"),
)


@dataclass(frozen=True, slots=True)
class Saved:
    """One product that one person keeps. below: they are told when it costs less, as long as they are `watching`.

    told: the price they were told last. created: unix seconds.
    """

    sid: str
    team: str
    person: str
    product: ImageObject
    market: str
    watching: bool = False
    below: Decimal | None = None
    told: Decimal | None = None
    created: float = 0.0

    def worth_telling(self, price: Decimal) -> bool:
        """Whether a price is lower than they asked to be told of, and than they were told last."""
        return self.below is not None and price < min(self.below, self.told if self.told is not None else self.below)

    def as_result(self) -> Result:
        """As what the modals of a product belong to: `p1` is the product."""
        found = Insights("", similar_products=(self.product,))
        image = ImageRef(token=self.product.token)
        return Result(self.sid, self.team, "", "", self.person, self.person, image, self.market, found, created=self.created)


class Shelf:
    """The store behind it. Every question names the team."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, one: Saved) -> Saved:
        """Save, or change what was saved: the same product of the same person keeps its id."""
        wire = json.dumps(to_wire(Insights("", similar_products=(one.product,))), ensure_ascii=False)
        below = "" if one.below is None else f"{one.below:f}"
        now = time.time()
        row = insert(_saved).values(
            sid=one.sid,
            team=one.team,
            person=one.person,
            token=one.product.token,
            product=wire,
            market=one.market,
            watching=one.watching,
            below=below,
            told="",
            checked=now,
            created=now,
        )
        changed = {name: row.excluded[name] for name in ("product", "market", "watching", "below", "told")}
        async with self._database.write() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["team", "person", "token"], set_=changed))
            return _read((await connection.execute(_of(one.team, one.person, one.product.token))).one())

    async def find(self, team: str, person: str, token: str) -> Saved | None:
        async with self._database.read() as connection:
            row = (await connection.execute(_of(team, person, token))).one_or_none()
        return _read(row) if row else None

    async def get(self, sid: str, team: str) -> Saved | None:
        """None if there is none, or it is another team's."""
        query = select(_saved).where(_saved.c.sid == sid, _saved.c.team == team)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _read(row) if row else None

    async def of(self, team: str, person: str, limit: int) -> Sequence[Saved]:
        """What somebody keeps, the newest first."""
        query = select(_saved).where(_saved.c.team == team, _saved.c.person == person)
        async with self._database.read() as connection:
            return [_read(row) for row in await connection.execute(query.order_by(_saved.c.created.desc()).limit(limit))]

    async def remove(self, sid: str, team: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(_saved).where(_saved.c.sid == sid, _saved.c.team == team))

    async def stop(self, sid: str, team: str) -> None:
        """Watch its price no longer."""
        async with self._database.write() as connection:
            await connection.execute(update(_saved).where(_saved.c.sid == sid, _saved.c.team == team).values(watching=False))

    async def due(self, limit: int = 500) -> Sequence[Saved]:
        """Watched prices that were not looked at for a day."""
        query = select(_saved).where(_saved.c.watching, _saved.c.checked < time.time() - EVERY_SECONDS)
        async with self._database.read() as connection:
            return [_read(row) for row in await connection.execute(query.order_by(_saved.c.checked).limit(limit))]

    async def looked(self, sid: str, *, told: Decimal | None = None) -> None:
        """Its price was looked at now, and told of if it was."""
        said = {"checked": time.time()} | ({"told": f"{told:f}"} if told is not None else {})
        async with self._database.write() as connection:
            await connection.execute(update(_saved).where(_saved.c.sid == sid).values(said))

    async def forget(self, team: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(_saved).where(_saved.c.team == team))


def _of(team: str, person: str, token: str) -> Select[Any]:
    return select(_saved).where(_saved.c.team == team, _saved.c.person == person, _saved.c.token == token)


def _read(row: Row[Any]) -> Saved:
    values = row._asdict()
    (product,) = from_wire(json.loads(values.pop("product"))).similar_products
    below, told = (Decimal(text) if (text := values.pop(name)) else None for name in ("below", "told"))
    del values["token"], values["checked"]
    return Saved(product=product, below=below, told=told, **values)
