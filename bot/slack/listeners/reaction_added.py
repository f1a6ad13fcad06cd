"""Somebody put the workspace's own reaction on a message: the picture it shows is looked up, as if they had asked."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from bot.slack import events
from bot.slack.desk import Desk

EVENT = "reaction_added"


async def reacted(event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext, desk: Desk) -> None:
    team = str(body.get("team_id") or context.team_id)
    order = events.reaction(event, team, bot_user=context.bot_user_id or "")
    if order and event.get("reaction") == await desk.teams.reaction(team):
        await desk.start(order, events.key(order))


def listen(app: AsyncApp) -> None:
    app.event(EVENT)(reacted)
