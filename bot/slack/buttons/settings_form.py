"""Save: the form of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.blocks import Payload
    from bot.slack.press import Press

CALLBACK_ID = "insights.settings"


async def meanwhile(press: Press) -> Payload:
    """How to answer Slack: with what the modal shows until it is done."""
    return press.saving_settings()


async def submitted(press: Press) -> None:
    await press.save_settings()
