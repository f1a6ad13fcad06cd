"""Visual Search: all that is known about a picture at once (insights-api.md §8)."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from urllib.parse import urlsplit

from bot.insights.context import Context
from bot.insights.matching import Hit
from bot.insights.model import WHOLE, ImageObject, ImagePage, Insights, Knowledge, Module, Query, Reading, Skill, Thing
from bot.insights.modules.brq import best_query
from bot.insights.modules.pages_including import pages_including
from bot.insights.modules.recipes import recipes
from bot.insights.modules.recognized_entities import recognized_entities
from bot.insights.modules.related_searches import related_searches
from bot.insights.modules.shopping_sources import shopping_sources
from bot.insights.modules.similar_images import every_similar_picture
from bot.insights.modules.similar_products import every_similar_product
from bot.insights.modules.tags import tags
from bot.insights.shelf import Product, StoredPicture
from bot.insights.uploads import SentPicture
from bot.insights.words import singular

USUAL_COUNT = 35
MOST_THINGS = 8
MOST_SUGGESTIONS = 8


def knowledge(
    context: Context, token: str, source: SentPicture, reading: Reading, *, site: str = "", skill: Skill | None = None
) -> Knowledge:
    """site: a host that limits the two lists of similar pictures; skill: one of these lists alone, from an offset."""
    if skill:
        images = skill.module is Module.SIMILAR_IMAGES
        found = every_similar_picture(context) if images else every_similar_product(context)
        page = _page(context, _on_site(context, found, site), skill.offset, skill.count, sums=not images)
        return Knowledge(token, similar_images=page) if images else Knowledge(token, similar_products=page)
    query = best_query(context)
    words = replace(context, query=context.query or (query.text if query else ""))
    related = related_searches(words)
    return Knowledge(
        token=token,
        insights=Insights(
            token,
            best_query=query,
            shopping_sources=shopping_sources(context),
            pages_including=pages_including(context),
            related_searches=related,
            recipes=recipes(context),
        ),
        image=_itself(context, source),
        more_sizes=_larger(context, source),
        similar_images=_page(context, _on_site(context, every_similar_picture(context), site), 0, USUAL_COUNT, sums=False),
        similar_products=_page(context, _on_site(context, every_similar_product(context), site), 0, USUAL_COUNT, sums=True),
        suggestions=_suggestions(context, related),
        things=tuple(things(context)),
        reading=reading,
    )


# ---------------------------------------------------------------- the two lists


Placed = tuple[StoredPicture, tuple[str, str] | None]
"""A picture and the page of it that was asked for, address and title."""


def _on_site(context: Context, pictures: Iterator[StoredPicture], site: str) -> list[Placed]:
    """Pictures with the page of theirs that is on the site or on one of its subdomains; all of them without a site."""
    if not site:
        return [(picture, None) for picture in pictures]
    found = ((picture, next((page for page in context.pages(picture) if _is_on(page[0], site)), None)) for picture in pictures)
    return [(picture, page) for picture, page in found if page]


def _is_on(url: str, site: str) -> bool:
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    site = site.removeprefix("www.")
    return host == site or host.endswith(f".{site}")


def _page(context: Context, found: list[Placed], offset: int, count: int, *, sums: bool) -> ImagePage:
    part = found[offset : offset + count]
    return ImagePage(
        value=tuple(_at(context, picture, page, sums=sums) for picture, page in part),
        offset=offset,
        next_offset=min(offset + count, len(found)),
        total=len(found),
    )


def _at(context: Context, picture: StoredPicture, page: tuple[str, str] | None, *, sums: bool) -> ImageObject:
    shown = context.similar(picture, page=page, sums=sums)
    product = context.shelf.product_of(picture.id)
    return replace(shown, name=context.name(product)) if page and product else shown


# ---------------------------------------------------------------- the picture itself


def _itself(context: Context, source: SentPicture) -> ImageObject | None:
    """ImageById: of a sent picture what its file tells; it has no token and a thumbnail of 0 × 0, as Bing sends it."""
    if context.own:
        return context.image(context.own)
    if not source.width:
        return None
    return ImageObject(
        token="",
        name="",
        content_url="",
        thumbnail_url="",
        content_size=source.bytes,
        encoding_format=source.format,
        width=source.width,
        height=source.height,
        accent_color=context.look.accent,
        family_friendly=not context.hidden,
    )


def _larger(context: Context, source: SentPicture) -> ImageObject | None:
    """MoreSizes: the largest other copy of the whole picture."""
    own = context.own.id if context.own else ""
    ids = [hit.picture_id for hit in context.same_hits if not hit.partial and hit.picture_id != own]
    copies = [context.shelf.pictures[key] for key in ids if key in context.shelf.pictures]
    copies = [picture for picture in copies if context.shows_picture(picture)]
    here = context.own.width * context.own.height if context.own else source.width * source.height
    largest = max(copies, key=lambda picture: picture.width * picture.height, default=None)
    return context.image(largest) if largest and largest.width * largest.height != here else None


# ---------------------------------------------------------------- what is in it


def things(context: Context) -> Iterator[Thing]:
    """Entities with their places, then things seen apart, then words about the whole, each name once."""
    named: set[str] = set()
    for group in recognized_entities(context):
        for region in group.regions:
            for match in region.matches[:1]:
                if match.entity.name.lower() not in named:
                    named.add(match.entity.name.lower())
                    entity = match.entity
                    yield Thing(entity.name, region.box, context.search_for(entity.name), entity, entity.image_url)
    for hit, product in islice(_apart(context), MOST_THINGS):
        name = singular(product.kind) or context.name(product)
        yield Thing(name, context.in_whole(hit.box), context.search_for(name), thumbnail_url=context.thumbnail((hit.picture_id,)))
        named.add(name.lower())
    for tag in tags(context):
        if tag.name.lower() not in named:
            yield Thing(tag.name, WHOLE, context.search_for(tag.name))


def _apart(context: Context) -> Iterator[tuple[Hit, Product]]:
    """The best product of each thing."""
    for hit in context.part.products[: context.part.things]:
        product = context.shelf.products.get(hit.product_id)
        if product and context.shows(product):
            yield hit, product


def _suggestions(context: Context, related: Iterable[Query]) -> tuple[Query, ...]:
    """DocumentLevelSuggestions: what people look for around everything in the picture, beyond the related searches."""
    known = {query.text for query in related}
    kinds = dict.fromkeys(product.product_type for _, product in _apart(context))
    texts = dict.fromkeys(text for kind in kinds for text in context.shelf.related.get(kind, ()) if text not in known)
    return tuple(context.search_for(text) for text in islice(texts, MOST_SUGGESTIONS))
