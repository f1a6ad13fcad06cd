"""The operator's goods: feeds in and out, kept in the database, served from memory."""

import asyncio
import contextlib
import hashlib
import json
import logging
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import UserError
from bot.fetch import Fetcher
from bot.insights import feeds, reencoding, shelf, tables
from bot.insights.encoders import ImageEncoder
from bot.insights.feeds import Feed, Page, Rejected, Row, SubjectRow
from bot.insights.matching import Matcher, Reference
from bot.insights.pictures import Features, PictureFiles, Pictures
from bot.insights.reencoding import Reencoding
from bot.insights.shelf import Product, Shelf
from bot.insights.textsearch import TextIndex
from bot.pixels import Pixels
from bot.storage import Database

log = logging.getLogger(__name__)

REVISION = "catalogue_revision"
FOLLOW_SECONDS = 2.0
"""How often a process looks whether another one has imported something."""
BATCH = 64
"""Rows that are read, looked at and committed together."""
PICTURES_AT_ONCE = 4
MAX_REMOTE_FEED = 100 * 1024 * 1024
LOGO_SIDE = 256

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class ImportReport:
    """What an import did to the offers, and what it would not take: (source, row number, field, reason)."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: list[Rejected] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Serving:
    """What lookups are answered from; replaced as a whole. encoder: the one that can ask the matcher."""

    shelf: Shelf
    matcher: Matcher
    words: TextIndex
    encoder: ImageEncoder


def product_ids(rows: Iterable[Row], source: str) -> dict[str, str]:
    """Which product each row offers, by row id: the same GTIN, else the same item group of a source, else the row alone.

    A row without a GTIN takes the one its group agrees on. A GTIN stands before the group, because a group holds the
    colours of one model, and these do not look alike.
    """
    rows = list(rows)
    of_group: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.group and row.gtin:
            of_group[row.group].add(row.gtin.zfill(14))

    def product(row: Row) -> str:
        known = of_group[row.group] if row.group else set()
        if gtin := row.gtin.zfill(14) if row.gtin else (next(iter(known)) if len(known) == 1 else ""):
            return f"gtin:{gtin}"
        return f"group:{source}:{row.group}" if row.group else f"row:{source}:{row.id}"

    return {row.id: product(row) for row in rows}


def picture_id(product_id: str, content: str) -> str:
    """32 upper-case hex digits; the same product and picture have the same id wherever they are imported."""
    return hashlib.sha256(f"{product_id}\0{content}".encode()).hexdigest()[:32].upper()


class Catalogue:
    """Feeds are idempotent by (source, id); an unchanged row costs no fetch and no encoding."""

    def __init__(self, database: Database, pictures: Pictures, encoder: ImageEncoder) -> None:
        self._database = database
        self._pictures = pictures
        self._encoder = encoder
        self._one_import = asyncio.Lock()
        self._serving = Serving(Shelf(), Matcher(encoder.name, (), dim=encoder.dim), TextIndex.build(Shelf()), encoder)
        self._revision: bytes | None = None
        self._change: Reencoding | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        data_dir: Path,
        database: Database,
        pixels: Pixels,
        fetcher: Fetcher,
        encoder: ImageEncoder,
        *,
        model: Path | None = None,
    ) -> AsyncIterator[Self]:
        """Ready to serve. model: the encoder's file, None for the packaged one.

        Pictures that another encoder has seen are looked at again: in the background while that one serves, or first where
        its file is gone.
        """
        files = PictureFiles(data_dir / "pictures")
        serving = await reencoding.serving_encoder(database, encoder)
        catalogue = cls(database, Pictures(files, pixels, fetcher, serving), serving)
        if serving is encoder:
            await catalogue._see_again()
            async with database.write() as connection:
                await reencoding.remember(connection, encoder, model)
        else:
            catalogue._change = Reencoding(database, Pictures(files, pixels, fetcher, encoder), encoder, model)
        await catalogue._reload()
        tasks = [asyncio.create_task(catalogue._follow())]
        if catalogue._change:
            tasks.append(asyncio.create_task(catalogue._change_encoder(catalogue._change)))
        try:
            yield catalogue
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def serving(self) -> Serving:
        return self._serving

    @property
    def changing(self) -> str:
        """How far another encoder has come that will take over; empty when none will."""
        return str(self._change) if self._change else ""

    @property
    def files(self) -> PictureFiles:
        return self._pictures.files

    # ------------------------------------------------------------ in

    async def import_feeds(self, sources: Sequence[str], *, seller: str = "", progress: Progress | None = None) -> ImportReport:
        """Bring in files, folders or http addresses. What a source no longer states is removed.

        `progress` gets rows done and rows in all. Raises UserError when a source cannot be read at all.
        """
        report = ImportReport()
        async with self._one_import:
            read = [(_name(source), await self._read(source, seller)) for source in sources]
            total = sum(len(feed.rows) for _, feed in read)
            done = 0

            def tick(count: int) -> None:
                nonlocal done
                done += count
                if progress:
                    progress(done, total)

            changed = False
            for name, feed in read:
                changed |= await self._import(name, feed, report, tick)
            if changed:
                await self._announce()
        return report

    async def _read(self, source: str, seller: str) -> Feed:
        if urlsplit(source).scheme not in {"http", "https"}:
            return await asyncio.to_thread(feeds.read_source, Path(_name(source)), seller=seller)
        data = await self._pictures.fetch_feed(source, MAX_REMOTE_FEED)
        feed = Feed()
        await asyncio.to_thread(feeds.read_feed, feed, data, source, seller=seller)
        return feed

    async def _import(self, source: str, feed: Feed, report: ImportReport, tick: Callable[[int], None]) -> bool:
        """Returns whether anything has changed."""
        report.rejected += feed.rejected
        ids = product_ids(feed.rows, source)
        digests = await asyncio.to_thread(lambda: {row.id: f"{ids[row.id]} {row.digest()}" for row in feed.rows})
        page_digests = await asyncio.to_thread(lambda: {page.url: page.digest() for page in feed.pages})
        async with self._database.read() as connection:
            known = dict(await _pairs(connection, tables.offers, "id", source))
            known_pages = dict(await _pairs(connection, tables.pages, "url", source))
        fresh = [row for row in feed.rows if known.get(row.id) != digests[row.id]]
        report.unchanged += len(feed.rows) - len(fresh)
        tick(len(feed.rows) - len(fresh))
        speaks = {ids[row.id]: row.id for row in reversed(feed.rows)}  # the first row of a product says what it is
        for start in range(0, len(fresh), BATCH):
            batch = fresh[start : start + BATCH]
            uses = await self._look_at({row.id: (ids[row.id], row.pictures, row.number) for row in batch}, source, report)
            good = [row for row in batch if uses[row.id]]
            async with self._database.write() as connection:
                for row in good:
                    facts = speaks[ids[row.id]] == row.id
                    await _put_row(
                        connection,
                        source,
                        row,
                        product_id=ids[row.id],
                        digest=digests[row.id],
                        uses=uses[row.id],
                        facts=facts,
                        encoder=self._encoder.name,
                    )
            report.added += sum(row.id not in known for row in good)
            report.updated += sum(row.id in known for row in good)
            tick(len(batch))
        fresh_pages = [page for page in feed.pages if known_pages.get(page.url) != page_digests[page.url]]
        await self._put_pages(source, fresh_pages, page_digests, report)
        subjects = await self._put_subjects(source, feed, ids, report)
        logos = await self._put_logos(source, feed, report)
        gone = set(known) - {row.id for row in feed.rows}
        gone_pages = set(known_pages) - {page.url for page in feed.pages}
        report.removed += len(gone)
        related = await self._put_related(source, feed)
        async with self._database.write() as connection:
            offers = tables.offers.c
            seen = update(tables.offers).where(offers.source == source, offers.last_seen != _today())
            await connection.execute(seen.values(last_seen=_today()))
            for key in gone | gone_pages:
                await _drop(connection, source, key)
        if gone or gone_pages or fresh:
            await self._sweep()
        return bool(fresh or fresh_pages or gone or gone_pages or subjects or logos or related)

    async def _look_at(
        self, wanted: Mapping[str, tuple[str, tuple[str, ...], int]], source: str, report: ImportReport
    ) -> dict[str, list[tuple[str, str, Features]]]:
        """The usable pictures of each row or page: (address, picture id, features). The bad ones are reported.

        One address is opened once, and the same bytes are looked at once, whoever names them.
        """
        gate = asyncio.Semaphore(PICTURES_AT_ONCE)
        by_content: dict[str, asyncio.Task[Features]] = {}

        async def features(address: str) -> Features | UserError:
            async with gate:
                try:
                    content, data = await self._pictures.bytes_of(address)
                    if content not in by_content:
                        by_content[content] = asyncio.create_task(self._features(content, data))
                    return await by_content[content]
                except UserError as error:
                    return error

        addresses = list(dict.fromkeys(address for _, found, _ in wanted.values() for address in found))
        seen = dict(zip(addresses, await asyncio.gather(*map(features, addresses)), strict=True))
        usable: dict[str, list[tuple[str, str, Features]]] = {}
        for key, (product_id, found, number) in wanted.items():
            usable[key] = []
            for address in found:
                one = seen[address]
                if isinstance(one, Features):
                    usable[key].append((address, picture_id(product_id, one.content), one))
                else:
                    report.rejected.append(Rejected(source, number, "image_link", f"{_short(address)}: {one}"))
        return usable

    async def _features(self, content: str, data: bytes) -> Features:
        """From the database when these bytes have been seen, by this encoder, before."""
        kept = tables.pictures.c
        async with self._database.read() as connection:
            query = select(tables.pictures).where(kept.content == content, kept.encoder == self._encoder.name).limit(1)
            row = (await connection.execute(query)).first()
        if row:
            return Features(content, _vector(row.vector), row.hash, row.width, row.height, row.bytes, row.accent)
        return await self._pictures.take(content, data)

    async def _put_pages(self, source: str, pages: Sequence[Page], digests: Mapping[str, str], report: ImportReport) -> None:
        """A page's picture is the product's when a feed of the same source names the same address, else one of its own."""
        if not pages:
            return
        shown = await self._shown(source, {page.url: (page.pictures, page.number) for page in pages}, report)
        async with self._database.write() as connection:
            for page in pages:
                await _drop(connection, source, page.url)
                values = {"source": source, "url": page.url, "digest": digests[page.url], "title": page.title}
                await connection.execute(insert(tables.pages).values(values))
                await self._put_shown(connection, source, page.url, shown[page.url])

    async def _put_subjects(self, source: str, feed: Feed, ids: Mapping[str, str], report: ImportReport) -> bool:
        """Recipes, collections and entities; returns whether anything has changed."""
        of_feed: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for row in feed.rows:
            for name in (row.group, row.id):
                of_feed[name][ids[row.id]] = None
        products = {
            one.key: list(dict.fromkeys(p for name in one.products for p in of_feed.get(name, ()))) for one in feed.subjects
        }
        digests = await asyncio.to_thread(lambda: {one.key: one.digest(products[one.key]) for one in feed.subjects})
        async with self._database.read() as connection:
            known = dict(await _pairs(connection, tables.subjects, "key", source))
        fresh = [one for one in feed.subjects if known.get(one.key) != digests[one.key]]
        gone = set(known) - set(digests)
        shown = await self._shown(source, {one.key: (one.pictures, one.number) for one in fresh}, report)
        async with self._database.write() as connection:
            for key in gone | {one.key for one in fresh}:
                await _drop(connection, source, key)
            for one in fresh:
                await connection.execute(insert(tables.subjects).values(_subject_values(source, one, digests[one.key])))
                await _put_subject_products(connection, source, one.key, products[one.key])
                await self._put_shown(connection, source, one.key, shown[one.key])
        if gone:
            await self._sweep()
        return bool(fresh or gone)

    async def _shown(
        self, source: str, hosts: Mapping[str, tuple[tuple[str, ...], int]], report: ImportReport
    ) -> dict[str, list[tuple[str, str, Features | None]]]:
        """What pages and subjects show: (address, picture id, features unless the picture is there already).

        A picture is the product's when a feed of the same source names the same address, else one of its own.
        """
        if not hosts:
            return {}
        async with self._database.read() as connection:
            uses, kept = tables.picture_uses.c, tables.pictures.c
            query = select(uses.address, uses.picture_id).distinct().join(tables.pictures, kept.id == uses.picture_id)
            of_product: defaultdict[str, list[str]] = defaultdict(list)
            for row in await connection.execute(query.where(uses.source == source, kept.product_id != "")):
                of_product[row.address].append(row.picture_id)
        rest = {
            key: ("", tuple(address for address in pictures if address not in of_product), number)
            for key, (pictures, number) in hosts.items()
        }
        own = await self._look_at(rest, source, report)
        return {
            key: [(address, found, None) for address in pictures for found in of_product.get(address, ())] + [*own[key]]
            for key, (pictures, _) in hosts.items()
        }

    async def _put_shown(
        self, connection: AsyncConnection, source: str, used_by: str, shown: Sequence[tuple[str, str, Features | None]]
    ) -> None:
        for _, key, features in shown:
            if features:
                await _put_picture(connection, key, "", features, self._encoder.name)
        await _put_uses(connection, source, used_by, [(address, key) for address, key, _ in shown])

    async def _put_logos(self, source: str, feed: Feed, report: ImportReport) -> bool:
        wanted = feed.logos | {row.seller: row.logo for row in reversed(feed.rows) if row.logo}
        async with self._database.read() as connection:
            known = {row.name: row.digest for row in await connection.execute(select(tables.sellers))}
        changed = False
        for name, address in wanted.items():
            digest = feeds.stamp_of(address)
            if known.get(name) == digest:
                continue
            try:
                content, data = await self._pictures.bytes_of(address)
                await self._pictures.keep(content, data, side=LOGO_SIDE)
            except UserError as error:
                report.rejected.append(Rejected(source, 0, "seller_logo", f"{_short(address)}: {error}"))
                continue
            changed = True
            async with self._database.write() as connection:
                await connection.execute(delete(tables.sellers).where(tables.sellers.c.name == name))
                values = {"name": name, "source": source, "logo": content, "digest": digest}
                await connection.execute(insert(tables.sellers).values(values))
        return changed

    async def _put_related(self, source: str, feed: Feed) -> bool:
        said = tables.related_searches.c
        wanted = [
            {"source": source, "product_type": kind, "position": position, "query": query}
            for kind, queries in feed.related.items()
            for position, query in enumerate(queries)
        ]
        async with self._database.read() as connection:
            query = select(tables.related_searches).where(said.source == source)
            known = [dict(row) for row in (await connection.execute(query)).mappings()]
        changed = sorted(map(_sortable, known)) != sorted(map(_sortable, wanted))
        if changed:
            async with self._database.write() as connection:
                await connection.execute(delete(tables.related_searches).where(said.source == source))
                if wanted:
                    await connection.execute(insert(tables.related_searches), wanted)
        return changed

    # ------------------------------------------------------------ out

    async def remove(self, source: str) -> int:
        """Forget all that a source has said: how many offers went. Raises UserError when it is unknown."""
        async with self._one_import:
            name = _name(source)
            async with self._database.write() as connection:
                count = (
                    await connection.execute(
                        select(func.count()).select_from(tables.offers).where(tables.offers.c.source == name)
                    )
                ).scalar_one()
                if not count:
                    known = (await connection.execute(select(tables.offers.c.source).distinct())).scalars().all()
                    raise UserError(f"No feed {source} is in the catalogue. There is: {', '.join(known) or 'none'}.")
                for table in (
                    tables.offers,
                    tables.pages,
                    tables.subjects,
                    tables.subject_products,
                    tables.picture_uses,
                    tables.related_searches,
                    tables.sellers,
                ):
                    await connection.execute(delete(table).where(table.c.source == name))
            await self._sweep()
            await self._announce()
        return int(count)

    def stats(self) -> dict[str, int]:
        """How much of what there is."""
        goods = self._serving.shelf
        return {
            "products": len(goods.products),
            "offers": sum(len(product.offers) for product in goods.products.values()),
            "pictures": len(goods.pictures),
            "pages": len({page.url for pages in goods.pages.values() for page in pages}),
            "recipes": sum(one.kind == "recipe" for one in goods.subjects.values()),
            "collections": sum(one.kind == "collection" for one in goods.subjects.values()),
            "entities": sum(one.kind == "entity" for one in goods.subjects.values()),
            "sellers": len({offer.seller for product in goods.products.values() for offer in product.offers}),
        }

    def list_products(self) -> list[Product]:
        return sorted(self._serving.shelf.products.values(), key=lambda product: (product.title, product.id))

    def export(self) -> list[dict[str, Any]]:
        """Products as `import_feeds` reads them again, one JSON line each, from a file in DATA_DIR, beside the pictures."""
        goods = self._serving.shelf
        return [
            {
                "id": product.id,
                "title": product.title,
                "description": product.description,
                "brand": product.brand,
                "product_type": product.product_type,
                "color": product.color,
                "material": product.material,
                "size": product.size,
                "gtin": product.gtin,
                "image": _file(goods, self.files, product.pictures[:1]),
                "additional_images": [_file(goods, self.files, [key]) for key in product.pictures[1:]],
                "offers": [
                    {
                        "id": offer.id,
                        "link": offer.link,
                        "price": f"{offer.price} {offer.currency}" if offer.price is not None else "",
                        "availability": offer.availability or "",
                        "seller_name": offer.seller,
                    }
                    for offer in product.offers
                ],
            }
            | ({"rating": {"value": product.rating.value, "count": product.rating.count}} if product.rating else {})
            for product in self.list_products()
        ]

    # ------------------------------------------------------------ inside

    async def _sweep(self) -> None:
        """Delete products without offers, pictures nobody uses, and files nobody names."""
        kept, used = tables.pictures.c, select(tables.picture_uses.c.picture_id)
        async with self._database.write() as connection:
            unused = kept.id.not_in(used)
            files = set((await connection.execute(select(kept.content).where(unused))).scalars())
            await connection.execute(delete(tables.pictures).where(unused))
            sold = select(tables.offers.c.product_id)
            await connection.execute(delete(tables.products).where(tables.products.c.id.not_in(sold)))
            files -= set((await connection.execute(select(kept.content).where(kept.content.in_(files)))).scalars())
            files -= set((await connection.execute(select(tables.sellers.c.logo))).scalars())
        for content in files:
            await self.files.delete(content)

    async def _see_again(self) -> None:
        kept = tables.pictures.c
        async with self._database.read() as connection:
            query = select(kept.content).distinct().where(kept.encoder != self._encoder.name)
            stale = (await connection.execute(query)).scalars().all()
        for content in stale:
            with contextlib.suppress(UserError, OSError):  # a file that is gone or damaged: the picture stays out of the index
                vector = await self._pictures.see_again(content)
                async with self._database.write() as connection:
                    await connection.execute(
                        update(tables.pictures)
                        .where(kept.content == content)
                        .values(vector=_blob(vector), encoder=self._encoder.name)
                    )

    async def _change_encoder(self, change: Reencoding) -> None:
        """While imports wait, nothing is seen with the old encoder: then the new one takes over, everywhere at once."""
        await change.run()
        async with self._one_import:
            await change.run()
            async with self._database.write() as connection:
                await change.swap(connection)
            await self._announce()
        log.info("the encoder is changed to %s", change.wanted.name)

    async def _announce(self) -> None:
        """Serve what the database holds now, and let other processes know that it is something else."""
        row = {"value": secrets.token_bytes(8)}
        statement = insert_or_update(tables.engine_state).values(key=REVISION, **row)
        async with self._database.write() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=row))
        await self._reload()

    async def _follow(self) -> None:
        """Serve what another process has imported, a moment later."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                async with self._database.read() as connection:
                    revision = await _revision(connection)
                if revision != self._revision and not self._one_import.locked():
                    await self._reload()
            except SQLAlchemyError as error:  # locked or full for a moment: what is served stays as it is
                log.warning("cannot see whether the catalogue has changed: %s", error)

    async def _reload(self) -> None:
        """Serve what the database holds."""
        kept = tables.pictures.c
        async with self._database.read() as connection:
            self._revision = await _revision(connection)
            if not self._can_ask(await reencoding.serves(connection)):
                log.warning("another process serves with another INSIGHTS_MODEL: start this one again with the same")
                return
            goods = await shelf.load(connection)
            query = select(kept.id, kept.product_id, kept.vector, kept.hash).where(kept.encoder == self._encoder.name)
            rows = (await connection.execute(query.order_by(kept.id))).all()
        references = [Reference(row.id, row.product_id, _vector(row.vector), row.hash) for row in rows]
        matcher = await asyncio.to_thread(Matcher, self._encoder.name, references, dim=self._encoder.dim)
        words = await asyncio.to_thread(TextIndex.build, goods)
        self._serving = Serving(goods, matcher, words, self._encoder)
        if self._change and self._change.wanted is self._encoder:
            self._change = None

    def _can_ask(self, name: str) -> bool:
        """Whether the index is of an encoder that is loaded here; if it is of the one on its way in, that one takes over."""
        if self._change and name == self._change.wanted.name:
            self._encoder, self._pictures = self._change.wanted, self._change.pictures
        return name in {"", self._encoder.name}


