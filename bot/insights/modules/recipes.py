"""Recipes: how to make what is in the picture."""

from bot.insights.context import Context
from bot.insights.model import Recipe


def recipes(context: Context) -> tuple[Recipe, ...]:
    del context
    return ()
