"""chat.*: the app's messages (slack-platform.md §7)."""

from typing import Any

from bot.demo import wire
from bot.demo.methods import content
from bot.demo.methods.call import TS, Arguments, Method, Refused, channel_of, own_message, room_of
from bot.demo.objects import BOT_ID, BOT_USER_ID, Channel, Json, Message
from bot.demo.workspace import Workspace

MOST_TEXT, MOST_UPDATED = 40_000, 4_000  # characters of `text`
MOST_METADATA = 16_000  # characters of JSON


async def post_message(workspace: Workspace, arguments: Arguments) -> Json:
    channel = room_of(workspace, arguments)
    message = await _message(workspace, channel, arguments)
    message.thread_ts = _thread(workspace, channel, arguments)
    if arguments.flag("reply_broadcast"):
        workspace.problem("chat.postMessage: reply_broadcast makes noise in the channel")
    metadata = _metadata(arguments)
    message.metadata = metadata or None
    workspace.post(message)
    return {"channel": channel.id, "ts": message.ts, "message": wire.message_json(workspace, message)}


async def update(workspace: Workspace, arguments: Arguments) -> Json:
    channel = room_of(workspace, arguments)
    message = own_message(workspace, channel, arguments.required("ts"), "cant_update_message")
    if len(arguments.text("text")) > MOST_UPDATED:
        workspace.problem("chat.update: text of more than 4,000 characters")
        raise Refused("msg_too_long")
    new = await _message(workspace, channel, arguments)
    changes: dict[str, Any] = {"blocks": new.blocks}
    if "text" in arguments:
        changes["text"] = new.text
    if "attachments" in arguments:
        changes["attachments"] = new.attachments
    if "metadata" in arguments:
        changes["metadata"] = _metadata(arguments) or None
    workspace.change(message, **changes)
    shown = wire.message_json(workspace, message)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


async def delete(workspace: Workspace, arguments: Arguments) -> Json:
    channel = room_of(workspace, arguments)
    message = own_message(workspace, channel, arguments.required("ts"), "cant_delete_message")
    workspace.delete(message)
    return {"channel": channel.id, "ts": message.ts}


async def post_ephemeral(workspace: Workspace, arguments: Arguments) -> Json:
    channel = room_of(workspace, arguments)
    user = arguments.required("user")
    if user not in workspace.people:
        raise Refused("user_not_found")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    message = await _message(workspace, channel, arguments)
    message.thread_ts = _thread(workspace, channel, arguments)
    message.ephemeral_to = user
    workspace.post_ephemeral(message)
    return {"message_ts": message.ts}


async def get_permalink(workspace: Workspace, arguments: Arguments) -> Json:
    channel = channel_of(workspace, arguments)
    ts = arguments.required("message_ts")
    message = workspace.message(channel.id, ts)
    if message is None:
        raise Refused("message_not_found")
    thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.is_reply else ""
    return {"channel": channel.id, "permalink": f"{workspace.base_url}/archives/{channel.id}/p{ts.replace('.', '')}{thread}"}


async def unfurl(workspace: Workspace, arguments: Arguments) -> Json:
    """Attachments below a message that had links of the app's domains, by exactly their addresses."""
    if "unfurl_id" in arguments:
        arguments.required("source")
        shared = workspace.shared_links.get(arguments.text("unfurl_id"))
    else:
        ts = arguments.required("ts")
        channel = arguments.required("channel")
        shared = next((one for one in workspace.shared_links.values() if (one[0].channel, one[0].ts) == (channel, ts)), None)
    if shared is None or shared[0].deleted:
        raise Refused("cannot_find_message")
    message, urls = shared
    previews = arguments.json("unfurls", "invalid_unfurls_format")
    if not isinstance(previews, dict) or not previews:
        raise Refused("missing_unfurls")
    for url, preview in previews.items():
        if url not in urls:
            workspace.problem(f"chat.unfurl: {url} was not shared in that message")
            raise Refused("cannot_unfurl_url")
        await content.check(workspace, {"text": "link", "blocks": preview.get("blocks") or []}, "message", error="invalid_blocks")
    known = [one for one in message.attachments if one.get("from_url") not in previews]
    added = [
        {**preview, "blocks": content.with_ids(preview.get("blocks") or []), "from_url": url, "is_app_unfurl": True}
        for url, preview in previews.items()
    ]
    workspace.change(message, hidden=True, attachments=[*known, *added])
    return {}


async def _message(workspace: Workspace, channel: Channel, arguments: Arguments) -> Message:
    """The message in the arguments, as far as posting, updating and whispering have it in common."""
    return await compose(workspace, channel.id, arguments, error="invalid_blocks")


async def compose(workspace: Workspace, channel: str, arguments: Arguments, *, error: str) -> Message:
    """Check the text and blocks of a message and build it, not yet posted. Raises Refused."""
    blocks = arguments.json("blocks", "invalid_blocks_format") or []
    attachments = arguments.json("attachments", "invalid_attachments") or []
    text = arguments.text("text")
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    if not isinstance(attachments, list):
        raise Refused("invalid_attachments")
    if not text and not blocks and not attachments:
        workspace.problem("a message with neither text nor blocks")
        raise Refused("no_text")
    if not text.strip():
        workspace.problem("a message with blocks but without text for notifications and screen readers")
    if len(text) > MOST_TEXT:
        workspace.problem("a text of more than 40,000 characters")
        raise Refused("msg_too_long")
    if blocks:
        await content.check(workspace, {"text": text, "blocks": blocks}, "message", error=error)
    return Message(channel, BOT_USER_ID, text, blocks=content.with_ids(blocks), attachments=attachments, bot_id=BOT_ID)


def _thread(workspace: Workspace, channel: Channel, arguments: Arguments) -> str:
    """The root's ts. Whether Slack refuses an unknown one is not settled; the harsher reading is that it does."""
    ts = arguments.text("thread_ts")
    if not ts:
        return ""
    if not TS.fullmatch(ts):
        workspace.problem(f"thread_ts {ts!r} is no timestamp")
        raise Refused("invalid_thread_ts")
    root = workspace.message(channel.id, ts)
    if root is None:
        if any(m.thread_ts == ts for m in workspace.messages[channel.id]):
            return ts  # the root was deleted, its replies stand
        raise Refused("thread_not_found")
    if root.is_reply:
        workspace.problem("thread_ts is the ts of a reply; it has to be the root's")
        return root.thread_ts
    return ts


def _metadata(arguments: Arguments) -> Json:
    metadata = arguments.json("metadata", "invalid_metadata_format")
    if metadata in (None, {}):
        return {}
    if not isinstance(metadata, dict):
        raise Refused("invalid_metadata_format")
    payload = metadata.get("event_payload")
    if (
        not isinstance(metadata.get("event_type"), str)
        or not isinstance(payload, dict)
        or metadata.keys() - {"event_type", "event_payload", "entities"}
    ):
        raise Refused("invalid_metadata_schema")
    if len(str(metadata)) > MOST_METADATA:
        raise Refused("metadata_too_large")
    return metadata


METHODS = {
    "chat.postMessage": Method(post_message, "chat:write"),
    "chat.update": Method(update, "chat:write"),
    "chat.delete": Method(delete, "chat:write"),
    "chat.postEphemeral": Method(post_ephemeral, "chat:write"),
    "chat.unfurl": Method(unfurl, "links:write"),
    "chat.getPermalink": Method(get_permalink, reads=True),
}
