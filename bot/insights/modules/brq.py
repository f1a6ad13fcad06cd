"""BRQ: the words that find this picture's subject in a shop."""

from bot.insights.context import Context
from bot.insights.model import Query

LEAST_PROBABILITY = 0.25


def best_query(context: Context) -> Query | None:
    text = context.name(context.certain) if context.certain else context.described
    if not text and context.look.labels and context.look.labels[0].probability >= LEAST_PROBABILITY:
        text = context.look.labels[0].name
    if not text:
        return None
    return context.search_for(text, thumbnail_url=context.thumbnail(context.near[0].pictures if context.near else ()))
