"""Share: the form that posts a card to another channel; submitting it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.blocks import Payload
    from bot.slack.press import Press

CALLBACK_ID = "insights.share"


async def meanwhile(press: Press) -> Payload:
    """How to answer Slack: with what the modal shows until it is done."""
    return await press.sharing_card()


async def submitted(press: Press) -> None:
    await press.share_card()