def _name(source: str) -> str:
    return source if urlsplit(source).scheme in {"http", "https"} else str(Path(source).resolve())


def _short(address: str) -> str:
    return address if len(address) <= 100 else f"…{address[-99:]}"  # noqa: PLR2004 (a line of a terminal)


def _sortable(row: Mapping[str, Any]) -> tuple[str, int, str]:
    return row["product_type"], row["position"], row["query"]


def _vector(blob: bytes) -> NDArray[np.float32]:
    return np.frombuffer(blob, np.float16).astype(np.float32)


def _blob(vector: NDArray[np.float32]) -> bytes:
    return vector.astype(np.float16).tobytes()


def _file(goods: Shelf, files: PictureFiles, keys: Sequence[str]) -> str:
    if not keys:
        return ""
    path = files.path(goods.pictures[keys[0]].content)
    return str(path.relative_to(path.parents[2]))


async def _pairs(connection: AsyncConnection, table: Any, key: str, source: str) -> list[tuple[str, str]]:
    query = select(table.c[key], table.c.digest).where(table.c.source == source)
    return [(row[0], row[1]) for row in await connection.execute(query)]


async def _drop(connection: AsyncConnection, source: str, key: str) -> None:
    """An offer, a page or a subject, and its use of pictures."""
    for table, column in (
        (tables.offers, "id"),
        (tables.pages, "url"),
        (tables.subjects, "key"),
        (tables.subject_products, "key"),
        (tables.picture_uses, "used_by"),
    ):
        await connection.execute(delete(table).where(table.c.source == source, table.c[column] == key))


