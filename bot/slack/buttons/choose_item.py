"""Choose an item: opens the photo with numbered boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.region.open"


def element(rid: str) -> Block:
    return button(tr("Choose an item"), ACTION_ID, encode(rid))


async def clicked(press: Press) -> None:
    await press.open_regions()
