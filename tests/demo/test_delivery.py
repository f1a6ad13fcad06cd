"""What the workspace sends to the app: signed, in Slack's shapes, retried, and over the socket when there is one."""

import hashlib
import hmac
import time
from typing import Any

import aiohttp
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.demo.driver import Driver, Upload
from bot.demo.objects import ANA_ID, BOT_USER_ID, KITCHEN_ID, PHOTOS_ID

from .listening import App


async def test_every_request_is_signed_as_slack_signs(app: App, workspace: Driver) -> None:
    await workspace.channel("photos").post("hello")
    await workspace.command("/insights", "help")
    await workspace.settled()
    assert len(app.requests) == 2
    for request in app.requests:
        stamp = request.headers["X-Slack-Request-Timestamp"]
        base = b"v0:" + stamp.encode() + b":" + request.raw
        expected = hmac.new(workspace.workspace.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        assert request.headers["X-Slack-Signature"] == f"v0={expected}"
        assert abs(int(stamp) - time.time()) < 5


async def test_an_upload_is_announced_as_message_and_as_file_shared(app: App, workspace: Driver) -> None:
    posted = await workspace.channel("photos").upload("notes.txt", b"hello", text="look")
    await workspace.settled()
    envelope = app.requests[0].body
    assert (envelope["type"], envelope["team_id"], envelope["authorizations"][0]["user_id"]) == (
        "event_callback", posted_team(envelope), BOT_USER_ID,
    )  # fmt: skip
    (message,), (shared,) = app.events("message"), app.events("file_shared")
    assert (message["subtype"], message["channel"], message["channel_type"], message["ts"]) == (
        "file_share", PHOTOS_ID, "channel", posted.ts,
    )  # fmt: skip
    assert message["files"][0]["mimetype"] == "text/plain"
    assert "thumb_360" not in message["files"][0]
    assert (shared["file_id"], shared["channel_id"]) == (posted.files[0].id, PHOTOS_ID)
    assert not {"ts", "text", "thread_ts"} & shared.keys()


def posted_team(envelope: dict[str, Any]) -> str:
    return str(envelope["event"]["team"])


async def test_several_files_come_in_one_message(app: App, workspace: Driver) -> None:
    await workspace.channel("photos").upload(Upload("a.txt", b"a"), b"", Upload("b.txt", b"b"))
    await workspace.settled()
    assert [file["name"] for file in app.events("message")[0]["files"]] == ["a.txt", "b.txt"]
    assert len(app.events("file_shared")) == 2


async def test_a_mention_comes_twice_with_the_same_ts(app: App, workspace: Driver) -> None:
    root = await workspace.channel("photos").post("first")
    said = await workspace.channel("photos").post("@Image Insights see https://shop.example/a?x=1&y=2", thread_ts=root.ts)
    await workspace.settled()
    message = next(event for event in app.events("message") if event["ts"] == said.ts)
    (mention,) = app.events("app_mention")
    assert message["ts"] == mention["ts"] == said.ts
    assert message["text"] == f"<@{BOT_USER_ID}> see <https://shop.example/a?x=1&amp;y=2>"
    assert {"type": "link", "url": "https://shop.example/a?x=1&y=2"} in message["blocks"][0]["elements"][0]["elements"]
    assert (message["thread_ts"], message["parent_user_id"]) == (root.ts, ANA_ID)


async def test_people_are_mentioned_by_name_but_not_inside_addresses(workspace: Driver) -> None:
    said = await workspace.channel("photos").post("@Ben Okafor look at https://social.example/@ana/1 & tell @ana")
    ana, ben = (workspace.workspace.person(name).id for name in ("ana", "ben"))
    assert said.text == f"<@{ben}> look at <https://social.example/@ana/1> &amp; tell <@{ana}>"


async def test_channels_without_the_app_stay_silent_until_it_is_invited(app: App, workspace: Driver) -> None:
    await workspace.channel("kitchen-refit").post("hello")
    await workspace.settled()
    assert app.requests == []
    await workspace.invite("kitchen-refit", by="ben")
    await workspace.channel("kitchen-refit").post("hello again")
    await workspace.settled()
    (joined,) = app.events("member_joined_channel")
    assert (joined["user"], joined["channel"], joined["inviter"]) == (
        BOT_USER_ID,
        KITCHEN_ID,
        workspace.workspace.person("ben").id,
    )
    assert any(event["text"] == "hello again" for event in app.events("message"))


async def test_a_direct_message_is_an_im(app: App, workspace: Driver) -> None:
    await workspace.dm("ben").post("@Image Insights hello")
    await workspace.settled()
    assert [event["channel_type"] for event in app.events("message")] == ["im"]
    assert app.events("app_mention") == []


async def test_edits_unfurls_and_deletions_are_told_apart(app: App, workspace: Driver) -> None:
    said = await workspace.channel("photos").post("helo")
    await workspace.settled()
    await workspace.edit_message(said, "hello")
    await workspace.settled()
    await workspace.unfurl(said)
    await workspace.settled()
    await workspace.delete_message(said)
    await workspace.settled()
    _, edited, unfurled, deleted = app.events("message")
    assert (edited["subtype"], edited["message"]["text"], edited["previous_message"]["text"]) == (
        "message_changed",
        "hello",
        "helo",
    )
    assert edited["message"]["edited"]["user"] == ANA_ID
    assert unfurled["message"]["edited"] == edited["message"]["edited"]  # a preview is no new edit
    assert unfurled["message"]["attachments"]
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", said.ts)


async def test_looking_at_the_app_is_an_event(app: App, workspace: Driver) -> None:
    await workspace.open_home("ana")
    await workspace.settled()
    (opened,) = app.events("app_home_opened")
    assert (opened["user"], opened["tab"], opened["channel"][0]) == (ANA_ID, "home", "D")


# ---- retries


async def test_a_refused_event_is_sent_three_times_more(app: App, workspace: Driver) -> None:
    app.answers = [(500, None, 0), (503, None, 0), (500, None, 0), (200, None, 0)]
    await workspace.channel("photos").post("hello")
    await workspace.settled()
    assert [request.headers.get("X-Slack-Retry-Num") for request in app.requests] == [None, "1", "2", "3"]
    assert app.requests[1].headers["X-Slack-Retry-Reason"] == "http_error"
    assert len({request.body["event_id"] for request in app.requests}) == 1


async def test_a_late_answer_is_a_problem_and_a_retry(app: App, workspace: Driver) -> None:
    app.answers = [(200, None, 0.6), (200, None, 0)]
    await workspace.channel("photos").post("hello")
    await workspace.settled()
    assert [request.headers.get("X-Slack-Retry-Reason") for request in app.requests] == [None, "http_timeout"]
    assert "no answer within 0.4 s" in workspace.problems[0]


async def test_deliveries_can_come_twice_late_and_out_of_order(app: App, workspace: Driver) -> None:
    workspace.faults.deliver_twice()
    workspace.faults.deliver_twice(same_event_id=False)
    await workspace.channel("photos").post("once")
    await workspace.settled()
    assert len(app.events("message")) == 3
    assert len({request.body["event_id"] for request in app.requests}) == 2
    workspace.faults.deliver_as_retry()
    await workspace.channel("photos").post("retried")
    await workspace.settled()
    assert app.requests[-1].headers["X-Slack-Retry-Num"] == "1"
    workspace.faults.deliver_reversed(2)
    await workspace.channel("photos").post("one")
    await workspace.channel("photos").post("two")
    await workspace.settled()
    assert [event["text"] for event in app.events("message")[-2:]] == ["two", "one"]


async def test_files_can_be_announced_as_stubs_and_before_they_are_ready(
    app: App, workspace: Driver
) -> None:  # fmt: skip
    slack = AsyncWebClient(token=workspace.workspace.bot_token, base_url=workspace.api_url)
    workspace.faults.stub_files()
    workspace.faults.unready_files()
    posted = await workspace.channel("photos").upload("a.txt", b"a")
    await workspace.settled()
    (stub,) = app.events("message")[0]["files"]
    assert (stub["mode"], stub["file_access"]) == ("file_access", "check_file_info")
    first, second = [(await slack.files_info(file=posted.files[0].id))["file"] for _ in range(2)]
    assert ("url_private" in first, "url_private" in second) == (False, True)


# ---- clicks and commands


def card(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "block_id": "acts", "elements": list(elements)}]


