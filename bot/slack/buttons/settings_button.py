"""Settings: of the workspace, from Home and help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.press import Press

ACTION_ID = "insights.settings.open"


def element(label: str, where: str, *, about: str = "") -> Block:
    """`where` is `home` or `help`."""
    return button(label, ACTION_ID, encode(where), about=about)


async def clicked(press: Press) -> None:
    await press.open_settings()
