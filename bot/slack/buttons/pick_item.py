"""The items of a photo to choose from; submitting looks for the one that is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.blocks import Payload
    from bot.slack.press import Press

ACTION_ID = "insights.region.pick"
CALLBACK_ID = "insights.region"


async def clicked(press: Press) -> None:
    await press.pick_region()


async def meanwhile(press: Press) -> Payload:
    """How to answer Slack: with what is wrong in the form, or the modal closes."""
    return await press.checked_region()


async def submitted(press: Press) -> None:
    await press.look_at_region()
