"""Somebody keeps a product, watches its price, and hears of a lower one."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.objects import TEAM_ID, Message
from bot.insights.service import InsightsService
from bot.slack.saving import look_at_prices
from bot.storage import Database
from tests.worlds import CATALOGUE, Engine, World, photo, settings_for, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

CUP = "photo-09.jpg"
MUG = CATALOGUE / "images" / "mg01.jpg"


class Shop:
    """A workspace over a shop with one mug, whose price the shop changes."""

    def __init__(self, world: World, service: InsightsService, folder: Path) -> None:
        self.world = world
        self.service = service
        self.folder = folder

    async def costs(self, price: str) -> None:
        row = {"id": "1", "title": "Striped mug", "link": "https://shop.example/mug", "price": price, "image_link": "mug.jpg"}
        (self.folder / "mug.jpg").write_bytes(MUG.read_bytes())
        (self.folder / "products.jsonl").write_text(json.dumps(row | {"availability": "in stock", "seller_name": "Cup Shop"}))
        await self.service.catalogue.import_feeds([str(self.folder)])

    async def card(self) -> Message:
        photos = self.world.people.channel("photos")
        return await photos.next_reply(to=await photos.upload("mug.jpg", MUG.read_bytes(), by="ben"))

    async def a_day_later(self, monkeypatch: pytest.MonkeyPatch, day: str) -> None:
        monkeypatch.setattr("bot.saved.EVERY_SECONDS", -1.0)
        await look_at_prices(self.world.bot.desk, day)
        await self.world.finished()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(engine: Engine, tmp_path: Path) -> AsyncIterator[Shop]:
    settings = settings_for(tmp_path / "engine")
    (tmp_path / "feed").mkdir()
    async with (
        Database.open(settings.database) as database,
        InsightsService.open(settings, database, engine.pixels, engine.fetcher, base_url=engine.url) as service,
        world_of(engine, tmp_path, insights=service) as world,
    ):
        shop = Shop(world, service, tmp_path / "feed")
        await shop.costs("12.00 USD")
        yield shop
        assert world.people.problems == []


async def test_a_saved_product_is_in_the_home_tab_and_leaves_it_again(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    card = await photos.next_reply(to=await photos.upload(CUP, photo(CUP), by="ana"))
    await people.click(card, "Save", by="ben")
    form = await people.next_view("ben")
    await people.submit(form, {"watch": []}, by="ben")
    view = await people.next_view("ben", until=lambda v: "Saved." in str(v.blocks))
    assert "message you" not in str(view.blocks)
    await people.until(lambda: (h := people.home_of("ben")) and "insights.product.unsave" in str(h), what="a saved product")
    home = people.home_of("ben")
    assert home
    assert people.home_of("ana") is None or "insights.product.unsave" not in str(people.home_of("ana"))
    await people.close_view(view, by="ben")
    await people.click(home, "Where to buy", by="ben")
    offers = await people.next_view("ben", until=lambda v: "Visit store" in str(v.blocks))
    assert "submit" not in offers.body
    await people.close_view(offers, by="ben")
    await people.click(home, "Remove", by="ben")
    await people.until(lambda: "insights.product.unsave" not in str(people.home_of("ben")), what="it to leave")


async def test_a_lower_price_is_told_once_and_until_it_is_stopped(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    people, dm = shop.world.people, shop.world.people.dm("ben")
    await people.click(await shop.card(), "Save", by="ben")
    await people.submit(await people.next_view("ben"), by="ben")
    await people.next_view("ben", until=lambda v: "drops below $12.00" in str(v.blocks))
    await shop.a_day_later(monkeypatch, "2026-01-01")
    assert dm.messages() == []
    await shop.costs("9.50 USD")
    await shop.a_day_later(monkeypatch, "2026-01-02")
    told = await dm.next_message()
    assert told.text == "Price drop: Striped mug is now $9.50 at Cup Shop."
    assert "was $12.00" in str(told.blocks)
    await shop.a_day_later(monkeypatch, "2026-01-03")
    assert dm.messages() == [told]
    await shop.costs("8.00 USD")
    await shop.a_day_later(monkeypatch, "2026-01-04")
    again = await dm.next_message()
    assert "Now *$8.00*" in str(again.blocks)
    await people.click(again, "Stop watching", by="ben")
    await people.until(lambda: "Stopped watching" in again.text, what="it to stop")
    await shop.costs("5.00 USD")
    await shop.a_day_later(monkeypatch, "2026-01-05")
    assert dm.messages() == [told, again]


async def test_a_target_of_ones_own_counts_and_saving_again_changes_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.results.DOUBLE_CLICK_SECONDS", 0.0)
    people, dm = shop.world.people, shop.world.people.dm("ben")
    card = await shop.card()
    await people.click(card, "Save", by="ben")
    form = await people.next_view("ben")
    ack = await people.submit(form, {"below": "-3"}, by="ben")
    assert "9.99" in ack.errors["below"]
    await people.submit(form, {"below": "7"}, by="ben")
    view = await people.next_view("ben", until=lambda v: "drops below $7.00" in str(v.blocks))
    await people.close_view(view, by="ben")
    await shop.costs("8.00 USD")
    await shop.a_day_later(monkeypatch, "2026-01-02")
    assert dm.messages() == []
    await people.click(card, "Save", by="ben")
    form = await people.next_view("ben", until=lambda v: "Saved on" in str(v.blocks))
    await people.submit(form, {"below": "8.50"}, by="ben")
    await shop.world.finished()
    await shop.a_day_later(monkeypatch, "2026-01-03")
    assert "now $8.00" in (await dm.next_message()).text


async def test_what_has_left_the_catalogue_is_not_told_of(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    people = shop.world.people
    await people.click(await shop.card(), "Save", by="ben")
    await people.submit(await people.next_view("ben"), by="ben")
    await shop.world.finished()
    await shop.service.catalogue.remove(str(shop.folder))
    await shop.a_day_later(monkeypatch, "2026-01-02")
    assert people.dm("ben").messages() == []


async def test_a_team_that_leaves_is_forgotten(shop: Shop) -> None:
    people, desk = shop.world.people, shop.world.bot.desk
    await people.click(await shop.card(), "Save", by="ben")
    await people.submit(await people.next_view("ben"), by="ben")
    await shop.world.finished()
    ben = people.workspace.person("ben").id
    assert len(await desk.saved.of(TEAM_ID, ben, 10)) == 1
    await desk.forget(TEAM_ID)
    assert await desk.saved.of(TEAM_ID, ben, 10) == []
