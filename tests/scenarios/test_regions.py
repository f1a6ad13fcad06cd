"""Somebody chooses one thing of a photo."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from bot.demo.objects import Message, View
from bot.insights.model import Insights, Module, Picture, Upload
from tests.worlds import Engine, World, beside, photo, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def card_of(world: World, data: bytes) -> tuple[Message, Message]:
    photos = world.people.channel("photos")
    post = await photos.upload("two.jpg", data, by="ana")
    return post, await photos.next_reply(to=post)


def option(view: View, arg: str) -> str:
    element = next(block["element"] for block in view.blocks if block.get("block_id") == "region")
    return str(next(one["value"] for one in element["options"] if one["value"].endswith(arg)))


def ready(view: View) -> bool:
    return "What should I look for?" in str(view.blocks)


async def test_the_things_of_a_photo_are_numbered_and_one_gets_a_card_of_its_own(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    post, card = await card_of(world, beside("mg01.jpg", "bt01.jpg"))
    await people.click(card, "Choose an item", by="ben")
    form = await people.next_view("ben", until=ready)
    picture = next(block for block in form.blocks if block["type"] == "image")
    assert picture["alt_text"].startswith("Your photo with numbered boxes: 1 ")
    await people.submit(form, by="ben")
    assert people.view_of("ben") is None
    item = await photos.next_reply(to=post)
    assert "From item 1, " in str(item.blocks)
    assert "Choose an item" not in str(item.blocks)
    await people.click(item, "Where to buy", by="ben")
    await people.next_view("ben", until=lambda v: "Visit store" in str(v.blocks))


@pytest.mark.parametrize(("edges", "name"), [("", "Bottle"), ("0, 0, 50, 100", "Mug")])
async def test_a_part_is_chosen_by_halves_or_by_exact_edges(world: World, edges: str, name: str) -> None:
    people, photos = world.people, world.people.channel("photos")
    post, card = await card_of(world, beside("mg01.jpg", "bt01.jpg"))
    await people.click(card, "Choose an item", by="ben")
    form = await people.next_view("ben", until=ready)
    await people.click(form, "insights.region.pick", by="ben", pick="A part of the picture")
    form = await people.next_view("ben", until=lambda v: "Exact edges" in str(v.blocks))
    xy = option(form, "xy")
    await people.submit(form, {"region": xy, "part": "50,0,100,100", "edges": edges}, by="ben")
    part = await photos.next_reply(to=post)
    assert "From a part of the picture" in str(part.blocks)
    first = next(b for b in part.blocks if b["type"] == "carousel")["elements"][0]["title"]["text"]
    assert name in first


async def test_edges_that_are_none_are_told_at_their_field(world: World) -> None:
    people = world.people
    _, card = await card_of(world, photo("photo-09.jpg"))
    await people.click(card, "Choose an item", by="ben")
    form = await people.next_view("ben", until=ready)
    await people.click(form, "insights.region.pick", by="ben", pick="A part of the picture")
    form = await people.next_view("ben", until=lambda v: "Exact edges" in str(v.blocks))
    xy = option(form, "xy")
    ack = await people.submit(form, {"region": xy, "edges": "80, 20, 10, 90"}, by="ben")
    assert "Use four numbers from 0 to 100" in ack.errors["edges"]
    assert people.view_of("ben") is not None


class Blank:
    """An engine that recognises nothing of a whole photo."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.search, self.things = engine.service.search, engine.service.things

    async def insights(self, picture: Picture, modules: Collection[Module], **how: Any) -> Insights:
        found = await self._engine.service.insights(picture, modules, **how)
        whole = isinstance(picture, Upload) and picture.data == beside("mg01.jpg", "bt01.jpg")
        return Insights(found.token) if whole else found


async def test_where_nothing_is_recognised_a_part_can_be_chosen(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, insights=Blank(engine)) as world:
        people, photos = world.people, world.people.channel("photos")
        post = await photos.upload("two.jpg", beside("mg01.jpg", "bt01.jpg"), text="<@insights>", by="ben")
        notice = await people.next_ephemeral("ben")
        assert notice.text == "I couldn’t tell what this shows"
        await people.click(notice, "Choose an item", by="ben")
        form = await people.next_view("ben", until=ready)
        await people.submit(form, by="ben")
        assert "From item 1, " in str((await photos.next_reply(to=post)).blocks)
