"""The menu of a card: pages with the image, related searches, share, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack.blocks import Block, option
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.card.menu"
PAGES, RELATED, SHARE, SETTINGS = "pages", "related", "share", "settings"

_LABELS = {
    PAGES: "Pages with this image",
    RELATED: "Related searches",
    SHARE: "Share to a channel",
    SETTINGS: "Settings",
}


def element(rid: str, *, pages: bool, related: bool) -> Block:
    """Entries only for what there is."""
    there = {PAGES: pages, RELATED: related, SHARE: True, SETTINGS: True}
    options = [option(label, encode(rid, arg)) for arg, label in _LABELS.items() if there[arg]]
    return {"type": "overflow", "action_id": ACTION_ID, "options": options}


async def clicked(press: Press) -> None:
    await press.open_menu()
