"""SimilarImages: pictures of the catalogue that look like this one, itself left out."""

from bot.insights.context import Context
from bot.insights.model import ImageObject

MOST = 35


def similar_images(context: Context) -> tuple[ImageObject, ...]:
    own = context.own.id if context.own else ""
    found = (context.shelf.pictures.get(hit.picture_id) for hit in context.matches.pictures if hit.picture_id != own)
    shown = (picture for picture in found if picture and context.shows(context.shelf.product_of(picture.id)))
    return tuple(context.image(picture) for picture, _ in zip(shown, range(MOST), strict=False))
