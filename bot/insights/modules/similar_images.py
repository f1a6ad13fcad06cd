"""SimilarImages: pictures of the catalogue that look like this one, or like its crop, itself left out."""

from collections.abc import Iterator
from itertools import islice

from bot.insights.context import Context
from bot.insights.model import ImageObject
from bot.insights.shelf import StoredPicture

MOST = 35


def similar_images(context: Context) -> tuple[ImageObject, ...]:
    return tuple(context.similar(picture) for picture in islice(every_similar_picture(context), MOST))


def every_similar_picture(context: Context) -> Iterator[StoredPicture]:
    """All above the floor, what the query names first, then best first; Visual Search pages through them."""
    own = context.own.id if context.own else ""
    for hit in context.in_order(context.part.pictures):
        picture = context.shelf.pictures.get(hit.picture_id)
        if picture and picture.id != own and context.shows_picture(picture):
            yield picture
