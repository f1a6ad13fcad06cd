"""What is imported is served at once, here and in other processes, and always as if everything had been read anew."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.insights import journal, shelf
from bot.insights.catalogue import Catalogue
from bot.insights.encoders import load_encoder
from bot.insights.textsearch import TextIndex
from bot.storage import Database
from tests import databases
from tests.worlds import CATALOGUE, Engine

pytestmark = pytest.mark.asyncio(loop_scope="session")

PICTURES = [f"images/{name}" for name in ("mg01.jpg", "mg01-b.jpg", "pl01.jpg", "ec01.jpg", "bt01.jpg")]


@asynccontextmanager
async def catalogue(engine: Engine, data_dir: Path) -> AsyncIterator[tuple[Catalogue, Database]]:
    async with (
        Database.open(databases.where(data_dir)) as database,
        Catalogue.open(data_dir, database, engine.pixels, engine.fetcher, load_encoder(None)) as found,
    ):
        yield found, database


def shop(folder: Path, chance: random.Random) -> Path:
    """A folder feed that says something else each time, about the same few things."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        (folder / name).write_bytes((CATALOGUE / name).read_bytes())
    pictures = chance.sample(PICTURES, 3)
    lines = []
    for number in chance.sample(range(8), 5):
        product = {"id": f"P{number}", "title": chance.choice(["Striped mug", "Plain mug", "Blue plate"])}
        product |= {"image": chance.choice(pictures), "brand": chance.choice(["Kilnby", "Trekka"]), "product_type": "Home > Mugs"}
        offers = [
            {"id": f"o{number}-{shop}", "link": f"https://{shop}.example/{number}", "price": f"{chance.randint(5, 9)} USD"}
            for shop in chance.sample("abc", 2)
        ]
        lines.append(json.dumps(product | {"offers": offers}))
    (folder / "products.jsonl").write_text("\n".join(lines))
    sites = [{"url": f"https://page.example/{one}", "title": f"Page {one}", "images": [chance.choice(PICTURES)]} for one in "xyz"]
    (folder / "pages.jsonl").write_text("\n".join(map(json.dumps, chance.sample(sites, 2))))
    recipe: dict[str, Any] = {"id": "tea", "name": "Tea", "url": "https://a.example/tea", "image": chance.choice(PICTURES)}
    recipe["related_products"] = chance.sample([f"P{number}" for number in range(8)], 3)
    brand = {"id": "k", "type": "Brand", "name": "Kilnby", "url": "https://k.example/", "image": "images/pl01.jpg"}
    (folder / "recipes.json").write_text(json.dumps([recipe][: chance.randint(0, 1)]))
    (folder / "entities.json").write_text(json.dumps([brand][: chance.randint(0, 1)]))
    return folder


def said(goods: shelf.Shelf) -> dict[str, Any]:
    """A shelf in a form that can be compared: what comes in no order is sorted."""
    subjects = {key: (one.name, one.facts, one.pictures, sorted(one.products)) for key, one in goods.subjects.items()}
    shown = {key: sorted(one.key for one in some) for key, some in goods.subjects_of_picture.items()}
    return {
        "products": dict(goods.products),
        "pictures": dict(goods.pictures),
        "pages": dict(goods.pages),
        "subjects": subjects,
        "shown": shown,
        "contents": dict(goods.by_content),
        "logos": dict(goods.logos),
        "related": dict(goods.related),
    }


def found_by_words(index: TextIndex) -> dict[str, list[Any]]:
    words = ("mug", "striped mug", "plate", "kilnby", "trekka", "page", "tea", "P1", "o2-a")
    return {one: sorted((entry.pictures, entry.product_type) for entry in index.find(one).entries) for one in words}


@pytest.mark.parametrize("story", range(3))
async def test_what_is_followed_is_what_would_be_read(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, story: int
) -> None:
    monkeypatch.setattr("bot.insights.catalogue.FOLLOW_SECONDS", 0.01)
    monkeypatch.setattr(journal, "MOST", 7)
    chance = random.Random(story)  # noqa: S311 (the same story each time)
    async with catalogue(engine, tmp_path / "data") as (found, database):
        for number in range(20):
            if number % 9 == 8:
                await found.remove(str(tmp_path / "one"))
            await found.import_feeds([str(shop(tmp_path / chance.choice(["one", "two"]), chance))])
            async with database.read() as connection:
                everything = await shelf.load(connection)
            serving = found.serving
            assert said(serving.shelf) == said(everything), f"step {number}"
            assert found_by_words(serving.words) == found_by_words(TextIndex.build(everything)), f"step {number}"
            assert serving.matcher.count == len(everything.pictures)


async def test_who_is_too_far_behind_reads_everything(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.insights.catalogue.FOLLOW_SECONDS", 3600)
    monkeypatch.setattr(journal, "KEPT", 2)
    chance = random.Random(3)  # noqa: S311
    async with catalogue(engine, tmp_path / "data") as (found, _), catalogue(engine, tmp_path / "data") as (other, _):
        await other.import_feeds([str(shop(tmp_path / "one", chance))])
        await other.import_feeds([str(shop(tmp_path / "one", chance))])
        assert found.serving.shelf.products == {}
        await found._apply()
        assert said(found.serving.shelf) == said(other.serving.shelf)


async def test_a_batch_is_found_while_the_rest_still_comes(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.insights.catalogue.FOLLOW_SECONDS", 0.01)
    monkeypatch.setattr("bot.insights.importing.BATCH", 1)
    folder = tmp_path / "shop"
    folder.mkdir()
    lines = []
    for number, path in enumerate(sorted((CATALOGUE / "images").glob("*.jpg"))[:40]):
        (folder / path.name).write_bytes(path.read_bytes())
        lines.append(json.dumps({"id": f"{number}", "title": "Mug", "link": "https://a.example/", "image_link": path.name}))
    (folder / "products.jsonl").write_text("\n".join(lines))
    async with catalogue(engine, tmp_path / "data") as (here, _), catalogue(engine, tmp_path / "data") as (there, _):
        coming = asyncio.create_task(here.import_feeds([str(folder)]))
        seen: dict[str, set[int]] = {"here": set(), "there": set()}
        while not coming.done():
            seen["here"].add(here.stats()["products"])
            seen["there"].add(there.stats()["products"])
            await asyncio.sleep(0.01)
        assert (await coming).added == 40
        for counts in seen.values():
            assert {count for count in counts if 0 < count < 40}
        assert here.stats()["products"] == here.serving.matcher.count == 40
