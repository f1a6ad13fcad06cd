"""Offers, products and pictures into the tables and out of them: what an import and a single product have in common."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.insights import journal, prices, tables
from bot.insights.feeds import SubjectRow
from bot.insights.pictures import Features, PictureStore
from bot.insights.staging import MOST_TRIES, UNSEEN, Fresh
from bot.storage import Database, insert

IN_ONE_QUERY = 500

Uses = dict[str, list[tuple[str, str, Features]]]
"""What offers and pages show, by their ids: (address, picture id, features)."""


async def put_offers(
    connection: AsyncConnection, source: str, batch: Sequence[Fresh], uses: Uses, encoder: str, *, missing: Collection[str] = ()
) -> None:
    """Store offers with their products, pictures and prices, in place of what they said before.

    missing: ids of those that lack some picture; the next import tries again.
    """
    await journal.products(connection, (one.product_id for one in batch))
    await put_products(connection, source, batch)
    await prices.note(connection, source, [one.row for one in batch])
    await drop(connection, source, [one.row.id for one in batch])
    await connection.execute(insert(tables.offers), [_offer(source, one, missing=one.row.id in missing) for one in batch])
    pictures = [(one.product_id, key, features) for one in batch for _, key, features in uses[one.row.id]]
    await put_pictures(connection, pictures, encoder)
    await put_uses(connection, source, {one.row.id: [(where, key) for where, key, _ in uses[one.row.id]] for one in batch})


def picture_id(product_id: str, content: str) -> str:
    """32 upper-case hex digits; the same product and picture have the same id wherever they are imported."""
    return hashlib.sha256(f"{product_id}\0{content}".encode()).hexdigest()[:32].upper()


def vector_of(blob: bytes) -> NDArray[np.float32]:
    return np.frombuffer(blob, np.float16).astype(np.float32)


def blob_of(vector: NDArray[np.float32]) -> bytes:
    return vector.astype(np.float16).tobytes()


def features_of(row: Any) -> Features:
    return Features(row.content, vector_of(row.vector), row.hash, row.width, row.height, row.bytes, row.accent)


async def pairs(connection: AsyncConnection, table: Any, key: str, source: str) -> list[tuple[str, str]]:
    query = select(table.c[key], table.c.digest).where(table.c.source == source)
    return [(row[0], row[1]) for row in await connection.execute(query)]


async def drop(connection: AsyncConnection, source: str, keys: Sequence[str]) -> None:
    """Offers, pages or subjects, and their use of pictures."""
    for start in range(0, len(keys), IN_ONE_QUERY):
        part = keys[start : start + IN_ONE_QUERY]
        await journal.used_by(connection, source, part)
        for table, column in (
            (tables.offers, "id"),
            (tables.pages, "url"),
            (tables.subjects, "key"),
            (tables.subject_products, "key"),
            (tables.picture_uses, "used_by"),
        ):
            await connection.execute(delete(table).where(table.c.source == source, table.c[column].in_(part)))


async def forget(connection: AsyncConnection, source: str, article: str = "") -> int:
    """One article, or all that a source has said, its price memory included: how many offers went. Nothing is swept here."""
    offers = tables.offers.c
    gone = (offers.source == source) & (offers.id == article) if article else offers.source == source
    count = int((await connection.execute(select(func.count()).select_from(tables.offers).where(gone))).scalar_one())
    if article:
        await drop(connection, source, [article])
        kept = tables.prices.c
        await connection.execute(delete(tables.prices).where(kept.source == source, kept.offer == article))
        return count
    await journal.used_by(connection, source)
    await journal.rest(connection)
    for table in (
        tables.offers,
        tables.pages,
        tables.subjects,
        tables.subject_products,
        tables.picture_uses,
        tables.related_searches,
        tables.sellers,
        tables.sources,
        tables.prices,
    ):
        await connection.execute(delete(table).where(table.c.source == source))
    return count


async def put_products(connection: AsyncConnection, source: str, batch: Sequence[Fresh]) -> None:
    """A product is what the first offer of it says, or the first of all when that one is not of this source."""
    known = tables.products.c
    ids = {one.product_id for one in batch}
    owners = {row.id: row.source for row in await connection.execute(select(known.id, known.source).where(known.id.in_(ids)))}
    told: dict[str, Fresh] = {}
    for one in batch:
        owner = owners.get(one.product_id)
        if (owner is None and (one.product_id not in told or one.speaks)) or (owner == source and one.speaks):
            told[one.product_id] = one
    await connection.execute(delete(tables.products).where(known.id.in_(list(told))))
    if told:
        await connection.execute(insert(tables.products), [_product(source, one) for one in told.values()])


def _product(source: str, one: Fresh) -> dict[str, Any]:
    row = one.row
    return {
        "id": one.product_id,
        "source": source,
        "title": row.title,
        "description": row.description,
        "brand": row.brand,
        "product_type": row.product_type,
        "color": row.color,
        "material": row.material,
        "size": row.size,
        "gtin": row.gtin,
        "adult": row.adult,
        "rating_value": row.rating,
        "rating_count": row.rating_count,
    }


def _offer(source: str, one: Fresh, *, missing: bool) -> dict[str, Any]:
    row = one.row
    return {
        "source": source,
        "id": row.id,
        "digest": one.digest + UNSEEN * min(one.tries + 1, MOST_TRIES) if missing else one.digest,
        "product_id": one.product_id,
        "position": row.number,
        "title": row.title,
        "link": row.link,
        "price": row.price or None,
        "currency": row.currency,
        "availability": row.availability,
        "seller": row.seller,
        "last_seen": today(),
    }


async def put_pictures(connection: AsyncConnection, shown: Iterable[tuple[str, str, Features]], encoder: str) -> None:
    """(product id or nothing, picture id, features); those that are there already stay as they are."""
    new = {key: (product_id, features) for product_id, key, features in shown}
    if not new:
        return
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    values = [
        {
            "id": key,
            "product_id": product_id,
            "content": one.content,
            "hash": one.hash,
            "vector": blob_of(one.vector),
            "encoder": encoder,
            "width": one.width,
            "height": one.height,
            "bytes": one.bytes,
            "accent": one.accent,
            "published": now,
        }
        for key, (product_id, one) in new.items()
    ]
    await connection.execute(insert(tables.pictures).on_conflict_do_nothing(), values)


async def put_uses(connection: AsyncConnection, source: str, places: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    values = [
        {"source": source, "used_by": used_by, "position": position, "address": address, "picture_id": key}
        for used_by, shown in places.items()
        for position, (address, key) in enumerate(shown)
    ]
    if values:
        await journal.pictures(connection, (key for shown in places.values() for _, key in shown))
        await connection.execute(insert(tables.picture_uses), values)


def subject_values(source: str, one: SubjectRow, digest: str) -> dict[str, Any]:
    return {
        "source": source,
        "key": one.key,
        "position": one.number,
        "digest": digest,
        "name": one.name,
        "url": one.url,
        "description": one.description,
        "facts": json.dumps(dict(one.facts), sort_keys=True),
    }


async def put_subject_products(connection: AsyncConnection, source: str, key: str, products: Iterable[str]) -> None:
    values = [
        {"source": source, "key": key, "position": position, "product_id": product_id}
        for position, product_id in enumerate(products)
    ]
    if values:
        await connection.execute(insert(tables.subject_products), values)


def today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Used:
    """What an article sells and shows: ids of products and of pictures."""

    products: Sequence[str]
    pictures: Sequence[str]


async def used_by(connection: AsyncConnection, source: str, article: str) -> Used:
    offers, uses = tables.offers.c, tables.picture_uses.c
    sold = select(offers.product_id).distinct().where(offers.source == source, offers.id == article)
    shown = select(uses.picture_id).distinct().where(uses.source == source, uses.used_by == article)
    return Used(*[(await connection.execute(query)).scalars().all() for query in (sold, shown)])


async def sweep_only(database: Database, files: PictureStore, used: Used) -> None:
    """Delete those of them that nobody sells or shows any more: what a sweep does, without reading the whole catalogue."""
    known, kept = tables.products.c, tables.pictures.c
    async with database.write() as connection:
        sold = select(tables.offers.c.product_id).where(tables.offers.c.product_id.in_(used.products))
        shown = select(tables.picture_uses.c.picture_id).where(tables.picture_uses.c.picture_id.in_(used.pictures))
        unsold, unused = known.id.in_(used.products) & known.id.not_in(sold), kept.id.in_(used.pictures) & kept.id.not_in(shown)
        gone = set((await connection.execute(select(kept.content).where(unused))).scalars())
        await journal.products(connection, used.products)
        await journal.pictures(connection, used.pictures)
        await connection.execute(delete(tables.products).where(unsold))
        await connection.execute(delete(tables.pictures).where(unused))
        gone -= set((await connection.execute(select(kept.content).where(kept.content.in_(gone)))).scalars())
        gone -= set((await connection.execute(select(tables.sellers.c.logo).where(tables.sellers.c.logo.in_(gone)))).scalars())
    for content in gone:
        await files.delete(content)


async def sweep(database: Database, files: PictureStore) -> None:
    """Delete products without offers, pictures nobody uses, and files nobody names."""
    kept, used = tables.pictures.c, select(tables.picture_uses.c.picture_id)
    async with database.write() as connection:
        unused = kept.id.not_in(used)
        await journal.unused(connection)
        still = select(kept.content).where(kept.id.in_(used))
        gone = set((await connection.execute(select(kept.content).where(unused, kept.content.not_in(still)))).scalars())
        await connection.execute(delete(tables.pictures).where(unused))
        sold = select(tables.offers.c.product_id)
        await connection.execute(delete(tables.products).where(tables.products.c.id.not_in(sold)))
        gone -= set((await connection.execute(select(tables.sellers.c.logo))).scalars())
        named = select(tables.picture_uses.c.address)
        await connection.execute(delete(tables.addresses).where(tables.addresses.c.address.not_in(named)))
        await journal.trim(connection)
    for content in gone:
        await files.delete(content)
