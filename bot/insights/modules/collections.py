"""Collections: pages that collect related things."""

from bot.insights.context import Context
from bot.insights.model import Gallery


def collections(context: Context) -> tuple[Gallery, ...]:
    del context
    return ()
