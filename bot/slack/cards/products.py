"""A similar product as a card of the carousel, or as classic rows (cards.md §9.1, §9.2)."""

from collections.abc import Callable, Sequence

from babel.numbers import format_decimal

from bot import money
from bot.insights.model import Band, ImageObject, Insights, Rating, Reason
from bot.language import marked, spoken, tr, trn
from bot.slack import mrkdwn
from bot.slack.blocks import ALT_LIMIT, Block, actions, markup, section, thumbnail
from bot.slack.buttons import link, save_product, where_to_buy
from bot.slack.cards.context import CardContext
from bot.slack.values import block_id

Button = Callable[[CardContext, ImageObject, int], Block | None]
"""A product's button: its number counts from 1. None where it does not apply."""

TITLE = 60
SHOWN = 5
"""Products in a card."""
HERO, SMALL = (480, 300), (176, 176)
"""Pixels of a picture in a card, and beside a text (cards.md §4)."""


def buy_or_view(context: CardContext, product: ImageObject, number: int) -> Block | None:
    """Where to buy, or the product's page where no store is known."""
    if stores(product):
        return where_to_buy.element(context.rid, number, product.name)
    return link.element(tr("View page"), product.host_page_url, f"page.{number}", about=product.name)


def save(context: CardContext, product: ImageObject, number: int) -> Block | None:
    """Only what has a name that lasts."""
    return save_product.element(context.rid, number, product.name) if product.token else None


BUTTONS: Sequence[Button] = (buy_or_view, save)
"""What a product offers, in order."""


def named(found: Insights) -> list[tuple[int, ImageObject]]:
    """The similar products that can be shown, each with its number: `p1` is the first of the answer, shown or not."""
    return [(number, product) for number, product in enumerate(found.similar_products, 1) if mrkdwn.plainly(product.name)]


def stores(product: ImageObject) -> int:
    offer = product.aggregate_offer
    return max(0, offer.offer_count if offer else 0) or max(0, product.shopping_sources_count)


def in_stores(number: int) -> str:
    return trn("{n} store", "{n} stores", number)


def counted(number: int, lowest: str) -> str:
    """How many similar products, and from which price on, where it is known."""
    line = trn("{n} similar product", "{n} similar products", number)
    return tr("{products}, from {price}", products=line, price=lowest) if lowest else line


def found(number: int, lowest: str) -> str:
    """The same as a heading."""
    line = trn("*Similar products* · {n} found", "*Similar products* · {n} found", number)
    return tr("{products}, from {price}", products=line, price=lowest) if lowest else line


def price(product: ImageObject, context: CardContext) -> str:
    """The range, "Price at store" where stores but no price are known, else ""."""
    offer = product.aggregate_offer
    known = money.span(offer.low_price, offer.high_price, offer.currency, context.market) if offer else ""
    return known or (tr("Price at store") if stores(product) else "")


def price_and_stores(product: ImageObject, context: CardContext, *, sentence: bool = False) -> str:
    cost, many = price(product, context), in_stores(stores(product)) if stores(product) else ""
    if sentence and cost and many:
        return tr("{price} at {stores}", price=cost, stores=many)
    return " · ".join(part for part in (cost, many) if part)


def rated(product: ImageObject) -> str:
    """Only with a value and at least one review."""
    rating = (product.aggregate_offer.rating if product.aggregate_offer else None) or product.rating or Rating(0)
    if not 0 < rating.value <= rating.best or rating.count < 1:
        return ""
    value, best = (format_decimal(round(one, 2), locale=spoken()) for one in (rating.value, rating.best))
    return trn(
        "Rated {value} of {best} ({n} review)", "Rated {value} of {best} ({n} reviews)", rating.count, value=value, best=best
    )


def matched(product: ImageObject) -> str:
    """How far it matches and why, in words; "" where that is not known."""
    match = product.match
    if match is None:
        return ""
    if match.band is Band.SAME_ITEM:
        return tr(next((words for reason, words in _SURE.items() if reason in match.reasons), _SAME))
    if match.band is Band.SAME_KIND:
        return tr("Same kind and colour") if Reason.COLOUR in match.reasons else tr("Same kind")
    return tr("Similar look and colour") if Reason.COLOUR in match.reasons else tr("Similar look")


_SAME = marked("Same item")
_SURE = {
    Reason.COPY: marked("Same item: this very picture"),
    Reason.CODE: marked("Same item: its code is in the picture"),
    Reason.TEXT: marked("Same item: its name is in the picture"),
}


def photo(product: ImageObject, context: CardContext, box: tuple[int, int]) -> Block | None:
    return shown(product.thumbnail_url, tr("Product photo: {name}", name=product.name), context, box)


def shown(url: str, alt: str, context: CardContext, box: tuple[int, int]) -> Block | None:
    """A picture of the catalogue by its address, or as the Slack file it was uploaded as."""
    if context.pictures:
        return thumbnail(url, alt, *box)
    file = context.files.get(url)
    return {"type": "image", "slack_file": {"id": file}, "alt_text": mrkdwn.cut(alt, ALT_LIMIT)} if file else None


def card(product: ImageObject, number: int, context: CardContext) -> Block:
    found: Block = {"type": "card", "block_id": block_id(context.rid, f"p{number}", context.rev)}
    if (hero := photo(product, context, HERO)) is not None:
        found["hero_image"] = hero
    found["title"] = markup(mrkdwn.words(product.name, TITLE))
    if line := price_and_stores(product, context):
        found["subtitle"] = markup(line)
    if buttons := _buttons(product, number, context):
        found["actions"] = buttons
    if line := " · ".join(part for part in (matched(product), rated(product)) if part):
        found["body"] = markup(line)
    return found


def head(product: ImageObject, context: CardContext, name: str, *, sentence: bool = False) -> Block:
    """Name, price, stores, rating and photo in one section."""
    cost = price_and_stores(product, context, sentence=sentence)
    lines = [f"*{mrkdwn.words(product.name, 150)}*", cost, matched(product), rated(product)]
    return section("\n".join(line for line in lines if line), accessory=photo(product, context, SMALL), block_id=name)


def rows(product: ImageObject, number: int, context: CardContext) -> list[Block]:
    """The same without a card: works in every client and on every surface."""
    named = block_id(context.rid, f"p{number}", context.rev)
    buttons = actions(_buttons(product, number, context), block_id=block_id(context.rid, f"p{number}:a", context.rev))
    return [head(product, context, named), *buttons]


def _buttons(product: ImageObject, number: int, context: CardContext) -> list[Block]:
    return [button for make in BUTTONS if (button := make(context, product, number)) is not None]
