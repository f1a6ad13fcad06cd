"""Somebody posts a link of a shop of ours, or has it in the composer: its product and price are shown below it."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from bot.slack import events
from bot.slack.desk import Desk

EVENT = "link_shared"


async def shared(event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext, desk: Desk) -> None:
    team = str(body.get("team_id") or context.team_id)
    if order := events.unfurl(event, team):
        await desk.start(order, f"unfurl:{team}:{order.channel}:{order.message_ts}:{order.unfurl_id}", urgent=True)


def listen(app: AsyncApp) -> None:
    app.event(EVENT)(shared)
