"""Pure: the workspace's objects as Slack's JSON, and the payloads of what people do (slack-platform.md §1, §6)."""

import json
import re
import time
from collections.abc import Sequence
from html import unescape
from typing import TYPE_CHECKING, Any

from bot.demo.objects import (
    APP_ID,
    APP_NAME,
    BOT_ID,
    BOT_USER_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    Channel,
    File,
    Json,
    Message,
    Person,
    View,
)

if TYPE_CHECKING:
    from bot.demo.workspace import Workspace

THUMB_SIDES = (64, 80, 160, 360, 480, 720, 800, 960, 1024)
VERIFICATION_TOKEN = "localworkspacetoken"  # noqa: S105 (Slack's deprecated field; proves nothing)
_SPOKEN = re.compile(
    r"(?P<mention>@image insights|@insights|<@U07INSIGHTS>)|(?P<link>https?://[^\s<>]+[^\s<>.,;:!?)\]'\"])", re.IGNORECASE
)
_MARKED = re.compile(r"<([^<>]+)>")


# ---- texts


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mentions(workspace: "Workspace", text: str) -> str:
    """What a person typed, as Slack stores it: escaped, links wrapped, mentions as ids."""

    def named(words: str) -> str:
        said = escape(words)
        for person in workspace.people.values():
            if not person.is_bot:
                said = re.sub(rf"@({re.escape(person.real_name)}|{person.name})\b", f"<@{person.id}>", said, flags=re.IGNORECASE)
        return said

    out, at = [], 0
    for found in _SPOKEN.finditer(text):
        out.append(named(text[at : found.start()]))
        out.append(f"<@{BOT_USER_ID}>" if found["mention"] else f"<{escape(found['link'])}>")
        at = found.end()
    out.append(named(text[at:]))
    return "".join(out)


def rich_text(text: str) -> list[Json]:
    """The blocks of a person's message: one rich_text block, none for an empty text."""
    if not text:
        return []
    parts: list[Json] = []
    at = 0
    for found in _MARKED.finditer(text):
        if found.start() > at:
            parts.append({"type": "text", "text": unescape(text[at : found.start()])})
        body = found[1]
        url, _, label = body.partition("|")
        if body.startswith("@"):
            parts.append({"type": "user", "user_id": body[1:].partition("|")[0]})
        elif label:
            parts.append({"type": "link", "url": unescape(url), "text": unescape(label)})
        else:
            parts.append({"type": "link", "url": unescape(url)})
        at = found.end()
    if at < len(text):
        parts.append({"type": "text", "text": unescape(text[at:])})
    return [{"type": "rich_text", "block_id": "said", "elements": [{"type": "rich_text_section", "elements": parts}]}]


# ---- objects


def file_json(workspace: "Workspace", file: File) -> Json:
    """A file object as in a message's `files`; thumbs are JPEG and upright, as Slack makes them."""
    base = f"{workspace.base_url}/files/{TEAM_ID}-{file.id}"
    slug = re.sub(r"[^\w.-]+", "_", file.name.lower()) or "file"
    shown: Json = {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": file.filetype,
        "pretty_type": file.filetype.upper(),
        "user": file.user,
        "user_team": TEAM_ID,
        "editable": False,
        "size": len(file.data),
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": False,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{base}/{slug}",
        "url_private_download": f"{base}/download/{slug}",
        "permalink": f"{workspace.base_url}/files/{file.user}/{file.id}/{slug}",
        "has_rich_preview": False,
        "file_access": "visible",
    }
    if file.alt_text:
        shown["alt_txt"] = file.alt_text
    if file.width:
        shown |= {"original_w": file.width, "original_h": file.height}
        stem = slug.rpartition(".")[0] or slug
        for side in THUMB_SIDES:
            scale = side / max(file.width, file.height)
            if scale >= 1 and side > THUMB_SIDES[3]:
                break
            shown[f"thumb_{side}"] = f"{base}/thumb_{side}/{stem}_{side}.jpg"
            if side >= THUMB_SIDES[3]:
                width, height = (max(1, round(length * min(scale, 1))) for length in (file.width, file.height))
                shown |= {f"thumb_{side}_w": width, f"thumb_{side}_h": height}
    return shown


def file_stub(file: File) -> Json:
    """How a file of a connected workspace is announced (slack-platform.md §1.6)."""
    return {
        "id": file.id, "created": 0, "timestamp": 0, "mode": "file_access", "user": "", "file_access": "check_file_info",
    }  # fmt: skip


