"""The modules: each answers one of Bing's questions from the gathered context. Add one here and in model.py."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.insights.context import Context
from bot.insights.model import Module
from bot.insights.modules.brq import best_query
from bot.insights.modules.caption import caption
from bot.insights.modules.collections import collections
from bot.insights.modules.pages_including import pages_including
from bot.insights.modules.recipes import recipes
from bot.insights.modules.recognized_entities import recognized_entities
from bot.insights.modules.related_searches import related_searches
from bot.insights.modules.shopping_sources import shopping_sources
from bot.insights.modules.similar_images import similar_images
from bot.insights.modules.similar_products import similar_products
from bot.insights.modules.tags import tags

MODULES: Mapping[Module, tuple[str, Callable[[Context], Any]]] = {
    Module.BRQ: ("best_query", best_query),
    Module.CAPTION: ("caption", caption),
    Module.COLLECTIONS: ("collections", collections),
    Module.RECIPES: ("recipes", recipes),
    Module.RECOGNIZED_ENTITIES: ("recognized_entities", recognized_entities),
    Module.PAGES_INCLUDING: ("pages_including", pages_including),
    Module.RELATED_SEARCHES: ("related_searches", related_searches),
    Module.SHOPPING_SOURCES: ("shopping_sources", shopping_sources),
    Module.SIMILAR_IMAGES: ("similar_images", similar_images),
    Module.SIMILAR_PRODUCTS: ("similar_products", similar_products),
    Module.TAGS: ("tags", tags),
}
"""The field of Insights that a module fills, and how."""
