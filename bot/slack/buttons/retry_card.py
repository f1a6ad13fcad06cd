"""Try again, or Look again: runs the lookup once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.card.retry"


def element(rid: str, label: str) -> Block:
    return button(label, ACTION_ID, encode(rid))


async def clicked(press: Press) -> None:
    await press.look_again()
