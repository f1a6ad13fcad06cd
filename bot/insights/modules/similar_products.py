"""SimilarProducts: other goods that look like this, each once, with what they cost in the market."""

from bot.insights.context import Context
from bot.insights.model import ImageObject

MOST = 35


def similar_products(context: Context) -> tuple[ImageObject, ...]:
    own = context.own.product_id if context.own else ""
    found = (context.shelf.pictures.get(hit.picture_id) for hit in context.matches.products if hit.product_id != own)
    shown = (picture for picture in found if picture and context.shows(context.shelf.product_of(picture.id)))
    return tuple(context.image(picture, sums=True) for picture, _ in zip(shown, range(MOST), strict=False))
