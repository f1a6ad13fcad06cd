"""Offers of one thing in two shops that state no number: joined by picture and name, and said to be."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.insights.model import Module, Token, Upload
from bot.insights.service import InsightsService
from bot.storage import Database
from tests.worlds import CATALOGUE, Engine, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="session")

MUG, PLATE = CATALOGUE / "images" / "mg01.jpg", CATALOGUE / "images" / "pl01.jpg"


@asynccontextmanager
async def shops(engine: Engine, tmp_path: Path, *feeds: dict[str, Any]) -> AsyncIterator[InsightsService]:
    """An engine over feeds of one product each; the second shop's picture is smaller and compressed again."""
    settings = settings_for(tmp_path / "data")
    async with (
        Database.open(settings.database) as database,
        InsightsService.open(settings, database, engine.pixels, engine.fetcher, base_url="http://127.0.0.1") as service,
    ):
        for number, said in enumerate(feeds):
            folder = tmp_path / f"shop{number}"
            folder.mkdir()
            row = {"id": "1", "title": "Harbour Mug", "price": "9 USD", "link": f"https://{number}.example/"} | said
            with Image.open(row.pop("picture", MUG)) as picture:
                side = 600 - 80 * number
                picture.convert("RGB").resize((side, side)).save(folder / "a.jpg", quality=90 - 20 * number)
            (folder / "products.jsonl").write_text(json.dumps(row | {"image_link": "a.jpg"}))
            report = await service.catalogue.import_feeds([str(folder)], seller=row.get("seller", f"Shop {number}"))
            assert report.added == 1, report.rejected
        yield service


async def products_and_sellers(service: InsightsService) -> tuple[int, list[tuple[str, bool]]]:
    """How many products the mug's picture finds, and who sells the first, with whether that is inferred."""
    shown = io.BytesIO()
    with Image.open(MUG) as picture:
        picture.save(shown, "JPEG", quality=80)
    found = (await service.insights(Upload(shown.getvalue()), [Module.SIMILAR_PRODUCTS])).similar_products
    offers = (await service.insights(Token(found[0].token), [Module.SHOPPING_SOURCES])).shopping_sources
    assert found[0].aggregate_offer
    assert found[0].aggregate_offer.offer_count == len(offers)
    return len(found), [(offer.seller.name, offer.inferred) for offer in offers]


async def test_the_same_picture_under_the_same_name_is_one_product_with_two_offers(engine: Engine, tmp_path: Path) -> None:
    async with shops(engine, tmp_path, {"price": "12 USD"}, {"title": "Mug, Harbour", "price": "9 USD"}) as service:
        count, offers = await products_and_sellers(service)
    assert count == 1
    assert {name for name, _ in offers} == {"Shop 0", "Shop 1"}
    assert [inferred for _, inferred in offers].count(True) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Travel Mug"},
        {"title": "Harbour Mug 2"},
        {"title": "Harbour Mug blue"},
        {"color": "navy"},
        {"size": "XL"},
        {"gtin": "4006381333931"},
        {"seller": "Shop 0"},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_whatever_speaks_against_it_keeps_them_apart(engine: Engine, tmp_path: Path, other: dict[str, Any]) -> None:
    async with shops(engine, tmp_path, {"color": "white", "size": "S", "gtin": "5901234123457"}, other) as service:
        count, offers = await products_and_sellers(service)
    assert (count, len(offers)) == (2, 1)


async def test_another_picture_under_the_same_name_is_another_thing(engine: Engine, tmp_path: Path) -> None:
    async with shops(engine, tmp_path, {}, {"picture": PLATE}) as service:
        _, offers = await products_and_sellers(service)
    assert len(offers) == 1


async def test_no_two_products_of_the_demo_are_joined(engine: Engine) -> None:
    serving = engine.service.catalogue.serving
    assert len(serving.shelf.products) > 100
    for picture in serving.shelf.pictures.values():
        if picture.product_id:
            data = await engine.service.catalogue.files.read(picture.content)
            offers = (await engine.service.insights(Upload(data), [Module.SHOPPING_SOURCES])).shopping_sources
            assert not any(offer.inferred for offer in offers), picture.product_id
