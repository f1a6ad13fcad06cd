"""Somebody types /insights, or looks at the Home tab."""

from pathlib import Path

import pytest

from tests.worlds import Engine, World, photo, picture_host, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_address_gets_a_message_with_the_picture_and_the_card_in_its_thread(world: World) -> None:
    photos = world.people.channel("photos")
    async with picture_host() as host:
        ack = await world.people.command("/insights", f"{host}/vase.jpg")
        top = await photos.next_message()
        card = await photos.next_reply(to=top)
    await world.finished()
    assert "Looking at the image" in ack.text
    assert "asked about this image" in top.text
    assert "similar product" in card.text
    assert photos.replies(top) == [card]


@pytest.mark.parametrize("path", ["product", "article"])
async def test_a_page_is_looked_at_by_the_picture_it_names(world: World, path: str) -> None:
    photos = world.people.channel("photos")
    async with picture_host() as host:
        await world.people.command("/insights", f"{host}/{path}")
        card = await photos.next_reply(to=await photos.next_message())
    assert "similar product" in card.text


async def test_where_the_bot_is_no_member_only_the_asker_gets_the_card(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path) as world, picture_host() as host:
        await world.people.command("/insights", f"{host}/vase.jpg", channel="kitchen-refit")
        assert "Looking" in (await world.people.next_ephemeral("ana")).text
        card = await world.people.next_ephemeral("ana")
        assert "similar product" in card.text
        assert "carousel" not in str(card.blocks)
        await world.people.click(card, "Where to buy", by="ana")
        await world.people.next_view("ana", until=lambda view: "Visit store" in str(view.blocks))
        await world.finished()
        assert [message.text for message in world.people.ephemerals("ana")] == [card.text]  # "Looking…" is gone


async def test_where_nothing_can_be_posted_a_direct_message_says_why(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path) as world, picture_host() as host:
        await world.people.command("/insights", f"{host}/vase.jpg", channel="kitchen-refit")
        await world.people.next_ephemeral("ana")
        card = await world.people.next_ephemeral("ana")
        await world.people.click(card, "Similar images", by="ana")
        images = await world.people.next_view("ana", until=lambda v: "Use this image" in str(v.blocks))
        await world.people.click(images, "Use this image", by="ana")
        told = await world.people.dm("ana").next_message()
        assert told.text == "I’m not in that channel"


@pytest.mark.parametrize(
    "what", ["{host}/page", "{host}/nothing.jpg", "http://169.254.169.254/latest/meta-data", "http://10.0.0.1/x.png"]
)
async def test_what_cannot_be_opened_is_one_and_the_same_sentence(world: World, what: str) -> None:
    async with picture_host() as host:
        await world.people.command("/insights", what.format(host=host))
        assert "Looking" in (await world.people.next_ephemeral("ana")).text
        told = await world.people.next_ephemeral("ana")
    assert told.text == "I can’t open that image"
    assert [m for m in world.people.channel("photos").messages() if m.bot_id] == []


async def test_try_again_looks_again(world: World) -> None:
    photos = world.people.channel("photos")
    async with picture_host() as host:
        await world.people.command("/insights", f"{host}/page")
        await world.people.next_ephemeral("ana")
        told = await world.people.next_ephemeral("ana")
        await world.people.click(told, "Try again", by="ana")
        again = await world.people.next_ephemeral("ana")
    assert again.text == "I can’t open that image"
    assert [m for m in photos.messages() if m.bot_id] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "How to use"),
        ("help", "How to use"),
        ("payload", "Looking in the catalogue"),
        ("payload=1&payload", "Looking in the catalogue"),
        ("cup.jpg", "doesn’t look like an image URL"),
        ("ftp://example.com/cup.jpg", "doesn’t look like an image URL"),
    ],
)
async def test_other_words_are_answered_at_once(world: World, text: str, says: str) -> None:
    ack = await world.people.command("/insights", text)
    assert says in ack.text
    await world.finished()


async def test_off_and_on_are_announced_and_undo_takes_them_back(world: World) -> None:
    photos, people = world.people.channel("photos"), world.people
    await people.command("/insights", "off")
    notice = await photos.next_message()
    assert "turned automatic answers off" in notice.text
    silent = await photos.upload("vase.jpg", photo("photo-02.jpg"))
    await world.finished()
    assert photos.replies(silent) == []
    await people.click(notice, "Undo", by="ben")
    await people.until(lambda: "Undone by" in notice.text, what="the notice to change")
    answered = await photos.upload("mug.jpg", photo("photo-01.jpg"))
    assert "similar product" in (await photos.next_reply(to=answered)).text


async def test_switching_a_channel_we_are_not_in_says_how_to_invite_us(world: World) -> None:
    await world.people.command("/insights", "on", channel="kitchen-refit")
    assert "I’m not in that channel" in (await world.people.next_ephemeral("ana")).text


async def test_home_teaches_first_and_shows_ones_own_lookups_later(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    await people.open_home("ana")
    await people.until(lambda: people.home_of("ana"), what="a Home tab")
    assert "See what a picture shows" in str(people.home_of("ana"))
    await photos.next_reply(to=await photos.upload("mug.jpg", photo("photo-01.jpg"), by="ana"))
    await world.finished()
    await people.open_home("ana")
    await people.until(lambda: "Recent lookups" in str(people.home_of("ana")), what="recent lookups")
    await people.open_home("ben")
    await people.until(lambda: people.home_of("ben"), what="ben's Home tab")
    assert "Recent lookups" not in str(people.home_of("ben"))


async def test_an_address_with_words_is_narrowed_to_them(world: World) -> None:
    photos = world.people.channel("photos")
    async with picture_host() as host:
        await world.people.command("/insights", f"{host}/vase.jpg between $10 and $60")
        top = await photos.next_message()
        card = await photos.next_reply(to=top)
    assert "Only $10.00 to $60.00" in str(card.blocks)
