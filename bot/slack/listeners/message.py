"""Somebody said something where we are: a photo in a channel, or anything in a direct message; or took it back."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from bot.jobs import Explain, ReplyTo
from bot.slack import events
from bot.slack.desk import Desk

EVENT = "message"


async def heard(event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext, desk: Desk) -> None:
    team, bot_user = str(body.get("team_id") or context.team_id), context.bot_user_id or ""
    if gone := events.removed(event, team):
        await desk.start(gone, f"removed:{team}:{gone.channel}:{gone.message_ts}")
        return
    said = events.message(event)
    if said is None:
        return
    if addition := events.addition(said, team, bot_user=bot_user):
        await desk.start(addition, events.addition_key(addition), urgent=True)
        return
    # whether this channel wants answers is asked when the job runs: a read here would be waited for before every 200
    orders = events.lookups(said, team, bot_user=bot_user, unasked=True)
    for order in orders:
        await desk.start(order, events.key(order))
    if not orders and (said.direct or events.mentions(said, bot_user)):
        thread = said.thread_ts or "" if said.in_thread else ""
        await desk.start(
            Explain(ReplyTo(team, said.channel, thread, said.user)), f"explain:{team}:{said.channel}:{said.ts}", urgent=True
        )


def listen(app: AsyncApp) -> None:
    app.event(EVENT)(heard)
