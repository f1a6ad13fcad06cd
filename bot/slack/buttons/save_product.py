"""Save: keeps a product in the Home tab, and may watch its price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.language import tr
from bot.slack.blocks import Block, button
from bot.slack.values import encode

if TYPE_CHECKING:  # cards show buttons, and what a click does shows cards
    from bot.slack.blocks import Payload
    from bot.slack.press import Press

ACTION_ID = "insights.product.save"
CALLBACK_ID = "insights.save"


def element(rid: str, product: int, name: str) -> Block:
    """`product` counts from 1, as in `p1`."""
    return button(tr("Save"), ACTION_ID, encode(rid, f"p{product}"), about=name)


async def clicked(press: Press) -> None:
    await press.open_save()


async def meanwhile(press: Press) -> Payload:
    """How to answer Slack: with what is wrong in the form, or that it is saved."""
    return await press.checked_save()


async def submitted(press: Press) -> None:
    await press.save()
