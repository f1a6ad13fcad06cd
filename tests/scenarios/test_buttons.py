"""Somebody presses a button."""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.demo.objects import Message, View
from bot.errors import Unavailable
from bot.insights.model import Found, Insights, InsightsClient, Module, Picture, Thing
from tests.worlds import Engine, World, photo, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

VASE = "photo-02.jpg"  # three stores sell it in dollars
CUP = "photo-09.jpg"  # six products are like it


class Slow:
    """The engine, on a bad day: asked for offers it waits for `open`, or is out of order."""

    def __init__(self, engine: InsightsClient) -> None:
        self.engine = engine
        self.open = asyncio.Event()
        self.down = False

    async def insights(self, picture: Picture, modules: Collection[Module], **how: Any) -> Insights:
        if Module.SHOPPING_SOURCES in modules:
            await self.open.wait()
            if self.down:
                raise Unavailable("out of order")
        return await self.engine.insights(picture, modules, **how)

    async def search(self, words: str, **how: Any) -> Found:
        return await self.engine.search(words, **how)

    async def things(self, picture: Picture, **how: Any) -> Sequence[Thing]:
        return await self.engine.things(picture, **how)


async def card_in(world: World, name: str = VASE) -> tuple[Message, Message]:
    photos = world.people.channel("photos")
    post = await photos.upload(name, photo(name))
    return post, await photos.next_reply(to=post)


async def offers_of(world: World, card: Message, by: str = "ben") -> View:
    await world.people.click(card, "Where to buy", by=by)
    return await world.people.next_view(by, until=lambda view: "Visit store" in str(view.blocks))


def prices(view: View) -> list[str]:
    return [b["text"]["text"].split("*")[1] for b in view.blocks if b["type"] == "section" and b["text"]["text"].startswith("*$")]


async def test_offers_open_cheapest_first_and_can_be_sorted(world: World) -> None:
    _, card = await card_in(world)
    view = await offers_of(world, card)
    amounts = [float(price.removeprefix("$")) for price in prices(view)]
    assert len(amounts) >= 3
    assert amounts == sorted(amounts)
    await world.people.click(view, "insights.offers.sort", by="ben", pick="name")
    by_name = await world.people.next_view("ben", until=lambda v: '"sort":"name"' in v.body["private_metadata"])
    stores = [b["text"]["text"].split(" · ")[1] for b in by_name.blocks if b["type"] == "section" and " · " in b["text"]["text"]]
    assert stores == sorted(stores, key=str.casefold)
    assert world.people.ephemerals("ben") == []


async def test_offers_shared_in_the_thread_are_one_message_and_the_modal_says_so(world: World) -> None:
    post, card = await card_in(world)
    view = await offers_of(world, card)
    await world.people.submit(view, by="ben")
    shared = await world.people.channel("photos").next_reply(to=post)
    done = await world.people.next_view("ben", until=lambda v: "Shared in the thread" in str(v.blocks))
    assert "lowest price $" in shared.text
    assert [block["type"] for block in shared.blocks].count("table") == 1
    assert "submit" not in done.body
    await world.finished()
    assert len(world.people.channel("photos").replies(post)) == 2


async def test_the_modal_opens_before_anybody_is_asked_and_says_when_nobody_answers(engine: Engine, tmp_path: Path) -> None:
    slow = Slow(engine.service)
    async with world_of(engine, tmp_path, insights=slow) as world:
        _, card = await card_in(world)
        await world.people.click(card, "Where to buy", by="ben")
        loading = await world.people.next_view("ben")
        assert "Checking stores" in str(loading.blocks)
        slow.down = True
        slow.open.set()
        failed = await world.people.next_view("ben", until=lambda v: "Try again" in str(v.blocks))
        slow.down = False
        await world.people.click(failed, "Try again", by="ben")
        await world.people.next_view("ben", until=lambda v: "Visit store" in str(v.blocks))
        await world.finished()
        assert world.people.problems == []


