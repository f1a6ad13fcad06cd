"""Look up: the form of the global shortcut."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.blocks import Payload
    from bot.slack.press import Press

CALLBACK_ID = "insights.ask"


async def meanwhile(press: Press) -> Payload:
    """How to answer Slack."""
    return press.checked_question()


async def submitted(press: Press) -> None:
    await press.answer_question()
