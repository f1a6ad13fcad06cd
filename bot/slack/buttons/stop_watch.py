"""Stop watching: no more messages about the price of a product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.watch.stop"


def element(sid: str, name: str) -> Block:
    return button(tr("Stop watching"), ACTION_ID, encode(sid, "p1"), about=name)


async def clicked(press: Press) -> None:
    await press.stop_watching()
