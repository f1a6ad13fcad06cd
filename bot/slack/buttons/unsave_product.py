"""Remove: a saved product leaves the Home tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.product.unsave"


def element(sid: str, name: str) -> Block:
    return button(tr("Remove"), ACTION_ID, encode(sid, "p1"), about=name)


async def clicked(press: Press) -> None:
    await press.unsave()
