"""Caption: one honest sentence fragment, composed. Rather none than a wrong one."""

from bot.insights.context import Context
from bot.insights.model import Caption

LEAST_PROBABILITY = 0.25
"""Of the classifier's best word, when it is all we have."""
SURE_PROBABILITY = 0.6
"""Of a word whose thing fills the picture, so that the colour seen is its colour."""


def caption(context: Context) -> Caption | None:
    if context.described:
        text, source = context.described, context.home(context.near[0])
    elif not context.near and context.look.labels and context.look.labels[0].probability >= LEAST_PROBABILITY:
        label = context.look.labels[0]
        colour = f"{context.look.colour} " if label.probability >= SURE_PROBABILITY else ""
        text, source = f"{colour}{label.name.lower()}", ""
    else:
        return None
    return Caption(text[0].upper() + text[1:], source)
