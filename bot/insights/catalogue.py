"""The operator's goods: feeds in and out, kept in the database, served from memory."""

import asyncio
import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from sys import intern
from typing import Any, Self

from sqlalchemy import case, distinct, func, select, union, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import Unavailable, UserError
from bot.fetch import Fetcher
from bot.insights import journal, prices, reencoding, shelf, storing, tables
from bot.insights.encoders import ImageEncoder
from bot.insights.feeds import Rejected, Row
from bot.insights.importing import Importer, ImportReport, Order, Progress, explained, only_import, source_name
from bot.insights.matching import Matcher, Reference
from bot.insights.model import Article, Availability
from bot.insights.pictures import Pictures, PictureStore, open_store
from bot.insights.prices import Price
from bot.insights.reencoding import Reencoding
from bot.insights.shelf import Product, Shelf
from bot.insights.staging import UNSEEN, Fresh
from bot.insights.textsearch import TextIndex
from bot.pixels import Pixels
from bot.storage import Database

log = logging.getLogger(__name__)

FOLLOW_SECONDS = 0.4
"""How often a process looks whether the catalogue has changed."""
SHARE_OF_TIME = 2
"""While much changes, bringing it in takes at most a third of the time."""
ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Serving:
    """What lookups are answered from; replaced as a whole. encoder: the one that can ask the matcher."""

    shelf: Shelf
    matcher: Matcher
    words: TextIndex
    encoder: ImageEncoder


@dataclass(frozen=True, slots=True)
class Source:
    """What came from one feed. without: offers some picture of which could not be had.

    rejected, imported: how much of it was not taken at the last import, and when that was (UTC).
    """

    name: str
    offers: int = 0
    products: int = 0
    without: int = 0
    pictures: int = 0
    rejected: int = 0
    imported: datetime | None = None


