"""ShoppingSources: who sells what is in the picture, in the market's currency, what can be bought first, cheapest first."""

from bot.insights.context import Context
from bot.insights.model import Offer


def shopping_sources(context: Context) -> tuple[Offer, ...]:
    """Offers of the picture's own product; for a photo those of its best match, or of its crop's."""
    if context.own:
        product = context.shelf.products.get(context.own.product_id)
        if not context.shows(product):
            product = None
    else:
        product = context.best
    return tuple(context.offer(offer) for offer in context.offers(product))
