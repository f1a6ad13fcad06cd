"""Try again: asks once more for the offers for a product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.offers.retry"


def element(rid: str, product: int) -> Block:
    """`product` counts from 1, as in `p1`."""
    return button(tr("Try again"), ACTION_ID, encode(rid, f"p{product}"))


async def clicked(press: Press) -> None:
    await press.retry_offers()
