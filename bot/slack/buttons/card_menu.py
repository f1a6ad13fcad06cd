"""The menu of a card: pages with the image, related searches, share, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import marked, tr
from bot.slack.blocks import Block, option
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.card.menu"
PAGES, RELATED, SHARE, SETTINGS, REMOVE = "pages", "related", "share", "settings", "remove"

_LABELS = {
    PAGES: marked("Pages with this image"),
    RELATED: marked("Related searches"),
    SHARE: marked("Share to a channel"),
    SETTINGS: marked("Settings"),
    REMOVE: marked("Remove this card"),
}


def element(rid: str, *, pages: bool, related: bool, remove: bool = False) -> Block:
    """Entries only for what there is. remove: where there is no bin."""
    there = {PAGES: pages, RELATED: related, SHARE: True, SETTINGS: True, REMOVE: remove}
    options = [option(tr(label), encode(rid, arg)) for arg, label in _LABELS.items() if there[arg]]
    return {"type": "overflow", "action_id": ACTION_ID, "options": options}


async def clicked(press: Press) -> None:
    await press.open_menu()
