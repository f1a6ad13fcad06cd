"""Remove card: the results disappear for everyone. For whoever asked, whoever posted the photo, and admins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, plain
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.card.remove"


def element(rid: str, people: list[str]) -> Block:
    """A bin that only these people see; messages only."""
    return {
        "type": "icon_button",
        "action_id": ACTION_ID,
        "icon": "trash",
        "text": plain(tr("Remove card")),
        "value": encode(rid),
        "visible_to_user_ids": people,
        "accessibility_label": tr("Remove this card"),
        "confirm": {
            "title": plain(tr("Remove this card")),
            "text": plain(tr("The results disappear for everyone in the thread.")),
            "confirm": plain(tr("Remove"), 30),
            "deny": plain(tr("Keep"), 30),
            "style": "danger",
        },
    }


async def clicked(press: Press) -> None:
    await press.remove_card()
