"""Somebody posts a link of the operator's own shop."""

from pathlib import Path

import pytest

from bot.demo.driver import Driver
from bot.demo.objects import Message
from tests.worlds import Engine, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOP = "cupandcorner.example"
MUG = f"https://{SHOP}/p/harbour-stripe-straight-mug-mg01"


async def previewed(people: Driver, post: Message) -> str:
    """What is shown below the message, as one text."""
    await people.workspace.until(lambda: post.attachments, timeout=10, what="a preview")
    return str(post.attachments)


@pytest.mark.parametrize(
    "link", [MUG, f"{MUG}/?utm_source=newsletter", f"{MUG}#reviews", MUG.replace("https", "http"), MUG.replace("cup", "CUP", 1)]
)
async def test_its_product_and_todays_price_are_shown_below(engine: Engine, tmp_path: Path, link: str) -> None:
    async with world_of(engine, tmp_path, shops=[SHOP]) as world:
        photos = world.people.channel("photos")
        post = await photos.post(f"what about {link} then", by="ana")
        shown = await previewed(world.people, post)
        assert "Harbour Stripe Straight Mug" in shown
        assert "*$14.95* at Cup &amp; Corner" in shown
        assert "In stock" in shown
        assert "/th?id=" in shown
        await world.finished()
        assert photos.replies(post) == []  # quiet otherwise
        assert world.people.problems == []


async def test_where_the_bot_is_no_member_too(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, shops=[SHOP]) as world:
        post = await world.people.channel("kitchen-refit").post(MUG, by="ben")
        assert "Harbour Stripe" in await previewed(world.people, post)


async def test_what_the_catalogue_does_not_know_or_is_not_ours_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, shops=[SHOP]) as world:
        photos = world.people.channel("photos")
        posts = [
            await photos.post(text, by="ana") for text in (f"https://{SHOP}/about", "https://elsewhere.example/p/mug", "mug")
        ]
        await world.finished()
        assert [post.attachments for post in posts] == [[], [], []]
        assert "chat.unfurl" not in {call.method for call in world.people.calls}


async def test_a_channel_that_is_switched_off_stays_quiet(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, shops=[SHOP]) as world:
        photos = world.people.channel("photos")
        await world.people.command("/insights", "off", channel="photos")
        await world.finished()
        post = await photos.post(MUG, by="ana")
        await world.finished()
        assert post.attachments == []


async def test_a_picture_that_slack_cannot_load_costs_the_picture_only(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, shops=[SHOP]) as world:
        world.people.faults.refuse_pictures(containing="/th?")
        post = await world.people.channel("photos").post(MUG, by="ana")
        shown = await previewed(world.people, post)
        assert "$14.95" in shown
        assert "image_url" not in shown
