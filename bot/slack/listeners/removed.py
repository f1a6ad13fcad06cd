"""A workspace removed us: delete what belongs to it. Both events may come, in any order, more than once (threats.md O5)."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp

from bot.jobs import Forget
from bot.slack import events
from bot.slack.desk import Desk

UNINSTALLED, REVOKED = "app_uninstalled", "tokens_revoked"
EVENTS = frozenset({UNINSTALLED, REVOKED})


async def removed(event: dict[str, Any], body: dict[str, Any], desk: Desk) -> None:
    tokens = event.get("tokens")
    if event.get("type") == REVOKED and not (isinstance(tokens, dict) and tokens.get("bot")):
        return  # a person's token; we use none
    team, at = events.team(body) or events.organisation(body), body.get("event_time")
    if team:
        when = float(at) if isinstance(at, int | float) else 0.0
        await desk.start(Forget(team, when), f"forget:{team}:{body.get('event_id')}", urgent=True)


def listen(app: AsyncApp) -> None:
    for event in sorted(EVENTS):
        app.event(event)(removed)
