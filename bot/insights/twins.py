"""Offers of one thing that shops list each for itself, with no number in common: near-identical pictures, the same name.

Numbers are better (staging.py groups by GTIN, brand and MPN, item group); what is joined here is inferred, and said to be.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from bot.insights.colours import WORDS
from bot.insights.matching import Hit
from bot.insights.shelf import Product

MOST = 40
"""So many of the best products are held against each other."""
LEAST_IN_COMMON = 0.8
"""Of the words of both names."""

Alike = Callable[[str, str], bool]
"""Whether two pictures of the catalogue, by id, are the same but for size and compression."""


def twins(hits: Iterable[Hit], products: Mapping[str, Product], alike: Alike) -> Mapping[str, tuple[Product, ...]]:
    """By product id: the other products among the hits that are the same thing in another shop."""
    best: dict[str, str] = {}
    for hit in hits:
        if hit.product_id in products:
            best.setdefault(hit.product_id, hit.picture_id)
    some = [(products[key], _words(products[key].title), picture) for key, picture in [*best.items()][:MOST]]
    found: defaultdict[str, list[Product]] = defaultdict(list)
    for at, (here, name, picture) in enumerate(some):
        for there, other_name, other_picture in some[at + 1 :]:
            if _same_name(name, other_name) and _may_be_one(here, there) and alike(picture, other_picture):
                found[here.id].append(there)
                found[there.id].append(here)
    return {key: tuple(others) for key, others in found.items()}


def _may_be_one(one: Product, other: Product) -> bool:
    """Whether nothing speaks against it: a number, brand, colour, size or material that differs, or a shop that sells both."""
    said = [(one.gtin.lstrip("0"), other.gtin.lstrip("0")), (one.brand, other.brand)]
    said += [(one.color, other.color), (one.size, other.size), (one.material, other.material)]
    if any(here and there and here.casefold() != there.casefold() for here, there in said):
        return False
    return not {offer.seller for offer in one.offers} & {offer.seller for offer in other.offers}


def _same_name(one: frozenset[str], other: frozenset[str]) -> bool:
    """The same words but for one that is neither a colour nor has a digit."""
    if not one or len(one & other) < LEAST_IN_COMMON * len(one | other):
        return False
    return not any(word in WORDS or any(char.isdigit() for char in word) for word in one ^ other)


def _words(title: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", title.casefold()))
