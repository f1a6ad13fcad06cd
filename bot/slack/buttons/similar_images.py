"""Similar images: opens the pictures that look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.images.open"


def element(rid: str) -> Block:
    return button(tr("Similar images"), ACTION_ID, encode(rid))


async def clicked(press: Press) -> None:
    await press.open_images()
