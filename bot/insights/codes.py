"""Codes lead: a product whose number was read in the picture is exact, whatever it looks like (design.md §5)."""

from collections.abc import Iterable
from dataclasses import replace

from bot.insights.context import Context
from bot.insights.matching import Hit, Matches
from bot.insights.model import Code, Crop, Quad
from bot.insights.shelf import Product


def with_codes(context: Context, codes: Iterable[Code]) -> Context:
    """The product leads what looks similar, what it is called and what it costs.

    Copies and pages stay as they are; codes outside the crop are another thing's.
    """
    gtins = dict.fromkeys(code.gtin for code in codes if code.gtin and lies_in(code.box, context.crop))
    products = [one for gtin in gtins for one in context.shelf.by_gtin.get(gtin, ())]
    exact = [one for one in products if one.pictures and context.shows(one)]
    if not exact:
        return context
    matches = led_by(context.matches, exact)
    part = matches if context.part is context.matches else led_by(context.part, exact)
    return replace(context, matches=matches, part=part, exact=frozenset(one.id for one in exact))


def led_by(matches: Matches, exact: list[Product]) -> Matches:
    """The same with these products first.

    Those that were seen as well keep their place in the picture; the others are things of their own.
    """
    seen = {hit.product_id: hit for hit in matches.products}
    lead = [replace(seen[one.id], score=1.0) if one.id in seen else Hit(one.pictures[0], one.id, 1.0) for one in exact]
    products, pictures = {hit.product_id for hit in lead}, {hit.picture_id for hit in lead}
    apart = {hit.product_id for hit in matches.products[: matches.things]} | products
    return replace(
        matches,
        products=(*lead, *(hit for hit in matches.products if hit.product_id not in products)),
        pictures=(*lead, *(hit for hit in matches.pictures if hit.picture_id not in pictures)),
        things=len(apart),
    )


def lies_in(box: Quad, crop: Crop) -> bool:
    x, y = sum(x for x, _ in box) / len(box), sum(y for _, y in box) / len(box)
    return crop.left <= x <= crop.right and crop.top <= y <= crop.bottom
