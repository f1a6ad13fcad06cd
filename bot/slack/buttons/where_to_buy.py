"""Where to buy: opens the offers for a product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.offers.open"


def element(rid: str, product: int, name: str) -> Block:
    """`product` counts from 1, as in `p1`."""
    return button(tr("Where to buy"), ACTION_ID, encode(rid, f"p{product}"), about=name)


async def clicked(press: Press) -> None:
    await press.open_offers()
