"""Somebody changes how pictures are answered."""

import asyncio

import pytest

from bot.demo.objects import View
from tests.worlds import World, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")

CUP = "photo-09.jpg"


def ready(view: View) -> bool:
    return "Card size" in str(view.blocks)


async def test_a_channel_has_settings_of_its_own_and_any_member_changes_them(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    await people.command("/insights", "settings", by="ben")
    form = await people.next_view("ben", until=ready)
    assert "Answer every photo in" not in str(form.blocks)
    await people.submit(form, {"size": "short", "market": "de-DE"}, by="ben")
    await people.next_view("ben", until=lambda v: "Saved." in str(v.blocks))
    card = await photos.next_reply(to=await photos.upload(CUP, photo(CUP)))
    assert "Produkte zeigen" in str(card.blocks)
    assert "carousel" not in str(card.blocks)
    elsewhere = await people.dm("ana").upload(CUP, photo(CUP))
    assert "carousel" in str((await people.dm("ana").next_reply(to=elsewhere)).blocks)


async def test_the_market_decides_which_offers_are_shown(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    await people.command("/insights", "settings", by="ben")
    await people.submit(await people.next_view("ben", until=ready), {"market": "de-DE"}, by="ben")
    await people.next_view("ben", until=lambda v: "Saved." in str(v.blocks))
    card = await photos.next_reply(to=await photos.upload("vase.jpg", photo("photo-02.jpg")))
    assert "de-DE" in str(card.blocks)
    assert "$" not in str([b for b in card.blocks if b["type"] == "carousel"])


async def test_those_of_the_workspace_are_for_admins(world: World) -> None:
    people = world.people
    await people.open_home("ben")
    await people.until(lambda: people.home_of("ben"), what="a Home tab")
    home = people.home_of("ben")
    assert home
    await people.click(home, "Choose channels", by="ben")
    await people.next_view("ben", until=lambda v: "Only an admin" in str(v.blocks))


async def test_an_admin_says_where_photos_are_answered_and_the_channels_hear_of_it(world: World) -> None:
    people, kitchen = world.people, world.people.channel("kitchen-refit")
    await people.open_home("ana")
    await people.until(lambda: people.home_of("ana"), what="a Home tab")
    home = people.home_of("ana")
    assert home
    await people.click(home, "Choose channels", by="ana")
    form = await people.next_view("ana", until=ready)
    await people.submit(form, {"chans": [kitchen.id], "adding": ["adding"]}, by="ana")
    notice = await kitchen.next_message()
    assert "turned automatic answers on" in notice.text
    await people.next_view("ana", until=lambda v: "Saved." in str(v.blocks))
    answered = await kitchen.upload(CUP, photo(CUP), by="ana")
    assert "similar product" in (await kitchen.next_reply(to=answered)).text
    assert await world.bot.desk.teams.adding("T07LOCALWS")


async def test_the_menu_of_a_card_leads_to_those_of_its_channel(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    card = await photos.next_reply(to=await photos.upload(CUP, photo(CUP)))
    await people.click(card, "insights.card.menu", by="ben", pick="Settings")
    form = await people.next_view("ben", until=ready)
    assert photos.id in str(form.blocks)


async def test_many_photos_at_once_get_short_cards(world: World) -> None:
    photos = world.people.channel("photos")
    posts = [await photos.upload(f"{n}.jpg", photo(f"photo-{n:02}.jpg")) for n in range(2, 10)]
    cards = await asyncio.gather(*(photos.next_reply(to=post) for post in posts))
    await world.finished()
    small = [card for card in cards if "Show products" in str(card.blocks)]
    assert 1 <= len(small) <= len(posts) - 3


async def test_the_reaction_that_a_workspace_has_chosen_asks_about_a_photo(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    await people.open_home("ana")
    await people.until(lambda: people.home_of("ana"), what="a Home tab")
    home = people.home_of("ana")
    assert home
    await people.click(home, "Choose channels", by="ana")
    await people.submit(await people.next_view("ana", until=ready), {"reaction": ":Mag:", "chans": []}, by="ana")
    await people.next_view("ana", until=lambda v: "Saved." in str(v.blocks))
    await people.command("/insights", "off")
    await photos.next_message()
    post = await photos.upload(CUP, photo(CUP), by="ana")
    await world.finished()
    await people.react(post, "heart", by="ben")
    await people.react(post, "mag", by="ben")
    await people.react(post, "mag", by="ana")
    assert "similar product" in (await photos.next_reply(to=post)).text
    await world.finished()
    assert len(photos.replies(post)) == 1


async def test_a_sample_photo_shows_what_a_card_is(world: World) -> None:
    people = world.people
    await people.open_home("ben")
    await people.until(lambda: people.home_of("ben"), what="a Home tab")
    home = people.home_of("ben")
    assert home
    await people.click(home, "Try a sample photo", by="ben")
    card = await people.dm("ben").next_message()
    assert "similar product" in card.text