class Catalogue:
    """Feeds are idempotent by (source, id); an unchanged row costs no fetch and no encoding."""

    def __init__(self, database: Database, pictures: Pictures, encoder: ImageEncoder) -> None:
        self._database = database
        self._pictures = pictures
        self._encoder = encoder
        self._one_import = asyncio.Lock()
        self._importer: Importer | None = None
        self._serving = Serving(Shelf(), Matcher(encoder.name, (), dim=encoder.dim), TextIndex.build(Shelf()), encoder)
        self._serves = False
        self._served = 0
        """Number of the last change that is served."""
        self._renewing = asyncio.Lock()
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
        blob_url: str = "",
        serves: bool = True,
    ) -> AsyncIterator[Self]:
        """Ready to serve; without `serves` only to be changed, for which nothing of it is held in memory.

        model: the encoder's file, None for the packaged one. blob_url: where the pictures are, if not in data_dir.
        Pictures that another encoder has seen are looked at again: in the background while that one serves, or first where
        its file is gone.
        """
        files = open_store(blob_url, data_dir)
        serving = await reencoding.serving_encoder(database, encoder)
        catalogue = cls(database, Pictures(files, pixels, fetcher, serving, folder=data_dir), serving)
        if serving is encoder:
            await catalogue._see_again()
            async with database.write() as connection:
                await reencoding.remember(connection, encoder, model)
        if not serves:
            yield catalogue
            return
        if serving is not encoder:
            catalogue._change = Reencoding(database, Pictures(files, pixels, fetcher, encoder, folder=data_dir), encoder, model)
        catalogue._serves = True
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
    def files(self) -> PictureStore:
        return self._pictures.files

    # ------------------------------------------------------------ in

    async def import_feeds(
        self,
        sources: Sequence[str],
        *,
        seller: str = "",
        currency: str = "",
        refresh: bool = False,
        progress: Progress | None = None,
        rejected: Callable[[Rejected], None] | None = None,
    ) -> ImportReport:
        """Bring in files, folders or http addresses. What a source no longer states is removed.

        seller, currency: of rows that name none. refresh: fetch pictures again whose address has not changed. `progress` gets
        offers done and offers in all, `rejected` everything that does not go in. A source that cannot be read at all does not
        keep the others waiting. Raises UserError when it is the only one, or the disk is full. See also `finish_batch`.
        """
        report = ImportReport(sink=rejected)
        async with self._one_import, self._alone(", ".join(sources)):
            importer = Importer(self._database, self._pictures, self._encoder, report, progress=progress)
            self._importer = importer
            try:
                for source in sources:
                    if not report.stopped:
                        order = Order(source_name(source), seller, currency, refresh=refresh)
                        await self._bring(importer, order, report, alone=len(sources) == 1)
            except (OSError, sqlite3.Error, DBAPIError) as error:
                raise UserError(f"The import stopped: {explained(error)} What came in stays; run it again.") from error
            finally:
                self._importer = None
                with contextlib.suppress(SQLAlchemyError, OSError):  # else it is served as soon as the database is back
                    await self._apply()
        return report

    async def _bring(self, importer: Importer, order: Order, report: ImportReport, *, alone: bool) -> None:
        try:
            await importer.bring(order)
        except UserError as error:
            if alone:
                raise
            report.failed.append(order.source)
            report.reject(Rejected(order.source, 0, "file", str(error)))

    def finish_batch(self) -> bool:
        """Let the import that is running end when its batch is stored; False when there is none to wait for."""
        return self._importer is not None and self._importer.stop()

    @asynccontextmanager
    async def _alone(self, what: str) -> AsyncIterator[None]:
        with only_import(self._pictures.folder, what):
            async with self._database.importing() as alone:
                if not alone:
                    raise UserError("Another import into this database is running on another machine. Wait for it to end.")
                yield

    async def put(self, article: Article, pictures: Sequence[bytes]) -> None:
        """Bring in one article, or change what it said before; found when this returns. See Goods."""
        seen = [await self._pictures.take(await self._pictures.name_of(data), data) for data in pictures]
        row = Row(
            number=0,
            id=article.id,
            title=article.title,
            link=article.link,
            pictures=tuple(dict.fromkeys(f"posted:{one.content}" for one in seen)),
            price="" if article.price is None else f"{article.price:f}",
            currency="" if article.price is None else article.currency,
            availability=Availability.IN_STOCK,
            description=article.description,
            seller=article.seller,
        )
        product = f"row:{article.source}:{article.id}"
        fresh = Fresh(row, product, f"{product} {row.digest()}", known=False, speaks=True, same=False, tries=0)
        shown = {f"posted:{one.content}": (storing.picture_id(product, one.content), one) for one in seen}
        uses = {article.id: [(address, *found) for address, found in shown.items()]}
        # an encoder that takes over counts what the other one has seen, once, while nothing is added
        async with self._one_import if self._change else contextlib.nullcontext(), self._storing() as connection:
            await storing.put_offers(connection, article.source, [fresh], uses, self._encoder.name)
        await self._apply()

    # ------------------------------------------------------------ out

    async def take_out(self, source: str, article: str = "") -> int:
        """Forget one article, or all that a source has said: how many offers went."""
        async with self._storing() as connection:
            used = await storing.used_by(connection, source, article) if article else None
            count = await storing.forget(connection, source, article)
        if used is None:
            await storing.sweep(self._database, self.files)
        else:
            await storing.sweep_only(self._database, self.files, used)
        await self._apply()
        return count

    async def remove(self, source: str) -> int:
        """Forget all that a source has said: how many offers went. Raises UserError when it is unknown."""
        async with self._one_import, self._alone(f"removing {source}"):
            async with self._database.read() as connection:
                told = (tables.offers, tables.pages, tables.subjects, tables.sources)
                known = union(*(select(table.c.source) for table in told)).order_by("source")
                sources = (await connection.execute(known)).scalars().all()
            name = source if source in sources else source_name(source)
            if name not in sources:
                raise UserError(f"No feed {source} is in the catalogue. There is: {', '.join(sources) or 'none'}.")
            return await self.take_out(name)

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

    async def read_shelf(self) -> None:
        """What `stats`, `list_products` and `export` tell of, where nothing is served."""
        async with self._database.read() as connection:
            self._serving = replace(self._serving, shelf=await shelf.load(connection))

    async def price_history(self, product_id: str) -> dict[tuple[str, str], list[Price]]:
        """What the offers of a product have cost, oldest first, by (source, offer id)."""
        kept = tables.offers.c
        async with self._database.read() as connection:
            offers = await connection.execute(select(kept.source, kept.id).where(kept.product_id == product_id))
            return {(row.source, row.id): await prices.history(connection, row.source, row.id) for row in offers.all()}

    def list_products(self) -> list[Product]:
        return sorted(self._serving.shelf.products.values(), key=lambda product: (product.title, product.id))

    async def linked(self, links: Sequence[str]) -> Mapping[str, str]:
        """Ids of products by the address of a page that offers them, of those that are known."""
        query = select(tables.offers.c.link, tables.offers.c.product_id).where(tables.offers.c.link.in_(links))
        async with self._database.read() as connection:
            return {row.link: row.product_id for row in await connection.execute(query)}

    async def sources(self) -> list[Source]:
        """What has been imported, by name."""
        kept, uses, said = tables.offers.c, tables.picture_uses.c, tables.sources.c
        missing = func.sum(case((kept.digest.endswith(UNSEEN), 1), else_=0))
        counted = select(kept.source, func.count(), func.count(distinct(kept.product_id)), missing).group_by(kept.source)
        shown = select(uses.source, func.count(distinct(uses.picture_id))).group_by(uses.source)
        async with self._database.read() as connection:
            found = {row[0]: Source(*row) for row in await connection.execute(counted)}
            for name, pictures in await connection.execute(shown):
                found[name] = replace(found.get(name, Source(name)), pictures=pictures)
            for row in await connection.execute(select(said.source, said.imported, said.refused)):
                one = found.get(row.source, Source(row.source))
                found[row.source] = replace(one, imported=row.imported, rejected=row.refused)
        return [found[name] for name in sorted(found)]

    async def export_to(self, folder: Path) -> int:
        """Write products.jsonl and the pictures into a folder that can be imported anywhere: how many products."""
        lines = self.export()
        for line in lines:
            for name in filter(None, [line["image"], *line["additional_images"]]):
                await asyncio.to_thread(_write, folder / name, await self.files.read(Path(name).stem))
        text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
        await asyncio.to_thread(_write, folder / "products.jsonl", text.encode())
        return len(lines)

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
                "image": _file(goods, product.pictures[:1]),
                "additional_images": [_file(goods, [key]) for key in product.pictures[1:]],
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

    @asynccontextmanager
    async def _storing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; raises Unavailable, saying why, where the disk or the database cannot take it now."""
        try:
            async with self._database.write() as connection:
                yield connection
        except (OSError, sqlite3.Error, DBAPIError) as error:
            raise Unavailable(f"The catalogue cannot be changed now: {explained(error)}") from error

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
                        .values(vector=storing.blob_of(vector), encoder=self._encoder.name)
                    )

    async def _change_encoder(self, change: Reencoding) -> None:
        """While imports wait, nothing is seen with the old encoder: then the new one takes over, everywhere at once."""
        await change.run()
        async with self._one_import:
            await change.run()
            async with self._database.write() as connection:
                await change.swap(connection)
                await journal.everything(connection)
            await self._apply()
        log.info("the encoder is changed to %s", change.wanted.name)

    async def _follow(self) -> None:
        """Serve what this process or another one has imported, a moment later."""
        took = 0.0
        while True:
            await asyncio.sleep(max(FOLLOW_SECONDS, SHARE_OF_TIME * took))
            began = time.monotonic()
            try:
                await self._apply()
            except (SQLAlchemyError, OSError) as error:  # locked or full for a moment: what is served stays as it is
                log.warning("cannot serve what has changed in the catalogue: %s", error)
            took = time.monotonic() - began

    async def _apply(self) -> None:
        """Serve what has changed since: that alone, or everything when nobody knows any more what it was."""
        while self._serves and await self._apply_some():
            pass
        if self._serving.matcher.stale:
            await asyncio.to_thread(self._serving.matcher.calibrate)

    async def _apply_some(self) -> bool:
        """False when there was nothing to do.

        Who is answered meanwhile sees the old shelf: goods that are gone are first gone from what is found, and new ones are
        found only when they can be shown.
        """
        async with self._renewing:
            before = self._serving
            async with self._database.read() as connection:
                changes = await journal.since(connection, self._served)
                if changes and changes.number == self._served:
                    return False
                if changes and self._can_ask(await reencoding.serves(connection)) and before.encoder is self._encoder:
                    goods, names = await shelf.renewed(connection, before.shelf, changes)
                else:
                    changes = None
            if changes is None:
                await self._read_all()
                return True
            matcher = before.matcher
            await asyncio.to_thread(_delete, matcher, changes.pictures - goods.pictures.keys())
            words = await asyncio.to_thread(_prepared, goods, before.words, names)
            self._serving = Serving(goods, matcher, words, self._encoder)
            await self._add_vectors(matcher, changes.pictures & goods.pictures.keys())
            self._served = changes.number
            return True

    async def _add_vectors(self, matcher: Matcher, ids: AbstractSet[str]) -> None:
        kept, wanted = tables.pictures.c, sorted(ids)
        query = select(kept.id, kept.product_id, kept.vector, kept.hash).where(kept.encoder == self._encoder.name)
        for start in range(0, len(wanted), ROWS_AT_ONCE):
            async with self._database.read() as connection:
                part = query.where(kept.id.in_(wanted[start : start + ROWS_AT_ONCE]))
                rows = (await connection.execute(part)).all()
            await asyncio.to_thread(_add, matcher, rows)

    async def _reload(self) -> None:
        """Serve what the database holds, all of it read anew."""
        async with self._renewing:
            await self._read_all()

    async def _read_all(self) -> None:
        async with self._database.read() as connection:
            last = await journal.last(connection)
            if not self._can_ask(await reencoding.serves(connection)):
                self._served = last
                log.warning("another process serves with another INSIGHTS_MODEL: start this one again with the same")
                return
            goods = await shelf.load(connection)
            matcher = Matcher(self._encoder.name, (), dim=self._encoder.dim, folder=self._pictures.folder)
            kept = tables.pictures.c
            query = select(kept.id, kept.product_id, kept.vector, kept.hash).where(kept.encoder == self._encoder.name)
            found = await connection.stream(query.order_by(kept.id))
            async for rows in found.partitions(ROWS_AT_ONCE):
                await asyncio.to_thread(_add, matcher, rows)
        await asyncio.to_thread(matcher.calibrate)
        words = await asyncio.to_thread(TextIndex.build, goods)
        await asyncio.to_thread(goods.prepare)
        self._serving, self._served = Serving(goods, matcher, words, self._encoder), last
        if self._change and self._change.wanted is self._encoder:
            self._change = None

    def _can_ask(self, name: str) -> bool:
        """Whether the index is of an encoder that is loaded here; if it is of the one on its way in, that one takes over."""
        if self._change and name == self._change.wanted.name:
            self._encoder, self._pictures = self._change.wanted, self._change.pictures
        return name in {"", self._encoder.name}


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _file(goods: Shelf, keys: Sequence[str]) -> str:
    """Where PictureFiles keeps it, from DATA_DIR on."""
    content = goods.pictures[keys[0]].content if keys else ""
    return f"pictures/{content[:2]}/{content}.jpg" if content else ""


def _add(matcher: Matcher, rows: Sequence[Any]) -> None:
    matcher.add([Reference(intern(row.id), intern(row.product_id), storing.vector_of(row.vector), row.hash) for row in rows])


def _delete(matcher: Matcher, ids: Iterable[str]) -> None:
    for key in ids:
        matcher.delete(key)


def _prepared(goods: Shelf, words: TextIndex, names: Iterable[str]) -> TextIndex:
    goods.prepare()
    return words.renewed(goods, names)
