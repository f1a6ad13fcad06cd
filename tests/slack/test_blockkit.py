"""Every limit of Slack's is refused with the pointer and the words that Slack would use; ours are told apart from them."""

from typing import Any

import pytest

from bot.slack.blockkit import SURFACES, Problem, Surface, tidy, validate

IMAGE = {"type": "image", "image_url": "https://pictures.example/mug.png", "alt_text": "A mug"}
OPTION = {"text": {"type": "plain_text", "text": "Price"}, "value": "price"}
CARD = {"type": "card", "title": {"type": "mrkdwn", "text": "Mug"}}
CELL = {"type": "raw_text", "text": "Store"}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def button(**changed: Any) -> dict[str, Any]:
    return {
        "type": "button",
        "text": plain("Where to buy"),
        "action_id": "insights.offers.open",
        "value": "v1:r8Kd2m:p1",
    } | changed


def buttons(many: int) -> list[dict[str, Any]]:
    return [button(action_id=f"a{number}") for number in range(many)]


def section(**changed: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn("Mug")} | changed


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def select(**changed: Any) -> dict[str, Any]:
    return {"type": "static_select", "action_id": "sort", "options": [OPTION]} | changed


CONFIRM = {name: plain("Remove") for name in ("title", "text", "confirm", "deny")}


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: part for key, part in value.items() if key != name}


def modal(*blocks: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain("Where to buy"), "blocks": list(blocks)} | changed


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


VALID_BLOCKS = [
    section(),
    section(accessory=IMAGE),
    section(accessory=button()),
    section(fields=[mrkdwn("*Market*\nen-US")]),
    without(section(fields=[mrkdwn("Market")]), "text"),
    actions(*buttons(25)),
    actions(button(url="https://cup.example/?q=Café"), select(initial_option=OPTION)),
    actions({"type": "overflow", "action_id": "menu", "options": [OPTION] * 5}),
    {"type": "context", "elements": [IMAGE, mrkdwn("In stock")]},
    {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "A mug", "title": plain("Mug")},
    {"type": "header", "text": plain("Recent lookups")},
    {"type": "divider", "block_id": "d"},
    rich({"type": "text", "text": "Mug", "style": {"bold": True}}, {"type": "link", "url": "https://cup.example"}),
    CARD,
    {"type": "card", "hero_image": IMAGE, "actions": [button()]},
]


@pytest.mark.parametrize("surface", ["message", "home"])
def test_what_slack_accepts_passes(surface: Surface) -> None:
    blocks = [*VALID_BLOCKS, {"type": "carousel", "elements": [CARD] * 10}, {"type": "table", "rows": [[CELL] * 20] * 50}]
    payload = {"text": "Mug", "blocks": blocks} if surface == "message" else {"type": "home", "blocks": blocks}
    assert validate(payload, surface) == []


def test_a_modal_that_slack_accepts_passes() -> None:
    inputs = {
        "type": "input",
        "block_id": "edges",
        "label": plain("Edges"),
        "element": {"type": "plain_text_input", "action_id": "v"},
    }
    radios = {
        "type": "input",
        "label": plain("Reason"),
        "element": {"type": "radio_buttons", "options": [OPTION], "initial_option": OPTION, "action_id": "v"},
    }
    alert = {"type": "alert", "level": "error", "text": mrkdwn("The price service isn’t answering.")}
    assert validate(modal(*VALID_BLOCKS, inputs, radios, alert, submit=plain("Save"), private_metadata="{}"), "modal") == []