def bot_profile() -> Json:
    icons = {"image_36": "", "image_48": "", "image_72": ""}
    return {
        "id": BOT_ID,
        "app_id": APP_ID,
        "user_id": BOT_USER_ID,
        "name": APP_NAME,
        "icons": icons,
        "deleted": False,
        "team_id": TEAM_ID,
    }


def message_json(workspace: "Workspace", message: Message, *, metadata: bool = True) -> Json:
    """A message as in events and in the answers of chat.* and conversations.*."""
    shown: Json = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts, "team": TEAM_ID}
    subtype = message.subtype or ("file_share" if message.files and not message.bot_id else "")
    optional = {
        "subtype": subtype,
        "client_msg_id": message.client_msg_id,
        "blocks": message.blocks,
        "attachments": message.attachments,
        "thread_ts": message.thread_ts,
        "edited": message.edited,
        "inviter": message.inviter,
        "username": message.username if message.bot_id else "",
    }
    shown |= {name: value for name, value in optional.items() if value}
    if message.files:
        shown |= {"files": [file_json(workspace, file) for file in message.files], "upload": False, "display_as_bot": False}
    if message.bot_id:
        shown |= {"bot_id": message.bot_id, "app_id": APP_ID, "bot_profile": bot_profile()}
    if message.reactions:
        shown["reactions"] = [{"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()]
    if message.is_reply:
        root = workspace.message(message.channel, message.thread_ts)
        shown |= {"parent_user_id": root.user} if root else {}
    elif message.thread_ts:
        replies = [m for m in workspace.thread(message.channel, message.ts) if m is not message]
        shown |= {
            "reply_count": len(replies),
            "reply_users": list(dict.fromkeys(m.user for m in replies)),
            "latest_reply": replies[-1].ts if replies else message.ts,
        }
    if message.metadata and metadata:
        shown["metadata"] = message.metadata
    return shown


def page_message(workspace: "Workspace", message: Message) -> Json:
    """A message for the people's page: without Slack's addresses of files, which need the app's token."""
    shown = message_json(workspace, message)
    if message.files:
        shown["files"] = [
            {
                "id": file.id, "name": file.name, "title": file.title, "mimetype": file.mimetype, "size": len(file.data),
                "alt_txt": file.alt_text, "width": file.width, "height": file.height,
            }
            for file in message.files
        ]  # fmt: skip
    return {**shown, "channel": message.channel, "deleted": message.deleted}


def view_json(view: View) -> Json:
    """A view as in the answers of views.* and in payloads. It holds every field, whether sent or not, as Slack's does."""
    empty: Json = {
        "type": "modal", "blocks": [], "private_metadata": "", "callback_id": "", "external_id": "", "title": None,
        "submit": None, "close": None, "clear_on_close": False, "notify_on_close": False,
    }  # fmt: skip
    return {
        **empty,
        **view.body,
        "id": view.id,
        "team_id": TEAM_ID,
        "state": {"values": view.state},
        "hash": view.hash,
        "root_view_id": view.root_id or view.id,
        "previous_view_id": view.previous_id or None,
        "app_id": APP_ID,
        "app_installed_team_id": TEAM_ID,
        "bot_id": BOT_ID,
    }


def user_json(person: Person, *, locale: bool = False) -> Json:
    shown: Json = {
        "id": person.id,
        "team_id": TEAM_ID,
        "name": person.name,
        "deleted": False,
        "real_name": person.real_name,
        "tz": person.tz,
        "tz_offset": 3600,
        "profile": {"real_name": person.real_name, "display_name": person.name, "team": TEAM_ID},
        "is_admin": not person.is_bot and person.name == "ana",
        "is_owner": not person.is_bot and person.name == "ana",
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": 1700000000,
    }
    return shown | ({"locale": person.locale} if locale else {})


def channel_json(channel: Channel, *, member: bool) -> Json:
    shown: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.archived,
        "is_im": channel.kind == "im",
        "is_org_shared": False,
    }
    if channel.kind == "im":
        return shown | {"user": next(m for m in channel.members if m != BOT_USER_ID), "is_open": True}
    topic = {"value": channel.topic, "creator": channel.members[0], "last_set": channel.created}
    return shown | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_mpim": False,
        "is_private": channel.kind == "group",
        "is_general": False,
        "is_shared": False,
        "is_ext_shared": False,
        "is_member": member,
        "creator": channel.members[0],
        "topic": topic,
        "purpose": {**topic, "value": ""},
        "num_members": len(channel.members),
        "context_team_id": TEAM_ID,
    }


