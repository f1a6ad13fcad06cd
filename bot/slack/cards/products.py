"""A similar product as a card of the carousel, or as classic rows (cards.md §9.1, §9.2)."""

from collections.abc import Callable, Sequence

from bot import money
from bot.insights.model import Band, ImageObject, Insights, Rating, Reason
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
    return link.element("View page", product.host_page_url, f"page.{number}", about=product.name)


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


def count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def price(product: ImageObject, context: CardContext) -> str:
    """The range, "Price at store" where stores but no price are known, else ""."""
    offer = product.aggregate_offer
    known = money.span(offer.low_price, offer.high_price, offer.currency, context.market) if offer else ""
    return known or ("Price at store" if stores(product) else "")


def price_and_stores(product: ImageObject, context: CardContext, joint: str = " · ") -> str:
    many = count(stores(product), "store", "stores") if stores(product) else ""
    return joint.join(part for part in (price(product, context), many) if part)


def rated(product: ImageObject) -> str:
    """Only with a value and at least one review."""
    rating = (product.aggregate_offer.rating if product.aggregate_offer else None) or product.rating or Rating(0)
    if not 0 < rating.value <= rating.best or rating.count < 1:
        return ""
    return f"Rated {rating.value:g} of {rating.best:g} ({count(rating.count, 'review', 'reviews')})"


def matched(product: ImageObject) -> str:
    """How far it matches and why, in words; "" where that is not known."""
    match = product.match
    if match is None:
        return ""
    colour = " and colour" if Reason.COLOUR in match.reasons else ""
    if match.band is Band.SAME_ITEM:
        why = next((words for reason, words in _SURE.items() if reason in match.reasons), "")
        return f"Same item: {why}" if why else "Same item"
    return f"Same kind{colour}" if match.band is Band.SAME_KIND else f"Similar look{colour}"


_SURE = {Reason.COPY: "this very picture", Reason.CODE: "its code is in the picture", Reason.TEXT: "its name is in the picture"}


def photo(product: ImageObject, context: CardContext, box: tuple[int, int]) -> Block | None:
    return shown(product.thumbnail_url, f"Product photo: {product.name}", context, box)


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


def head(product: ImageObject, context: CardContext, name: str, joint: str = " · ") -> Block:
    """Name, price, stores, rating and photo in one section."""
    lines = [f"*{mrkdwn.words(product.name, 150)}*", price_and_stores(product, context, joint), matched(product), rated(product)]
    return section("\n".join(line for line in lines if line), accessory=photo(product, context, SMALL), block_id=name)


def rows(product: ImageObject, number: int, context: CardContext) -> list[Block]:
    """The same without a card: works in every client and on every surface."""
    named = block_id(context.rid, f"p{number}", context.rev)
    buttons = actions(_buttons(product, number, context), block_id=block_id(context.rid, f"p{number}:a", context.rev))
    return [head(product, context, named), *buttons]


def _buttons(product: ImageObject, number: int, context: CardContext) -> list[Block]:
    return [button for make in BUTTONS if (button := make(context, product, number)) is not None]