async def _put_row(
    connection: AsyncConnection,
    source: str,
    row: Row,
    *,
    product_id: str,
    digest: str,
    uses: Sequence[tuple[str, str, Features]],
    facts: bool,
    encoder: str,
) -> None:
    """Store an offer with its pictures, and its product when this row speaks for it or nobody has yet."""
    known = tables.products.c
    owner = (await connection.execute(select(known.source).where(known.id == product_id))).scalar()
    if owner is None or (facts and owner == source):
        await connection.execute(delete(tables.products).where(known.id == product_id))
        await connection.execute(
            insert(tables.products).values(
                id=product_id,
                source=source,
                title=row.title,
                description=row.description,
                brand=row.brand,
                product_type=row.product_type,
                color=row.color,
                material=row.material,
                size=row.size,
                gtin=row.gtin,
                adult=row.adult,
                rating_value=row.rating,
                rating_count=row.rating_count,
            )
        )
    await _drop(connection, source, row.id)
    await connection.execute(
        insert(tables.offers).values(
            source=source,
            id=row.id,
            digest=digest,
            product_id=product_id,
            position=row.number,
            title=row.title,
            link=row.link,
            price=row.price or None,
            currency=row.currency,
            availability=row.availability,
            seller=row.seller,
            last_seen=_today(),
        )
    )
    for _, key, features in uses:
        await _put_picture(connection, key, product_id, features, encoder)
    await _put_uses(connection, source, row.id, [(address, key) for address, key, _ in uses])


