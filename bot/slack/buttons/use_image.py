"""Use this image: looks up one of the similar images and posts its card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.images.use"


def element(rid: str, image: int, name: str) -> Block:
    """`image` counts from 0, as in `i0`."""
    return button(tr("Use this image"), ACTION_ID, encode(rid, f"i{image}"), about=name)


async def clicked(press: Press) -> None:
    await press.look_at_similar()
