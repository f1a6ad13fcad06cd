"""Share in thread: the submit button of the offers for a product."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.blocks import Payload
    from bot.slack.press import Press

CALLBACK_ID = "insights.offers"


async def meanwhile(press: Press) -> Payload:
    """How to answer Slack: with what the modal shows until it is done, or it would close."""
    return await press.sharing()


async def submitted(press: Press) -> None:
    await press.share_offers()