@pytest.mark.parametrize(
    ("block", "pointer", "message"),
    [
        (section(text=mrkdwn("x" * 3001)), "/text/text", "must be less than 3001 characters"),
        (section(text=mrkdwn("")), "/text/text", "must be more than 0 characters"),
        (section(text="Mug"), "/text", "must provide an object"),
        (section(text={"type": "markdown", "text": "Mug"}), "/text/type", "unsupported type: markdown"),
        (without(section(), "text"), "", "must define either `fields` or `text`"),
        (section(fields=[mrkdwn("x")] * 11), "/fields", "no more than 10 items allowed"),
        (section(fields=[mrkdwn("x" * 2001)]), "/fields/0/text", "must be less than 2001 characters"),
        (section(block_id="x" * 256), "/block_id", "must be less than 256 characters"),
        (section(disabled=True), "", "invalid additional property: disabled"),
        (section(**{"a/b~c": 1}), "", "invalid additional property: a/b~c"),
        (section(accessory=without(IMAGE, "alt_text")), "/accessory", "missing required field: alt_text"),
        (section(accessory=IMAGE | {"alt_text": ""}), "/accessory/alt_text", "must be more than 0 characters"),
        (section(accessory=IMAGE | {"alt_text": "x" * 2001}), "/accessory/alt_text", "must be less than 2001 characters"),
        (section(accessory=IMAGE | {"title": plain("x")}), "/accessory", "invalid additional property: title"),
        (section(accessory=IMAGE | {"image_url": "data:image/png;base64,"}), "/accessory/image_url", "invalid url"),
        (
            section(accessory=IMAGE | {"slack_file": {"id": "F1"}}),
            "/accessory",
            "must define exactly one of `image_url` or `slack_file`",
        ),
        (without(IMAGE, "image_url"), "", "must define exactly one of `image_url` or `slack_file`"),
        (IMAGE | {"image_url": "https://p.example/" + "x" * 3000}, "/image_url", "must be less than 3001 characters"),
        ({"type": "header", "text": plain("x" * 151)}, "/text/text", "must be less than 151 characters"),
        ({"type": "header", "text": mrkdwn("x")}, "/text/type", "unsupported type: mrkdwn"),
        ({"type": "context", "elements": [mrkdwn("x")] * 11}, "/elements", "no more than 10 items allowed"),
        ({"type": "context", "elements": []}, "/elements", "must provide at least 1 items"),
        ({"type": "context", "elements": [button()]}, "/elements/0/type", "unsupported type: button"),
        (actions(*buttons(26)), "/elements", "no more than 25 items allowed"),
        (actions(), "/elements", "must provide at least 1 items"),
        ({"type": "actions"}, "", "missing required field: elements"),
        (actions(button(), button()), "/elements/1/action_id", '`action_id` "insights.offers.open" already exists'),
        (actions(button(text=plain("x" * 76))), "/elements/0/text/text", "must be less than 76 characters"),
        (actions(button(text=mrkdwn("x"))), "/elements/0/text/type", "unsupported type: mrkdwn"),
        (actions(button(value="x" * 2001)), "/elements/0/value", "must be less than 2001 characters"),
        (actions(button(url="javascript:alert(1)")), "/elements/0/url", "invalid url"),
        (actions(button(url="https://x.example/" + "x" * 3000)), "/elements/0/url", "must be less than 3001 characters"),
        (actions(button(accessibility_label="x" * 76)), "/elements/0/accessibility_label", "must be less than 76 characters"),
        (actions(button(style="green")), "/elements/0/style", "must be one of: primary, danger"),
        (actions(button(action_id="x" * 256)), "/elements/0/action_id", "must be less than 256 characters"),
        (actions(button(confirm=without(CONFIRM, "text"))), "/elements/0/confirm", "missing required field: text"),
        (
            actions(button(confirm=CONFIRM | {"title": plain("x" * 101)})),
            "/elements/0/confirm/title/text",
            "must be less than 101 characters",
        ),
        (actions(select(options=[OPTION] * 101)), "/elements/0/options", "no more than 100 items allowed"),
        (actions(select(options=[])), "/elements/0/options", "must provide at least 1 items"),
        (actions(without(select(), "options")), "/elements/0", "missing required field: options"),
        (
            actions(select(options=[OPTION | {"value": "x" * 151}])),
            "/elements/0/options/0/value",
            "must be less than 151 characters",
        ),
        (
            actions(select(initial_option=OPTION | {"text": plain("Prices")})),
            "/elements/0/initial_option",
            "must match one of the options",
        ),
        (
            actions({"type": "overflow", "action_id": "m", "options": [OPTION] * 6}),
            "/elements/0/options",
            "no more than 5 items allowed",
        ),
        (
            actions({"type": "radio_buttons", "action_id": "m", "options": [OPTION] * 11}),
            "/elements/0/options",
            "no more than 10 items allowed",
        ),
        (
            actions({"type": "checkboxes", "action_id": "m", "options": [OPTION], "initial_options": [{"value": "x"}]}),
            "/elements/0/initial_options/0",
            "must match one of the options",
        ),
        ({"type": "card"}, "", "must define at least one of `hero_image`, `title`, `actions` or `body`"),
        (CARD | {"title": mrkdwn("x" * 151)}, "/title/text", "must be less than 151 characters"),
        (CARD | {"body": mrkdwn("x" * 201)}, "/body/text", "must be less than 201 characters"),
        (CARD | {"actions": buttons(4)}, "/actions", "no more than 3 items allowed"),
        (CARD | {"actions": [select()]}, "/actions/0/type", "unsupported type: static_select"),
        (CARD | {"actions": [button(), button()]}, "/actions/1/action_id", '`action_id` "insights.offers.open" already exists'),
        ({"type": "carousel", "elements": [CARD] * 11}, "/elements", "no more than 10 items allowed"),
        ({"type": "carousel", "elements": [section()]}, "/elements/0/type", "unsupported type: section"),
        (
            {"type": "carousel", "elements": [CARD | {"hero_image": without(IMAGE, "alt_text")}]},
            "/elements/0/hero_image",
            "missing required field: alt_text",
        ),
        ({"type": "table", "rows": [[CELL]] * 101}, "/rows", "no more than 100 items allowed"),
        ({"type": "table", "rows": [[CELL] * 21]}, "/rows/0", "no more than 20 items allowed"),
        ({"type": "table", "rows": [[CELL], [CELL, CELL]]}, "/rows", "all rows must have the same number of cells"),
        (
            {"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 5001}] * 2]},
            "/rows",
            "must be less than 10001 characters",
        ),
        ({"type": "table", "rows": [[mrkdwn("x")]]}, "/rows/0/0/type", "unsupported type: mrkdwn"),
        (rich({"type": "link", "url": "x"}), "/elements/0/elements/0/url", "invalid url"),
        (
            rich({"type": "text", "text": "x" * 9000, "style": {"size": True}}),
            "/elements/0/elements/0/style",
            "invalid additional property: size",
        ),
        ({"type": "carousle"}, "/type", "unsupported type: carousle"),
        ({"type": ["section"]}, "/type", "unsupported type: ['section']"),
        ({}, "", "missing required field: type"),
    ],
)
def test_what_slack_refuses_is_named_with_its_pointer(block: dict[str, Any], pointer: str, message: str) -> None:
    payload = {"text": "Mug", "blocks": [{"type": "divider"}, block]}
    assert validate(payload, "message") == [Problem(f"/blocks/1{pointer}", message)]


@pytest.mark.parametrize(
    ("surface", "kind"),
    [
        ("modal", "carousel"),
        ("modal", "table"),
        ("modal", "markdown"),
        ("modal", "context_actions"),
        ("modal", "container"),
        ("message", "alert"),
        ("home", "alert"),
        ("home", "markdown"),
        ("home", "context_actions"),
    ],
)
def test_a_block_has_its_surfaces(surface: Surface, kind: str) -> None:
    assert kind not in SURFACES[surface]
    frames: dict[Surface, dict[str, Any]] = {"message": {"text": "x"}, "home": {"type": "home"}, "modal": modal()}
    payload = frames[surface] | {"blocks": [{"type": kind}]}
    assert validate(payload, surface) == [Problem("/blocks/0/type", f"unsupported type: {kind}")]


def test_a_card_cannot_sit_in_a_container() -> None:
    container = {"type": "container", "title": plain("Mugs"), "child_blocks": [CARD]}
    problems = validate({"text": "x", "blocks": [container]}, "message")
    assert problems == [Problem("/blocks/0/child_blocks/0/type", "unsupported type: card")]


def test_block_ids_are_unique_also_inside_a_carousel() -> None:
    carousel = {"type": "carousel", "elements": [CARD | {"block_id": "p1"}, CARD | {"block_id": "top"}]}
    problems = validate({"text": "x", "blocks": [section(block_id="top"), carousel]}, "message")
    assert problems == [Problem("/blocks/1/elements/1/block_id", '`block_id` "top" already exists')]


def test_the_same_button_may_stand_in_every_card() -> None:
    carousel = {"type": "carousel", "elements": [CARD | {"actions": [button()]}] * 5}
    assert validate({"text": "x", "blocks": [carousel]}, "message") == []


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({}, Problem("", "no_text")),
        ({"text": "", "blocks": []}, Problem("", "no_text")),
        ({"text": "x" * 40_001}, Problem("/text", "must be less than 40001 characters")),
        ({"text": "x", "blocks": [section()] * 51}, Problem("/blocks", "no more than 50 items allowed")),
        ({"text": "x", "blocks": "[]"}, Problem("/blocks", "must provide an array")),
        ({"text": "x", "blocks": ["x"]}, Problem("/blocks/0", "must provide an object")),
        ({"text": "x", "blocks": [{"type": "table", "rows": [[CELL]]}] * 2}, Problem("/blocks/1", "only_one_table_allowed")),
        (
            {"text": "x", "blocks": [{"type": "markdown", "text": "x" * 7000}] * 2},
            Problem("/blocks", "must be less than 12001 characters"),
        ),
    ],
)
def test_a_message_has_its_limits(payload: dict[str, Any], problem: Problem) -> None:
    assert validate(payload, "message") == [problem]


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        (without(modal(section()), "title"), Problem("", "missing required field: title")),
        (without(modal(), "blocks"), Problem("", "missing required field: blocks")),
        (modal(), Problem("/blocks", "must provide at least 1 items")),
        (modal(*[section()] * 101), Problem("/blocks", "no more than 100 items allowed")),
        (modal(section(), title=plain("x" * 25)), Problem("/title/text", "must be less than 25 characters")),
        (modal(section(), submit=plain("x" * 25)), Problem("/submit/text", "must be less than 25 characters")),
        (modal(section(), private_metadata="x" * 3001), Problem("/private_metadata", "must be less than 3001 characters")),
        (modal(section(), text="x"), Problem("", "invalid additional property: text")),
        (modal(section(), type="home"), Problem("/type", "must be one of: modal")),
        (
            modal({"type": "input", "label": plain("x"), "element": {"type": "plain_text_input"}}),
            Problem("/blocks/0/input", "must define `submit` to use an `input` block in modals"),
        ),
        (
            modal({"type": "input", "label": plain("x"), "element": button()}, submit=plain("Save")),
            Problem("/blocks/0/element/type", "unsupported type: button"),
        ),
        (
            modal({"type": "alert", "level": "fatal", "text": plain("x")}),
            Problem("/blocks/0/level", "must be one of: default, info, warning, error, success"),
        ),
        (modal({"type": "alert", "text": plain("x" * 201)}), Problem("/blocks/0/text/text", "must be less than 201 characters")),
    ],
)
def test_a_view_has_its_limits(view: dict[str, Any], problem: Problem) -> None:
    assert validate(view, "modal") == [problem]


