"""Undo: takes back switching a channel on or off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.channel.undo"


def element(channel: str) -> Block:
    return button("Undo", ACTION_ID, encode("ch", channel))


async def clicked(press: Press) -> None:
    await press.undo_channel()
