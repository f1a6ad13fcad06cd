"""RelatedSearches: what people also look for, when the person's own words came along (insights-api.md §4.7)."""

import re

from bot.insights.context import Context
from bot.insights.model import Query

MOST = 8


def related_searches(context: Context) -> tuple[Query, ...]:
    """Those of the nearest kinds, the ones that share words with the query first; without neighbours only those."""
    asked = _words(context.query)
    if not asked:
        return ()
    kinds = dict.fromkeys(product.product_type for product in context.near)
    near = [text for kind in kinds for text in context.shelf.related.get(kind, ())]
    pool = near or [text for texts in context.shelf.related.values() for text in texts if asked & _words(text)]
    ranked = sorted(dict.fromkeys(pool), key=lambda text: -len(asked & _words(text)))
    return tuple(context.search_for(text) for text in ranked if _words(text) != asked)[:MOST]


def _words(text: str) -> frozenset[str]:
    return frozenset(word.removesuffix("s") for word in re.findall(r"\w+", text.lower()))
