"""Get image insights, in a message's menu; Look up a picture, from anywhere. Both answer in a modal (cards.md §9.13)."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.language import speaking
from bot.slack import events
from bot.slack.cards import result
from bot.slack.desk import Desk

MESSAGE, GLOBAL = "insights.message", "insights.open"


async def on_message(ack: AsyncAck, body: dict[str, Any], desk: Desk) -> None:
    if order := events.peek(body):
        await desk.start(order, f"peek:{order.reply_to.team}:{order.trigger_id}", urgent=True)
    await ack()


async def anywhere(ack: AsyncAck, body: dict[str, Any], desk: Desk) -> None:
    """Opened here and now: nothing is lost when it fails, and a job could be late for the three seconds."""
    await ack()
    team, person = events.asker(body)
    with speaking(await desk.spoken_by(team, person)):
        await desk.replies.open_view(str(body.get("trigger_id") or ""), result.ask(), on_top=False)


def listen(app: AsyncApp) -> None:
    app.shortcut({"callback_id": MESSAGE, "type": "message_action"})(on_message)
    app.shortcut({"callback_id": GLOBAL, "type": "shortcut"})(anywhere)
