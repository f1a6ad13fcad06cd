"""PagesIncluding: pages that show this very picture, the whole of it first, then a part of it; one entry a page."""

from bot.insights.context import Context
from bot.insights.model import ImageObject

MOST = 35


def pages_including(context: Context) -> tuple[ImageObject, ...]:
    found: dict[str, ImageObject] = {}
    for picture in context.same:
        if context.shows_picture(picture):
            for url, title in context.pages(picture):
                found.setdefault(url, context.image(picture, page=(url, title)))
    return tuple(found.values())[:MOST]
