"""Add to catalogue: opens the form for a picture that somebody wants in the catalogue; submitting it adds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.blocks import Payload
    from bot.slack.press import Press

ACTION_ID = "insights.add.open"
CALLBACK_ID = "insights.add"


def element(rid: str) -> Block:
    return button(tr("Add to catalogue"), ACTION_ID, encode(rid), style="primary")


async def clicked(press: Press) -> None:
    await press.open_addition()


async def meanwhile(press: Press) -> Payload:
    """How to answer Slack: with what is wrong in the form, or what the modal shows until it is done."""
    return await press.checked_addition()


async def submitted(press: Press) -> None:
    await press.add()
