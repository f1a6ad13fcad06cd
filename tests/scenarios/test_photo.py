"""Somebody posts a photo where the bot is."""

from pathlib import Path

import pytest

from bot.demo.driver import Upload
from bot.demo.objects import TEAM_ID, Message
from bot.insights.service import InsightsService
from bot.storage import Database
from tests.worlds import Engine, World, photo, picture_host, settings_for, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

MUG, OTHER, NOTHING = "photo-01.jpg", "photo-02.jpg", b"%PDF-1.7 a letter, not a picture"


async def test_a_photo_gets_one_card_in_its_thread_and_the_eyes_come_off(world: World) -> None:
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG))
    card = await photos.next_reply(to=post)
    await world.finished()
    assert card.thread_ts == post.ts
    assert "from $" in card.text
    assert [block["type"] for block in card.blocks].count("carousel") == 1
    assert photos.replies(post) == [card]
    assert [call.method for call in world.people.calls if call.method.startswith("reactions.")] == [
        "reactions.add",
        "reactions.remove",
    ]
    assert post.reactions == {} or not any(post.reactions.values())


async def test_a_photo_from_a_phone_gets_a_card(world: World) -> None:
    pi_heif = pytest.importorskip("pillow_heif", reason="nothing here writes HEIC")
    del pi_heif
    post = await world.people.channel("photos").upload("IMG_0001.HEIC", heic(photo(MUG)))
    card = await world.people.channel("photos").next_reply(to=post)
    assert "similar product" in card.text


def picked(card: Message) -> str:
    """The photo that the select of a card says it is of."""
    (select,) = [
        one for block in card.blocks for one in block.get("elements", ()) if one.get("action_id") == "insights.photo.pick"
    ]
    assert [len(select["options"]), select["type"]] == [3, "static_select"]
    return str(select["initial_option"]["text"]["text"])


async def test_several_photos_in_one_message_get_one_card_and_a_way_to_each(world: World) -> None:
    photos, people = world.people.channel("photos"), world.people
    post = await photos.upload("a.jpg", photo(MUG), Upload("b.jpg", photo(OTHER)), Upload("letter.png", NOTHING), by="ana")
    card = await photos.next_reply(to=post)
    await world.finished()
    assert photos.replies(post) == [card]
    assert picked(card) == "Photo 1 of 3"
    assert "Harbour Stripe Straight Mug" in str(card.blocks)

    await people.click(card, "insights.photo.pick", by="ben", pick="Photo 2 of 3")
    await world.finished()
    (other,) = photos.replies(post)
    assert other.ts == card.ts
    assert picked(other) == "Photo 2 of 3"
    assert other.text.startswith("Blue ceramic vase")
    assert f"<@{people.workspace.person('ana').id}>" in str(other.blocks)
    await people.click(other, "insights.offers.open", by="ben")
    assert "Aegean Amphora" in str((await people.next_view("ben", until=lambda view: "$37.99" in str(view.body))).body)

    await people.click(other, "insights.photo.pick", by="ben", pick="Photo 3 of 3")
    assert "can’t read this file type" in (await people.next_ephemeral("ben")).text
    assert photos.replies(post) == [other]
    await people.click(other, "insights.photo.pick", by="ben", pick="Photo 1 of 3")
    await world.finished()
    (again,) = photos.replies(post)
    assert picked(again) == "Photo 1 of 3"
    assert "Harbour Stripe Straight Mug" in str(again.blocks)


async def test_of_several_photos_the_card_shows_the_first_that_can_be_read(world: World) -> None:
    photos = world.people.channel("photos")
    post = await photos.upload(
        "letter.png", NOTHING, Upload("mug.jpg", photo(MUG)), Upload("b.jpg", photo(OTHER)), text="<@insights>"
    )
    card = await photos.next_reply(to=post)
    await world.finished()
    assert photos.replies(post) == [card]
    assert picked(card) == "Photo 2 of 3"


async def test_when_none_of_several_files_can_be_read_whoever_asked_is_told_once(world: World) -> None:
    photos = world.people.channel("photos")
    post = await photos.upload("letter.png", NOTHING, Upload("other.png", NOTHING + b"."), text="<@insights>", by="ben")
    assert "can’t read this file type" in (await world.people.next_ephemeral("ben")).text
    await world.finished()
    assert photos.replies(post) == []


async def test_a_mention_in_the_thread_of_several_photos_gets_a_way_to_each(world: World) -> None:
    photos = world.people.channel("photos")
    await world.people.command("/insights", "off", channel="photos")
    await world.finished()
    post = await photos.upload("mug.jpg", photo(MUG), Upload("b.jpg", photo(OTHER)), Upload("letter.png", NOTHING))
    await world.finished()
    await photos.post("<@insights> what are these?", thread_ts=post.ts)
    assert picked(await photos.next_reply(to=post)) == "Photo 1 of 3"


