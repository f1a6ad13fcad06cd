"""`/insights <address> | on | off | settings | … | help`. What it says at once comes with the acknowledgement."""

import re
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.jobs import Adding, ImageRef, Lookup, ReplyTo, Settings, Switch
from bot.language import speaking
from bot.slack import events
from bot.slack.cards import notices
from bot.slack.cards.notices import Kind
from bot.slack.desk import Desk

COMMAND = "/insights"
ADDRESS = re.compile(r"^\S*(?:[:/]|\.\w{2,4}$)\S*$")
"""One word that was meant as an address and is none."""


async def typed(ack: AsyncAck, command: dict[str, Any], desk: Desk) -> None:
    to = events.command_reply_to(command)
    with speaking(await desk.spoken_by(to.team, to.user)):
        await _understood(ack, command, to, desk)


async def _understood(ack: AsyncAck, command: dict[str, Any], to: ReplyTo, desk: Desk) -> None:
    word, rest = events.command(command)
    key = f"command:{to.team}:{command.get('trigger_id')}"
    match word:
        case "url":
            url, _, words = rest.partition(" ")
            await desk.start(Lookup(ImageRef(url=url, words=words), to, asked=True, command=True), key)
            await ack(**notices.looking())
        case "on" | "off":
            await desk.start(Switch(to, on=word == "on"), key, urgent=True)
            await ack()
        case "adding on" | "adding off":
            await desk.start(Adding(to, on=word == "adding on"), key, urgent=True)
            await ack()
        case "settings":
            await desk.start(Settings(to, str(command.get("trigger_id") or "")), key, urgent=True)
            await ack()
        case "other" if ADDRESS.search(rest):
            await ack(**notices.problem(Kind.NOT_A_URL))
        case "other":
            await desk.start(Lookup(ImageRef(words=rest[: events.MOST_WORDS]), to, asked=True, command=True), key)
            await ack(**notices.searching())
        case _:
            await ack(**notices.help_text())


def listen(app: AsyncApp) -> None:
    app.command(COMMAND)(typed)
