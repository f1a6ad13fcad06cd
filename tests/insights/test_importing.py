"""Imports from shops on the web: what is fetched, what is not, and what becomes of pictures that cannot be had."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import md5, sha256
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from bot.insights.catalogue import Catalogue
from bot.insights.encoders import load_encoder
from bot.insights.importing import _Contents
from bot.storage import Database
from tests import databases
from tests.worlds import CATALOGUE, Engine

pytestmark = pytest.mark.asyncio(loop_scope="session")

MUG, PLATE, CUP = ((CATALOGUE / "images" / f"{name}.jpg").read_bytes() for name in ("mg01", "pl01", "ec01"))


@dataclass
class Shop:
    """A server of files that counts who asks; it tells each file's ETag and answers 304 to who knows it."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    labels: bool = True

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.lstrip("/")
        self.asked[name] += 1
        if name not in self.files:
            raise web.HTTPNotFound
        headers = {"ETag": f'"{md5(self.files[name]).hexdigest()}"'} if self.labels else {}  # noqa: S324 (a label)
        if headers and request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        self.sent[name] += 1
        return web.Response(body=self.files[name], headers=headers)

    def feed(self, *rows: dict[str, str]) -> str:
        names = ["id", "title", "link", "image_link", "price"]
        usual = {"title": "Mug", "link": "https://shop.example/1", "price": "9.50 USD"}
        lines = ["\t".join(names), *("\t".join((usual | row).get(name, "") for name in names) for row in rows)]
        self.files["feed.tsv"] = "\n".join(lines).encode()
        return f"{self.url}/feed.tsv"