async def test_a_link_to_a_picture_gets_a_card(world: World) -> None:
    photos = world.people.channel("photos")
    async with picture_host() as host:
        card = await photos.next_reply(to=await photos.post(f"look at {host}/vase.jpg please"))
    assert "Aegean Amphora" in card.text


async def test_over_an_empty_catalogue_the_card_says_that_nothing_is_like_it(engine: Engine, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "empty")
    async with (
        Database.open(settings.database) as database,
        InsightsService.open(settings, database, engine.pixels, engine.fetcher, base_url=engine.url) as nothing,
        world_of(engine, tmp_path, insights=nothing) as world,
    ):
        photos = world.people.channel("photos")
        card = await photos.next_reply(to=await photos.upload("mug.jpg", photo(MUG)))
        assert card.text.endswith("No similar products found.")


async def test_a_dead_link_that_nobody_asked_about_is_passed_over(world: World) -> None:
    photos = world.people.channel("photos")
    post = await photos.post(f"look at {world.people.base_url}/nothing-here.jpg please")
    await world.finished()
    assert photos.replies(post) == []


async def test_talk_without_a_picture_is_no_work_at_all(world: World) -> None:
    await world.people.channel("photos").post("good morning, see https://example.com/news")
    await world.people.settled()
    assert await world.bot.desk.jobs.list() == []


async def test_a_mention_in_the_thread_of_a_photo_looks_at_that_photo(world: World) -> None:
    photos = world.people.channel("photos")
    await world.people.command("/insights", "off")
    await photos.next_message()
    post = await photos.upload("mug.jpg", photo(MUG))
    await world.finished()
    assert photos.replies(post) == []
    await photos.post("<@insights> what is this?", by="ben", thread_ts=post.ts)
    card = await photos.next_reply(to=post)
    await world.finished()
    assert "similar product" in card.text
    assert photos.replies(post) == [card]


async def test_a_mention_under_the_message_of_a_command_looks_at_its_address(world: World) -> None:
    photos = world.people.channel("photos")
    async with picture_host() as host:
        await world.people.command("/insights", f"{host}/vase.jpg")
        top = await photos.next_message()
        await photos.next_reply(to=top)
        await photos.post("<@insights> once more", by="ben", thread_ts=top.ts)
        assert "Aegean Amphora" in (await photos.next_reply(to=top)).text


async def test_a_direct_message_is_answered_in_the_conversation(world: World) -> None:
    dm = world.people.dm("ana")
    post = await dm.upload("mug.jpg", photo(MUG))
    card = await dm.next_reply(to=post)
    assert not card.thread_ts
    assert "similar product" in card.text


async def test_a_direct_message_without_a_picture_gets_help(world: World) -> None:
    dm = world.people.dm("ana")
    help_text = await dm.next_reply(to=await dm.post("hello?"))
    assert help_text.text == "How to use Image Insights"


async def test_what_is_no_picture_is_told_only_to_those_who_ask(world: World) -> None:
    photos = world.people.channel("photos")
    silent = await photos.upload("letter.png", NOTHING)
    await world.finished()
    assert photos.replies(silent) == []
    assert world.people.ephemerals("ana") == []
    await photos.upload("letter.png", NOTHING, text="<@insights> this")
    told = await world.people.next_ephemeral("ana")
    assert told.text == "I can’t read this file type"


async def test_bots_and_edits_are_ignored(world: World) -> None:
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG))
    card = await photos.next_reply(to=post)
    await world.people.edit_message(post, "now with words <https://example.com/x.jpg>")
    await world.people.unfurl(post)
    await world.finished()
    assert photos.replies(post) == [card]


async def test_an_invitation_switches_a_channel_on_and_greets_the_inviter_once(world: World) -> None:
    await world.people.invite("kitchen-refit", by="ana")
    hello = await world.people.next_ephemeral("ana")
    await world.finished()
    assert "I answer photos in this channel" in hello.text
    assert len(world.people.ephemerals("ana")) == 1


@pytest.mark.parametrize("same_event", [True, False])
async def test_whatever_slack_repeats_there_is_one_card(world: World, same_event: bool) -> None:
    world.people.faults.deliver_twice(times=5, same_event_id=same_event)
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG), text="<@insights> what is it?")
    await photos.next_reply(to=post)
    await world.finished()
    assert len(photos.replies(post)) == 1


