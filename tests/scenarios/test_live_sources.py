"""Photos that the catalogue does not know, where an admin lets others be asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from bot import lookup, web
from bot.demo.objects import Message, View
from bot.slack.cards import settings as card
from bot.sources import lending
from bot.sources.ladder import Ladder
from bot.sources.ledger import Ledger
from bot.sources.lens import GoogleLens
from bot.storage import Database
from tests import databases
from tests.sources.far_ends import KEY, Googles, googles, saying
from tests.worlds import Engine, World, photo, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

STRANGER, CUP = "none-01.jpg", "photo-09.jpg"
ALLOWED = {"outside": [card.OUTSIDE]}


@dataclass(frozen=True, slots=True)
class Live:
    world: World
    far: Googles

    async def allow(self, by: str = "ana", channel: str = "photos") -> None:
        await settings(self.world, by, channel, ALLOWED)

    async def card(self, name: str = STRANGER, text: str = "<@insights>", by: str = "ana") -> Message:
        photos = self.world.people.channel("photos")
        return await photos.next_reply(to=await photos.upload(name, photo(name), text=text, by=by))


async def settings(world: World, by: str, channel: str, chosen: dict[str, Any]) -> None:
    form = await open_settings(world, by, channel)
    await world.people.submit(form, chosen, by=by)
    await world.people.next_view(by, until=lambda v: "Saved." in str(v.blocks))


async def open_settings(world: World, by: str, channel: str) -> View:
    await world.people.command("/insights", "settings", by=by, channel=channel)
    return await world.people.next_view(by, until=lambda v: "Card size" in str(v.blocks))


@asynccontextmanager
async def live_of(engine: Engine, data_dir: Path, *, a_day: int = 100) -> AsyncIterator[Live]:
    sock = web.bind("127.0.0.1", 0)
    async with googles() as far, Database.open(databases.where(data_dir)) as database, ClientSession() as session:
        ledger = Ledger(database)
        lens = GoogleLens(session, KEY, lending.lender(ledger, web.address(sock)), address=far.url)
        ladder = Ladder(engine.service, [lens], ledger, engine.pixels, a_day)
        async with (
            web.listening(sock, lending.routes(ledger)),
            world_of(engine, data_dir, insights=ladder, live_sources=("lens",)) as world,
        ):
            yield Live(world, far)


@pytest_asyncio.fixture(loop_scope="session")
async def live(engine: Engine, tmp_path: Path) -> AsyncIterator[Live]:
    async with live_of(engine, tmp_path) as live:
        yield live


def text_of(message: Message) -> str:
    return str(message.blocks)


async def test_no_picture_leaves_until_an_admin_allows_it(live: Live) -> None:
    said = await live.card()
    assert "No similar products found." in text_of(said)
    assert "From the catalogue" in text_of(said)
    assert live.far.asked == []


async def test_where_it_is_allowed_others_are_asked_and_the_card_says_who_answered(live: Live) -> None:
    await live.allow()
    said = await live.card()
    assert "Nordic stoneware espresso cup" in text_of(said)
    assert "From Google Lens" in text_of(said)
    assert "$14.50" in text_of(said)
    assert "View page" in text_of(said)


async def test_they_are_asked_in_the_language_and_market_of_the_channel(live: Live) -> None:
    await settings(live.world, "ana", "photos", ALLOWED | {"market": "de-CH", "language": "fr"})
    await live.card()
    asked = live.far.asked[0].query
    assert (asked["hl"], asked["country"]) == ("fr", "ch")


async def test_what_the_catalogue_knows_is_asked_of_nobody_else(live: Live) -> None:
    await live.allow()
    assert "From the catalogue" in text_of(await live.card(CUP))
    assert live.far.asked == []


async def test_one_channel_is_not_another(live: Live) -> None:
    await live.world.people.invite("kitchen-refit")
    await live.allow(channel="kitchen-refit")
    await live.card()
    assert live.far.asked == []


async def test_only_admins_decide_it(live: Live) -> None:
    await live.allow()
    form = await open_settings(live.world, "ben", "photos")
    assert "Ask others" not in str(form.blocks)
    await live.world.people.submit(form, {"size": "full"}, by="ben")
    await live.world.people.next_view("ben", until=lambda v: "Saved." in str(v.blocks))
    await live.card()
    assert len(live.far.asked) == 1


async def test_it_is_taken_back_as_it_was_given(live: Live) -> None:
    await live.allow()
    await settings(live.world, "ana", "photos", {"outside": []})
    await live.card()
    assert live.far.asked == []


async def test_without_live_sources_there_is_nothing_to_allow(world: World) -> None:
    form = await open_settings(world, "ana", "photos")
    assert "Ask others" not in str(form.blocks)


async def test_what_is_known_is_shown_while_others_take_their_time(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "PARTLY_SECONDS", 0.5)
    live.far.slow = 3.0
    await live.allow()
    said = await live.card()
    assert "Looking for similar products…" in text_of(said)
    assert "Still looking for products." in said.text
    await live.world.people.until(lambda: "Nordic stoneware" in text_of(said), what="the products")
    assert "Looking for similar products…" not in text_of(said)
    assert len(live.world.people.calls_of("chat.update")) == 1
    await live.world.finished()
    assert said.reactions == {}
    await live.world.people.click(said, "Similar images", by="ben")
    await live.world.people.next_view("ben", until=lambda v: "visually similar" in str(v.blocks))


async def test_products_that_take_too_long_can_be_asked_for_again(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "PARTLY_SECONDS", 0.2)
    monkeypatch.setattr("bot.sources.ladder.OTHERS_SECONDS", 1.0)
    live.far.slow = 60.0
    await live.allow()
    said = await live.card()
    await live.world.people.until(lambda: "Products took too long" in text_of(said), what="the end of waiting")
    live.far.slow = 0.0
    await live.world.people.click(said, "Try again", by="ben")
    photos = live.world.people.channel("photos")
    again = await photos.next_reply(to=said)
    await live.world.people.until(lambda: "Nordic stoneware" in text_of(again), what="the products")
    assert "Looking for similar products…" not in text_of(again)
    assert "Products took too long" not in text_of(again)


async def test_an_outage_elsewhere_costs_nothing_but_the_products(live: Live) -> None:
    live.far.lens = [saying("<html>", 502)]
    await live.allow()
    assert "No similar products found." in text_of(await live.card())


async def test_a_used_up_budget_is_said(engine: Engine, tmp_path: Path) -> None:
    async with live_of(engine, tmp_path, a_day=0) as live:
        await live.allow()
        assert "Today’s lookups are used up." in text_of(await live.card())
        assert live.far.asked == []


async def test_a_photo_nobody_asked_about_gets_one_card_in_parts(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "PARTLY_SECONDS", 0.2)
    live.far.slow = 1.5
    await live.allow()
    said = await live.card(text="")
    await live.world.people.until(lambda: "Nordic stoneware" in text_of(said), what="the products")
    await live.world.finished()
    assert live.world.people.channel("photos").replies(said) == []
