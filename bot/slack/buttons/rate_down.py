"""Not helpful, as a button of its own: where Slack knows no thumbs (cards.md §12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.buttons.rate import DOWN
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.feedback.down"


def element(rid: str) -> Block:
    return button(tr("Not helpful"), ACTION_ID, encode(rid, DOWN))


async def clicked(press: Press) -> None:
    await press.rate()
