"""Search here: runs a related search in this conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.related.search"


def element(rid: str, number: int, words: str) -> Block:
    """`number` counts from 0 in the list that the modal shows."""
    return button(tr("Search here"), ACTION_ID, encode(rid, f"s{number}"), about=words)


async def clicked(press: Press) -> None:
    await press.search_related()
