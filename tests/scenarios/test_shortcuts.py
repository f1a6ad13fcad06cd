"""Somebody uses the shortcuts: what a picture shows, for their eyes first."""

import pytest

from bot.demo.objects import View
from tests.worlds import World, photo, picture_host

pytestmark = pytest.mark.asyncio(loop_scope="session")

CUP = "photo-09.jpg"


def shown(view: View) -> bool:
    return "Similar products" in str(view.blocks)


async def test_a_message_shortcut_shows_the_results_to_whoever_asked_and_posts_them_on_wish(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    await people.command("/insights", "off")
    await photos.next_message()
    post = await photos.upload(CUP, photo(CUP), by="ana")
    await people.shortcut("insights.message", post, by="ben")
    view = await people.next_view("ben", until=shown)
    assert "Only you see this" in str(view.blocks)
    assert photos.replies(post) == []
    await people.submit(view, by="ben")
    card = await photos.next_reply(to=post)
    assert "similar product" in card.text
    assert people.view_of("ben") is None
    await people.click(card, "Where to buy", by="ana")
    await people.next_view("ana", until=lambda v: "Visit store" in str(v.blocks))
    await world.finished()
    assert photos.replies(post) == [card]


async def test_its_buttons_open_on_top(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    post = await photos.upload(CUP, photo(CUP), by="ana")
    await people.shortcut("insights.message", post, by="ben")
    view = await people.next_view("ben", until=shown)
    await people.click(view, "Where to buy", by="ben")
    offers = await people.next_view("ben", until=lambda v: "Visit store" in str(v.blocks))
    assert offers.previous_id == view.id


async def test_a_message_without_a_picture_says_so(world: World) -> None:
    people = world.people
    post = await people.channel("photos").post("no picture here", by="ana")
    await people.shortcut("insights.message", post, by="ben")
    view = await people.next_view("ben")
    assert "There is no picture in that message." in str(view.blocks)


async def test_a_link_in_a_message_is_looked_at(world: World) -> None:
    people = world.people
    async with picture_host() as host:
        post = await people.channel("photos").post(f"nice: {host}/product", by="ana")
        await people.shortcut("insights.message", post, by="ben")
        view = await people.next_view("ben", until=shown)
    assert "Where to buy" in str(view.blocks)


async def test_where_we_are_no_member_the_reason_comes_in_the_modal(world: World) -> None:
    people = world.people
    post = await people.channel("kitchen-refit").upload(CUP, photo(CUP), by="ana")
    await people.shortcut("insights.message", post, by="ben")
    view = await people.next_view("ben", until=lambda v: "Looking" not in str(v.blocks))
    assert "can’t open that image" in str(view.blocks)


@pytest.mark.parametrize("what", ["{host}/vase.jpg", "{host}/product", "striped mug"])
async def test_the_global_shortcut_takes_an_address_a_page_or_words(world: World, what: str) -> None:
    people = world.people
    async with picture_host() as host:
        await people.shortcut("insights.open", by="ben")
        form = await people.next_view("ben")
        await people.submit(form, {"what": what.format(host=host)}, by="ben")
        view = await people.next_view("ben", until=shown)
        assert "submit" not in view.body
        await people.click(view, "Where to buy", by="ben")
        await people.next_view("ben", until=lambda v: "Visit store" in str(v.blocks))


async def test_an_empty_form_says_what_to_write(world: World) -> None:
    await world.people.shortcut("insights.open", by="ben")
    ack = await world.people.submit(await world.people.next_view("ben"), {"what": " "}, by="ben")
    assert "Write the address" in ack.errors["what"]


async def test_what_cannot_be_opened_is_told_in_the_modal(world: World) -> None:
    async with picture_host() as host:
        await world.people.shortcut("insights.open", by="ben")
        await world.people.submit(await world.people.next_view("ben"), {"what": f"{host}/page"}, by="ben")
        view = await world.people.next_view("ben", until=lambda v: "Looking" not in str(v.blocks))
    assert "can’t open that image" in str(view.blocks)