async def test_similar_images_open_and_one_of_them_gets_its_own_card(world: World) -> None:
    post, card = await card_in(world)
    await world.people.click(card, "Similar images", by="ben")
    images = await world.people.next_view("ben", until=lambda v: "Use this image" in str(v.blocks))
    await world.people.click(images, "Use this image", by="ben")
    second = await world.people.channel("photos").next_reply(to=post)
    assert "From a similar image" in str(second.blocks)
    said = await world.people.next_view("ben", until=lambda v: v.blocks[0]["type"] == "alert")
    assert said.blocks[0]["text"]["text"] == "The card of that image comes in the thread."
    assert second.thread_ts == post.ts


async def test_more_products_open_as_a_list_whose_buttons_work_too(world: World) -> None:
    _, card = await card_in(world, CUP)
    await world.people.click(card, "More products", by="ben")
    products = await world.people.next_view("ben", until=lambda v: v.callback_id == "insights.products")
    await world.people.click(products, "Where to buy", by="ben")
    await world.people.next_view("ben", until=lambda v: v.callback_id == "insights.offers" and "Visit store" in str(v.blocks))
    assert len(world.people.workspace.views[world.people.workspace.person("ben").id]) == 2


async def test_a_double_click_acts_once(world: World) -> None:
    _, card = await card_in(world)
    await asyncio.gather(*(world.people.click(card, "Where to buy", by="ben") for _ in range(2)))
    await world.people.next_view("ben", until=lambda view: "Visit store" in str(view.blocks))
    await world.finished()
    assert len(world.people.calls_of("views.open")) == 1


async def test_an_expired_trigger_is_answered_in_a_message_instead(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path) as world:
        _, card = await card_in(world)
        world.people.faults.refuse("views.open", "expired_trigger_id")
        await world.people.click(card, "Where to buy", by="ben")
        told = await world.people.next_ephemeral("ben")
        assert "Visit store" in str(told.blocks)
        assert told.thread_ts == card.thread_ts


@pytest.mark.parametrize("value", ["v1:nosuchthing:p1", "v2:whatever:p1", "", "v1:{rid}:p99", "'; DROP TABLE results"])
async def test_a_button_with_nothing_behind_it_says_so_to_whoever_pressed(world: World, value: str) -> None:
    _, card = await card_in(world)
    rid = card.blocks[0]["block_id"].split(":")[1]
    action = {"type": "button", "action_id": "insights.offers.open", "block_id": "x", "value": value.format(rid=rid)}
    await world.people.act(card, action | {"text": {"type": "plain_text", "text": "Where to buy"}, "action_ts": "1.5"}, by="ben")
    told = await world.people.next_ephemeral("ben")
    assert "older than 30 days" in told.text
    assert ("Look again" in str(told.blocks)) == ("{rid}" in value)  # only what is still there can be looked at again


async def test_look_again_under_an_old_card_posts_a_new_one(world: World) -> None:
    post, card = await card_in(world)
    rid = card.blocks[0]["block_id"].split(":")[1]
    async with world.bot.desk.results._database.write() as connection:
        await connection.exec_driver_sql("UPDATE results SET created = created - 31 * 24 * 3600")
    await world.people.click(card, "Where to buy", by="ben")
    told = await world.people.next_ephemeral("ben")
    await world.people.click(told, "Look again", by="ben")
    again = await world.people.channel("photos").next_reply(to=post)
    assert "similar product" in again.text
    assert rid not in str(again.blocks)


async def test_a_card_of_another_channel_is_no_key(world: World) -> None:
    _, card = await card_in(world)
    dm = world.people.dm("ben")
    other = await dm.next_reply(to=await dm.post("hello"))
    rid = card.blocks[0]["block_id"].split(":")[1]
    action = {"type": "button", "action_id": "insights.offers.open", "block_id": "x", "value": f"v1:{rid}:p1", "action_ts": "1.5"}
    await world.people.act(other, action | {"text": {"type": "plain_text", "text": "Where to buy"}}, by="ben")
    told = await world.people.next_ephemeral("ben")
    assert "older than 30 days" in told.text


async def test_a_link_button_is_acknowledged(world: World) -> None:
    _, card = await card_in(world)
    view = await offers_of(world, card)
    ack = await world.people.click(view, "Visit store", by="ben")
    assert ack.ok
