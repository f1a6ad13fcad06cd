"""Feeds into the database: what has changed is fetched, looked at and stored, a batch at a time; the rest costs nothing.

A batch is one transaction, so a process that is killed loses at most one, and the next import goes on after it.
"""

import asyncio
import fcntl
import json
import os
import tempfile
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import CannotFetch, UserError
from bot.fetch import Downloaded
from bot.insights import feeds, journal, prices, storing, tables
from bot.insights.encoders import ImageEncoder
from bot.insights.feeds import Feed, Page, Part, Rejected
from bot.insights.pictures import Features, Pictures
from bot.insights.staging import MOST_TRIES, UNSEEN, Fresh, Staging
from bot.insights.storing import Uses
from bot.storage import Database, insert

BATCH = 64
"""Offers that are looked at and committed together."""
AHEAD = 2
"""Batches that are looked at while one is stored: with one, every batch would wait for its last picture."""
FEW_CONTENTS = 10_000
READ_AT_ONCE = 1000
"""Rows between two words of progress."""
PICTURES_AT_ONCE = 8
LOGO_SIDE = 256
MOST_REPORTED = 1000
"""Rejections that a report lists; all of them go to its sink."""
SEEN_LATELY = 1000
"""Pictures whose features are at hand: the same bytes are often named by neighbours in a feed."""
DEAF, SLOW_SECONDS = 20, 1.0
"""So many pictures of one server, one after another, that could not be had after so long: it is asked no more in this import."""
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class ImportReport:
    """What an import did to the offers, and what it would not take: the first of `refused`; all of them went to `sink`.

    without_picture: offers that were stored though none of their pictures could be had; they are tried again next time.
    failed: sources of which nothing could be read. stopped: somebody ended it before it was through; what came in stays,
    and nothing was removed.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    without_picture: int = 0
    refused: int = 0
    stopped: bool = False
    failed: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    sink: Callable[[Rejected], None] | None = None

    def reject(self, one: Rejected) -> None:
        self.refused += 1
        if len(self.rejected) < MOST_REPORTED:
            self.rejected.append(one)
        if self.sink:
            self.sink(one)


@dataclass(frozen=True, slots=True)
class Order:
    """A source to bring in: a path in full or an address. seller, currency: of rows that name none.

    refresh: pictures are fetched again though their addresses have not changed.
    """

    source: str
    seller: str = ""
    currency: str = ""
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class _Told:
    """What is remembered of a source between imports."""

    etag: str = ""
    modified: str = ""


class _Contents:
    """Which pictures were seen before, by name: eight bytes of each, so that a new one costs no question to the database.

    It may say so of one that was not, and of one that is gone again.
    """

    def __init__(self) -> None:
        self._old = np.zeros(0, dtype=np.uint64)
        self._new: set[int] = set()

    def update(self, contents: Iterable[str]) -> None:
        self._new.update(map(_number, contents))
        if len(self._new) > max(FEW_CONTENTS, len(self._old) // 8):
            self._old = np.sort(np.concatenate([self._old, np.fromiter(self._new, np.uint64, len(self._new))]))
            self._new.clear()

    def __contains__(self, content: str) -> bool:
        number = _number(content)
        at = int(np.searchsorted(self._old, np.uint64(number)))
        return number in self._new or (at < len(self._old) and int(self._old[at]) == number)


def _number(content: str) -> int:
    return int(content[:16], 16)


class Importer:
    """One import, of one or more sources.

    `progress` gets (0, offers read) while a source is read, then (offers done, all).
    """

    def __init__(
        self,
        database: Database,
        pictures: Pictures,
        encoder: ImageEncoder,
        report: ImportReport,
        *,
        progress: Progress | None = None,
    ) -> None:
        self._database = database
        self._pictures = pictures
        self._encoder = encoder
        self._report = report
        self._progress = progress or (lambda _done, _total: None)
        self._gate = asyncio.Semaphore(PICTURES_AT_ONCE)
        self._lately: dict[str, asyncio.Task[Features]] = {}
        self._contents: asyncio.Task[_Contents] | None = None
        self._deaf: Counter[str] = Counter()
        self._storing = self._stop = False

    def stop(self) -> bool:
        """End after the batch that is stored now; False when there is none, or it was asked for before."""
        asked, self._stop = self._stop, True
        return self._storing and not asked

    async def bring(self, order: Order) -> None:
        """Read one source and store what is new in it. Raises UserError when nothing of it can be read."""
        folder = self._pictures.folder
        refused = self._report.refused
        staging = await asyncio.to_thread(Staging.open, folder)
        try:
            said = Feed()
            whole, told = await self._read(order, staging, said)
            if told is not None:
                await self._store(order, staging, said, whole=whole)
            told = told if whole and not self._report.stopped else _Told()
            await self._remember(order, told, refused=self._report.refused - refused)
        finally:
            await _end(*self._lately.values(), *([self._contents] if self._contents else []))
            self._lately.clear()
            self._contents = None
            await asyncio.to_thread(staging.close)

    # ------------------------------------------------------------ what the source says

    async def _read(self, order: Order, staging: Staging, said: Feed) -> tuple[bool, _Told | None]:
        """Whether all of it could be read, and what to tell the server next time; None when nothing has changed since."""
        source, before, whole = order.source, self._report.refused, True
        told = _Told() if order.refresh else await self._told(order)
        async with self._parts(order, said, told) as parts:
            async for part in parts:
                if isinstance(part, Rejected):
                    self._report.reject(part)
                    whole = False
                    continue
                if part.downloaded.status == "not_modified":
                    self._report.unchanged += await self._count(source)
                    return True, None
                if part.source == source:
                    told = _Told(part.downloaded.etag, part.downloaded.modified)
                found = feeds.rows(part.path, source=part.source, seller=part.seller, currency=part.currency)
                while await asyncio.to_thread(staging.take, found, READ_AT_ONCE):
                    whole &= self._refuse(staging)
                    self._progress(0, staging.rows)
                whole &= self._refuse(staging)
        for one in said.rejected:
            self._report.reject(one)
        if not staging.rows and self._report.refused == before:
            self._report.reject(Rejected(source, 0, "file", "It lists no product."))
        return whole, told

    def _refuse(self, staging: Staging) -> bool:
        """Hand on what was rejected; False when the rest of a file could not be read."""
        rejected, staging.rejected = staging.rejected, []
        for one in rejected:
            self._report.reject(one)
        return all(one.field != "file" for one in rejected)

    @asynccontextmanager
    async def _parts(self, order: Order, said: Feed, told: _Told) -> AsyncIterator[AsyncIterator[Part | Rejected]]:
        """The files of a source; `said` gets what a folder says beside them."""
        source, seller, currency = order.source, order.seller, order.currency
        if urlsplit(source).scheme in {"http", "https"}:
            with tempfile.TemporaryDirectory(prefix="import-", dir=self._pictures.folder) as name:
                fetcher, folder = self._pictures.fetcher, Path(name)
                found = feeds.remote(
                    source, fetcher, folder, seller=seller, currency=currency, etag=told.etag, modified=told.modified
                )
                async with aclosing(found):
                    yield found
            return
        path = Path(source)
        files = [path] if await asyncio.to_thread(path.is_file) else await asyncio.to_thread(feeds.files_of, path)
        if files != [path]:
            beside = await asyncio.to_thread(feeds.company, path)
            said.logos, said.related, said.rejected = beside.logos, beside.related, beside.rejected

        async def local() -> AsyncIterator[Part | Rejected]:
            for file in files:
                yield Part(file, str(file), seller, currency, feeds.LOCAL)

        yield local()

    # ------------------------------------------------------------ what is new in it

    async def _store(self, order: Order, staging: Staging, said: Feed, *, whole: bool) -> None:
        source, refresh, report = order.source, order.refresh, self._report
        await asyncio.to_thread(staging.group, source)
        async with self._database.read() as connection:
            for table, key, note in ((tables.offers, "id", staging.know), (tables.pages, "url", staging.know_pages)):
                query = select(table.c[key], table.c.digest).where(table.c.source == source)
                async for some in (await connection.stream(query)).partitions(READ_AT_ONCE):
                    await asyncio.to_thread(note, [(row[0], row[1]) for row in some])
        done = 0 if refresh else await asyncio.to_thread(staging.unchanged)
        report.unchanged += done
        self._storing = True
        try:
            async with aclosing(self._seen(order, staging)) as seen:
                async for batch, uses in seen:
                    await self._put_offers(source, batch, uses)
                    done += len(batch)
                    self._progress(done, staging.rows)
                    if self._stop:
                        report.stopped = True
                        return
        finally:
            self._storing = False
        await self._put_pages(source, await asyncio.to_thread(staging.fresh_pages), refresh=refresh)
        await self._put_subjects(source, staging, refresh=refresh)
        await self._put_logos(source, said.logos | staging.logos)
        await self._put_related(source, said.related)
        await self._forget(source, staging, whole=whole and staging.rows > 0)
        # whatever has changed now: an import that was killed may have left something behind
        await storing.sweep(self._database, self._pictures.files)
        async with self._database.write() as connection:
            await prices.sweep(connection)

    async def _forget(self, source: str, staging: Staging, *, whole: bool) -> None:
        """What is no longer stated goes; of a source that could not be read to its end nothing does."""
        gone, gone_pages = await asyncio.to_thread(lambda: (staging.gone(), staging.gone_pages()))
        if (gone or gone_pages) and not whole:
            text = f"{len(gone)} offers are not in what could be read of it. They stay until it can be read to its end."
            self._report.reject(Rejected(source, 0, "file", text))
            gone, gone_pages = [], []
        self._report.removed += len(gone)
        async with self._database.write() as connection:
            await prices.gone(connection, source, gone)
            await storing.drop(connection, source, [*gone, *gone_pages])
            offers = tables.offers.c
            seen = update(tables.offers).where(offers.source == source, offers.last_seen != storing.today())
            await connection.execute(seen.values(last_seen=storing.today()))

    async def _seen(self, order: Order, staging: Staging) -> AsyncGenerator[tuple[list[Fresh], Uses], None]:
        """Each batch with its pictures; the next ones are looked at while this one is stored, or waits for its last picture."""
        turns = asyncio.Lock()

        async def following() -> tuple[list[Fresh], Uses]:
            async with turns:
                batch = await asyncio.to_thread(staging.fresh, BATCH, all_of_it=order.refresh)
            wanted = {one.row.id: (one.product_id, one.row.pictures, one.row.number) for one in batch}
            return batch, await self._look_at(wanted, order.source, refresh=order.refresh)

        ahead = deque(asyncio.create_task(following()) for _ in range(AHEAD))
        try:
            while (found := await ahead[0])[0]:
                ahead.popleft()
                ahead.append(asyncio.create_task(following()))
                yield found
        finally:
            await _end(*ahead)

    async def _put_offers(self, source: str, batch: Sequence[Fresh], uses: Uses) -> None:
        """Offers that say and show what they did cost nothing more; those that still lack a picture are known by that."""
        missing = {one.row.id for one in batch if len(uses[one.row.id]) < len(one.row.pictures)}
        again = [one for one in batch if one.same]
        shown = await self._shown_by(source, [one.row.id for one in again])
        same = {one.row.id for one in again if shown[one.row.id] == [(address, key) for address, key, _ in uses[one.row.id]]}
        self._report.without_picture += sum(not uses[one.row.id] for one in batch)
        self._report.unchanged += len(same)
        self._report.added += sum(not one.known for one in batch)
        self._report.updated += sum(one.known and one.row.id not in same for one in batch)
        batch = [one for one in batch if one.row.id not in same or one.row.id in missing or one.tries]
        if not batch:
            return
        async with self._database.write() as connection:
            await storing.put_offers(connection, source, batch, uses, self._encoder.name, missing=missing)

    async def _shown_by(self, source: str, ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        """What offers show in the catalogue: address and picture id, in order."""
        found: dict[str, list[tuple[str, str]]] = {key: [] for key in ids}
        if ids:
            uses = tables.picture_uses.c
            query = select(tables.picture_uses).where(uses.source == source, uses.used_by.in_(ids)).order_by(uses.position)
            async with self._database.read() as connection:
                for row in await connection.execute(query):
                    found[row.used_by].append((row.address, row.picture_id))
        return found

    async def _put_pages(self, source: str, pages: Sequence[tuple[Page, str]], *, refresh: bool) -> None:
        """A page's picture is the product's when a feed of the same source names the same address, else one of its own."""
        for start in range(0, len(pages), BATCH):
            batch = pages[start : start + BATCH]
            shown = await self._shown(source, {page.url: (page.pictures, page.number) for page, _ in batch}, refresh=refresh)
            async with self._database.write() as connection:
                await storing.drop(connection, source, [page.url for page, _ in batch])
                values = [{"source": source, "url": page.url, "digest": digest, "title": page.title} for page, digest in batch]
                await connection.execute(insert(tables.pages), values)
                await self._put_shown(connection, source, shown)

    async def _put_subjects(self, source: str, staging: Staging, *, refresh: bool) -> None:
        """Recipes, collections and entities."""

        def compared() -> tuple[dict[str, list[str]], dict[str, str]]:
            products = {one.key: staging.products_named(one.products) for one in staging.subjects}
            return products, {one.key: one.digest(products[one.key]) for one in staging.subjects}

        products, digests = await asyncio.to_thread(compared)
        async with self._database.read() as connection:
            known = dict(await storing.pairs(connection, tables.subjects, "key", source))
        fresh = [one for one in staging.subjects if known.get(one.key) != digests[one.key]]
        gone = set(known) - set(digests)
        shown = await self._shown(source, {one.key: (one.pictures, one.number) for one in fresh}, refresh=refresh)
        async with self._database.write() as connection:
            await storing.drop(connection, source, [*gone, *(one.key for one in fresh)])
            if fresh or gone:
                await journal.rest(connection)
            for one in fresh:
                await connection.execute(insert(tables.subjects).values(storing.subject_values(source, one, digests[one.key])))
                await storing.put_subject_products(connection, source, one.key, products[one.key])
            await self._put_shown(connection, source, shown)

    async def _put_logos(self, source: str, wanted: Mapping[str, str]) -> None:
        async with self._database.read() as connection:
            known = {row.name: row.digest for row in await connection.execute(select(tables.sellers))}
        for name, address in wanted.items():
            digest = feeds.stamp_of(address)
            if known.get(name) == digest:
                continue
            try:
                content, data = await self._pictures.bytes_of(address)
                await self._pictures.keep(content, data, side=LOGO_SIDE)
            except UserError as error:
                self._report.reject(Rejected(source, 0, "seller_logo", f"{_short(address)}: {error}"))
                continue
            async with self._database.write() as connection:
                await journal.rest(connection)
                await connection.execute(delete(tables.sellers).where(tables.sellers.c.name == name))
                values = {"name": name, "source": source, "logo": content, "digest": digest}
                await connection.execute(insert(tables.sellers).values(values))

    async def _put_related(self, source: str, related: Mapping[str, Sequence[str]]) -> None:
        said = tables.related_searches.c
        wanted = [
            {"source": source, "product_type": kind, "position": position, "query": query}
            for kind, queries in related.items()
            for position, query in enumerate(queries)
        ]
        async with self._database.read() as connection:
            query = select(tables.related_searches).where(said.source == source)
            known = [dict(row) for row in (await connection.execute(query)).mappings()]
        if sorted(map(_sortable, known)) == sorted(map(_sortable, wanted)):
            return
        async with self._database.write() as connection:
            await journal.rest(connection)
            await connection.execute(delete(tables.related_searches).where(said.source == source))
            if wanted:
                await connection.execute(insert(tables.related_searches), wanted)

    # ------------------------------------------------------------ pictures

    async def _look_at(self, wanted: Mapping[str, tuple[str, tuple[str, ...], int]], source: str, *, refresh: bool) -> Uses:
        """The usable pictures of each offer or page: (address, picture id, features). The bad ones are reported.

        One address is opened once, and the same bytes are looked at once, whoever names them. A web address that this source
        has named before is not fetched again, unless `refresh` says so: then its server is asked whether it has changed.
        """
        addresses = list(dict.fromkeys(address for _, found, _ in wanted.values() for address in found))
        known = await self._known(source, addresses)
        labels = await self._labels(known) if refresh else {}
        fresh: dict[str, tuple[str, str]] = {}

        async def features(address: str) -> Features | UserError:
            if address in known and not refresh:
                return known[address]
            async with self._gate:
                try:
                    etag, modified = labels.get(address, ("", ""))
                    data, said = await self._bytes_of(address, etag=etag, modified=modified)
                    if said.status == "not_modified":
                        return known[address]
                    if said.etag or said.modified:
                        fresh[address] = said.etag, said.modified
                    return await asyncio.shield(self._features_once(await self._pictures.name_of(data), data))
                except UserError as error:
                    if address not in known:
                        return error
                    self._report.reject(Rejected(source, 0, "image_link", f"{_short(address)}: {error} It stays as it was."))
                    return known[address]

        seen = dict(zip(addresses, await asyncio.gather(*map(features, addresses)), strict=True))
        await self._remember_labels(fresh)
        usable: Uses = {}
        for key, (product_id, found, number) in wanted.items():
            usable[key] = []
            for address in found:
                one = seen[address]
                if isinstance(one, Features):
                    usable[key].append((address, storing.picture_id(product_id, one.content), one))
                else:
                    self._report.reject(Rejected(source, number, "image_link", f"{_short(address)}: {one}"))
        return usable

    async def _bytes_of(self, address: str, *, etag: str, modified: str) -> tuple[bytes, Downloaded]:
        """Raises CannotFetch, NotAPicture, TooLarge."""
        host = urlsplit(address).netloc
        if self._deaf[host] >= DEAF:
            raise CannotFetch(f"{host} did not answer {DEAF} times. It is asked again at the next import.")
        began = time.monotonic()
        try:
            found = await self._pictures.labelled(address, etag=etag, modified=modified)
        except CannotFetch:
            self._deaf[host] += time.monotonic() - began >= SLOW_SECONDS
            raise
        self._deaf[host] = 0
        return found

    async def _labels(self, addresses: Iterable[str]) -> dict[str, tuple[str, str]]:
        """What the servers of these addresses said of them: ETag, Last-Modified."""
        said, wanted = tables.addresses.c, list(addresses)
        found: dict[str, tuple[str, str]] = {}
        async with self._database.read() as connection:
            for start in range(0, len(wanted), storing.IN_ONE_QUERY):
                query = select(tables.addresses).where(said.address.in_(wanted[start : start + storing.IN_ONE_QUERY]))
                found |= {row.address: (row.etag, row.modified) for row in await connection.execute(query)}
        return found

    async def _remember_labels(self, fresh: Mapping[str, tuple[str, str]]) -> None:
        if not fresh:
            return
        statement = insert(tables.addresses)
        labels = {"etag": statement.excluded.etag, "modified": statement.excluded.modified}
        values = [{"address": address, "etag": etag, "modified": modified} for address, (etag, modified) in fresh.items()]
        async with self._database.write() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["address"], set_=labels), values)

    def _features_once(self, content: str, data: bytes) -> asyncio.Task[Features]:
        if content not in self._lately:
            if len(self._lately) >= SEEN_LATELY:
                self._lately.pop(next(iter(self._lately)))
            self._lately[content] = asyncio.create_task(self._features(content, data))
        return self._lately[content]

    async def _known(self, source: str, addresses: Sequence[str]) -> dict[str, Features]:
        """Of web addresses that this source has named before, by this encoder's eyes."""
        remote = [one for one in addresses if urlsplit(one).scheme in {"http", "https"}]
        uses, kept = tables.picture_uses.c, tables.pictures.c
        found: dict[str, Features] = {}
        async with self._database.read() as connection:
            for start in range(0, len(remote), storing.IN_ONE_QUERY):
                query = (
                    select(uses.address, tables.pictures)
                    .join(tables.pictures, kept.id == uses.picture_id)
                    .where(uses.source == source, uses.address.in_(remote[start : start + storing.IN_ONE_QUERY]))
                    .where(kept.encoder == self._encoder.name)
                )
                found |= {row.address: storing.features_of(row) for row in await connection.execute(query)}
        return found

    async def _features(self, content: str, data: bytes) -> Features:
        """From the database when these bytes have been seen, by this encoder, before."""
        if self._contents is None:
            self._contents = asyncio.create_task(self._stored())
        contents = await asyncio.shield(self._contents)
        if content in contents and (known := await self._kept(content)):
            return known
        seen = await self._pictures.take(content, data)
        contents.update([content])
        return seen

    async def _kept(self, content: str) -> Features | None:
        kept = tables.pictures.c
        query = select(tables.pictures).where(kept.content == content, kept.encoder == self._encoder.name).limit(1)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return storing.features_of(row) if row else None

    async def _stored(self) -> "_Contents":
        kept, contents = tables.pictures.c, _Contents()
        query = select(kept.content).where(kept.encoder == self._encoder.name)
        async with self._database.read() as connection:
            async for some in (await connection.stream(query)).partitions(READ_AT_ONCE):
                await asyncio.to_thread(contents.update, [row.content for row in some])
        return contents

    async def _shown(
        self, source: str, hosts: Mapping[str, tuple[tuple[str, ...], int]], *, refresh: bool
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
            addresses = list({address for pictures, _ in hosts.values() for address in pictures})
            for start in range(0, len(addresses), storing.IN_ONE_QUERY):
                part = query.where(uses.address.in_(addresses[start : start + storing.IN_ONE_QUERY]))
                for row in await connection.execute(part.where(uses.source == source, kept.product_id != "")):
                    of_product[row.address].append(row.picture_id)
        rest = {
            key: ("", tuple(address for address in pictures if address not in of_product), number)
            for key, (pictures, number) in hosts.items()
        }
        own = await self._look_at(rest, source, refresh=refresh)
        return {
            key: [(address, found, None) for address in pictures for found in of_product.get(address, ())] + [*own[key]]
            for key, (pictures, _) in hosts.items()
        }

    async def _put_shown(
        self, connection: AsyncConnection, source: str, shown: Mapping[str, Sequence[tuple[str, str, Features | None]]]
    ) -> None:
        own = [("", key, features) for found in shown.values() for _, key, features in found if features]
        await storing.put_pictures(connection, own, self._encoder.name)
        await storing.put_uses(
            connection, source, {host: [(where, key) for where, key, _ in found] for host, found in shown.items()}
        )

    # ------------------------------------------------------------ what is remembered of a source

    async def _told(self, order: Order) -> _Told:
        """For the next request: nothing when some picture is missing still, or when it is imported in another way."""
        source = order.source
        async with self._database.read() as connection:
            row = (await connection.execute(select(tables.sources).where(tables.sources.c.source == source))).first()
            missing = select(tables.offers.c.id).where(tables.offers.c.source == source, tables.offers.c.digest.endswith(UNSEEN))
            missing = missing.where(~tables.offers.c.digest.endswith(UNSEEN * MOST_TRIES))
            tried_again = (await connection.execute(missing.limit(1))).first()
        if row is None or tried_again or row.options != self._options(order):
            return _Told()
        return _Told(row.etag, row.modified)

    async def _remember(self, order: Order, told: _Told | None, *, refused: int) -> None:
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        values: dict[str, Any] = {"imported": now}
        if told is not None:
            values |= {"refused": refused, "etag": told.etag, "modified": told.modified, "options": self._options(order)}
        first = {"refused": 0, "etag": "", "modified": "", "options": ""} | values
        statement = insert(tables.sources).values(source=order.source, **first)
        async with self._database.write() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["source"], set_=values))

    def _options(self, order: Order) -> str:
        return json.dumps([order.seller, order.currency, self._encoder.name])

    async def _count(self, source: str) -> int:
        query = select(func.count()).select_from(tables.offers).where(tables.offers.c.source == source)
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())


