"""What hangs on a card besides products: its menu, thumbs, the bin, and searches by words."""

from pathlib import Path

import pytest

from bot.demo.objects import Message
from tests.worlds import CATALOGUE, Engine, World, photo, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

CUP = "photo-09.jpg"  # six products are like it
MUG = "mg01.jpg"


async def card_in(world: World, name: str = CUP, *, by: str = "ana") -> tuple[Message, Message]:
    photos = world.people.channel("photos")
    post = await photos.upload(name, photo(name), by=by, text="@Image Insights")
    return post, await photos.next_reply(to=post)


def first_product(card: Message) -> str:
    return str(next(b for b in card.blocks if b["type"] == "carousel")["elements"][0]["title"]["text"])


async def test_pages_with_the_image_are_listed(world: World) -> None:
    photos, people = world.people.channel("photos"), world.people
    post = await photos.upload(MUG, (CATALOGUE / "images" / MUG).read_bytes())
    card = await photos.next_reply(to=post)
    await people.click(card, "insights.card.menu", by="ben", pick="Pages with this image")
    view = await people.next_view("ben")
    assert "this image*" in str(view.blocks)
    assert "https://" in str(view.blocks)


async def test_a_related_search_runs_in_the_thread(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    post, card = await card_in(world)
    await people.click(card, "insights.card.menu", by="ben", pick="Related searches")
    view = await people.next_view("ben", until=lambda v: "Search here" in str(v.blocks))
    await people.click(view, "Search here", by="ben")
    results = await photos.next_reply(to=post)
    assert "similar product" in results.text
    await people.next_view("ben", until=lambda v: "The results come in the thread." in str(v.blocks))


async def test_a_card_is_shared_to_another_channel_and_works_there(world: World) -> None:
    people, kitchen = world.people, world.people.channel("kitchen-refit")
    await people.invite("kitchen-refit")
    _, card = await card_in(world)
    await people.click(card, "insights.card.menu", by="ana", pick="Share to a channel")
    form = await people.next_view("ana")
    await people.submit(form, {"to": kitchen.id, "note": "for the new kitchen <!channel>"}, by="ana")
    await people.next_view("ana", until=lambda v: "Shared in" in str(v.blocks))
    shared = await kitchen.next_message()
    assert "for the new kitchen &lt;!channel&gt;" in str(shared.blocks)
    assert "this thread" in str(shared.blocks)
    await people.click(shared, "Show products", by="ana")
    assert "Where to buy" in str((await people.next_view("ana", until=lambda v: "Best visual match" in str(v.blocks))).blocks)


async def test_where_we_are_no_member_it_is_shared_all_the_same(world: World) -> None:
    people, kitchen = world.people, world.people.channel("kitchen-refit")
    _, card = await card_in(world)
    await people.click(card, "insights.card.menu", by="ana", pick="Share to a channel")
    await people.submit(await people.next_view("ana"), {"to": kitchen.id}, by="ana")
    await people.next_view("ana", until=lambda v: "Shared in" in str(v.blocks))
    assert "similar product" in (await kitchen.next_message()).text


async def test_helpful_is_remembered_in_silence(world: World) -> None:
    _, card = await card_in(world)
    await world.people.click(card, "Helpful", by="ben")
    await world.finished()
    assert world.people.view_of("ben") is None
    assert world.people.ephemerals("ben") == []


async def test_a_product_that_does_not_match_comes_last_the_next_time(world: World) -> None:
    people = world.people
    _, card = await card_in(world)
    wrong = first_product(card)
    await people.click(card, "Not helpful", by="ben")
    form = await people.next_view("ben")
    await people.submit(form, {"why": "products", "which": ["p1"], "more": "That is no cup"}, by="ben")
    assert people.view_of("ben") is None
    await world.finished()
    _, again = await card_in(world)
    assert first_product(again) != wrong
    assert wrong not in str(again.blocks)  # the sixth of six
    await people.click(again, "More products", by="ben")
    everything = await people.next_view("ben", until=lambda v: "6 similar products" in str(v.blocks))
    heads = [b["text"]["text"] for b in everything.blocks if b["type"] == "section"]
    assert wrong in heads[-1]


async def test_the_bin_is_for_whoever_asked_and_for_admins(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    post, card = await card_in(world, by="ben")
    with pytest.raises(LookupError):
        await people.click(card, "Remove card", by="ana")  # she does not see it
    await people.click(card, "Remove card", by="ben")
    await people.until(lambda: not photos.replies(post), what="the card to go")


async def test_where_slack_knows_no_thumbs_there_are_buttons_and_the_bin_is_in_the_menu(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, card_style="classic") as world:
        people, photos = world.people, world.people.channel("photos")
        card = await photos.next_reply(to=await photos.upload(CUP, photo(CUP)))
        await people.click(card, "Not helpful", by="ben")
        await people.next_view("ben", until=lambda v: v.title == "What went wrong?")
        await people.click(card, "insights.card.menu", by="ben", pick="Remove this card")
        assert "can remove this card" in (await people.next_ephemeral("ben")).text
        await people.click(card, "insights.card.menu", by="ana", pick="Remove this card")
        await people.until(lambda: card.deleted, what="the card to go")


async def test_words_find_products(world: World) -> None:
    people, photos = world.people, world.people.channel("photos")
    ack = await people.command("/insights", "striped mug under $20")
    assert "Looking in the catalogue" in ack.text
    top = await photos.next_message()
    assert "looked for “striped mug under $20”" in top.text
    card = await photos.next_reply(to=top)
    assert "Harbour Stripe" in str(card.blocks)
    await people.click(card, "Where to buy", by="ben")
    await people.next_view("ben", until=lambda view: "Visit store" in str(view.blocks))


async def test_words_that_find_nothing_are_told_to_the_asker_alone(world: World) -> None:
    await world.people.command("/insights", "elephant zebra")
    assert "Looking" in (await world.people.next_ephemeral("ana")).text
    assert (await world.people.next_ephemeral("ana")).text == "Nothing found for “elephant zebra”"
    await world.finished()
    assert [m for m in world.people.channel("photos").messages() if m.bot_id] == []
