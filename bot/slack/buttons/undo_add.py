"""Remove: takes out of the catalogue what somebody added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button, markup, plain
from bot.slack.mrkdwn import words
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.add.undo"


def element(rid: str, title: str) -> Block:
    return button(tr("Remove"), ACTION_ID, encode(rid), about=title) | {
        "confirm": {
            "title": plain(tr("Remove it from the catalogue?")),
            "text": markup(tr("*{title}* will not be found any more.", title=words(title, 100))),
            "confirm": plain(tr("Remove"), 30),
            "deny": plain(tr("Keep"), 30),
            "style": "danger",
        }
    }


async def clicked(press: Press) -> None:
    await press.remove_addition()
