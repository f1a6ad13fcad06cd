"""Post in thread: what the modal shows becomes a card for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.blocks import Payload
    from bot.slack.press import Press

CALLBACK_ID = "insights.result"


async def meanwhile(press: Press) -> Payload:
    """How to answer Slack."""
    return press.heard()


async def submitted(press: Press) -> None:
    await press.post_result()
