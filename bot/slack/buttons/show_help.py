"""Show help: lists what the slash command can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.help.open"


def element() -> Block:
    return button(tr("Show help"), ACTION_ID, encode("help"))


async def clicked(press: Press) -> None:
    await press.help()
