"""The cards: valid in every state, in our own measure, harmless with any text, and as the golden files show them."""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot import errors
from bot.insights.model import Availability, Caption, Query, Rating, Tag
from bot.slack.blockkit import tidy, validate
from bot.slack.cards import insights, notices, products, shopping_sources, similar_products
from bot.slack.cards.context import CardContext, Sort, ViewState
from bot.slack.values import parse
from tests.slack import card_examples
from tests.slack.card_examples import (
    CHEAPER,
    CONTEXT,
    GOODS,
    MANY,
    MIXED,
    NOTHING,
    OFFERS,
    STRANGE,
    Example,
    bare,
    examples,
    found,
    offer,
    product,
    strange_examples,
)

GOLDEN = Path(__file__).parent.parent / "golden"
EVERY = examples()


def named(example: Example) -> str:
    return example.name


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from objects(part)


def texts(payload: dict[str, Any]) -> list[str]:
    return [found["text"] for found in objects(payload["blocks"]) if isinstance(found.get("text"), str)]


def labels(payload: dict[str, Any]) -> list[str]:
    return [found["text"]["text"] for found in objects(payload["blocks"]) if found.get("type") == "button"]


def assert_good(example: Example) -> None:
    assert validate(example.payload, example.surface) == []
    assert tidy(example.payload, example.surface) == []
    copy = json.loads(json.dumps(example.payload))
    for block in copy["blocks"]:
        parsed = Block.parse(block)
        assert parsed is not None, f"slack_sdk does not know {block['type']}"
        parsed.to_dict()
    if example.surface != "message":
        View(**copy).to_dict()


@pytest.mark.parametrize("example", EVERY, ids=named)
def test_every_card_in_every_state_is_valid_and_tidy(example: Example) -> None:
    assert_good(example)


@pytest.mark.parametrize("currency", ["USD", "EUR", "", "XXXX"])
@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_no_text_of_other_people_breaks_a_card(text: str, currency: str) -> None:
    for example in strange_examples(text, currency):
        assert_good(example)


def test_nobody_is_called_by_a_name_of_a_product() -> None:
    for example in strange_examples(STRANGE["a call to everybody"]):
        read = [found["text"] for found in objects(example.payload["blocks"]) if found.get("type") == "mrkdwn"]
        shown = "\n".join([example.payload.get("text", ""), *read])
        assert "&lt;!channel&gt;" in shown
        assert not [call for call in ("<!channel", "<!here", "<!subteam", "<https://evil.example") if call in shown]
        assert shown.count("<@U0ANA>") == shown.count("For <@U0ANA>") + shown.count("Shared by <@U0ANA>")


