"""The Home tab: what the bot does, and one's own recent lookups (cards.md §9.14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from babel.dates import format_date

from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, context, divider, header, section
from bot.slack.buttons import link

RECENT = 3


@dataclass(frozen=True, slots=True)
class RecentLookup:
    """`title` as the card shows it, `at` in unix seconds, `url` the permalink of the card or ""."""

    title: str
    channel: str
    at: int
    url: str = ""


def view(recent: Sequence[RecentLookup]) -> Payload:
    """How to begin, until there is a lookup to come back to."""
    return {"type": "home", "blocks": _recent(recent) if recent else _welcome()}


def _welcome() -> list[Block]:
    return [
        header("See what a picture shows and where to buy it"),
        section(
            "Post a photo in a channel I’m in and mention me, or type `/insights` and an image URL. "
            "The answer lands in the thread."
        ),
        context("Photos go to the image service only when you ask, or in channels you switch on."),
    ]


def _recent(recent: Sequence[RecentLookup]) -> list[Block]:
    rows = [_row(lookup, number) for number, lookup in enumerate(recent[:RECENT])]
    return [
        header("Recent lookups"),
        *rows,
        divider(),
        context("Photos go to the image service only when you ask, or in channels you switch on."),
    ]


def _row(lookup: RecentLookup, number: int) -> Block:
    when = mrkdwn.date(lookup.at, format_date(datetime.fromtimestamp(lookup.at, UTC), "MMM d, y", locale="en_US"))
    where = f"<#{lookup.channel}> · " if lookup.channel.startswith(("C", "G")) else ""  # a direct message has no name to show
    open_it = link.element("Open", lookup.url, f"recent.{number}", about=lookup.title)
    return section(f"*{mrkdwn.words(lookup.title, 150)}*\n{where}{when}", accessory=open_it)