# ---- events


def envelope(event: Json, event_id: str) -> Json:
    """The outside of an event (slack-platform.md §1.1)."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM_ID,
        "context_team_id": TEAM_ID,
        "context_enterprise_id": None,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(time.time()),
        "authorizations": [
            {"enterprise_id": None, "team_id": TEAM_ID, "user_id": BOT_USER_ID, "is_bot": True, "is_enterprise_install": False}
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }


def in_channel(channel: Channel, event: Json, ts: str) -> Json:
    return {**event, "channel": channel.id, "event_ts": ts, "channel_type": channel.kind}


def file_shared(file: File, channel: Channel, ts: str) -> Json:
    """The second notice of an upload: no text, no thread, no ts of the message."""
    return {
        "type": "file_shared", "channel_id": channel.id, "file_id": file.id, "user_id": file.user, "file": {"id": file.id},
        "event_ts": ts,
    }  # fmt: skip


# ---- what people do


def _interaction(kind: str, person: Person) -> Json:
    return {
        "type": kind,
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": TEAM_ID},
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def action(block_id: str, element: Json, chosen: Json) -> Json:
    """One entry of `actions`."""
    kept: Json = {name: element[name] for name in ("type", "action_id", "text", "value", "placeholder", "url") if name in element}
    return {**kept, "block_id": block_id, "action_ts": f"{time.time():.6f}", **chosen}


def message_click(workspace: "Workspace", person: Person, message: Message, action: Json, values: Json) -> Json:
    """block_actions from a message. An ephemeral one comes without `message` (slack-platform.md §6.1)."""
    channel = workspace.channels[message.channel]
    ephemeral = bool(message.ephemeral_to)
    container: Json = {"type": "message", "message_ts": message.ts, "channel_id": channel.id, "is_ephemeral": ephemeral}
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    name = {"im": "directmessage", "group": "privategroup"}.get(channel.kind, channel.name)
    payload = _interaction("block_actions", person) | {
        "container": container,
        "channel": {"id": channel.id, "name": name},
        "state": {"values": values},
        "actions": [action],
    }
    return payload if ephemeral else payload | {"message": message_json(workspace, message)}


def message_shortcut(workspace: "Workspace", person: Person, message: Message, callback_id: str) -> Json:
    """message_action: the message as it is, also where the app is no member."""
    channel = workspace.channels[message.channel]
    return _interaction("message_action", person) | {
        "callback_id": callback_id,
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": channel.name},
        "message": message_json(workspace, message),
        "action_ts": f"{time.time():.6f}",
    }


def global_shortcut(person: Person, callback_id: str) -> Json:
    return _interaction("shortcut", person) | {"callback_id": callback_id, "action_ts": f"{time.time():.6f}"}


def view_click(person: Person, view: View, action: Json) -> Json:
    return _interaction("block_actions", person) | {
        "container": {"type": "view", "view_id": view.id},
        "view": view_json(view),
        "actions": [action],
    }


def view_submission(person: Person, view: View) -> Json:
    return _interaction("view_submission", person) | {"view": view_json(view), "response_urls": []}


def view_closed(person: Person, view: View, *, cleared: bool) -> Json:
    return _interaction("view_closed", person) | {"view": view_json(view), "is_cleared": cleared}


def command_form(
    workspace: "Workspace", person: Person, channel: Channel, command: str, text: str, *, response_url: str, trigger_id: str
) -> dict[str, str]:
    """The form of a slash command. With `should_escape` on, addresses come wrapped (slack-platform.md §6.4)."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": {"im": "directmessage", "group": "privategroup"}.get(channel.kind, channel.name),
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": mentions(workspace, text),
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def types_in(blocks: Sequence[Any]) -> dict[str, str]:
    """Every block type in a payload, with the pointer of its first use."""
    found: dict[str, str] = {}

    def walk(part: Any, pointer: str) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("type"), str):
                found.setdefault(part["type"], f"{pointer}/type")
            for name, value in part.items():
                walk(value, f"{pointer}/{name}")
        elif isinstance(part, list):
            for index, value in enumerate(part):
                walk(value, f"{pointer}/{index}")

    walk(list(blocks), "/blocks")
    return found


def parse_json(value: Any) -> Any:
    """Values that Slack takes as JSON text or as JSON. Raises ValueError for a broken text."""
    return json.loads(value) if isinstance(value, str) else value
