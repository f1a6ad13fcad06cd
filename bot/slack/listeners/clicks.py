"""Every button and menu of ours: commit the click, acknowledge, and let the job do what the button's file says."""

import logging
import re
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack import events
from bot.slack.buttons import BUTTONS, link
from bot.slack.desk import Desk

log = logging.getLogger(__name__)


async def clicked(ack: AsyncAck, body: dict[str, Any], desk: Desk) -> None:
    click = events.click(body)
    if click is None or click.name not in BUTTONS:
        log.warning("a click on %s, which is none of our buttons", click.name if click else "nothing")
    else:
        await desk.start(click, events.click_key(click), urgent=True)
    await ack()


async def opened(ack: AsyncAck) -> None:
    """A link button: the client opens the address itself; unanswered, Slack would show a warning sign."""
    await ack()


def listen(app: AsyncApp) -> None:
    app.action(link.ACTION_ID)(opened)
    app.action(re.compile(r"insights\.(?!link\.).+"))(clicked)
