"""More pages: the next ones of the pages with this image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.pages.more"


def element(rid: str, offset: int) -> Block:
    return button(tr("More pages"), ACTION_ID, encode(rid, f"o{offset}"))


async def clicked(press: Press) -> None:
    await press.more_pages()