def button(label: str, action_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": action_id, **more}


OPTIONS = [{"text": {"type": "plain_text", "text": word}, "value": word.lower()} for word in ("Pages", "Settings")]
MENU = {
    "type": "overflow",
    "action_id": "menu",
    "options": OPTIONS,
}


async def test_a_click_says_what_was_pressed_where_and_by_whom(app: App, workspace: Driver) -> None:
    slack = AsyncWebClient(token=workspace.workspace.bot_token, base_url=workspace.api_url)
    photo = await workspace.channel("photos").post("look")
    blocks = card(button("Buy", "buy", value="v1"), button("Buy", "buy2", value="v2"), MENU)
    await slack.chat_postMessage(channel=PHOTOS_ID, thread_ts=photo.ts, text="x", blocks=blocks)
    reply = await workspace.channel("photos").next_reply(to=photo)
    await workspace.click(reply, "Buy", by="ben", nth=1)
    click = app.requests[-1].body
    assert (click["type"], click["user"]["id"], click["message"]["ts"]) == (
        "block_actions", workspace.workspace.person("ben").id, reply.ts,
    )  # fmt: skip
    assert click["container"]["thread_ts"] == photo.ts
    (action,) = click["actions"]
    assert (action["action_id"], action["value"], action["block_id"]) == ("buy2", "v2", "acts")
    await workspace.click(reply, "menu", pick="Settings")
    assert app.requests[-1].body["actions"][0]["selected_option"]["value"] == "settings"
    with pytest.raises(LookupError, match="there is: Buy"):
        await workspace.click(reply, "Sell")


async def test_a_click_on_an_ephemeral_message_carries_no_message(app: App, workspace: Driver) -> None:
    slack = AsyncWebClient(token=workspace.workspace.bot_token, base_url=workspace.api_url)
    await slack.chat_postEphemeral(channel=PHOTOS_ID, user=ANA_ID, text="x", blocks=card(button("Help", "help")))
    await workspace.click(await workspace.next_ephemeral("ana"), "Help")
    click = app.requests[-1].body
    assert click["container"]["is_ephemeral"] is True
    assert "message" not in click
    assert click["response_url"].startswith(f"{workspace.base_url}/hooks/actions/")


async def test_a_command_comes_as_a_form_and_its_answer_is_whispered(app: App, workspace: Driver) -> None:
    app.answers = [(200, {"text": "Looking…"}, 0)]
    await workspace.command("/insights", "https://shop.example/a.jpg", by="ben")
    form = app.requests[0].body
    assert (form["command"], form["text"], form["channel_name"]) == ("/insights", "<https://shop.example/a.jpg>", "photos")
    looking = await workspace.next_ephemeral("ben")
    assert looking.text == "Looking…"
    await AsyncWebhookClient(form["response_url"]).send(delete_original=True)
    assert looking.deleted


async def test_a_button_in_the_answer_to_a_command_has_a_block_to_be_found_by(app: App, workspace: Driver) -> None:
    app.answers = [(200, {"text": "No address", "blocks": card(button("Help", "help"))}, 0), (200, None, 0)]
    await workspace.command("/insights", "nonsense")
    await workspace.click(await workspace.next_ephemeral("ana"), "Help")
    assert app.requests[-1].body["actions"][0]["block_id"]


async def test_invalid_blocks_in_the_answer_to_a_command_are_not_shown(app: App, workspace: Driver) -> None:
    app.answers = [(200, {"text": "x", "blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "*x*"}}]}, 0)]
    await workspace.command("/insights", "help")
    assert workspace.workspace.ephemerals == []
    assert "invalid" in workspace.problems.pop()


async def test_a_failed_command_tells_the_person(app: App, workspace: Driver) -> None:
    app.answers = [(500, None, 0)]
    ack = await workspace.command("/insights", "help")
    assert ack.error == "dispatch_failed"
    assert "did not respond" in (await workspace.next_ephemeral("ana")).text
    assert len(app.requests) == 1  # commands are never retried


FORM = {
    "type": "modal",
    "callback_id": "form",
    "title": {"type": "plain_text", "text": "Form"},
    "submit": {"type": "plain_text", "text": "Go"},
    "blocks": [
        {"type": "input", "block_id": "part", "label": {"type": "plain_text", "text": "Part"},
         "element": {"type": "radio_buttons", "action_id": "v", "options": OPTIONS, "initial_option": OPTIONS[0]}},
        {"type": "input", "block_id": "edges", "optional": True, "label": {"type": "plain_text", "text": "Edges"},
         "element": {"type": "plain_text_input", "action_id": "v"}},
    ],
}  # fmt: skip


async def test_a_submission_carries_what_was_entered_and_obeys_the_answer(app: App, workspace: Driver) -> None:
    slack = AsyncWebClient(token=workspace.workspace.bot_token, base_url=workspace.api_url)
    await slack.chat_postMessage(channel=PHOTOS_ID, text="x", blocks=card(button("Open", "open")))
    await workspace.click(workspace.channel("photos").messages()[-1], "Open")
    await slack.views_open(trigger_id=app.requests[-1].body["trigger_id"], view=FORM)
    view = await workspace.next_view("ana")

    app.answers = [(200, {"response_action": "errors", "errors": {"edges": "Four numbers"}}, 0), (200, None, 0)]
    ack = await workspace.submit(view, {"edges": "1, 2"})
    assert ack.errors == {"edges": "Four numbers"}
    assert workspace.view_of("ana") is view
    values = app.requests[-1].body["view"]["state"]["values"]
    assert values["part"]["v"]["selected_option"]["value"] == "pages"
    assert values["edges"]["v"] == {"type": "plain_text_input", "value": "1, 2"}

    await workspace.submit(view, {"part": "Settings"})
    values = app.requests[-1].body["view"]["state"]["values"]
    assert values["part"]["v"]["selected_option"]["value"] == "settings"
    assert values["edges"]["v"]["value"] == "1, 2"
    assert workspace.view_of("ana") is None
    assert workspace.problems == []


async def test_views_in_an_answer_to_a_submission_are_checked_too(app: App, workspace: Driver) -> None:
    slack = AsyncWebClient(token=workspace.workspace.bot_token, base_url=workspace.api_url)
    await slack.chat_postMessage(channel=PHOTOS_ID, text="x", blocks=card(button("Open", "open")))
    await workspace.click(workspace.channel("photos").messages()[-1], "Open")
    await slack.views_open(trigger_id=app.requests[-1].body["trigger_id"], view=FORM)
    view = await workspace.next_view("ana")
    done = {"type": "modal", "title": {"type": "plain_text", "text": "Done"}, "blocks": [{"type": "divider"}]}
    app.answers = [(200, {"response_action": "push", "view": {**done, "blocks": [{"type": "nonsense"}]}}, 0)]
    await workspace.submit(view)
    assert workspace.view_of("ana") is view
    assert any("the push was refused" in problem for problem in workspace.problems)
    app.answers = [(200, {"response_action": "update", "view": done}, 0)]
    await workspace.submit(view)
    assert view.title == "Done"


# ---- Socket Mode


async def test_socket_mode_brings_events_and_takes_answers(app: App, workspace: Driver) -> None:
    got: list[SocketModeRequest] = []

    async def listen(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        got.append(request)
        payload = {"text": "over the socket"} if request.type == "slash_commands" else None
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))

    web_client = AsyncWebClient(base_url=workspace.api_url)
    client = SocketModeClient(app_token=workspace.workspace.app_token, web_client=web_client)
    client.socket_mode_request_listeners.append(listen)
    await client.connect()  # type: ignore[no-untyped-call]  # the SDK left it untyped
    try:
        await workspace.until(lambda: workspace.workspace.delivery.sockets.open, what="a socket")
        await workspace.channel("photos").post("hello")
        await workspace.settled()
        await workspace.command("/insights", "help")
        assert [request.type for request in got] == ["events_api", "slash_commands"]
        assert got[0].payload["event"]["text"] == "hello"
        assert (await workspace.next_ephemeral("ana")).text == "over the socket"
        assert app.requests == []

        greeted = workspace.workspace.delivery.sockets.greeted
        await workspace.workspace.delivery.sockets.disconnect()
        await workspace.until(lambda: workspace.workspace.delivery.sockets.greeted > greeted, what="the app to come back")
        await workspace.channel("photos").post("again")
        await workspace.settled()
        assert got[-1].payload["event"]["text"] == "again"
    finally:
        await client.close()  # type: ignore[no-untyped-call]
    assert workspace.problems == []


async def test_a_socket_address_works_once(workspace: Driver) -> None:
    slack = AsyncWebClient(base_url=workspace.api_url)
    address = (await slack.apps_connections_open(app_token=workspace.workspace.app_token))["url"]
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(address) as line:
            assert (await line.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(address)


async def test_a_mention_where_the_app_is_not_tells_how_to_invite_it(app: App, workspace: Driver) -> None:
    await workspace.channel("kitchen-refit").post("@Image Insights what is this?", by="ben")
    await workspace.settled()
    assert "/invite @Image Insights" in (await workspace.next_ephemeral("ben")).text
    assert app.requests == []
