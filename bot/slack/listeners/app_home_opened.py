"""Somebody looks at our Home tab."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from bot.jobs import Home
from bot.slack.desk import Desk

EVENT = "app_home_opened"


async def opened(event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext, desk: Desk) -> None:
    user = event.get("user")
    if event.get("tab") != "home" or not isinstance(user, str):
        return  # the Messages tab announces itself the same way
    team = str(body.get("team_id") or context.team_id)
    await desk.start(Home(team, user), f"home:{team}:{user}:{event.get('event_ts')}", urgent=True)


def listen(app: AsyncApp) -> None:
    app.event(EVENT)(opened)
