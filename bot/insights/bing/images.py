"""The answers of images/search and images/trending in Bing's spelling (insights-api.md §7). Pure."""

from collections.abc import Iterable
from typing import Any

from bot.insights.bing.answers import image_wire, query_wire
from bot.insights.bing.wire import WireCategory, WireFound, WireQueryContext, WireTile, WireTrending
from bot.insights.model import Category, Found


def found_to_wire(found: Found, *, words: str, read_link: str, web_search_url: str) -> dict[str, Any]:
    """The Images answer. `alteredQuery` is there only when the words were understood otherwise."""
    page = found.page
    return WireFound(
        type="Images",
        read_link=read_link,
        web_search_url=web_search_url,
        query_context=WireQueryContext(original_query=words, altered_query=found.corrected or None),
        total_estimated_matches=page.total,
        current_offset=page.offset,
        next_offset=page.next_offset,
        value=[image_wire(image) for image in page.value],
        related_searches=[query_wire(query) for query in found.related] or None,
    ).dump()


def trending_to_wire(categories: Iterable[Category]) -> dict[str, Any]:
    return WireTrending(
        type="TrendingImages",
        categories=[
            WireCategory(
                title=category.title,
                tiles=[WireTile(query=query_wire(tile.query), image=image_wire(tile.image)) for tile in category.tiles],
            )
            for category in categories
        ],
    ).dump()
