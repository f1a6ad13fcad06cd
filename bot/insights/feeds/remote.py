"""What is behind an address, brought into files: a feed, the pages of a Shopify shop, the pages of a sitemap."""

import asyncio
import hashlib
import itertools
import json
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from bot.errors import CannotFetch, UserError
from bot.fetch import Downloaded, Fetcher
from bot.insights.feeds import json_feed, pages, sitemap, values
from bot.insights.feeds.records import Rejected

MAX_FEED = 8 * 1024**3
"""Bytes, as they come over the wire."""
MAX_SITEMAP = 64 * 1024 * 1024
MAX_META = 1024 * 1024
MAX_SHOP_PAGES = 1000
SHOP_PAGE = 250
"""Products, the most that Shopify gives at once."""
MAX_PAGES = 50_000
MAX_SITEMAPS = 500
MAX_SITEMAP_DEPTH = 3
AT_ONCE = 4
"""Pages of one shop."""
PAUSES = (1.0, 4.0)
"""Seconds before an address is tried again."""
_LISTED_AT_ONCE = 200


LOCAL = Downloaded("ok")
"""How a file of this machine was brought."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a remote source, for `rows(path, source=, seller=, currency=)`. It is gone when the next is asked for.

    downloaded: when it says `not_modified`, nothing has changed since the etag or time that was given, and there is no file.
    """

    path: Path
    source: str
    seller: str
    currency: str
    downloaded: Downloaded


