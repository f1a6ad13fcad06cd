"""Somebody mentioned us. The same post comes as a message too; this is the second chance, under the same keys."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from bot.slack import events
from bot.slack.desk import Desk

EVENT = "app_mention"


async def mentioned(event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext, desk: Desk) -> None:
    said = events.message(event)
    if said is None:
        return
    team, bot_user = str(body.get("team_id") or context.team_id), context.bot_user_id or ""
    if addition := events.addition(said, team, bot_user=bot_user):
        await desk.start(addition, events.addition_key(addition), urgent=True)
        return
    for order in events.lookups(said, team, bot_user=bot_user, unasked=False):
        await desk.start(order, events.key(order))


def listen(app: AsyncApp) -> None:
    app.event(EVENT)(mentioned)