@pytest.mark.parametrize("example", EVERY, ids=named)
def test_every_card_looks_as_its_golden_file(example: Example) -> None:
    """UPDATE_GOLDEN=1 writes them anew. Each can be pasted into Block Kit Builder."""
    path = GOLDEN / f"{example.name}.json"
    pretty = json.dumps(example.payload, indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(pretty, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == pretty


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {example.name for example in EVERY}


def test_no_family_of_examples_is_forgotten() -> None:
    made = {
        name
        for name, one in vars(card_examples).items()
        if inspect.isfunction(one) and get_type_hints(one).get("return") == Iterator[Example]
    }
    assert made - {"strange_examples"} == {family.__name__ for family in card_examples.FAMILIES}


def test_every_value_in_a_card_can_be_read_back() -> None:
    for example in EVERY:
        for button in objects(example.payload["blocks"]):
            if button.get("type") == "button" and "url" not in button:
                assert parse(button["value"]) is not None


def test_buttons_and_cards_may_be_imported_in_any_order() -> None:
    script = """
import importlib, pkgutil, sys
import bot.slack.buttons, bot.slack.cards
names = [m.name for p in (bot.slack.buttons, bot.slack.cards) for m in pkgutil.iter_modules(p.__path__, p.__name__ + ".")]
for name in names:
    for loaded in [n for n in sys.modules if n.startswith("bot.slack")]:
        del sys.modules[loaded]
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""


# --- the insight card


def test_the_title_is_the_first_that_exists() -> None:
    tagged = replace(NOTHING, tags=(Tag("cup"), Tag("saucer"), Tag("table")))
    asked = replace(tagged, best_query=Query("cup", "espresso cup"))
    assert insights.title(NOTHING) == "Photo"
    assert insights.title(tagged) == "Cup and saucer"
    assert insights.title(asked) == "Espresso cup"
    assert insights.title(replace(asked, caption=Caption("a red cup."))) == "A red cup"
    assert insights.title(replace(asked, caption=Caption(" *~ "))) == "Espresso cup"


def test_the_fallback_says_the_result() -> None:
    assert insights.card(found(), CONTEXT)["text"] == (
        "Navy striped mug on a wooden table. 10 similar products from $7.25. "
        "Top match: Harbour Stripe Straight Mug, $12.45–$14.95."
    )
    assert insights.card(found(1), CONTEXT)["text"].startswith(
        "Navy striped mug on a wooden table. 1 similar product from $12.45."
    )
    assert insights.card(NOTHING, CONTEXT)["text"] == "Photo. No similar products found."


def test_tags_are_five_and_told_apart_by_their_words() -> None:
    assert "Tags: mug · Stoneware · navy stripes · handle · table" in texts(insights.card(found(), CONTEXT))


def test_more_products_appears_only_when_there_are_more() -> None:
    assert "More products" in labels(insights.card(found(6), CONTEXT))
    assert "More products" not in labels(insights.card(found(5), CONTEXT))
    assert "More products" in labels(insights.card(found(4), replace(CONTEXT, style="classic")))


def test_similar_images_appears_only_when_there_are_any() -> None:
    assert "Similar images" not in labels(insights.card(replace(found(), similar_images=()), CONTEXT))


def test_a_product_without_stores_leads_to_its_page_or_nowhere() -> None:
    page = replace(bare("Plain mug"), host_page_url="https://cupandcorner.example/p/1")
    assert labels(insights.card(replace(NOTHING, similar_products=(page,)), CONTEXT)) == ["View page", "Choose an item"]
    bad = replace(page, host_page_url="javascript:alert(1)")
    assert labels(insights.card(replace(NOTHING, similar_products=(bad,)), CONTEXT)) == ["Choose an item"]
    counted = replace(page, shopping_sources_count=2)
    assert labels(insights.card(replace(NOTHING, similar_products=(counted,)), CONTEXT)) == ["Where to buy", "Choose an item"]
    assert products.price_and_stores(counted, CONTEXT) == "Price at store · 2 stores"


def test_products_without_a_name_are_left_out_and_keep_their_numbers() -> None:
    card = insights.card(replace(NOTHING, similar_products=(bare(" "), product(0))), CONTEXT)
    values = [parse(button["value"]) for button in objects(card["blocks"]) if button.get("type") == "button"]
    assert {value.arg for value in values if value and value.number("p")} == {"p2"}


@pytest.mark.parametrize("rating", [Rating(0, 5), Rating(4.5, 0), Rating(float("nan"), 3), Rating(9, 3)])
def test_a_rating_needs_a_value_and_a_review(rating: Rating) -> None:
    assert products.rated(replace(bare("Mug"), rating=rating)) == ""


def test_a_rating_is_told_in_words() -> None:
    assert products.rated(replace(bare("Mug"), rating=Rating(4.0, 1))) == "Rated 4 of 5 (1 review)"
    assert products.rated(product(4)) == "Rated 4.2 of 5 (1,451 reviews)"


def test_the_lowest_price_is_in_the_markets_currency() -> None:
    mixed = replace(found(2), similar_products=(product(4, currency="EUR"), product(0), product(1)))
    assert insights.lowest(mixed, CONTEXT) == "$12.45"
    assert insights.lowest(mixed, replace(CONTEXT, market="de-DE")) == "7,25\xa0€"
    assert insights.lowest(found(2, currency=""), CONTEXT) == ""


def test_the_source_of_a_caption_is_named_by_its_real_host() -> None:
    footer = texts(insights.card(found(), CONTEXT))[-1]
    assert footer.startswith(
        "Caption: <https://www.cupandcorner.example/p/mg01|cupandcorner.example> · For <@U0ANA> · en-US · <!date^"
    )
    hidden = replace(found(), caption=Caption("Mug", "https://cupandcorner.example@evil.example/"))
    assert "Caption" not in texts(insights.card(hidden, CONTEXT))[-1]


def test_nothing_recognised_at_all_is_no_card() -> None:
    assert insights.is_empty(NOTHING)
    assert insights.is_empty(replace(NOTHING, similar_products=(bare(""),)))
    assert not insights.is_empty(replace(NOTHING, tags=(Tag("mug"),)))


def test_thumbnails_are_asked_for_in_the_size_shown() -> None:
    def first(payload: dict[str, Any]) -> str:
        return next(str(found["image_url"]) for found in objects(payload["blocks"]) if found.get("type") == "image")

    assert first(insights.card(found(), CONTEXT)) == "https://pictures.example/th?id=mg00&w=480&h=300&p=1"
    assert first(similar_products.view(CONTEXT, found())) == "https://pictures.example/th?id=mg00&w=176&h=176&p=1"
    elsewhere = replace(bare("Mug"), thumbnail_url="https://cupandcorner.example/mug.jpg?v=1")
    card = insights.card(replace(NOTHING, similar_products=(elsewhere,)), CONTEXT)
    assert first(card) == "https://cupandcorner.example/mug.jpg?v=1"


def test_a_card_without_pictures_has_none() -> None:
    for context in (replace(CONTEXT, pictures=False), replace(CONTEXT, pictures=False, style="classic")):
        assert not [found for found in objects(insights.card(found(), context)) if found.get("type") == "image"]


# --- where to buy


def lines(view: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in view["blocks"] if block["type"] == "section"][1:]


def test_offers_come_by_price_and_the_unavailable_last() -> None:
    assert lines(shopping_sources.view(CONTEXT, product(0), 1, OFFERS)) == [
        "*$9.99* · Cup &amp; Corner",
        "*$12.00* · Thames &amp; Fern",
        "*$12.00* · Nordhaus Markt",
        "*$18.00* · Hearthline Home",
        "*Price at store* · Kitchen Corner",
        "~$8.75~ · Valbazaar",
    ]


def test_offers_can_be_sorted_by_stock_and_by_name() -> None:
    by_stock = [old.seller.name for old in shopping_sources.ordered(OFFERS, "en-US", Sort.STOCK)]
    assert by_stock[:2] == ["Cup & Corner", "Thames & Fern"]
    assert by_stock[-1] == "Valbazaar"
    by_name = [old.seller.name for old in shopping_sources.ordered(OFFERS, "en-US", Sort.NAME)]
    assert by_name == ["Cup & Corner", "Hearthline Home", "Kitchen Corner", "Nordhaus Markt", "Thames & Fern", "Valbazaar"]


def test_what_an_offer_was_is_said_only_where_it_is_cheaper_now_and_to_be_had() -> None:
    view = shopping_sources.view(CONTEXT, product(0), 1, CHEAPER)
    facts = [block["elements"][-1]["text"] for block in view["blocks"] if block["type"] == "context"][:-1]
    assert facts == [
        "In stock · *lowest price* · was $24.00 · checked Nov 21",
        "Few left · checked Nov 21",
        "In stock · checked Nov 21",
        "Sold out · checked Nov 21",
    ]


def test_the_same_seller_at_the_same_price_is_shown_once_and_available() -> None:
    twice = [old for old in shopping_sources.ordered(OFFERS, "en-US") if old.seller.name == "Cup & Corner"]
    assert [old.availability for old in twice] == [Availability.IN_STOCK]


def test_only_the_cheapest_that_can_be_bought_is_called_lowest() -> None:
    view = shopping_sources.view(CONTEXT, product(0), 1, OFFERS)
    facts = [text for text in texts(view) if "lowest price" in text]
    assert facts == ["In stock · *lowest price* · checked Nov 21"]


def test_what_is_gone_says_so_and_has_no_button() -> None:
    view = shopping_sources.view(CONTEXT, product(0), 1, OFFERS)
    gone = next(block for block in view["blocks"] if block["type"] == "section" and "Valbazaar" in block["text"]["text"])
    assert "accessory" not in gone
    assert "Out of stock · checked Nov 21" in texts(view)


def test_currencies_are_kept_apart_and_named() -> None:
    view = shopping_sources.view(CONTEXT, product(0), 1, MIXED)
    assert lines(view) == [
        "*14.95 USD* · Cup &amp; Corner",
        "*7.00 EUR* · Nordhaus Markt",
        "*8.95 GBP* · Thames &amp; Fern",
        "~13.95 USD~ · Hearthline Home",
    ]
    assert "In stock · *lowest price* · checked Nov 21" in texts(view)
    assert texts(view)[-1] == "Prices in USD, EUR and GBP, without shipping or tax. Stores can change them at any time."


def test_a_store_without_a_safe_address_has_no_button() -> None:
    bad = replace(OFFERS[2], url="javascript:alert(1)")
    assert labels(shopping_sources.view(CONTEXT, product(0), 1, [bad])) == []


def test_visit_store_says_which_store_and_what_price() -> None:
    view = shopping_sources.view(CONTEXT, product(0), 1, OFFERS)
    said = [button["accessibility_label"] for button in objects(view["blocks"]) if button.get("type") == "button"]
    assert said[0] == "Visit store: Cup & Corner, $9.99"


def test_logos_that_slack_cannot_show_are_left_out() -> None:
    view = shopping_sources.view(CONTEXT, product(0), 1, OFFERS)
    assert [found["alt_text"] for found in objects(view["blocks"]) if found.get("type") == "image"] == [
        "Product photo: Harbour Stripe Straight Mug",
        "Cup & Corner logo",
        "Nordhaus Markt logo",
    ]


def test_sorting_needs_three_offers() -> None:
    def selects(view: dict[str, Any]) -> list[dict[str, Any]]:
        return [found for found in objects(view["blocks"]) if found.get("type") == "static_select"]

    assert selects(shopping_sources.view(CONTEXT, product(0), 1, OFFERS[1:3])) == []
    assert selects(shopping_sources.view(CONTEXT, product(0), 1, OFFERS[1:4])) != []


def test_more_stores_appends_eight_and_ends() -> None:
    def shown(until: int) -> tuple[list[str], bool]:
        view = shopping_sources.view(CONTEXT, product(0), 1, MANY[:20], until=until)
        return [line.split(" · ")[1] for line in lines(view)], "More stores" in labels(view)

    assert shown(8) == ([f"Store {number:02}" for number in range(8)], True)
    assert shown(16) == ([f"Store {number:02}" for number in range(16)], True)
    assert shown(24) == ([f"Store {number:02}" for number in range(4, 20)], False)


def test_an_absurd_price_is_no_price() -> None:
    for price in ("NaN", "Infinity", "-1", "1E+999999"):
        assert lines(shopping_sources.view(CONTEXT, product(0), 1, [offer("Cup", price, None)])) == ["*Price at store* · Cup"]


# --- views, lists, notices


@pytest.mark.parametrize("state", [ViewState("r8Kd2m"), ViewState("r8Kd2m", "C1", "1.2", 3, Sort.NAME, 8, 16)])
def test_a_view_remembers_its_state(state: ViewState) -> None:
    assert ViewState.read(state.dump()) == state


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "1", '{"v":2,"rid":"a","c":"","t":""}', '{"v":1}', '{"v":1,"rid":"a","c":"","t":"","o":[1]}']
)
def test_a_view_of_somebody_else_has_no_state(text: str) -> None:
    assert ViewState.read(text) is None


def test_products_are_listed_from_the_asked_one_to_the_end() -> None:
    view = similar_products.view(CONTEXT, found(10), start=5)
    assert [line.splitlines()[0] for line in lines(view)] == [f"*{name.replace('&', '&amp;')}*" for name, *_ in GOODS[5:]]
    assert "More products" not in labels(view)
    assert ViewState.read(view["private_metadata"]) == ViewState("r8Kd2m", "C0PHOTOS", CONTEXT.thread, start=5, until=10)


def test_an_error_is_explained_in_the_words_for_people() -> None:
    assert notices.explain(errors.CannotFetch(), "r8Kd2m") == notices.problem(notices.Kind.DOWNLOAD, "r8Kd2m")
    assert notices.explain(errors.NotAPicture()) == notices.problem(notices.Kind.FORMAT)
    assert notices.explain(errors.RateLimited("later", 30)) == notices.problem(notices.Kind.RATE)
    assert notices.explain(errors.Unavailable("down"), "r8Kd2m")["text"] == "The image service isn’t answering"
    assert notices.explain(errors.TooLarge("That is 40 MB. I read up to 20 MB."))["text"] == "That is 40 MB. I read up to 20 MB."
    assert notices.explain(errors.Error("disk full"))["text"] == "The image service isn’t answering"


def test_an_error_offers_again_only_what_can_be_run_again() -> None:
    assert labels(notices.problem(notices.Kind.PROVIDER, "r8Kd2m")) == ["Try again"]
    assert labels(notices.problem(notices.Kind.PROVIDER)) == []


def test_the_picture_asked_about_is_named_by_its_host() -> None:
    message = notices.asked("U0ANA", "https://pictures.example/a b.jpg")
    assert message["text"] == "<@U0ANA> asked about this image."
    assert texts(message) == ["<@U0ANA> asked about this image: <https://pictures.example/a%20b.jpg|pictures.example>"]
    assert [block["type"] for block in notices.asked("U0ANA", "https://pictures.example/a.webp")["blocks"]] == ["section"]


def test_looking_is_a_text_and_no_more() -> None:
    assert notices.looking() == {"text": "Looking at the image…"}
    assert validate(notices.looking(), "message") == []


def test_prices_are_shown_only_as_far_as_they_are_known() -> None:
    mug = product(0)
    assert mug.aggregate_offer
    upside_down = replace(mug, aggregate_offer=replace(mug.aggregate_offer, high_price=Decimal(1)))
    assert products.price_and_stores(upside_down, CardContext("r8Kd2m", 0)) == "from $12.45 · 3 stores"
    assert products.price_and_stores(bare("Mug"), CONTEXT) == ""