async def remote(
    source: str,
    fetcher: Fetcher,
    folder: Path,
    *,
    seller: str = "",
    currency: str = "",
    etag: str = "",
    modified: str = "",
    pauses: Sequence[float] = PAUSES,
) -> AsyncGenerator[Part | Rejected, None]:
    """The files behind an address, in order; what is on disk at once is bounded, what is missing of many pages is Rejected.

    etag, modified: of the last time, for a feed; shops and sitemaps are always read. Raises CannotFetch, TooLarge.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    door = _Door(source, fetcher, folder, seller, currency, tuple(pauses))
    if urlsplit(source).path.endswith("/products.json"):
        found = door.shop()
    else:
        first = await door.get(source, folder / "feed", MAX_FEED, etag=etag, modified=modified)
        is_sitemap = first.downloaded.status == "ok" and await asyncio.to_thread(sitemap.is_sitemap, first.path)
        found = door.site(first) if is_sitemap else door.alone(first)
    async with aclosing(found):
        async for one in found:
            yield one
            if isinstance(one, Part):
                await asyncio.to_thread(one.path.unlink, missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Door:
    source: str
    fetcher: Fetcher
    folder: Path
    seller: str
    currency: str
    pauses: tuple[float, ...]

    async def get(self, url: str, path: Path, max_bytes: int, *, etag: str = "", modified: str = "") -> Part:
        """Raises CannotFetch after the last try, TooLarge."""
        for pause in (*self.pauses, None):
            try:
                done = await self.fetcher.download(url, path, max_bytes=max_bytes, etag=etag, modified=modified)
                return Part(path, url, self.seller, self.currency, done)
            except CannotFetch:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def alone(self, part: Part) -> AsyncGenerator[Part | Rejected, None]:
        yield part

    async def shop(self) -> AsyncGenerator[Part | Rejected, None]:
        """Pages of a Shopify shop until an empty one, or one that was there before: then the server does not count."""
        name, currency = await self._meta()
        before = b""
        for number in range(1, MAX_SHOP_PAGES + 1):
            part = await self.get(_page_of(self.source, number), self.folder / f"products-{number}", MAX_FEED)
            digest, empty = await asyncio.to_thread(_look, part.path)
            if digest == before or (empty and number > 1):
                await asyncio.to_thread(part.path.unlink, missing_ok=True)
                return
            before = digest
            yield Part(part.path, part.source, self.seller or name, currency or self.currency, part.downloaded)
        yield Rejected(
            self.source, 0, "file", f"The shop has more than {MAX_SHOP_PAGES * SHOP_PAGE} products; the rest was not read."
        )

    async def _meta(self) -> tuple[str, str]:
        """Name and currency of a Shopify shop, when it tells."""
        path = self.folder / "meta"
        try:
            await self.fetcher.download(urljoin(self.source, "/meta.json"), path, max_bytes=MAX_META)
            said = json.loads(await asyncio.to_thread(path.read_bytes))
        except (UserError, ValueError, RecursionError):
            return "", ""
        finally:
            path.unlink(missing_ok=True)
        if not isinstance(said, dict):
            return "", ""
        return values.plain(said.get("name")), values.currency_of(values.text(said.get("currency")))

    async def site(self, first: Part) -> AsyncGenerator[Part | Rejected, None]:
        """The pages of a sitemap and of the sitemaps it lists, each once, a few at a time. Only this site's own."""
        window: deque[asyncio.Task[Part | Rejected]] = deque()
        try:
            count = 0
            async with aclosing(self._addresses(first)) as addresses:
                async for found in addresses:
                    if isinstance(found, Rejected):
                        yield found
                        continue
                    count += 1
                    window.append(asyncio.create_task(self._page(found, self.folder / f"page-{count}")))
                    if len(window) >= AT_ONCE:
                        yield await window.popleft()
            while window:
                yield await window.popleft()
        finally:
            for task in window:
                task.cancel()
            await asyncio.gather(*window, return_exceptions=True)

    async def _page(self, url: str, path: Path) -> Part | Rejected:
        try:
            return await self.get(url, path, pages.MAX_PAGE)
        except UserError as error:
            return Rejected(url, 0, "link", str(error))

    async def _addresses(self, first: Part) -> AsyncGenerator[str | Rejected, None]:
        """Of pages, each once; sitemaps that are listed are read after the one that lists them."""
        waiting, known, count, sitemaps = deque([(first, 0)]), {self.source}, 0, 1
        try:
            while waiting:
                part, depth = waiting[0]
                async for kind, url in _listed(part):
                    if url in known:
                        continue
                    if not _same_site(url, self.source):
                        yield Rejected(part.source, 0, "loc", f"{url[:200]} is another site's. Import that site's own sitemap.")
                        continue
                    known.add(url)
                    count += kind == "page"
                    sitemaps += kind == "sitemap"
                    if count > MAX_PAGES or sitemaps > MAX_SITEMAPS or depth >= MAX_SITEMAP_DEPTH:
                        reason = (
                            f"The sitemap lists more than {MAX_PAGES} pages or {MAX_SITEMAPS} sitemaps; the rest was not read."
                        )
                        yield Rejected(part.source, 0, "file", reason)
                        return
                    if kind == "page":
                        yield url
                        continue
                    found = await self._sitemap(url, self.folder / f"sitemap-{sitemaps}")
                    if isinstance(found, Part):
                        waiting.append((found, depth + 1))
                    else:
                        yield found
                waiting.popleft()
                part.path.unlink(missing_ok=True)
        finally:
            for part, _ in waiting:
                part.path.unlink(missing_ok=True)

    async def _sitemap(self, url: str, path: Path) -> Part | Rejected:
        try:
            return await self.get(url, path, MAX_SITEMAP)
        except UserError as error:
            return Rejected(url, 0, "link", str(error))


async def _listed(part: Part) -> AsyncGenerator[tuple[str, str], None]:
    """What a sitemap lists, read on a thread some hundreds at a time."""
    listed = sitemap.listed(part.path)
    while batch := await asyncio.to_thread(lambda: list(itertools.islice(listed, _LISTED_AT_ONCE))):
        for kind, address in batch:
            try:
                url = urljoin(part.source, address)
            except ValueError:
                url = address  # no address at all; said to be another site's
            yield kind, url


def _same_site(url: str, other: str) -> bool:
    try:
        hosts = [(urlsplit(one).hostname or "").removeprefix("www.") for one in (url, other)]
    except ValueError:
        return False
    return hosts[0] == hosts[1]


def _page_of(source: str, number: int) -> str:
    parts = urlsplit(source)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in {"limit", "page"}]
    query = urlencode([*kept, ("limit", str(SHOP_PAGE)), ("page", str(number))])
    return urlunsplit(parts._replace(query=query, fragment=""))


def _look(path: Path) -> tuple[bytes, bool]:
    """A digest of a file, and whether its JSON lists nothing."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    return digest, json_feed.lists_nothing(path)
