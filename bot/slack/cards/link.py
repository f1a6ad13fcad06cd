"""What is shown below a link of the operator's own shop: the product, what it costs there now, and elsewhere."""

from bot import money
from bot.insights.model import ImageObject, Offer
from bot.language import tr
from bot.slack import mrkdwn
from bot.slack.blocks import Payload, section
from bot.slack.cards import products, shopping_sources
from bot.slack.cards.context import CardContext


def preview(ctx: CardContext, url: str, product: ImageObject, offer: Offer) -> Payload:
    """Blocks as chat.unfurl takes them for an address."""
    name = mrkdwn.link(url, offer.name or product.name, 150)
    seller = mrkdwn.words(offer.seller.name, 60) or mrkdwn.host(url)
    cost = tr("Price at store")
    if offer.price is not None and money.priced(offer.price, offer.currency):
        cost = money.fmt(offer.price, offer.currency, ctx.market)
    at_seller = tr("*{price}* at {seller}", price=cost, seller=seller)
    here = " · ".join(part for part in (at_seller, shopping_sources.stock(offer.availability)) if part)
    many = products.stores(product)
    range_ = products.price(product, ctx)
    others = f"{products.in_stores(many)}: {range_}" if many > 1 and range_ else ""
    title = mrkdwn.words(offer.name or product.name, 100, room=150)
    text = "\n".join(line for line in (f"*{name}*", here, others, products.rated(product)) if line)
    return {
        "fallback": tr("{name}, {price} at {seller}", name=title, price=cost, seller=seller),
        "blocks": [section(text, accessory=products.photo(product, ctx, products.SMALL))],
    }
