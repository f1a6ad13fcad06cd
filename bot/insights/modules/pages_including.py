"""PagesIncluding: pages that show this very picture: near duplicates only, one entry a page."""

from bot.insights.context import Context
from bot.insights.model import ImageObject

MOST = 35


def pages_including(context: Context) -> tuple[ImageObject, ...]:
    ids = [context.own.id] if context.own else []
    ids += [hit.picture_id for hit in context.matches.copies]
    found: dict[str, ImageObject] = {}
    for picture in (context.shelf.pictures.get(key) for key in dict.fromkeys(ids)):
        if picture and context.shows(context.shelf.product_of(picture.id)):
            for url, title in context.pages(picture):
                found.setdefault(url, context.image(picture, page=(url, title)))
    return tuple(found.values())[:MOST]
