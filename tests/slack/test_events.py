"""Slack's payloads become orders (slack-platform.md §1, §6)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.jobs import (
    KINDS,
    Add,
    Adding,
    Click,
    Explain,
    Forget,
    Home,
    ImageRef,
    Lookup,
    Order,
    Peek,
    Removed,
    ReplyTo,
    Settings,
    Switch,
    Unfurl,
    Watch,
    Welcome,
    from_payload,
    kind,
    to_payload,
)
from bot.slack import events

ME = "UBOT"
FILE = {"id": "F1", "mode": "hosted", "mimetype": "image/png", "name": "IMG_1.png"}
PLAIN: dict[str, Any] = {
    "type": "message", "subtype": "file_share", "text": "", "user": "U1", "ts": "1700000000.000100", "channel": "C1",
    "channel_type": "channel", "event_ts": "1700000000.000100", "files": [FILE],
}  # fmt: skip


def orders(*, on: bool = True, **changes: Any) -> list[Lookup]:
    said = events.message(PLAIN | changes)
    return list(events.lookups(said, "T1", bot_user=ME, unasked=on)) if said else []


def order(*, on: bool = True, **changes: Any) -> Lookup | None:
    """The order of a message that comes to one at most."""
    found = orders(on=on, **changes)
    assert len(found) <= 1
    return found[0] if found else None


def test_a_photo_in_a_switched_on_channel_is_looked_up_in_its_thread() -> None:
    to = ReplyTo("T1", "C1", "1700000000.000100", "U1")
    assert order() == Lookup(ImageRef(file_id="F1"), to, message_ts="1700000000.000100", owner="U1")


def test_a_photo_in_a_thread_is_answered_in_that_thread() -> None:
    found = order(thread_ts="1699999999.000100")
    assert found
    assert found.reply_to.thread_ts == "1699999999.000100"


@pytest.mark.parametrize(
    "changes",
    [
        {"bot_id": "B9"},
        {"user": ""},
        {"hidden": True},
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"subtype": "something_new_of_next_year"},
        {"files": [FILE | {"mimetype": "application/pdf", "name": "a.pdf"}]},
        {"files": [FILE | {"mode": "tombstone"}]},
        {"files": []},
        {"files": None, "text": "good morning <https://example.com/news>"},
        {"channel": 7},
    ],
)
def test_what_is_not_a_persons_picture_is_ignored(changes: dict[str, Any]) -> None:
    assert order(**changes) is None


def test_an_old_style_post_without_subtype_and_a_stub_of_another_company_are_pictures_too() -> None:
    assert order(subtype=None)
    assert order(files=[{"id": "F9", "mode": "file_access"}])
    assert order(files=[FILE | {"mimetype": "application/octet-stream", "name": "IMG_2.HEIC"}])


def test_switched_off_only_a_mention_is_answered() -> None:
    assert order(on=False) is None
    found = order(on=False, text=f"<@{ME}> what is this")
    assert found
    assert found.asked


def test_a_message_and_its_mention_are_one_order_under_one_key() -> None:
    text = f"<@{ME}|insights> look"
    as_message = order(text=text)
    as_mention = order(on=False, text=text, type="app_mention", subtype=None)
    assert as_message
    assert as_mention
    assert as_message == as_mention
    assert events.key(as_message) == events.key(as_mention)


def test_the_pictures_of_a_message_are_one_order_that_knows_them_all() -> None:
    (one,) = orders(files=[FILE, FILE | {"id": "F2"}, FILE | {"mimetype": "application/pdf", "name": "a.pdf"}, FILE])
    assert one.image == ImageRef(file_id="F1", number=1, total=2, album=("F1", "F2"))
    assert one.image.of_album(2) == ImageRef(file_id="F2", number=2, total=2, album=("F1", "F2"))
    assert from_payload(Lookup, json.loads(json.dumps(to_payload(one)))) == one


def test_a_message_that_showed_something_is_taken_back_also_as_the_head_of_a_thread() -> None:
    gone = {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "channel": "C1",
        "ts": "9.9",
        "deleted_ts": PLAIN["ts"],
    }
    assert events.removed(gone | {"previous_message": PLAIN}, "T1") == Removed("T1", "C1", PLAIN["ts"])
    stone = {"type": "message", "subtype": "tombstone", "ts": PLAIN["ts"], "user": "USLACKBOT", "hidden": True}
    head = gone | {"subtype": "message_changed", "message": stone, "previous_message": PLAIN}
    assert events.removed(head, "T1") == Removed("T1", "C1", PLAIN["ts"])
    edited = gone | {"subtype": "message_changed", "message": PLAIN | {"text": "x"}, "previous_message": PLAIN}
    assert events.removed(edited, "T1") is None
    assert events.removed(gone | {"previous_message": PLAIN | {"files": None, "text": "hm"}}, "T1") is None
    assert events.removed(gone | {"previous_message": PLAIN | {"bot_id": "B1"}}, "T1") is None
    assert events.removed(gone, "T1") is None


def test_a_mention_in_a_thread_means_the_threads_picture() -> None:
    found = order(files=None, text=f"<@{ME}>", thread_ts="1699999999.000100")
    assert found
    assert found.image == ImageRef(thread_ts="1699999999.000100")
    assert found.owner == ""


def test_a_direct_message_is_asked_for_and_not_threaded() -> None:
    found = order(channel="D1", channel_type="im")
    assert found
    assert found.asked
    assert found.reply_to.thread_ts == ""


def test_links_are_taken_from_rich_text_first_and_unescaped() -> None:
    link = {"type": "link", "url": "https://shop.example/a.jpg?x=1&y=2"}
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [link]}]}]
    text = "see <https://shop.example/a.jpg?x=1&amp;y=2|this> and <https://shop.example/b.png>"
    said = events.message(PLAIN | {"files": None, "blocks": blocks, "text": text})
    assert said
    assert list(events.urls(said)) == ["https://shop.example/a.jpg?x=1&y=2", "https://shop.example/b.png"]
    assert [image.url for image in events.pictures(said)] == ["https://shop.example/a.jpg?x=1&y=2", "https://shop.example/b.png"]


CLICK: dict[str, Any] = {
    "type": "block_actions", "user": {"id": "U1", "team_id": "T1"}, "team": {"id": "T1"}, "trigger_id": "tr",
    "container": {"type": "message", "message_ts": "2.1", "channel_id": "C1", "is_ephemeral": False, "thread_ts": "1.1"},
    "channel": {"id": "C1"}, "message": {"text": "A mug.", "thread_ts": "1.1"}, "response_url": "https://hooks.slack.com/actions/x",
    "actions": [{"type": "button", "action_id": "insights.offers.open", "value": "v1:abc:p1", "action_ts": "3.1"}],
}  # fmt: skip


def test_a_click_is_read() -> None:
    to = ReplyTo("T1", "C1", "1.1", "U1", "https://hooks.slack.com/actions/x")
    expected = Click("insights.offers.open", "v1:abc:p1", to, action_ts="3.1", message_ts="2.1", trigger_id="tr", said="A mug.")
    assert events.click(CLICK) == expected


def test_a_click_in_a_modal_belongs_to_the_installation_whoever_pressed() -> None:
    found = events.click(CLICK | {"team": {"id": "T9"}, "view": {"id": "V1", "app_installed_team_id": "T1"}})
    assert found
    assert found.reply_to.team == "T1"


def test_a_click_on_an_ephemeral_message_has_no_message_and_an_org_no_team() -> None:
    body = {name: value for name, value in CLICK.items() if name != "message"} | {"team": None}
    click = events.click(body)
    assert click
    assert (click.reply_to.team, click.reply_to.thread_ts) == ("T1", "1.1")


def test_a_choice_in_a_modal_carries_the_view() -> None:
    body = {
        "user": {"id": "U1"}, "team": {"id": "T1"}, "container": {"type": "view"}, "view": {"id": "V1", "private_metadata": "{}"},
        "actions": [{"type": "static_select", "action_id": "insights.offers.sort", "selected_option": {"value": "name"}}],
    }  # fmt: skip
    click = events.click(body)
    assert click
    assert (click.value, click.view_id, click.view_metadata, click.reply_to.channel) == ("name", "V1", "{}", "")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*CLICK, *PLAIN, "id", "view", "value"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*CLICK, *PLAIN, "view"]), json_values, max_size=6))
def test_nothing_slack_could_send_makes_reading_stumble(body: dict[str, Any]) -> None:
    for read in (events.click(body), events.submission(body)):
        assert read is None or isinstance(read, Click)
    word, address = events.command(body)
    assert word in {"url", "on", "off", "adding on", "adding off", "settings", "help", "other"}
    assert isinstance(address, str)
    said = events.message(PLAIN | body)
    if said:
        assert all(isinstance(order, Lookup) for order in events.lookups(said, "T1", bot_user=ME, unasked=True))
        assert isinstance(events.addition(said, "T1", bot_user=ME), Add | None)
    assert isinstance(events.peek({"message": PLAIN | body, "channel": body}), Peek | None)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("", ("help", "")),
        ("help", ("help", "")),
        ("ON", ("on", "")),
        (" off ", ("off", "")),
        ("<https://shop.example/a.jpg>", ("url", "https://shop.example/a.jpg")),
        ("<http://shop.example/a.jpg?a=1&amp;b=2|shop.example>", ("url", "http://shop.example/a.jpg?a=1&b=2")),
        ("https://shop.example/a.jpg?a=1&amp;b=2", ("url", "https://shop.example/a.jpg?a=1&b=2")),
        ("javascript:alert(1)", ("other", "javascript:alert(1)")),
        ("https://a.example b", ("other", "https://a.example b")),
    ],
)
def test_commands_are_read_escaped_or_not(text: str, means: tuple[str, str]) -> None:
    assert events.command({"text": text}) == means


@pytest.mark.parametrize(
    ("text", "title", "price"),
    [
        ("add this, $40", "", "$40"),
        ("Add this", "", ""),
        ("please add these: Walnut desk, 1950s for 250 EUR", "Walnut desk, 1950s", "250 EUR"),
        ("add walnut desk $1,299.50", "walnut desk", "$1,299.50"),
        ("add a lamp to the catalogue", "lamp", ""),
        ("add it to our catalog as Blue jug, 39,95 €", "Blue jug", "39,95 €"),
        ("add this for 40", "", "40"),
        ("add this, 40.", "", "40"),
        ("add this mug for 12 euros", "mug", "12 euros"),
        ("add Grandma’s 2 jugs, USD 15", "Grandma’s 2 jugs", "USD 15"),
        ("add this &lt;!channel&gt; jug, $1", "<!channel> jug", "$1"),
    ],
)
def test_add_this_names_a_thing_and_its_price(text: str, title: str, price: str) -> None:
    said = events.message(PLAIN | {"text": f"<@{ME}> {text}"})
    assert said
    wanted = Add((ImageRef(file_id="F1"),), ReplyTo("T1", "C1", said.ts, "U1"), said.ts, title=title, price=price)
    assert events.addition(said, "T1", bot_user=ME) == wanted


@pytest.mark.parametrize(
    "text", ["add", "add some colour?", "address 40", "what does this add up to, $40", "in blue under $40", ""]
)
def test_other_words_add_nothing(text: str) -> None:
    said = events.message(PLAIN | {"text": f"<@{ME}> {text}"})
    assert said
    assert events.addition(said, "T1", bot_user=ME) is None


def test_nothing_is_added_that_was_not_said_to_us() -> None:
    said = events.message(PLAIN | {"text": "add this, $40"})
    assert said
    assert events.addition(said, "T1", bot_user=ME) is None
    direct = events.message(PLAIN | {"text": "add this, $40", "channel": "D1", "channel_type": "im"})
    assert direct
    assert events.addition(direct, "T1", bot_user=ME)


def test_all_pictures_of_a_message_are_of_one_thing_and_in_a_thread_its_picture_is_meant() -> None:
    said = events.message(PLAIN | {"text": f"<@{ME}> add this", "files": [FILE, FILE | {"id": "F2"}]})
    assert said
    found = events.addition(said, "T1", bot_user=ME)
    assert found
    assert found.images == (ImageRef(file_id="F1"), ImageRef(file_id="F2"))
    reply = events.message(PLAIN | {"text": f"<@{ME}> add this", "files": None, "thread_ts": "1699999999.000100"})
    assert reply
    meant = events.addition(reply, "T1", bot_user=ME)
    assert meant
    assert (meant.images, meant.in_thread, meant.reply_to.thread_ts) == ((), True, "1699999999.000100")


TO = ReplyTo("T1", "C1", "1.1", "U1", "https://hooks.slack.com/x")
ORDERS: list[Order] = [
    Lookup(ImageRef(url="https://example.com/ü.jpg"), TO, message_ts="1.1", owner="U2", asked=True, command=True),
    Click("insights.offers.open", "v1:a:p1", TO, view_metadata="{}", entered={"title": "Jug"}),
    Peek(ImageRef(file_id="F1"), TO, "1.1", "U2", "trigger"),
    Peek(None, TO, trigger_id="trigger"),
    Switch(TO, on=False),
    Add((ImageRef(file_id="F1"), ImageRef(url="https://example.com/a.jpg")), TO, "1.1", title="Jug", price="$40"),
    Adding(TO, on=True),
    Settings(TO, "trigger"),
    Welcome(TO),
    Explain(TO),
    Home("T1", "U1"),
    Watch("T1", "s1"),
    Unfurl("T1", "U1", "C1", "1.1", "id", "composer", ("https://shop.example/a",)),
    Removed("T1", "C1", "1.1"),
    Forget("T1"),
]


@pytest.mark.parametrize("one", ORDERS)
def test_orders_survive_storage(one: Order) -> None:
    payload = to_payload(one)
    assert from_payload(KINDS[kind(one)], payload) == one
    assert from_payload(KINDS[kind(one)], payload | {"of_an_older_release": 1}) == one


def test_every_kind_of_order_is_tried() -> None:
    assert {kind(one) for one in ORDERS} == set(KINDS)
