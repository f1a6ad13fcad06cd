"""Somebody posts a picture and says "add this, $40"."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.driver import Upload
from bot.demo.objects import TEAM_ID, Message
from bot.insights.service import InsightsService
from bot.storage import Database
from tests.worlds import CATALOGUE, Engine, World, picture_host, settings_for, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

ME = "@Image Insights"
JUG = (CATALOGUE / "images" / "mg01.jpg").read_bytes()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(engine: Engine, tmp_path: Path) -> AsyncIterator[World]:
    """A workspace with an empty catalogue of its own, which people may add to."""
    settings = settings_for(tmp_path / "engine")
    async with (
        Database.open(settings.database) as database,
        InsightsService.open(settings, database, engine.pixels, engine.fetcher, base_url=engine.url) as service,
        world_of(engine, tmp_path, insights=service, goods=service.catalogue) as world,
    ):
        await world.people.command("/insights", "adding on", by="ana")
        assert "can now add" in (await world.people.next_ephemeral("ana")).text
        yield world
        assert world.people.problems == []


async def added(shop: World, text: str = f"{ME} add this: Grandma's jug, $40", *, by: str = "ben") -> tuple[Message, Message]:
    """The message with the picture, and ours that says it is in."""
    photos, people = shop.people.channel("photos"), shop.people
    posted = await photos.upload("jug.jpg", JUG, text=text, by=by)
    asked = await people.next_ephemeral(by)
    await people.click(asked, "Add to catalogue", by=by)
    form = await people.next_view(by)
    await people.submit(form, by=by)
    return posted, await photos.next_reply(to=posted)


async def test_it_asks_takes_tells_and_finds(shop: World) -> None:
    people, photos = shop.people, shop.people.channel("photos")
    posted = await photos.upload("jug.jpg", JUG, text=f"{ME} add this: Grandma's jug, $40", by="ben")
    asked = await people.next_ephemeral("ben")
    assert asked.text == "Add it to the catalogue?"
    await people.click(asked, "Add to catalogue", by="ben")
    form = await people.next_view("ben")
    assert "Grandma's jug" in str(form.blocks)
    await people.submit(form, {"link": "https://shop.example/jug", "description": "Chipped, but whole."}, by="ben")
    told = await photos.next_reply(to=posted)
    await people.next_view("ben", until=lambda view: "is in the catalogue" in str(view.blocks))
    assert "added Grandma's jug to the catalogue for $40.00" in told.text
    found = await photos.next_reply(to=await photos.upload("again.jpg", JUG, by="ana"))
    assert "similar product" in found.text
    await people.click(found, "Where to buy", by="ana")
    offers = await people.next_view("ana", until=lambda view: "Visit store" in str(view.blocks))
    assert "shop.example" in str(offers.blocks)
    assert "$40.00" in str(offers.blocks)
    assert photos.replies(posted) == [told]


async def test_what_is_wrong_in_the_form_is_said_at_its_field(shop: World) -> None:
    people, photos = shop.people, shop.people.channel("photos")
    await photos.upload("jug.jpg", JUG, text=f"{ME} add this", by="ben")
    await people.click(await people.next_ephemeral("ben"), "Add to catalogue", by="ben")
    form = await people.next_view("ben")
    ack = await people.submit(form, {"title": " ", "price": "a lot", "link": "ftp://a.example"}, by="ben")
    assert set(ack.errors) == {"title", "price", "link"}
    assert people.view_of("ben") is form
    ack = await people.submit(form, {"title": "Jug", "price": "39,95 EUR", "link": ""}, by="ben")
    assert not ack.errors
    told = await people.until(lambda: next((m for m in photos.messages() if "added Jug" in m.text), None), what="a notice")
    assert "€39.95" in told.text


async def test_the_form_again_changes_it_and_the_notice_with_it(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.results.DOUBLE_CLICK_SECONDS", 0.0)
    people, photos = shop.people, shop.people.channel("photos")
    posted, told = await added(shop)
    await people.click(people.ephemerals("ben")[-1], "Add to catalogue", by="ben")
    form = await people.next_view("ben", until=lambda view: "Grandma" in str(view.blocks) and "submit" in view.body)
    await people.submit(form, {"price": "30"}, by="ben")
    await people.until(lambda: "$30.00" in told.text, what="the notice to change")
    assert photos.replies(posted) == [told]


async def test_several_pictures_are_of_one_thing(shop: World) -> None:
    people, photos = shop.people, shop.people.channel("photos")
    other = (CATALOGUE / "images" / "mg01-b.jpg").read_bytes()
    posted = await photos.upload(Upload("a.jpg", JUG), b"", Upload("b.jpg", other), text=f"{ME} add these: jug", by="ben")
    await people.click(await people.next_ephemeral("ben"), "Add to catalogue", by="ben")
    await people.submit(await people.next_view("ben"), by="ben")
    assert "added jug" in (await photos.next_reply(to=posted)).text
    for picture in (JUG, other):
        card = await photos.next_reply(to=await photos.upload("x.jpg", picture))
        assert "1 similar product" in card.text


async def test_in_a_thread_its_picture_is_meant_an_address_too(shop: World) -> None:
    people, photos = shop.people, shop.people.channel("photos")
    async with picture_host() as host:
        top = await photos.post(f"look {host}/vase.jpg", by="ana")
        await photos.next_reply(to=top)
        await photos.post(f"{ME} add this for 12", by="ben", thread_ts=top.ts)
        await people.click(await people.next_ephemeral("ben"), "Add to catalogue", by="ben")
        await people.submit(await people.next_view("ben"), {"title": "Vase"}, by="ben")
        assert "added Vase to the catalogue for $12.00" in (await photos.next_reply(to=top)).text


async def test_in_a_direct_message_no_mention_is_needed(shop: World) -> None:
    people, dm = shop.people, shop.people.dm("ben")
    await dm.upload("jug.jpg", JUG, text="add this, $40", by="ben")
    asked = await dm.next_message()
    await people.click(asked, "Add to catalogue", by="ben")
    await people.submit(await people.next_view("ben"), {"title": "Jug"}, by="ben")
    assert "added Jug" in (await dm.next_message()).text


async def test_whoever_added_it_removes_it_and_others_do_not(shop: World) -> None:
    people, photos = shop.people, shop.people.channel("photos")
    _, told = await added(shop, by="ana")
    await people.click(told, "Remove", by="ben")
    assert "or an admin can do that" in (await people.next_ephemeral("ben")).text
    await people.click(told, "Remove", by="ana")
    await people.until(lambda: "Removed by" in told.text, what="the notice to change")
    again = await photos.upload("again.jpg", JUG, by="ana", text=ME)
    card = await photos.next_reply(to=again)
    assert "Where to buy" not in str(card.blocks)


async def test_an_admin_removes_what_somebody_else_added(shop: World) -> None:
    _, told = await added(shop, by="ben")
    await shop.people.click(told, "Remove", by="ana")
    await shop.people.until(lambda: "Removed by" in told.text, what="the notice to change")
    goods = shop.bot.desk.goods
    assert goods
    assert await goods.take_out(f"slack:{TEAM_ID}") == 0


async def test_only_admins_switch_it_and_off_means_off(shop: World) -> None:
    people, photos = shop.people, shop.people.channel("photos")
    await people.command("/insights", "adding off", by="ben")
    assert (await people.next_ephemeral("ben")).text == "Only an admin can switch that."
    await photos.upload("jug.jpg", JUG, text=f"{ME} add this", by="ben")
    asked = await people.next_ephemeral("ben")
    await people.click(asked, "Add to catalogue", by="ben")
    form = await people.next_view("ben")
    await people.command("/insights", "adding off", by="ana")
    assert "Nobody can add" in (await people.next_ephemeral("ana")).text
    await people.submit(form, {"title": "Jug"}, by="ben")
    await people.next_view("ben", until=lambda view: "switched off" in str(view.blocks))
    assert not [m for m in photos.messages() if "added" in m.text]


async def test_off_is_where_it_begins(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, goods=engine.service.catalogue) as world:
        await world.people.channel("photos").upload("jug.jpg", JUG, text=f"{ME} add this", by="ben")
        assert "An admin can switch it on with /insights adding on" in (await world.people.next_ephemeral("ben")).text


async def test_where_another_service_keeps_the_catalogue_it_says_so(world: World) -> None:
    await world.people.channel("photos").upload("jug.jpg", JUG, text=f"{ME} add this", by="ben")
    assert "kept by another service" in (await world.people.next_ephemeral("ben")).text


async def test_words_without_a_picture_and_files_that_are_none_are_told(shop: World) -> None:
    people, photos = shop.people, shop.people.channel("photos")
    await photos.post(f"{ME} add this, $40", by="ben")
    assert "no picture to add" in (await people.next_ephemeral("ben")).text
    await photos.upload("broken.jpg", JUG[:500], text=f"{ME} add this: jug", by="ben")
    await people.click(await people.next_ephemeral("ben"), "Add to catalogue", by="ben")
    await people.submit(await people.next_view("ben"), by="ben")
    said = await people.next_view("ben", until=lambda view: "alert" in str(view.blocks))
    assert "JPEG" in str(said.blocks)
    assert not [m for m in photos.messages() if "added" in m.text]


async def test_a_team_that_leaves_takes_what_it_added_along(shop: World) -> None:
    await added(shop)
    goods = shop.bot.desk.goods
    assert goods
    await shop.bot.desk.forget(TEAM_ID)
    assert await goods.take_out(f"slack:{TEAM_ID}") == 0
    assert not await shop.bot.desk.teams.adding(TEAM_ID)
