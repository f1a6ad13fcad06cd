"""Visual Search: all that is known about a picture at once (insights-api.md §8)."""

from bot.insights.context import Context
from bot.insights.model import Insights, Knowledge, Reading, Skill


def knowledge(context: Context, token: str, reading: Reading, *, site: str = "", skill: Skill | None = None) -> Knowledge:
    """site: a host that limits the two lists of similar pictures; skill: one of these lists alone, from an offset."""
    del context, site, skill
    return Knowledge(token=token, insights=Insights(token), reading=reading)