@pytest_asyncio.fixture(loop_scope="session")
async def shop() -> AsyncIterator[Shop]:
    found = Shop(files={"mug.jpg": MUG, "plate.jpg": PLATE})
    app = web.Application()
    app.add_routes([web.get("/{name:.*}", found.answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@asynccontextmanager
async def catalogue(engine: Engine, data_dir: Path) -> AsyncIterator[Catalogue]:
    async with (
        Database.open(databases.where(data_dir)) as database,
        Catalogue.open(data_dir, database, engine.pixels, engine.fetcher, load_encoder(None)) as found,
    ):
        yield found


def contents(found: Catalogue) -> dict[str, list[str]]:
    """The names of the files that each product shows."""
    goods = found.serving.shelf
    return {one.id.rpartition(":")[2]: [goods.pictures[key].content for key in one.pictures] for one in found.list_products()}


async def test_a_feed_that_says_it_has_not_changed_is_not_read(engine: Engine, shop: Shop, tmp_path: Path) -> None:
    source = shop.feed({"id": "1", "image_link": "mug.jpg"}, {"id": "2", "image_link": "plate.jpg"})
    async with catalogue(engine, tmp_path) as found:
        assert (await found.import_feeds([source])).added == 2
        again = await found.import_feeds([source])
        assert (again.unchanged, again.removed, len(found.list_products())) == (2, 0, 2)
        assert (shop.asked["feed.tsv"], shop.sent["feed.tsv"]) == (2, 1)
        assert shop.asked["mug.jpg"] == 1


async def test_a_row_that_changed_costs_no_fetch_of_its_picture(engine: Engine, shop: Shop, tmp_path: Path) -> None:
    async with catalogue(engine, tmp_path) as found:
        await found.import_feeds([shop.feed({"id": "1", "image_link": "mug.jpg"})])
        report = await found.import_feeds([shop.feed({"id": "1", "image_link": "mug.jpg", "price": "8 USD"})])
        assert (report.updated, shop.asked["mug.jpg"]) == (1, 1)


@pytest.mark.parametrize("labels", [True, False])
async def test_other_bytes_behind_an_address_are_found_when_asked_for(
    engine: Engine, shop: Shop, tmp_path: Path, *, labels: bool
) -> None:
    shop.labels = labels
    source = shop.feed({"id": "1", "image_link": "mug.jpg"}, {"id": "2", "image_link": "plate.jpg"})
    async with catalogue(engine, tmp_path) as found:
        await found.import_feeds([source])
        before = contents(found)
        shop.files["mug.jpg"] = CUP
        assert (await found.import_feeds([source])).unchanged == 2
        assert contents(found) == before
        report = await found.import_feeds([source], refresh=True)
        assert (report.updated, report.unchanged) == (1, 1)
        after = contents(found)
        assert after["1"] != before["1"]
        assert after["2"] == before["2"]
        assert shop.sent["plate.jpg"] == (1 if labels else 2)
        assert len(list((tmp_path / "pictures").rglob("*.jpg"))) == 2


async def test_a_picture_that_cannot_be_had_now_stays_when_it_is_refreshed(engine: Engine, shop: Shop, tmp_path: Path) -> None:
    source = shop.feed({"id": "1", "image_link": "mug.jpg"})
    async with catalogue(engine, tmp_path) as found:
        await found.import_feeds([source])
        before = contents(found)
        del shop.files["mug.jpg"]
        report = await found.import_feeds([source], refresh=True)
        assert contents(found) == before
        assert [one.field for one in report.rejected] == ["image_link"]


async def test_a_missing_picture_comes_in_when_it_is_there_though_the_row_has_not_changed(
    engine: Engine, shop: Shop, tmp_path: Path
) -> None:
    source = shop.feed({"id": "1", "image_link": "late.jpg"})
    async with catalogue(engine, tmp_path) as found:
        first = await found.import_feeds([source])
        assert (first.added, first.without_picture, contents(found)) == (1, 1, {"1": []})
        assert [one.without for one in await found.sources()] == [1]
        shop.files["late.jpg"] = MUG
        second = await found.import_feeds([source])
        assert (second.updated, second.without_picture, second.rejected) == (1, 0, [])
        assert len(contents(found)["1"]) == 1
        assert [one.without for one in await found.sources()] == [0]
        assert (await found.import_feeds([source])).unchanged == 1
        assert shop.asked["late.jpg"] == 2


async def test_a_missing_picture_is_not_asked_for_for_ever(engine: Engine, shop: Shop, tmp_path: Path) -> None:
    source = shop.feed({"id": "1", "image_link": "never.jpg"}, {"id": "2", "image_link": "mug.jpg"})
    async with catalogue(engine, tmp_path) as found:
        reports: list[Any] = [await found.import_feeds([source]) for _ in range(12)]
        assert shop.asked["never.jpg"] == 10
        assert [(one.unchanged, one.updated) for one in reports[1:]] == [(2, 0)] * 11
        await found.import_feeds([shop.feed({"id": "1", "image_link": "never.jpg", "price": "7 USD"})])
        assert shop.asked["never.jpg"] == 11


async def test_a_server_that_keeps_everybody_waiting_is_left_alone(
    engine: Engine, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.insights.importing.DEAF", 5)
    monkeypatch.setattr("bot.insights.importing.SLOW_SECONDS", 0.0)
    source = shop.feed(*({"id": f"{number}", "image_link": f"gone-{number}.jpg"} for number in range(100)))
    async with catalogue(engine, tmp_path) as found:
        report = await found.import_feeds([source])
    assert report.without_picture == 100
    assert report.refused == 100
    assert "asked again at the next import" in report.rejected[-1].reason
    assert sum(shop.asked.values()) - shop.asked["feed.tsv"] < 20


async def test_what_is_cut_off_removes_nothing(engine: Engine, shop: Shop, tmp_path: Path) -> None:
    source = shop.feed({"id": "1", "image_link": "mug.jpg"}, {"id": "2", "image_link": "plate.jpg"})
    async with catalogue(engine, tmp_path) as found:
        await found.import_feeds([source])
        for text in (b"", b"id\ttitle\tlink\timage_link\tprice\n"):
            shop.files["feed.tsv"] = text
            report = await found.import_feeds([source])
            assert (report.removed, len(found.list_products())) == (0, 2)
            assert "stay until it can be read" in report.rejected[-1].reason


async def test_a_picture_that_was_seen_is_known_however_many_there_are() -> None:
    contents, names = _Contents(), [sha256(str(number).encode()).hexdigest() for number in range(30_000)]
    for start in range(0, 25_000, 1000):
        contents.update(names[start : start + 1000])
    assert all(name in contents for name in names[:25_000])
    assert not any(name in contents for name in names[25_000:])
