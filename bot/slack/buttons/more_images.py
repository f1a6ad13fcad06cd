"""More images: shows the next page of similar images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.images.more"


def element(rid: str, offset: int) -> Block:
    """`offset` is the first image not shown yet, counted from 0."""
    return button(tr("More images"), ACTION_ID, encode(rid, f"o{offset}"))


async def clicked(press: Press) -> None:
    await press.more_images()
