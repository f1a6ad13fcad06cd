"""What people think of answers. A product that was voted down for a picture comes last when the same picture is asked about."""

import json
import time
from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import Column, Float, Index, String, Table, Text, delete, select

from bot.insights.model import Insights
from bot.storage import Database, insert, tables

KEEP_SECONDS = 400 * 24 * 3600

_opinions = Table(
    "opinions",
    tables,
    Column("rid", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("team", String, nullable=False),
    Column("picture", String, nullable=False),
    Column("helpful", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("words", Text, nullable=False),
    Column("products", Text, nullable=False),
    Column("created", Float, nullable=False),
    Index("ix_opinions_picture", "team", "picture"),
    Index("ix_opinions_created", "created"),
)


class Opinions:
    """One a card and person; the last counts. Every question names the team."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(
        self,
        team: str,
        rid: str,
        person: str,
        picture: str,
        *,
        helpful: bool,
        reason: str = "",
        words: str = "",
        products: Collection[str] = (),
    ) -> None:
        """picture, products: tokens of what was asked about, and of what does not match it."""
        row = insert(_opinions).values(
            rid=rid,
            person=person,
            team=team,
            picture=picture,
            helpful="up" if helpful else "down",
            reason=reason,
            words=words,
            products=json.dumps(list(products)),
            created=time.time(),
        )
        said = {name: row.excluded[name] for name in ("helpful", "reason", "words", "products", "created")}
        async with self._database.write() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["rid", "person"], set_=said))

    async def disliked(self, team: str, picture: str) -> frozenset[str]:
        """Tokens of products that people of the team do not want to see for a picture."""
        said = _opinions.c
        query = select(said.products).where(said.team == team, said.picture == picture, said.helpful == "down")
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).scalars().all()
        return frozenset(token for row in rows for token in json.loads(row))

    async def forget(self, team: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(_opinions).where(_opinions.c.team == team))

    async def sweep(self) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(_opinions).where(_opinions.c.created < time.time() - KEEP_SECONDS))


def demoted(found: Insights, disliked: Collection[str]) -> Insights:
    """The same with what is disliked at the end."""
    if not disliked:
        return found
    products = sorted(found.similar_products, key=lambda product: product.token in disliked)
    return replace(found, similar_products=tuple(products))
