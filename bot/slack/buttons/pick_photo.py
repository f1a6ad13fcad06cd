"""Photo 1 of 3: shows the card of another photo of the same message in place of this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, option, plain
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.photo.pick"


def element(rid: str, number: int, total: int) -> Block:
    """A select with the photo that is shown chosen; both count from 1, as in `f1`."""
    options = [
        option(tr("Photo {number} of {total}", number=each, total=total), encode(rid, f"f{each}")) for each in range(1, total + 1)
    ]
    return {
        "type": "static_select",
        "action_id": ACTION_ID,
        "placeholder": plain(tr("Choose a photo")),
        "options": options,
        "initial_option": options[number - 1],
    }


async def clicked(press: Press) -> None:
    await press.pick_photo()
