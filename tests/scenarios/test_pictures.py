"""Where Slack cannot reach us, the pictures of a card are uploaded to it, once."""

from pathlib import Path

import pytest

from bot.demo.objects import Message
from tests.worlds import Engine, World, photo, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

CUP = "photo-09.jpg"


async def card_in(world: World, text: str = "@Image Insights") -> Message:
    photos = world.people.channel("photos")
    return await photos.next_reply(to=await photos.upload(CUP, photo(CUP), text=text))


def heroes(card: Message) -> list[str]:
    cards = next(block for block in card.blocks if block["type"] == "carousel")["elements"]
    return [one["hero_image"]["slack_file"]["id"] for one in cards if "hero_image" in one]


async def test_without_a_public_address_cards_have_pictures_all_the_same(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, public_url="", thumbnails=engine.service) as world:
        people = world.people
        first = heroes(await card_in(world))
        assert len(first) == 5
        uploaded = len(people.calls_of("files.completeUploadExternal"))
        assert heroes(await card_in(world)) == first
        assert len(people.calls_of("files.completeUploadExternal")) == uploaded
        card = await card_in(world)
        await people.click(card, "Where to buy", by="ben")
        view = await people.next_view("ben", until=lambda v: "Visit store" in str(v.blocks))
        assert first[0] in str(view.blocks)
        assert people.problems == []


async def test_uploads_survive_a_restart(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, public_url="", thumbnails=engine.service) as world:
        kept = heroes(await card_in(world))
        gallery = world.bot.desk.gallery
        gallery._known.clear()
        await gallery.prepare("T07LOCALWS", [])
        assert set(gallery.known("T07LOCALWS").values()) == set(kept)


async def test_a_picture_that_somebody_deleted_costs_one_card_its_picture_and_comes_back(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, public_url="", thumbnails=engine.service) as world:
        first = heroes(await card_in(world))
        world.people.workspace.files[first[1]].deleted = True
        second = heroes(await card_in(world))
        assert second == [first[0], *first[2:]]
        third = heroes(await card_in(world))
        assert len(third) == 5
        assert first[1] not in third


async def test_where_uploads_are_refused_the_card_comes_without_pictures(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, public_url="", thumbnails=engine.service) as world:
        world.people.workspace.scopes -= {"files:write"}
        card = await card_in(world)
        assert heroes(card) == []
        assert "similar product" in card.text


async def test_the_same_photo_gets_no_second_card_that_day_unless_somebody_asks(world: World) -> None:
    photos = world.people.channel("photos")
    assert "similar product" in (await card_in(world, "")).text
    again = await photos.upload(CUP, photo(CUP))
    await world.finished()
    assert photos.replies(again) == []
    assert "similar product" in (await card_in(world)).text
