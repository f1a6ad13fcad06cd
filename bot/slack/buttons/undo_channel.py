"""Undo: takes back switching a channel on or off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ON, OFF = "chon", "choff"
ACTION_ID = "insights.channel.undo"


def element(channel: str, *, on: bool) -> Block:
    """`on` is what would be undone."""
    return button(tr("Undo"), ACTION_ID, encode(ON if on else OFF, channel))


async def clicked(press: Press) -> None:
    await press.undo_channel()
