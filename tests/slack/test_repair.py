"""A card that Slack refuses goes out again without what it refused."""

from dataclasses import replace
from typing import Any

import pytest

from bot.slack import repair
from bot.slack.blockkit import validate
from bot.slack.cards import insights, notices, shopping_sources
from tests.slack.card_examples import CONTEXT, OFFERS, examples, found, product

CARD = insights.card(found(), CONTEXT)


def refused(pointer: str, text: str = "downloading image failed") -> dict[str, Any]:
    """As chat.postMessage answers."""
    message = f"{text} [json-pointer:{pointer}]"
    return {
        "ok": False,
        "error": "invalid_blocks",
        "errors": [message],
        "response_metadata": {"messages": [f"[ERROR] {message}"]},
    }


def repaired(payload: dict[str, Any], pointer: str, text: str = "downloading image failed") -> tuple[dict[str, Any], list[str]]:
    return repair.without_refused_pictures(payload, repair.messages(refused(pointer, text)))


def images(payload: Any) -> list[str]:
    if isinstance(payload, dict):
        here = [payload["image_url"]] if payload.get("type") == "image" else []
        payload = list(payload.values())
    else:
        here = []
    return here + [url for part in payload for url in images(part)] if isinstance(payload, list) else here


def test_what_slack_said_is_read_once() -> None:
    assert repair.messages(refused("/blocks/1")) == ["downloading image failed [json-pointer:/blocks/1]"]
    assert repair.messages({"ok": False, "error": "invalid_blocks"}) == []
    assert repair.messages({"errors": None, "response_metadata": {"messages": "x"}}) == []


def test_pointers_are_read_for_messages_and_views() -> None:
    texts = ["x [json-pointer:/blocks/3/elements/1/hero_image/image_url]", "y [json-pointer:/view/blocks/0/a~1b]", "z"]
    assert repair.pointers(texts) == [("blocks", "3", "elements", "1", "hero_image", "image_url"), ("blocks", "0", "a/b")]


def test_the_one_picture_that_failed_is_taken_out_of_its_card() -> None:
    better, taken = repaired(CARD, "/blocks/3/elements/1/hero_image/image_url")
    cards, before = better["blocks"][3]["elements"], CARD["blocks"][3]["elements"]
    assert taken == ["/blocks/3/elements/1/hero_image"]
    assert "hero_image" not in cards[1]
    assert [cards[0], *cards[2:]] == [before[0], *before[2:]]
    assert "hero_image" in before[1]  # the payload itself stays as it was
    assert validate(better, "message") == []


def test_pictures_beside_texts_go_and_the_texts_stay() -> None:
    view = shopping_sources.view(CONTEXT, product(0), 1, OFFERS)
    head, _ = repaired(view, "/view/blocks/0/accessory/image_url")
    assert head["blocks"][0] == {key: part for key, part in view["blocks"][0].items() if key != "accessory"}
    logo, _ = repaired(view, "/view/blocks/3/elements/0/image_url")
    assert logo["blocks"][3]["elements"] == view["blocks"][3]["elements"][1:]
    assert validate(logo, "modal") == []


def test_a_picture_that_stands_alone_goes_as_a_whole() -> None:
    asked = notices.asked("U0ANA", "https://pictures.example/mug.jpg")
    better, taken = repaired(asked, "/blocks/1/image_url")
    assert better["blocks"] == asked["blocks"][:1]
    assert taken == ["/blocks/1"]
    small = {"text": "x", "blocks": [{"type": "divider"}, {"type": "context", "elements": [asked["blocks"][1]]}]}
    assert repaired(small, "/blocks/1/elements/0/image_url")[0]["blocks"] == [{"type": "divider"}]


def test_several_failures_are_taken_out_at_once() -> None:
    texts = [f"downloading image failed [json-pointer:/blocks/3/elements/{number}/hero_image/image_url]" for number in (0, 4)]
    better, taken = repair.without_refused_pictures(CARD, texts)
    assert len(taken) == 2
    assert len(images(better)) == len(images(CARD)) - 2


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        ("/blocks/3/elements/1/title/text", "must be less than 151 characters"),
        ("/blocks/99/image_url", "downloading image failed"),
        ("/blocks/0/image_url", "downloading image failed"),
    ],
)
def test_what_is_not_about_a_picture_of_ours_repairs_nothing(pointer: str, text: str) -> None:
    assert repaired(CARD, pointer, text) == (CARD, [])


@pytest.mark.parametrize("example", examples(), ids=lambda example: str(example.name))
def test_every_card_without_pictures_is_still_a_card(example: Any) -> None:
    bare = repair.without_pictures(example.payload)
    assert images(bare) == []
    assert validate(bare, example.surface) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("unsupported type: carousel [json-pointer:/blocks/3/type]", True),
        ("unsupported type: card [json-pointer:/blocks/3/elements/0/type]", True),
        ("downloading image failed [json-pointer:/blocks/3/elements/1/hero_image/image_url]", False),
        ("must be less than 76 characters [json-pointer:/blocks/3/carousel/card]", False),
        ("unsupported type: table [json-pointer:/blocks/1/type]", False),
    ],
)
def test_classic_rows_are_the_answer_where_the_carousel_is_refused(text: str, named: bool) -> None:
    assert repair.names_carousel([text]) is named


@pytest.mark.parametrize(
    ("pointer", "named"),
    [("/blocks/3", True), ("/blocks/3/type", True), ("/blocks/3/elements/1/title/text", False), ("/blocks/1", False)],
)
def test_a_pointer_to_the_whole_carousel_names_it_too(pointer: str, named: bool) -> None:
    texts = repair.messages(refused(pointer, "failed to match all allowed schemas"))
    assert repair.names_carousel(texts, CARD) is named
    assert repair.names_carousel(texts) is False


def test_classic_rows_have_no_carousel() -> None:
    classic = insights.card(found(), replace(CONTEXT, style="classic"))
    assert not {"carousel", "card"} & {block["type"] for block in classic["blocks"]}
