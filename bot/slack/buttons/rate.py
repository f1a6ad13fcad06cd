"""Helpful, Not helpful: what somebody thinks of a card; after "Not helpful" a form asks what went wrong (cards.md §9.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button, plain
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.blocks import Payload
    from bot.slack.press import Press

ACTION_ID = "insights.feedback.rate"
CALLBACK_ID = "insights.feedback"
UP, DOWN = "up", "down"


def element(rid: str) -> Block:
    """The thumbs at the end of a card; messages only."""
    return {
        "type": "feedback_buttons",
        "action_id": ACTION_ID,
        "positive_button": _thumb(tr("Helpful"), rid, UP, tr("These results are helpful")),
        "negative_button": _thumb(tr("Not helpful"), rid, DOWN, tr("These results are not helpful")),
    }


def button_up(rid: str) -> Block:
    """Where Slack knows no thumbs; the other one is rate_down.py."""
    return button(tr("Helpful"), ACTION_ID, encode(rid, UP))


def _thumb(label: str, rid: str, arg: str, accessible: str) -> Block:
    return {"text": plain(label), "value": encode(rid, arg), "accessibility_label": accessible}


async def clicked(press: Press) -> None:
    await press.rate()


async def meanwhile(press: Press) -> Payload:
    """How to answer Slack: the form closes."""
    return press.heard()


async def submitted(press: Press) -> None:
    await press.say_why()