@contextmanager
def only_import(folder: Path, what: str) -> Iterator[None]:
    """One import of a DATA_DIR at a time, whatever the process; the lock goes with the process however it ends.

    Raises UserError saying who is at it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "import.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise UserError(f"Another import is running: {lock.read().strip()}. Wait for it to end, or stop it.") from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {what[:200]}")
        lock.flush()
        yield


def source_name(source: str) -> str:
    """An address as it is, a path in full."""
    return source if urlsplit(source).scheme in {"http", "https"} else str(Path(source).resolve())


def explained(error: BaseException) -> str:
    """What to do about a failure of the disk or the database, in a sentence."""
    text = str(error)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return "the database went away. Check that it runs."
    if (isinstance(error, OSError) and error.errno in {27, 28, 122}) or "full" in text or "disk I/O" in text:
        return "the disk is full. Make room, or set DATA_DIR to another disk."
    if "locked" in text:
        return "the database is locked by another program. Stop it."
    return f"{text.splitlines()[0][:200] if text else type(error).__name__}."


def _short(address: str) -> str:
    return address if len(address) <= 100 else f"…{address[-99:]}"  # noqa: PLR2004 (a line of a terminal)


def _sortable(row: Mapping[str, Any]) -> tuple[str, int, str]:
    return row["product_type"], row["position"], row["query"]


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
