"""What has changed in the catalogue, written down in the transaction that changes it: whoever serves it follows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.insights import tables

KEPT = 200_000
"""Lines that are kept; who is further behind reads everything anew."""
MOST = 2000
"""Lines that are followed at once, so that reading what they name does not keep the event loop for long."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What may be different: products and pictures by id, new, changed or gone.

    rest: recipes, collections, entities, logos or related searches too. number: of the last line.
    """

    number: int
    products: frozenset[str] = frozenset()
    pictures: frozenset[str] = frozenset()
    rest: bool = False


async def products(connection: AsyncConnection, ids: Iterable[str]) -> None:
    await _note(connection, "product", ids)


async def pictures(connection: AsyncConnection, ids: Iterable[str]) -> None:
    await _note(connection, "picture", ids)


async def rest(connection: AsyncConnection) -> None:
    await _note(connection, "rest", [""])


async def everything(connection: AsyncConnection) -> None:
    """No list would be shorter than the catalogue."""
    await _note(connection, "all", [""])


async def used_by(connection: AsyncConnection, source: str, keys: Sequence[str] | None = None) -> None:
    """What offers, pages and subjects (all of the source without `keys`) show and sell now, before they change or go."""
    offers, uses = tables.offers.c, tables.picture_uses.c
    sold = select(literal("product"), offers.product_id).distinct().where(offers.source == source)
    shown = select(literal("picture"), uses.picture_id).distinct().where(uses.source == source)
    await _copy(connection, sold if keys is None else sold.where(offers.id.in_(keys)))
    await _copy(connection, shown if keys is None else shown.where(uses.used_by.in_(keys)))


async def unused(connection: AsyncConnection) -> None:
    """What a sweep is about to delete: pictures that nothing shows and products that nobody sells."""
    kept, known = tables.pictures.c, tables.products.c
    shown, sold = select(tables.picture_uses.c.picture_id), select(tables.offers.c.product_id)
    await _copy(connection, select(literal("picture"), kept.id).where(kept.id.not_in(shown)))
    await _copy(connection, select(literal("product"), known.id).where(known.id.not_in(sold)))


async def last(connection: AsyncConnection) -> int:
    """The number of the last line, 0 before the first."""
    return int((await connection.execute(select(func.max(tables.changes.c.number)))).scalar() or 0)


async def since(connection: AsyncConnection, number: int) -> Changes | None:
    """What has changed after that line, or the first part of it; None when everything may have."""
    line = tables.changes.c
    first = (await connection.execute(select(func.min(line.number)))).scalar() or 0
    if first > number + 1:
        return None
    found: dict[str, set[str]] = {"product": set(), "picture": set(), "rest": set(), "all": set()}
    for row in await connection.execute(select(tables.changes).where(line.number > number).order_by(line.number).limit(MOST)):
        found[row.kind].add(row.key)
        number = row.number
    if found["all"]:
        return None
    return Changes(number, frozenset(found["product"] - {""}), frozenset(found["picture"]), bool(found["rest"]))


async def trim(connection: AsyncConnection) -> None:
    await connection.execute(delete(tables.changes).where(tables.changes.c.number <= await last(connection) - KEPT))


async def _note(connection: AsyncConnection, kind: str, ids: Iterable[str]) -> None:
    if values := [{"kind": kind, "key": key} for key in dict.fromkeys(ids)]:
        await connection.execute(insert(tables.changes), values)


async def _copy(connection: AsyncConnection, found: Select[Any]) -> None:
    await connection.execute(insert(tables.changes).from_select(["kind", "key"], found))
