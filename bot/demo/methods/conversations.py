"""conversations.*: channels, their members and what was said."""

from bot.demo import wire
from bot.demo.methods.call import TS, Arguments, Method, Refused, channel_of, page_of, room_of
from bot.demo.objects import BOT_USER_ID, Channel, Json, Message
from bot.demo.workspace import Workspace

TYPES = {"channel": "public_channel", "group": "private_channel", "im": "im"}


def _shown(workspace: Workspace, channel: Channel) -> Json:
    return wire.channel_json(channel, member=workspace.app_is_in(channel.id))


async def info(workspace: Workspace, arguments: Arguments) -> Json:
    channel = channel_of(workspace, arguments)
    shown = _shown(workspace, channel)
    if not arguments.flag("include_num_members"):
        shown.pop("num_members", None)
    return {"channel": shown}


async def open_conversation(workspace: Workspace, arguments: Arguments) -> Json:
    if "channel" in arguments:
        channel = channel_of(workspace, arguments)
    else:
        users = [user for user in arguments.required("users").split(",") if user]
        if len(users) != 1 or users[0] not in workspace.people or workspace.people[users[0]].is_bot:
            raise Refused("user_not_found")
        channel = workspace.dm(users[0])
    shown = _shown(workspace, channel) if arguments.flag("return_im") else {"id": channel.id}
    return {"channel": shown, "no_op": True, "already_open": True}


async def join(workspace: Workspace, arguments: Arguments) -> Json:
    channel = channel_of(workspace, arguments)
    if channel.kind != "channel":
        raise Refused("method_not_supported_for_channel_type")
    if channel.archived:
        raise Refused("is_archived")
    already = workspace.app_is_in(channel.id)
    workspace.join(channel, BOT_USER_ID)
    return {"channel": _shown(workspace, channel)} | ({"warning": "already_in_channel"} if already else {})


async def history(workspace: Workspace, arguments: Arguments) -> Json:
    channel = room_of(workspace, arguments)
    roots = [m for m in workspace.messages[channel.id] if not m.is_reply]
    return _messages(workspace, list(reversed(_between(roots, arguments))), arguments)


async def replies(workspace: Workspace, arguments: Arguments) -> Json:
    channel = room_of(workspace, arguments)
    ts = arguments.required("ts")
    thread = workspace.thread(channel.id, ts) if TS.fullmatch(ts) else []
    if not thread:
        raise Refused("thread_not_found")
    return _messages(workspace, _between(thread, arguments), arguments)


def _between(messages: list[Message], arguments: Arguments) -> list[Message]:
    oldest, latest = arguments.text("oldest") or "0", arguments.text("latest") or "9999999999"
    inclusive = arguments.flag("inclusive")
    kept = [m for m in messages if float(oldest) < float(m.ts) < float(latest)]
    return [m for m in messages if m in kept or (inclusive and m.ts in {oldest, latest})]


def _messages(workspace: Workspace, messages: list[Message], arguments: Arguments) -> Json:
    page, following = page_of(messages, arguments)
    whole = arguments.flag("include_all_metadata")
    return {
        "messages": [wire.message_json(workspace, m, metadata=whole) for m in page],
        "has_more": bool(following),
        "response_metadata": {"next_cursor": following},
    }


async def members(workspace: Workspace, arguments: Arguments) -> Json:
    page, following = page_of(channel_of(workspace, arguments).members, arguments)
    return {"members": page, "response_metadata": {"next_cursor": following}}


async def list_channels(workspace: Workspace, arguments: Arguments) -> Json:
    return _channels(workspace, arguments, member=None)


async def of_user(workspace: Workspace, arguments: Arguments) -> Json:
    """users.conversations: those of one person, by default the app's."""
    return _channels(workspace, arguments, member=arguments.text("user") or BOT_USER_ID)


def _channels(workspace: Workspace, arguments: Arguments, *, member: str | None) -> Json:
    wanted = set((arguments.text("types") or "public_channel").replace(" ", "").split(","))
    if wanted - {"public_channel", "private_channel", "im", "mpim"}:
        raise Refused("invalid_types")
    found = [
        channel
        for channel in workspace.channels.values()
        if TYPES[channel.kind] in wanted
        and (channel.kind == "channel" or workspace.app_is_in(channel.id))
        and (member is None or member in channel.members)
        and not (channel.archived and arguments.flag("exclude_archived"))
    ]
    page, following = page_of(found, arguments)
    return {"channels": [_shown(workspace, channel) for channel in page], "response_metadata": {"next_cursor": following}}


METHODS = {
    "conversations.info": Method(info, "channels:read", reads=True),
    "conversations.open": Method(open_conversation, "im:write"),
    "conversations.join": Method(join, "channels:join"),
    "conversations.history": Method(history, "channels:history", reads=True),
    "conversations.replies": Method(replies, "channels:history", reads=True),
    "conversations.members": Method(members, "channels:read", reads=True),
    "conversations.list": Method(list_channels, "channels:read", reads=True),
    "users.conversations": Method(of_user, "channels:read", reads=True),
}
