"""The Home tab: what the bot does, and one's own recent lookups (cards.md §9.14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from babel.dates import format_date

from bot import money
from bot.language import marked, spoken, tr
from bot.saved import Saved
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, actions, context, divider, header, markup, section
from bot.slack.buttons import link, sample_photo, settings_button, unsave_product
from bot.slack.cards import products
from bot.slack.cards.context import CardContext
from bot.slack.values import block_id

RECENT, SAVED = 3, 10


@dataclass(frozen=True, slots=True)
class RecentLookup:
    """`title` as the card shows it, `at` in unix seconds, `url` the permalink of the card or ""."""

    title: str
    channel: str
    at: int
    url: str = ""


def view(recent: Sequence[RecentLookup], saved: Sequence[Saved] = (), *, pictures: bool = True) -> Payload:
    """How to begin, until there is something to come back to; then saved products and recent lookups."""
    if not recent and not saved:
        return {"type": "home", "blocks": _welcome()}
    change = actions([settings_button.element(tr("Change"), "home", about=tr("settings"))])
    settings = [header(tr("Settings")), section(tr("Market, language, safe search, size of cards, channels")), *change]
    parts = [*_saved(saved, pictures=pictures), divider(), *_recent(recent), divider(), *settings, context(tr(_PRIVACY))]
    return {"type": "home", "blocks": parts}


_PRIVACY = marked(
    "Photos go to the image service only when you ask, or in channels you switch on. They are not kept after the lookup."
)


def _welcome() -> list[Block]:
    return [
        header(tr("See what a picture shows and where to buy it")),
        section(
            tr(
                "Post a photo in a channel I’m in and mention me, or type `/insights` and an image URL. "
                "The answer lands in the thread."
            )
        ),
        *actions([sample_photo.element(), settings_button.element(tr("Choose channels"), "home", about=tr("settings"))]),
        context(tr(_PRIVACY)),
    ]


def _saved(saved: Sequence[Saved], *, pictures: bool) -> list[Block]:
    heading = header(tr("Saved products"))
    if not saved:
        return [
            heading,
            context(tr("Nothing saved yet. Press *Save* on a product card and it appears here with its lowest price.")),
        ]
    cards = [_card(one, pictures=pictures) for one in saved[:SAVED]]
    return [heading, {"type": "carousel", "block_id": block_id("home", "saved"), "elements": cards}]


def _card(saved: Saved, *, pictures: bool) -> Block:
    ctx, product = CardContext(saved.sid, 0, market=saved.market, pictures=pictures), saved.product
    card = products.card(product, 1, ctx)
    below, offer = saved.below, product.aggregate_offer
    if saved.watching and below is not None and offer:
        card["body"] = markup(tr("Watching: tell me below {price}", price=money.fmt(below, offer.currency, saved.market)))
    else:
        card.pop("body", None)
    buy = products.buy_or_view(ctx, product, 1)
    card["actions"] = [button for button in (buy, unsave_product.element(saved.sid, product.name)) if button]
    return card


def _recent(recent: Sequence[RecentLookup]) -> list[Block]:
    heading = header(tr("Recent lookups"))
    if not recent:
        return [heading, context(tr("Nothing looked up yet. Post a photo and mention me."))]
    return [heading, *(_row(lookup, number) for number, lookup in enumerate(recent[:RECENT]))]


def _row(lookup: RecentLookup, number: int) -> Block:
    when = mrkdwn.date(lookup.at, format_date(datetime.fromtimestamp(lookup.at, UTC), locale=spoken()))
    where = f"<#{lookup.channel}> · " if lookup.channel.startswith(("C", "G")) else ""  # a direct message has no name to show
    open_it = link.element(tr("Open"), lookup.url, f"recent.{number}", about=lookup.title)
    return section(f"*{mrkdwn.words(lookup.title, 150)}*\n{where}{when}", accessory=open_it)
