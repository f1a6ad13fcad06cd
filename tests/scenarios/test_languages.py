"""Everybody reads a card in the language of the channel, and what only they see in their own (cards.md §7)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.driver import Room
from bot.demo.objects import Message, View
from tests.worlds import Engine, World, photo, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

CUP = "photo-09.jpg"


@pytest_asyncio.fixture(loop_scope="session")
async def world(engine: Engine, tmp_path: Path) -> AsyncIterator[World]:
    """Ana's Slack is in English, Ben's in French."""
    async with world_of(engine, tmp_path) as world:
        world.people.reads("ben", "fr-FR")
        yield world


def saved(view: View) -> bool:
    return "Saved." in str(view.blocks)


async def set_up(world: World, room: Room, **chosen: str) -> None:
    people = world.people
    await people.command("/insights", "settings", channel=room.id, by="ana")
    await people.submit(await people.next_view("ana", until=lambda v: "Card size" in str(v.blocks)), chosen, by="ana")
    await people.next_view("ana", until=saved)


async def card_of(room: Room) -> Message:
    return await room.next_reply(to=await room.upload(CUP, photo(CUP)))


async def test_a_card_speaks_the_language_of_its_channel_and_a_modal_that_of_its_reader(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    await set_up(world, photos, market="en-US", language="de")
    card = await card_of(photos)
    assert "ähnliche Produkte ab $" in card.text
    await people.click(card, "Wo kaufen", by="ben")
    french = await people.next_view("ben", until=lambda v: "hors livraison" in str(v.blocks))
    assert french.title == "Où acheter"
    await people.click(card, "Wo kaufen", by="ana")
    english = await people.next_view("ana", until=lambda v: "without shipping" in str(v.blocks))
    assert english.title == "Where to buy"


async def test_what_somebody_shares_speaks_the_language_of_the_channel(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    await set_up(world, photos, language="es")
    card = await card_of(photos)
    await people.click(card, "Dónde comprar", by="ben")
    offers = await people.next_view("ben", until=lambda v: "hors livraison" in str(v.blocks))
    await people.submit(offers, {}, by="ben")
    shared = await photos.next_reply(to=card)
    assert shared.text.startswith("Dónde comprar")
    assert "sin envío ni impuestos" in str(shared.blocks)
    await people.next_view("ben", until=lambda v: "Partagé dans le fil." in str(v.blocks))


async def test_a_channel_speaks_as_its_market_unless_it_is_told_otherwise(world: World) -> None:
    photos = world.people.channel("photos")
    await set_up(world, photos, market="fr-FR")
    assert "produits similaires" in (await card_of(photos)).text


async def test_a_command_is_answered_in_the_language_of_whoever_typed_it(world: World) -> None:
    people = world.people
    assert (await people.command("/insights", "help", by="ben")).text == "Comment utiliser Image Insights"
    assert (await people.command("/insights", "help", by="ana")).text == "How to use Image Insights"


async def test_bad_news_comes_in_the_language_of_whoever_asked(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    await photos.upload("notes.jpg", b"no picture at all", text="<@insights>", by="ben")
    notice = await people.next_ephemeral("ben")
    assert notice.text == "Je ne sais pas lire ce type de fichier"


async def test_undo_works_in_every_language(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    await set_up(world, photos, language="ja")
    await people.command("/insights", "off", by="ben")
    notice = await photos.next_message()
    assert "*オフ*" in str(notice.blocks)
    await people.click(notice, "元に戻す", by="ana")
    await people.until(lambda: "元に戻しました" in notice.text, what="the notice to say who took it back")
    assert "ähnliche" not in (await card_of(photos)).text


async def test_who_cannot_be_asked_about_reads_the_language_of_the_workspace(world: World) -> None:
    people = world.people
    people.faults.fail("users.info", times=9)
    assert (await people.command("/insights", "help", by="ben")).text == "How to use Image Insights"


async def test_somebody_is_asked_about_once_a_day(world: World) -> None:
    people = world.people
    for _ in range(3):
        await people.command("/insights", "help", by="ben")
    assert len([call for call in people.calls if call.method == "users.info"]) == 1
