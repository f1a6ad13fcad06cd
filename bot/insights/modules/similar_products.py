"""SimilarProducts: other goods that look like this, or like its crop, each once, with what they cost in the market."""

from collections.abc import Iterator
from itertools import islice

from bot.insights.context import Context
from bot.insights.model import ImageObject
from bot.insights.shelf import StoredPicture

MOST = 35


def similar_products(context: Context) -> tuple[ImageObject, ...]:
    return tuple(context.similar(picture, sums=True) for picture in islice(every_similar_product(context), MOST))


def every_similar_product(context: Context) -> Iterator[StoredPicture]:
    """The best picture of each product above the floor, in the same order; Visual Search pages through them.

    What is the same thing in another shop is not listed again: its offers are among the first one's.
    """
    own = context.own.product_id if context.own else ""
    listed = {own, *_twins(context, own)}
    for hit in context.in_order(context.part.products):
        picture = context.shelf.pictures.get(hit.picture_id)
        if picture and hit.product_id not in listed and context.shows_picture(picture):
            listed |= {hit.product_id, *_twins(context, hit.product_id)}
            yield picture


def _twins(context: Context, product_id: str) -> set[str]:
    return {twin.id for twin in context.twins.get(product_id, ())}
