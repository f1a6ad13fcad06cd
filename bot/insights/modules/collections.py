"""Collections: pages that collect what is in the picture, and things like it."""

from collections.abc import Iterable

from bot.insights.context import Context
from bot.insights.model import Gallery
from bot.insights.shelf import Subject

MOST = 10


def collections(context: Context) -> tuple[Gallery, ...]:
    """Those that show this very picture or hold its product first, then those that hold the most of the nearest products."""
    sure = [one for picture in context.same for one in context.shelf.subjects_of_picture.get(picture.id, ())]
    sure += _holding(context, [context.certain.id] if context.certain else [])
    near = _holding(context, [product.id for product in context.near])
    ranked = sorted(dict.fromkeys(near), key=lambda one: -near.count(one))
    found = [one for one in dict.fromkeys([*sure, *ranked]) if one.kind == "collection"]
    return tuple(_gallery(context, one) for one in found[:MOST])


def _holding(context: Context, products: Iterable[str]) -> list[Subject]:
    return [one for key in products for one in context.shelf.subjects_of_product.get(key, ())]


def _gallery(context: Context, subject: Subject) -> Gallery:
    shelf = context.shelf
    pictures = {key for product in subject.products for key in shelf.products[product].pictures} | set(subject.pictures)
    followers = subject.facts.get("followers", "")
    return Gallery(
        name=subject.name,
        url=subject.url,
        description=subject.description,
        thumbnail_url=context.thumbnail(subject.pictures),
        creator=subject.facts.get("creator", ""),
        source=subject.facts.get("source", ""),
        images_count=len(pictures),
        followers_count=int(followers) if followers.isascii() and followers.isdigit() else 0,
    )
