"""One article into the catalogue, and out of it, without a feed."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from bot.errors import NotAPicture
from bot.insights.importing import only_import
from bot.insights.model import Article, Insights, Module, Token, Upload
from bot.insights.service import InsightsService
from bot.storage import Database
from tests.worlds import CATALOGUE, Engine, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="session")

JUG = Article(
    "slack:T1", "a1", "Grandma's jug", Decimal("40.00"), "USD", "https://shop.example/jug", "Chipped, but whole.", "shop.example"
)
SIDE, TOP = ((CATALOGUE / "images" / name).read_bytes() for name in ("mg01.jpg", "pl01.jpg"))


@asynccontextmanager
async def opened(engine: Engine, data_dir: Path) -> AsyncIterator[InsightsService]:
    settings = settings_for(data_dir)
    async with (
        Database.open(settings.database) as database,
        InsightsService.open(settings, database, engine.pixels, engine.fetcher, base_url="http://127.0.0.1") as service,
    ):
        yield service


async def seen_in(service: InsightsService, picture: bytes) -> Insights:
    return await service.insights(Upload(picture), [Module.SIMILAR_PRODUCTS])


async def test_what_is_put_in_is_found_at_once_by_every_picture_with_its_offer(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as service:
        await service.catalogue.put(JUG, [SIDE, TOP])
        for picture in (SIDE, TOP):
            (product,) = (await seen_in(service, picture)).similar_products
            assert product.name == "Grandma's jug"
        (offer,) = (await service.insights(Token(product.token), [Module.SHOPPING_SOURCES])).shopping_sources
    assert (offer.seller.name, offer.url, offer.price, offer.currency) == ("shop.example", JUG.link, Decimal(40), "USD")


async def test_the_same_again_changes_nothing_and_another_price_is_a_change_of_price(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as service:
        for article in (JUG, JUG, replace(JUG, price=Decimal(30))):
            await service.catalogue.put(article, [SIDE])
        stats = service.catalogue.stats()
        assert (stats["products"], stats["offers"], stats["pictures"]) == (1, 1, 1)
        ((_, costs),) = (await service.catalogue.price_history("row:slack:T1:a1")).items()
        assert [one.price for one in costs] == [Decimal(40), Decimal(30)]


async def test_it_may_have_no_price(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as service:
        await service.catalogue.put(replace(JUG, price=None, currency=""), [SIDE])
        (product,) = (await seen_in(service, SIDE)).similar_products
        assert product.aggregate_offer is None


async def test_what_is_taken_out_is_gone_with_its_picture_and_the_rest_stays(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as service:
        catalogue = service.catalogue
        await catalogue.put(JUG, [SIDE])
        await catalogue.put(replace(JUG, id="a2"), [SIDE, TOP])
        assert await catalogue.take_out("slack:T1", "a1") == 1
        assert await catalogue.take_out("slack:T1", "a1") == 0
        assert catalogue.stats()["products"] == 1
        await catalogue.put(replace(JUG, source="slack:T2"), [SIDE])
        assert await catalogue.take_out("slack:T1") == 1
        assert [product.id for product in catalogue.list_products()] == ["row:slack:T2:a1"]
        assert await catalogue.remove("slack:T2") == 1
        assert list((tmp_path / "pictures").rglob("*.jpg")) == []
        assert (await seen_in(service, SIDE)).similar_products == ()


async def test_a_picture_that_is_none_leaves_nothing_behind(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as service:
        with pytest.raises(NotAPicture):
            await service.catalogue.put(JUG, [SIDE, b"a poem"])
        assert not any(service.catalogue.stats().values())


async def test_an_import_under_way_does_not_keep_it_waiting_and_leaves_it_alone(engine: Engine, tmp_path: Path) -> None:
    feed = tmp_path / "feed.jsonl"
    row = {"id": "1", "title": "Plate", "link": "https://a.example/", "image_link": str(CATALOGUE / "images" / "pl01.jpg")}
    feed.write_text(json.dumps(row))
    async with opened(engine, tmp_path / "data") as service:
        with only_import(tmp_path / "data", "a feed elsewhere"):
            await service.catalogue.put(JUG, [SIDE])
        await service.catalogue.import_feeds([str(feed)])
        await service.catalogue.remove(str(feed))
        assert [product.title for product in service.catalogue.list_products()] == ["Grandma's jug"]


async def test_it_is_there_after_a_restart_and_in_an_export(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as service:
        await service.catalogue.put(JUG, [SIDE])
    async with opened(engine, tmp_path) as service:
        (product,) = (await seen_in(service, SIDE)).similar_products
        (exported,) = service.catalogue.export()
    assert product.name == exported["title"] == "Grandma's jug"
