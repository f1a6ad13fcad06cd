"""We were invited to a channel: that switches it on. Everybody else's joining is none of our business."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from bot.jobs import ReplyTo, Welcome
from bot.slack.desk import Desk

EVENT = "member_joined_channel"


async def joined(event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext, desk: Desk) -> None:
    channel, inviter = event.get("channel"), event.get("inviter")
    if event.get("user") != context.bot_user_id or not isinstance(channel, str):
        return
    team = str(body.get("team_id") or context.team_id)
    to = ReplyTo(team, channel, user=inviter if isinstance(inviter, str) else "")
    await desk.start(Welcome(to), f"welcome:{team}:{channel}:{event.get('event_ts')}", urgent=True)


def listen(app: AsyncApp) -> None:
    app.event(EVENT)(joined)
