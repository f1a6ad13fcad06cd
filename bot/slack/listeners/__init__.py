"""One file per way in, each translates what Slack sends into an order and hands it over. This is their table of contents."""

from collections.abc import Callable

from slack_bolt.app.async_app import AsyncApp

from bot.slack.listeners import (
    app_home_opened,
    app_mention,
    clicks,
    file_shared,
    link_shared,
    member_joined_channel,
    message,
    reaction_added,
    removed,
    shortcuts,
    slash_command,
    submissions,
)

LISTENERS: tuple[Callable[[AsyncApp], None], ...] = (
    message.listen,
    app_mention.listen,
    file_shared.listen,
    member_joined_channel.listen,
    app_home_opened.listen,
    reaction_added.listen,
    link_shared.listen,
    removed.listen,
    slash_command.listen,
    shortcuts.listen,
    clicks.listen,
    submissions.listen,
)

EVENTS = frozenset(
    {
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
        app_mention.EVENT,
        member_joined_channel.EVENT,
        app_home_opened.EVENT,
        reaction_added.EVENT,
        link_shared.EVENT,
        *removed.EVENTS,
    }
)
"""What the manifest subscribes to: all that we act on. file_shared is not among them, see there."""
COMMANDS = frozenset({slash_command.COMMAND})
SHORTCUTS = frozenset({shortcuts.MESSAGE, shortcuts.GLOBAL})
