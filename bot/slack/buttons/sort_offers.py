"""Sort: the order of the offers for a product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import marked, tr
from bot.slack.blocks import Block, option, plain
from bot.slack.cards.context import Sort

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.offers.sort"

_LABELS = {Sort.PRICE: marked("Price, low to high"), Sort.STOCK: marked("In stock first"), Sort.NAME: marked("Store name")}


def element(current: Sort) -> Block:
    """A select; its value is one of Sort, the rest is in the view's private_metadata."""
    options = {sort: option(tr(label), sort.value) for sort, label in _LABELS.items()}
    return {
        "type": "static_select",
        "action_id": ACTION_ID,
        "placeholder": plain(tr("Sort")),
        "options": list(options.values()),
        "initial_option": options[current],
    }


async def clicked(press: Press) -> None:
    await press.sort_offers()
