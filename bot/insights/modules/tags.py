"""Tags: what it is, what it is made of, which colour. Only what several neighbours agree on, never a guess."""

from bot.insights.context import Context
from bot.insights.model import Tag

MOST = 8
LEAST_PROBABILITY = 0.25
"""Of a classifier's word: below, it is wrong as often as not."""


def tags(context: Context) -> tuple[Tag, ...]:
    words = [*context.kinds]
    words += [label.name for label in context.look.labels if label.probability >= LEAST_PROBABILITY]
    if context.kind:
        words.append(context.agreed(lambda product: product.product_type.rpartition(">")[0].rpartition(">")[2].strip()))
    words += [context.material, *context.colour.split(" and ")]
    distinct = dict.fromkeys(word.lower() for word in words if word)
    brand = context.certain.brand if context.certain else ""
    brands = dict.fromkeys(brand for brand in (brand, *context.brands) if brand and brand.lower() not in distinct)
    names = [*distinct, *brands]
    return tuple(Tag(name) for name in names[:MOST])
