"""Show products: opens the list of similar products, from a short card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.products.show"


def element(rid: str, many: int) -> Block:
    return button(tr("Show products"), ACTION_ID, encode(rid, "o0"), about=tr("{number} found", number=many))


async def clicked(press: Press) -> None:
    await press.open_products()