async def test_events_out_of_order_and_retries_make_one_card(world: World) -> None:
    world.people.faults.deliver_reversed(3)
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG), text="<@insights> what is it?")
    await photos.next_reply(to=post)
    world.people.faults.deliver_as_retry()
    second = await photos.upload("vase.jpg", photo(OTHER))
    await photos.next_reply(to=second)
    await world.finished()
    assert len(photos.replies(post)) == 1
    assert len(photos.replies(second)) == 1


@pytest.mark.parametrize("fault", ["stub_files", "unready_files"])
async def test_a_file_that_slack_has_not_finished_is_waited_for(world: World, fault: str) -> None:
    getattr(world.people.faults, fault)()
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG))
    assert "similar product" in (await photos.next_reply(to=post)).text


async def test_a_refused_picture_costs_the_picture_not_the_card(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path) as world:
        world.people.faults.refuse_pictures(containing="/th?")
        photos = world.people.channel("photos")
        post = await photos.upload("mug.jpg", photo(MUG))
        card = await photos.next_reply(to=post)
        await world.finished()
        assert "image_url" not in str(card.blocks)
        assert "Where to buy" in str(card.blocks)
        assert photos.replies(post) == [card]


async def test_a_refused_carousel_becomes_rows_and_is_not_tried_again(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path) as world:
        world.people.faults.refuse_blocks("carousel")
        photos = world.people.channel("photos")
        first = await photos.next_reply(to=await photos.upload("mug.jpg", photo(MUG)))
        posts = len(world.people.calls_of("chat.postMessage"))
        second = await photos.next_reply(to=await photos.upload("vase.jpg", photo(OTHER)))
        assert "carousel" not in str(first.blocks)
        assert "Where to buy" in str(first.blocks)
        assert "carousel" not in str(second.blocks)
        assert len(world.people.calls_of("chat.postMessage")) == posts + 1


async def test_too_many_requests_and_a_lost_answer_still_make_one_post(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path) as world:
        world.people.faults.rate_limit("chat.postMessage", retry_after=1)
        world.people.faults.lose_answer("chat.postMessage")
        photos = world.people.channel("photos")
        post = await photos.upload("mug.jpg", photo(MUG))
        await photos.next_reply(to=post)
        await world.finished()
        assert len(photos.replies(post)) == 1


async def test_without_a_public_address_a_card_carries_no_pictures(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, public_url="") as world:
        photos = world.people.channel("photos")
        card = await photos.next_reply(to=await photos.upload("mug.jpg", photo(MUG)))
        assert "image_url" not in str(card.blocks)


async def test_a_workspace_that_removes_us_is_forgotten(world: World) -> None:
    desk, photos = world.bot.desk, world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG))
    await photos.next_reply(to=post)
    await world.finished()
    assert await desk.results.recent(TEAM_ID, post.user, 3)
    world.people.workspace.delivery._event({"type": "app_uninstalled"})
    await world.finished()
    assert await desk.results.recent(TEAM_ID, post.user, 3) == []


def heic(jpeg: bytes) -> bytes:
    import io  # noqa: PLC0415

    import pillow_heif  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    out = io.BytesIO()
    pillow_heif.from_pillow(Image.open(io.BytesIO(jpeg))).save(out)
    return out.getvalue()


# ---------------------------------------------------------------- words that refine


async def test_words_beside_a_photo_narrow_its_products(world: World) -> None:
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG), text="<@insights> under $14, in stock please")
    card = await photos.next_reply(to=post)
    assert "Only up to $14.00, in stock" in str(card.blocks)
    assert "similar product" in card.text
    assert "Harbour Stripe Straight Mug" not in str(card.blocks), "it costs $14.95"


async def test_words_in_the_thread_ask_about_the_photo_again(world: World) -> None:
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG))
    first = await photos.next_reply(to=post)
    assert "Harbour Stripe Straight Mug" in str(first.blocks)
    await photos.post("<@insights> in yellow", by="ben", thread_ts=post.ts)
    card = await photos.next_reply(to=post)
    assert "Only in yellow" in str(card.blocks)
    assert "Mustard Square-Handle Mug" in str(card.blocks)
    assert "Harbour Stripe Straight Mug" not in str(card.blocks)


async def test_what_nothing_is_like_says_so(world: World) -> None:
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo(MUG), text="<@insights> under $1")
    card = await photos.next_reply(to=post)
    assert card.text.endswith("No similar products found.")


async def test_what_people_say_beside_a_photo_to_each_other_narrows_nothing(world: World) -> None:
    photos = world.people.channel("photos")
    card = await photos.next_reply(to=await photos.upload("mug.jpg", photo(MUG), text="found this under $5!"))
    assert "Only" not in str(card.blocks)
