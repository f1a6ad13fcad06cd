"""The workspace's Web API is as strict as Slack's, seen through the real SDK."""

import io
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.demo.driver import Driver
from bot.demo.objects import ANA_ID, BEN_ID, BOT_USER_ID, CLARA_ID, KITCHEN_ID, PHOTOS_ID

pytestmark = pytest.mark.usefixtures("app")


def section(text: str = "hello") -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def image(url: str) -> dict[str, Any]:
    return {"type": "image", "image_url": url, "alt_text": "a picture"}


def modal(title: str = "One", **more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": {"type": "plain_text", "text": title}, "blocks": [section()], **more}


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(out, "PNG")
    return out.getvalue()


async def refused(call: Any) -> Any:
    """The answer of a call that Slack refuses."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response


async def test_a_message_is_posted_threaded_updated_and_deleted(workspace: Driver, slack: AsyncWebClient) -> None:
    photo = await workspace.channel("photos").post("look")
    posted = await slack.chat_postMessage(channel=PHOTOS_ID, text="hello", thread_ts=photo.ts, blocks=[section()])
    reply = await workspace.channel("photos").next_reply(to=photo)
    assert (reply.ts, reply.text, reply.thread_ts) == (posted["ts"], "hello", photo.ts)
    assert reply.blocks[0]["block_id"]  # Slack makes up what the app left out

    await slack.chat_update(channel=PHOTOS_ID, ts=reply.ts, text="changed")
    assert (reply.text, reply.blocks, reply.revision) == ("changed", [], 1)
    await slack.chat_delete(channel=PHOTOS_ID, ts=reply.ts)
    assert reply.deleted
    assert workspace.channel("photos").replies(photo) == []
    assert workspace.problems == []


@pytest.mark.parametrize(
    ("token", "error"), [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), ("app", "not_allowed_token_type")]
)
async def test_only_the_apps_own_token_opens_the_api(workspace: Driver, token: str, error: str) -> None:
    token = workspace.workspace.app_token if token == "app" else token
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession() as http, http.post(f"{workspace.api_url}auth.test", headers=headers) as answer:
        assert (await answer.json()) == {"ok": False, "error": error}


async def test_auth_test_says_who_the_app_is(slack: AsyncWebClient) -> None:
    answer = await slack.auth_test()
    assert answer["user_id"] == BOT_USER_ID
    assert answer["team_id"].startswith("T")


async def test_blocks_that_break_a_rule_are_refused_with_their_place(workspace: Driver, slack: AsyncWebClient) -> None:
    answer = await refused(slack.chat_postMessage(channel=PHOTOS_ID, text="x", blocks=[section(), section("x" * 3001)]))
    assert answer["error"] == "invalid_blocks"
    assert "[json-pointer:/blocks/1/text" in answer["response_metadata"]["messages"][0]
    assert any("invalid blocks" in problem for problem in workspace.problems)


@pytest.mark.parametrize("path", ["/pictures/webp", "/pictures/html", "/nothing-here"])
async def test_one_picture_that_slack_cannot_show_refuses_the_message(
    workspace: Driver, slack: AsyncWebClient, path: str
) -> None:
    good, bad = f"{workspace.base_url}/pictures/png", workspace.base_url + path
    answer = await refused(slack.chat_postMessage(channel=PHOTOS_ID, text="x", blocks=[image(good), image(bad)]))
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == ["[ERROR] downloading image failed [json-pointer:/blocks/1/image_url]"]
    assert workspace.problems == []  # a picture can be gone without anybody's fault
    await slack.chat_postMessage(channel=PHOTOS_ID, text="x", blocks=[image(good)])


async def test_blocks_without_text_are_posted_but_noted(workspace: Driver, slack: AsyncWebClient) -> None:
    with pytest.warns(UserWarning, match="text"):
        await slack.chat_postMessage(channel=PHOTOS_ID, blocks=[section()])
    assert any("without text" in problem for problem in workspace.problems)


async def test_the_app_acts_only_where_it_is_a_member(workspace: Driver, slack: AsyncWebClient) -> None:
    said = await workspace.channel("kitchen-refit").post("hello")
    assert (await refused(slack.chat_postMessage(channel=KITCHEN_ID, text="x")))["error"] == "not_in_channel"
    assert (await refused(slack.reactions_add(channel=KITCHEN_ID, timestamp=said.ts, name="eyes")))["error"] == "not_in_channel"
    assert (await refused(slack.conversations_history(channel=KITCHEN_ID)))["error"] == "not_in_channel"
    assert (await refused(slack.chat_postMessage(channel="C0NOWHERE", text="x")))["error"] == "channel_not_found"
    await workspace.invite("kitchen-refit")
    await slack.chat_postMessage(channel=KITCHEN_ID, text="x")


async def test_only_own_messages_can_be_changed(workspace: Driver, slack: AsyncWebClient) -> None:
    said = await workspace.channel("photos").post("mine")
    assert (await refused(slack.chat_update(channel=PHOTOS_ID, ts=said.ts, text="x")))["error"] == "cant_update_message"
    assert (await refused(slack.chat_delete(channel=PHOTOS_ID, ts=said.ts)))["error"] == "cant_delete_message"
    assert (await refused(slack.chat_update(channel=PHOTOS_ID, ts="1700000000.000001", text="x")))["error"] == "message_not_found"


async def test_reactions_are_added_once_and_removed_once(workspace: Driver, slack: AsyncWebClient) -> None:
    said = await workspace.channel("photos").post("mine")
    await slack.reactions_add(channel=PHOTOS_ID, timestamp=said.ts, name="eyes")
    assert said.reactions == {"eyes": [BOT_USER_ID]}
    assert (await refused(slack.reactions_add(channel=PHOTOS_ID, timestamp=said.ts, name="eyes")))["error"] == "already_reacted"
    await slack.reactions_remove(channel=PHOTOS_ID, timestamp=said.ts, name="eyes")
    assert said.reactions == {}
    assert (await refused(slack.reactions_remove(channel=PHOTOS_ID, timestamp=said.ts, name="eyes")))["error"] == "no_reaction"


async def test_metadata_is_kept_and_shown_when_asked_for(workspace: Driver, slack: AsyncWebClient) -> None:
    metadata = {"event_type": "insights", "event_payload": {"job": "r1"}}
    root = await workspace.channel("photos").post("look")
    await slack.chat_postMessage(channel=PHOTOS_ID, text="x", thread_ts=root.ts, metadata=metadata)
    bare = await slack.conversations_replies(channel=PHOTOS_ID, ts=root.ts)
    whole = await slack.conversations_replies(channel=PHOTOS_ID, ts=root.ts, include_all_metadata=True)
    assert "metadata" not in bare["messages"][1]
    assert whole["messages"][1]["metadata"] == metadata


async def test_an_ephemeral_message_reaches_one_member_only(workspace: Driver, slack: AsyncWebClient) -> None:
    await slack.chat_postEphemeral(channel=PHOTOS_ID, user=ANA_ID, text="psst")
    assert (await workspace.next_ephemeral("ana")).text == "psst"
    assert workspace.ephemerals("ben") == []
    assert workspace.channel("photos").messages() == []
    answer = await refused(slack.chat_postEphemeral(channel=PHOTOS_ID, user="U0NOBODY", text="psst"))
    assert answer["error"] == "user_not_found"


async def test_a_person_can_be_written_to_by_id(workspace: Driver, slack: AsyncWebClient) -> None:
    opened = await slack.conversations_open(users=ANA_ID)
    await slack.chat_postMessage(channel=ANA_ID, text="hello Ana")
    assert opened["channel"]["id"] == workspace.dm("ana").id
    assert (await workspace.dm("ana").next_message()).text == "hello Ana"


async def test_people_and_channels_are_listed(slack: AsyncWebClient) -> None:
    ana = (await slack.users_info(user=ANA_ID, include_locale=True))["user"]
    assert (ana["real_name"], ana["locale"], ana["is_bot"]) == ("Ana Torres", "en-US", False)
    names = [channel["name"] for channel in (await slack.conversations_list())["channels"]]
    assert names == ["photos", "kitchen-refit"]
    assert (await slack.conversations_info(channel=PHOTOS_ID))["channel"]["is_member"] is True
    own = (await slack.users_conversations(types="public_channel,im"))["channels"]
    assert [channel["id"][0] for channel in own] == ["C", "D", "D", "D"]
    assert set((await slack.conversations_members(channel=PHOTOS_ID))["members"]) == {ANA_ID, BEN_ID, CLARA_ID, BOT_USER_ID}


async def test_an_unknown_method_is_a_problem(workspace: Driver, slack: AsyncWebClient) -> None:
    assert (await refused(slack.api_call("chat.shout")))["error"] == "unknown_method"
    assert workspace.problems == ["chat.shout: no such method"]


async def test_a_missing_scope_is_named(workspace: Driver, slack: AsyncWebClient) -> None:
    said = await workspace.channel("photos").post("mine")
    workspace.workspace.scopes -= {"reactions:write"}
    answer = await refused(slack.reactions_add(channel=PHOTOS_ID, timestamp=said.ts, name="eyes"))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "reactions:write")


# ---- faults


async def test_a_rate_limit_comes_as_429_with_its_seconds(workspace: Driver, slack: AsyncWebClient) -> None:
    workspace.faults.rate_limit("chat.postMessage", retry_after=7)
    answer = await refused(slack.chat_postMessage(channel=PHOTOS_ID, text="x"))
    assert (answer.status_code, answer["error"], answer.headers["Retry-After"]) == (429, "ratelimited", "7")
    await slack.chat_postMessage(channel=PHOTOS_ID, text="x")
    assert [(call.status, call.injected) for call in workspace.calls_of("chat.postMessage")] == [(429, True), (200, False)]


async def test_a_lost_answer_has_taken_effect(workspace: Driver, slack: AsyncWebClient) -> None:
    workspace.faults.lose_answer("chat.postMessage")
    slack.retry_handlers.clear()
    with pytest.raises(aiohttp.ClientError):
        await slack.chat_postMessage(channel=PHOTOS_ID, text="once")
    assert [message.text for message in workspace.channel("photos").messages()] == ["once"]


async def test_refused_block_types_and_pictures_read_as_from_slack(workspace: Driver, slack: AsyncWebClient) -> None:
    card = {"type": "card", "title": {"type": "mrkdwn", "text": "A mug"}}
    blocks = [section(), {"type": "carousel", "elements": [card]}]
    workspace.faults.refuse_blocks("carousel")
    answer = await refused(slack.chat_postMessage(channel=PHOTOS_ID, text="x", blocks=blocks))
    assert answer["errors"] == ["unsupported type: carousel [json-pointer:/blocks/1/type]"]
    workspace.faults.clear()
    workspace.faults.refuse_pictures()
    good = f"{workspace.base_url}/pictures/png"
    answer = await refused(slack.chat_postMessage(channel=PHOTOS_ID, text="x", blocks=[image(good)]))
    assert answer["errors"] == ["downloading image failed [json-pointer:/blocks/0/image_url]"]
    assert workspace.problems == []


# ---- files


async def test_a_file_is_downloaded_with_the_token_and_only_with_it(workspace: Driver, slack: AsyncWebClient) -> None:
    posted = await workspace.channel("photos").upload("red.png", png())
    file = (await slack.files_info(file=posted.files[0].id))["file"]
    assert (file["mimetype"], file["original_w"], file["original_h"]) == ("image/png", 60, 40)
    assert file["shares"]["public"][PHOTOS_ID][0]["ts"] == posted.ts
    headers = {"Authorization": f"Bearer {workspace.workspace.bot_token}"}
    async with aiohttp.ClientSession() as http:
        async with http.get(file["url_private_download"], headers=headers) as answer:
            assert await answer.read() == png()
        async with http.get(file["thumb_360"], headers=headers) as answer:
            assert answer.content_type == "image/jpeg"
        for wrong in ({}, {"Authorization": "Bearer xoxb-other"}):
            async with http.get(file["url_private"], headers=wrong, allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"].startswith("/?redir=")) == (302, True)


async def test_files_of_channels_without_the_app_are_not_found(workspace: Driver, slack: AsyncWebClient) -> None:
    posted = await workspace.channel("kitchen-refit").upload("red.png", png())
    assert (await refused(slack.files_info(file=posted.files[0].id)))["error"] == "file_not_found"


async def test_the_sdks_upload_ends_as_a_message_and_can_be_shown(workspace: Driver, slack: AsyncWebClient) -> None:
    root = await workspace.channel("photos").post("look")
    answer = await slack.files_upload_v2(content=png(), filename="boxes.png", channel=PHOTOS_ID, thread_ts=root.ts)
    reply = await workspace.channel("photos").next_reply(to=root)
    assert reply.files[0].data == png()
    shown = {"type": "image", "slack_file": {"id": answer["file"]["id"]}, "alt_text": "boxes"}
    await slack.chat_postMessage(channel=PHOTOS_ID, text="x", blocks=[shown])
    wrong = {"type": "image", "slack_file": {"id": "F0000000000"}, "alt_text": "boxes"}
    assert (
        "invalid slack file" in (await refused(slack.chat_postMessage(channel=PHOTOS_ID, text="x", blocks=[wrong])))["errors"][0]
    )


# ---- views


async def button(workspace: Driver, slack: AsyncWebClient) -> dict[str, Any]:
    """Post a button, press it as Ana, and return the click as the app got it."""
    press = {"type": "button", "action_id": "press", "text": {"type": "plain_text", "text": "Press"}}
    await slack.chat_postMessage(channel=PHOTOS_ID, text="x", blocks=[{"type": "actions", "elements": [press]}])
    await workspace.click(workspace.channel("photos").messages()[-1], "Press")
    return workspace.deliveries[-1].payload


async def test_a_trigger_opens_one_view_within_its_seconds(workspace: Driver, slack: AsyncWebClient) -> None:
    click = await button(workspace, slack)
    await slack.views_open(trigger_id=click["trigger_id"], view=modal())
    assert (await workspace.next_view("ana")).title == "One"
    assert workspace.view_of("ben") is None
    assert (await refused(slack.views_open(trigger_id=click["trigger_id"], view=modal())))["error"] == "exchanged_trigger_id"
    assert (await refused(slack.views_open(trigger_id="1.2.abc", view=modal())))["error"] == "invalid_trigger_id"
    late = (await button(workspace, slack))["trigger_id"]
    workspace.workspace.triggers[late].created -= 3
    assert (await refused(slack.views_open(trigger_id=late, view=modal())))["error"] == "expired_trigger_id"
    assert len(workspace.problems) == 3


async def test_a_view_is_updated_by_hash_and_pushed_from_a_click_in_it(workspace: Driver, slack: AsyncWebClient) -> None:
    more = {"type": "actions", "elements": [{"type": "button", "action_id": "m", "text": {"type": "plain_text", "text": "More"}}]}
    click = await button(workspace, slack)
    opened = (await slack.views_open(trigger_id=click["trigger_id"], view=modal()))["view"]
    await slack.views_update(view_id=opened["id"], hash=opened["hash"], view=modal("Two", blocks=[more]))
    conflict = await refused(slack.views_update(view_id=opened["id"], hash=opened["hash"], view=modal("Three")))
    assert conflict["error"] == "hash_conflict"
    view = await workspace.next_view("ana", until=lambda view: view.title == "Two")
    await workspace.click(view, "More")
    trigger = workspace.deliveries[-1].payload["trigger_id"]
    await slack.views_push(trigger_id=trigger, view=modal("On top"))
    top = await workspace.next_view("ana", until=lambda view: view.title == "On top")
    await workspace.close_view(top)
    assert workspace.view_of("ana") is view
    await workspace.close_view(view)
    assert (await refused(slack.views_update(view_id=view.id, view=modal())))["error"] == "not_found"


async def test_a_carousel_is_refused_in_a_modal(workspace: Driver, slack: AsyncWebClient) -> None:
    carousel = {"type": "carousel", "elements": [{"type": "card", "title": {"type": "mrkdwn", "text": "A"}}]}
    click = await button(workspace, slack)
    answer = await refused(slack.views_open(trigger_id=click["trigger_id"], view=modal(blocks=[carousel])))
    assert answer["error"] == "invalid_arguments"
    assert "/blocks/0" in answer["response_metadata"]["messages"][0]


async def test_the_home_tab_is_published_for_one_person(workspace: Driver, slack: AsyncWebClient) -> None:
    await slack.views_publish(user_id=ANA_ID, view={"type": "home", "blocks": [section("welcome")]})
    home = workspace.home_of("ana")
    assert home is not None
    assert home.blocks[0]["text"]["text"] == "welcome"
    assert workspace.home_of("ben") is None


# ---- response_url


async def test_a_response_address_answers_five_times_and_only_its_person(workspace: Driver, slack: AsyncWebClient) -> None:
    click = await button(workspace, slack)
    hook = AsyncWebhookClient(click["response_url"])
    for number in range(5):
        answer = await hook.send(text=f"answer {number}")
        assert (answer.status_code, answer.body) == (200, "ok")
    assert (await hook.send(text="once more")).body == "used_url"
    assert [message.text for message in workspace.ephemerals("ana")] == [f"answer {number}" for number in range(5)]


async def test_a_response_address_replaces_and_deletes_what_was_clicked(workspace: Driver, slack: AsyncWebClient) -> None:
    click = await button(workspace, slack)
    hook = AsyncWebhookClient(click["response_url"])
    message = workspace.channel("photos").messages()[-1]
    await hook.send(text="done", replace_original=True)
    assert (message.text, message.blocks) == ("done", [])
    await hook.send(delete_original=True)
    assert message.deleted


async def test_a_response_address_expires(workspace: Driver, slack: AsyncWebClient) -> None:
    click = await button(workspace, slack)
    for hook in workspace.workspace.hooks.values():
        hook.created -= 1801
    answer = await AsyncWebhookClient(click["response_url"]).send(text="late")
    assert (answer.status_code, answer.body) == (404, "expired_url")


async def test_bad_blocks_through_a_response_address_are_a_404(workspace: Driver, slack: AsyncWebClient) -> None:
    click = await button(workspace, slack)
    answer = await AsyncWebhookClient(click["response_url"]).send(text="x", blocks=[{"type": "nonsense"}])
    assert (answer.status_code, answer.body) == (404, "invalid_blocks")


async def test_a_phones_heic_picture_gets_jpeg_thumbs(workspace: Driver, slack: AsyncWebClient) -> None:
    data = (Path(__file__).parent / "phone.heic").read_bytes()
    posted = await workspace.channel("photos").upload("IMG_0001.HEIC", data)
    file = (await slack.files_info(file=posted.files[0].id))["file"]
    assert (file["mimetype"], file["filetype"], file["original_w"], file["original_h"]) == ("image/heic", "heic", 96, 64)
    headers = {"Authorization": f"Bearer {workspace.workspace.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(file["thumb_64"]) as answer:
        thumb = Image.open(io.BytesIO(await answer.read()))
    assert (thumb.format, max(thumb.size)) == ("JPEG", 64)
