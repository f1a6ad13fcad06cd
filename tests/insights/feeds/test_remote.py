"""What is behind an address: a feed, a Shopify shop, a sitemap; from a server that is as real as it gets on loopback."""

import gzip
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.errors import CannotFetch
from bot.fetch import Fetcher
from bot.insights.feeds import Page, Part, Rejected, Row, Said, remote, rows

Answer = str | bytes | int
ONE_ROW = "id\ttitle\tlink\timage_link\tprice\n1\tCup\t/1\t/1.jpg\t9.50 EUR\n"


@asynccontextmanager
async def shop(pages: Mapping[str, Answer]) -> AsyncIterator[tuple[str, list[str]]]:
    """A web server with these pages by path and query, and what it was asked for; a number is a status."""
    asked: list[str] = []

    async def page(request: web.Request) -> web.StreamResponse:
        asked.append(request.path_qs)
        found = pages.get(request.path_qs, pages.get(request.path, 404))
        if isinstance(found, int):
            return web.Response(status=found)
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304)
        body = found.replace("HERE", f"http://{request.host}").encode() if isinstance(found, str) else found
        return web.Response(body=body, headers={"ETag": '"v1"'})

    app = web.Application()
    app.add_routes([web.get("/{path:.*}", page)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


async def brought(url: str, folder: Path, **options: Any) -> list[Said]:
    """All that a source says, read part by part as an importer does."""
    found: list[Said] = []
    async with Fetcher.open(allow=("127.0.0.1",)) as fetcher:
        async for part in remote(url, fetcher, folder, pauses=(), **options):
            if isinstance(part, Rejected):
                found.append(part)
            else:
                found += rows(part.path, source=part.source, seller=part.seller, currency=part.currency)
    assert list(folder.iterdir()) == []  # noqa: ASYNC240 (a test)
    return found


@pytest.mark.parametrize("name", ["/feed.tsv", "/feed.xml?key=1", "/export.gz"])
async def test_a_feed_is_read_from_its_address(tmp_path: Path, name: str) -> None:
    content: Answer = gzip.compress(ONE_ROW.encode()) if name.endswith("gz") else ONE_ROW
    async with shop({name: content}) as (url, _):
        (row,) = await brought(url + name, tmp_path)
    assert isinstance(row, Row)
    assert (row.link, row.pictures) == (f"{url}/1", (f"{url}/1.jpg",))


async def test_a_feed_that_has_not_changed_is_not_sent_again(tmp_path: Path) -> None:
    async with shop({"/feed.tsv": ONE_ROW}) as (url, _), Fetcher.open(allow=("127.0.0.1",)) as fetcher:
        said = []
        for etag in ("", '"v1"'):
            async for part in remote(f"{url}/feed.tsv", fetcher, tmp_path, etag=etag):
                assert isinstance(part, Part)
                said.append((part.downloaded.status, part.downloaded.etag, part.path.exists()))
    assert said == [("ok", '"v1"', True), ("not_modified", '"v1"', False)]


async def test_an_address_that_does_not_answer_is_named(tmp_path: Path) -> None:
    async with shop({}) as (url, asked):
        with pytest.raises(CannotFetch, match=r"/feed\.tsv"):
            await brought(f"{url}/feed.tsv", tmp_path)
    assert asked == ["/feed.tsv"]


# ---------------------------------------------------------------- Shopify


def products(*ids: int) -> str:
    variant = {"title": "Default Title", "option1": "Default Title", "price": "12.00", "available": True}
    return json.dumps(
        {
            "products": [
                {
                    "id": one,
                    "title": f"Cup {one}",
                    "handle": f"cup-{one}",
                    "options": [{"name": "Title"}],
                    "variants": [variant | {"id": one * 10}],
                    "images": [{"src": f"https://cdn.example/{one}.jpg"}],
                }
                for one in ids
            ]
        }
    )


PAGES: dict[str, Answer] = {
    "/products.json?limit=250&page=1": products(1, 2),
    "/products.json?limit=250&page=2": products(3),
    "/products.json?limit=250&page=3": products(),
}


async def test_a_shopify_shop_is_read_until_a_page_is_empty(tmp_path: Path) -> None:
    meta = json.dumps({"name": "Lindenhof &amp; Co", "currency": "CHF"})
    async with shop(PAGES | {"/meta.json": meta}) as (url, asked):
        found = await brought(f"{url}/products.json", tmp_path, currency="EUR")
    assert [(one.id, one.currency, one.seller) for one in found if isinstance(one, Row)] == [
        ("10", "CHF", "Lindenhof & Co"),
        ("20", "CHF", "Lindenhof & Co"),
        ("30", "CHF", "Lindenhof & Co"),
    ]
    assert asked == ["/meta.json", *PAGES]


@pytest.mark.parametrize("meta", [404, "<html>", "[]", '{"currency": 5}', b"\xff"])
async def test_a_shop_that_hides_its_currency_takes_the_callers(tmp_path: Path, meta: Answer) -> None:
    async with shop(PAGES | {"/meta.json": meta}) as (url, _):
        found = await brought(f"{url}/products.json", tmp_path, currency="EUR", seller="Mine")
        assert {(one.currency, one.seller) for one in found if isinstance(one, Row)} == {("EUR", "Mine")}
        without = await brought(f"{url}/products.json", tmp_path)
    assert [one.field for one in without if isinstance(one, Rejected)] == ["currency"] * 3


async def test_a_server_that_does_not_count_pages_is_read_once(tmp_path: Path) -> None:
    async with shop({"/products.json": products(1)}) as (url, asked):
        found = await brought(f"{url}/products.json?page=7&x=1", tmp_path, currency="EUR")
    assert len(found) == 1
    assert asked[1:] == [f"/products.json?x=1&limit=250&page={n}" for n in (1, 2)]


async def test_a_shop_that_breaks_off_is_not_taken_for_whole(tmp_path: Path) -> None:
    async with shop(PAGES | {"/products.json?limit=250&page=2": 500}) as (url, _):
        with pytest.raises(CannotFetch):
            await brought(f"{url}/products.json", tmp_path, currency="EUR")


# ---------------------------------------------------------------- sitemaps


def sitemap(*addresses: str, of: str = "url", root: str = "urlset") -> str:
    listed = "".join(f"<{of}>\n<loc> {one} </loc><lastmod>2026-11-01</lastmod></{of}>" for one in addresses)
    return f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</{root}>'


def goods(name: str) -> str:
    lamp = {"@type": "Product", "name": name, "image": f"/{name}.jpg", "offers": {"price": 5, "priceCurrency": "EUR"}}
    return f"<!doctype html><title>{name}</title><script type=application/ld+json>{json.dumps(lamp)}</script>"


async def test_a_sitemaps_pages_are_read_in_order_through_its_index(tmp_path: Path) -> None:
    pages: dict[str, Answer] = {f"/p/{n}": goods(f"lamp{n}") for n in range(12)}
    pages["/sitemap.xml"] = sitemap("HERE/a.xml", "HERE/b.xml.gz", "HERE/gone.xml", of="sitemap", root="sitemapindex")
    pages["/a.xml"] = sitemap(*(f"HERE/p/{n}" for n in range(7)), "HERE/p/3", "HERE/p/none", "https://elsewhere.example/p/1")
    async with shop(pages) as (url, asked):
        pages["/b.xml.gz"] = gzip.compress(sitemap(*(f"{url}/p/{n}" for n in range(7, 12))).encode())
        found = await brought(f"{url}/sitemap.xml", tmp_path)
    sold = [one for one in found if isinstance(one, Row)]
    assert [one.title for one in sold] == [f"lamp{n}" for n in range(12)]
    assert (sold[0].link, sold[0].pictures) == (f"{url}/p/0", (f"{url}/lamp0.jpg",))
    assert {(one.source.removeprefix(url), one.field) for one in found if isinstance(one, Rejected)} == {
        ("/p/none", "link"),
        ("/gone.xml", "link"),
        ("/a.xml", "loc"),
    }
    assert len(asked) == len(set(asked))


async def test_sitemaps_that_name_each_other_come_to_an_end(tmp_path: Path) -> None:
    pages: dict[str, Answer] = {
        f"/{name}.xml": sitemap(
            "http://[", "HERE/a.xml", "HERE/b.xml", f"HERE/{name}{name}.xml", of="sitemap", root="sitemapindex"
        )
        for name in ("a", "b", "aa", "aaaa", "aaaaaaaa", "aaaaaaaaaaaaaaaa")
    }
    async with shop(pages) as (url, asked):
        found = await brought(f"{url}/a.xml", tmp_path)
    assert len(asked) == len(set(asked))
    assert all(isinstance(one, Rejected) for one in found)


async def test_whoever_stops_listening_stops_the_reading(tmp_path: Path) -> None:
    pages: dict[str, Answer] = {f"/p/{n}": goods(f"lamp{n}") for n in range(50)}
    pages["/sitemap.xml"] = sitemap(*(f"HERE/p/{n}" for n in range(50)))
    async with (
        shop(pages) as (url, asked),
        Fetcher.open(allow=("127.0.0.1",)) as fetcher,
        aclosing(remote(f"{url}/sitemap.xml", fetcher, tmp_path)) as parts,
    ):
        async for _ in parts:
            break
    assert len(asked) < 10


async def test_an_address_of_a_page_is_that_page(tmp_path: Path) -> None:
    async with shop({"/p/arc": goods("arc")}) as (url, _):
        row, shown = await brought(f"{url}/p/arc", tmp_path)
    assert isinstance(row, Row)
    assert isinstance(shown, Page)
    assert (row.id, row.link, shown.url) == (f"{url}/p/arc#product", f"{url}/p/arc", f"{url}/p/arc")