async def _put_picture(connection: AsyncConnection, key: str, product_id: str, features: Features, encoder: str) -> None:
    kept = tables.pictures.c
    if (await connection.execute(select(kept.id).where(kept.id == key))).first():
        return
    await connection.execute(
        insert(tables.pictures).values(
            id=key,
            product_id=product_id,
            content=features.content,
            hash=features.hash,
            vector=_blob(features.vector),
            encoder=encoder,
            width=features.width,
            height=features.height,
            bytes=features.bytes,
            accent=features.accent,
            published=datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        )
    )


async def _put_uses(connection: AsyncConnection, source: str, used_by: str, shown: Iterable[tuple[str, str]]) -> None:
    values = [
        {"source": source, "used_by": used_by, "position": position, "address": address, "picture_id": key}
        for position, (address, key) in enumerate(shown)
    ]
    if values:
        await connection.execute(insert(tables.picture_uses), values)


def _subject_values(source: str, one: SubjectRow, digest: str) -> dict[str, Any]:
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


async def _put_subject_products(connection: AsyncConnection, source: str, key: str, products: Iterable[str]) -> None:
    values = [
        {"source": source, "key": key, "position": position, "product_id": product_id}
        for position, product_id in enumerate(products)
    ]
    if values:
        await connection.execute(insert(tables.subject_products), values)


async def _revision(connection: AsyncConnection) -> bytes | None:
    state = tables.engine_state.c
    value: bytes | None = (await connection.execute(select(state.value).where(state.key == REVISION))).scalar()
    return value


def _today() -> date:
    return datetime.now(UTC).date()
