"""What every method shares: its arguments as Slack reads them, its refusals, the checks that several families need."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.demo import wire
from bot.demo.objects import BOT_USER_ID, Channel, Json, Message
from bot.demo.workspace import Workspace

TS = re.compile(r"\d{10}\.\d{6}")
MOST_AT_ONCE = 1000


class Refused(Exception):
    """`{"ok": false, "error": …}`; `details` are further members of the answer."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details


def invalid_arguments(*messages: str) -> Refused:
    return Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {message}" for message in messages]})


class Arguments:
    """A call's arguments, whether they came as query, form or JSON."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return "" if value is None else value if isinstance(value, str) else str(value)

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name).lower()
        return default if not value else value in {"1", "true"}

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit():
            raise invalid_arguments(f"must be a number [json-pointer:/{name}]")
        return int(value)

    def json(self, name: str, error: str) -> Any:
        """A value that comes as JSON or as JSON text; None when it is not there. Raises Refused(error) for a broken text."""
        try:
            return wire.parse_json(self.values.get(name))
        except ValueError:
            raise Refused(error) from None


@dataclass(frozen=True, slots=True)
class Method:
    """`scope` is what the token must have been granted. `reads` methods take no JSON body. `token` is "bot", "app" or ""."""

    run: Callable[[Workspace, Arguments], Awaitable[Json]]
    scope: str = ""
    reads: bool = False
    token: Literal["bot", "app", ""] = "bot"  # noqa: S105 (a kind)


def channel_of(workspace: Workspace, arguments: Arguments, name: str = "channel") -> Channel:
    """The named channel when the app may know it. A person's id means the direct message with that person."""
    wanted = arguments.required(name)
    if wanted in workspace.people and not workspace.people[wanted].is_bot:
        return workspace.dm(wanted)
    channel = workspace.channels.get(wanted)
    if channel is None or (channel.kind != "channel" and BOT_USER_ID not in channel.members):
        raise Refused("channel_not_found")
    return channel


def room_of(workspace: Workspace, arguments: Arguments, name: str = "channel") -> Channel:
    """The named channel, where the app may read and write: it is a member and the channel is not archived."""
    channel = channel_of(workspace, arguments, name)
    if BOT_USER_ID not in channel.members:
        raise Refused("not_in_channel")
    if channel.archived:
        raise Refused("is_archived")
    return channel


def own_message(workspace: Workspace, channel: Channel, ts: str, error: str) -> Message:
    """A message of the app. Raises Refused(error) for somebody else's."""
    message = workspace.message(channel.id, ts)
    if message is None:
        raise Refused("message_not_found")
    if not message.bot_id:
        raise Refused(error)
    return message


def page_of(items: list[Any], arguments: Arguments, default: int = 100) -> tuple[list[Any], str]:
    """A page of a list and the cursor of the next one."""
    limit = min(max(1, arguments.number("limit", default)), MOST_AT_ONCE)
    cursor = arguments.text("cursor")
    if cursor and not re.fullmatch(r"next:\d+", cursor):
        raise Refused("invalid_cursor")
    start = int(cursor.removeprefix("next:") or 0)
    following = f"next:{start + limit}" if start + limit < len(items) else ""
    return items[start : start + limit], following
