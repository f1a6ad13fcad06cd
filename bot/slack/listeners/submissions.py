"""Every modal of ours that is submitted: say what is wrong in it, or commit and keep it open while the job works."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.jobs import kind, to_payload
from bot.language import speaking
from bot.queue import Job
from bot.slack import events
from bot.slack.buttons import SUBMISSIONS
from bot.slack.desk import Desk
from bot.slack.press import Press


async def submitted(ack: AsyncAck, body: dict[str, Any], desk: Desk) -> None:
    click = events.submission(body)
    if click is None or click.name not in SUBMISSIONS:
        await ack()
        return
    key = events.click_key(click)
    press = Press(Job(key, click.reply_to.team, kind(click), to_payload(click)), desk, click)
    with speaking(await desk.spoken_by(click.reply_to.team, click.reply_to.user)):
        answer = await SUBMISSIONS[click.name].meanwhile(press)
    if answer["response_action"] != "errors":
        await desk.start(click, key, urgent=True)
    await ack(**answer)


def listen(app: AsyncApp) -> None:
    for callback_id in sorted(SUBMISSIONS):
        app.view(callback_id)(submitted)
