"""Somebody deletes a photo that we answered (cards.md §6)."""

import pytest

from bot.demo.driver import Upload
from tests.worlds import World, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")

MUG, OTHER = "photo-01.jpg", "photo-02.jpg"


async def test_the_card_of_a_deleted_photo_goes_with_it(world: World) -> None:
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG))
    other = await photos.upload("vase.jpg", photo(OTHER))
    card = await photos.next_reply(to=post)
    await world.finished()
    await world.people.delete_message(post)
    await world.finished()
    assert photos.replies(post) == []
    assert len(photos.replies(other)) == 1
    ack = await world.people.click(card, "insights.offers.open", by="ben")
    assert ack.status == 200
    assert "30 days" in (await world.people.next_ephemeral("ben")).text


async def test_where_people_talked_under_it_a_line_stays(world: World) -> None:
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG))
    card = await photos.next_reply(to=post)
    await world.finished()
    await photos.post("I like that one", by="ben", thread_ts=post.ts)
    await world.people.delete_message(post)
    await world.finished()
    (left,) = photos.replies(post)
    assert (left.ts, left.text) == (card.ts, "The photo was removed.")
    assert [block["type"] for block in left.blocks] == ["context"]


async def test_a_deleted_photo_in_a_direct_message_takes_its_card_with_it(world: World) -> None:
    mine = world.people.dm("ben")
    post = await mine.upload("mug.jpg", photo(MUG))
    card = await mine.next_reply(to=post)
    await world.finished()
    await world.people.delete_message(post)
    await world.finished()
    assert card.deleted


async def test_one_card_for_several_photos_goes_whichever_is_shown(world: World) -> None:
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG), Upload("vase.jpg", photo(OTHER)))
    card = await photos.next_reply(to=post)
    await world.finished()
    await world.people.click(card, "insights.photo.pick", by="ben", pick="Photo 2 of 2")
    await world.finished()
    await world.people.delete_message(post)
    await world.finished()
    assert photos.replies(post) == []


async def test_deleting_something_said_under_a_photo_changes_nothing(world: World) -> None:
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG))
    card = await photos.next_reply(to=post)
    await world.finished()
    await world.people.delete_message(await photos.post("hm", thread_ts=post.ts))
    await world.finished()
    assert photos.replies(post) == [card]