def test_a_view_may_not_be_too_large() -> None:
    assert validate(modal(*[section(text=mrkdwn("x" * 2900))] * 90), "modal") == [Problem("", "view_too_large")]


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [[]], {"type": None}, {"type": "section", "text": []}])
def test_nothing_makes_the_check_itself_fail(value: Any) -> None:
    assert validate({"text": value, "blocks": [value]}, "message")
    assert validate({"type": "modal", "title": value, "blocks": value}, "modal")
    assert validate(
        {"type": "home", "blocks": [{"type": "actions", "elements": [value, {"type": "button", "text": value}]}]}, "home"
    )


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        ({"text": "", "blocks": []}, "fallback"),
        ({"text": "x" * 301, "blocks": []}, "fallback"),
        ({"text": "Looking at the image…", "blocks": []}, "looking"),
        ({"text": "x", "blocks": [section()] * 15}, "15 blocks"),
        ({"text": "x", "blocks": [actions(*buttons(6))]}, "too many elements"),
        ({"text": "x", "blocks": [actions(button(text=plain("Where to buy all of the…")))]}, "label"),
        ({"text": "x", "blocks": [actions(button(text=plain("x" * 25)))]}, "label"),
        ({"text": "x", "blocks": [actions(button(accessibility_label="Buy it"))]}, "accessibility_label"),
        ({"text": "x", "blocks": [actions(button(value="x" * 76))]}, "value"),
        ({"text": "x", "blocks": [actions(button(style="primary")), actions(button(style="primary"))]}, "primary"),
        ({"text": "x", "blocks": [section(text=mrkdwn("x" * 601))]}, "section"),
        ({"text": "x", "blocks": [section(text=mrkdwn("None stores"))]}, "nobody wrote"),
        ({"text": "x", "blocks": [section(text=mrkdwn("<!channel>"))]}, "nobody wrote"),
        ({"text": "x", "blocks": [IMAGE | {"alt_text": "x" * 151}]}, "alt_text"),
        ({"text": "x", "blocks": [{"type": "header", "text": plain("x")}]}, "emoji"),
        ({"text": "x", "blocks": [section(block_id="x" * 61)]}, "block_id"),
        ({"text": "x", "blocks": [CARD | {"actions": buttons(3)}]}, "actions in a card"),
        ({"text": "x", "blocks": [{"type": "carousel", "elements": [CARD] * 6}]}, "too many elements"),
        ({"text": "x", "blocks": [{"type": "table", "rows": [[CELL]] * 12}]}, "table"),
        ({"text": "x", "blocks": [actions(select(options=[OPTION | {"value": "x" * 76}]))]}, "option"),
    ],
)
def test_our_own_rules_are_stricter(payload: dict[str, Any], word: str) -> None:
    assert any(word in problem for problem in tidy(payload, "message"))
