"""Try a sample photo: the card of a bundled picture, in the direct message with us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.onboard.sample"


def element() -> Block:
    return button(tr("Try a sample photo"), ACTION_ID, encode("home"), style="primary")


async def clicked(press: Press) -> None:
    await press.try_sample()
