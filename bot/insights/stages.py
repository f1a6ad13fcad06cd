"""What is done with a picture besides looking at it: each has a cost of its own and is run only where a module needs it."""

from collections.abc import Collection
from dataclasses import dataclass

from bot.insights.model import Module

NEED_CODES = frozenset({Module.SIMILAR_PRODUCTS, Module.SHOPPING_SOURCES, Module.SIMILAR_IMAGES})
"""What is led by the product that a barcode names."""


@dataclass(frozen=True, slots=True)
class Stages:
    """codes: barcodes and QR codes, about 20 ms of processor time, beside the look. text: words, half a second and more."""

    codes: bool = False
    text: bool = False

    def __bool__(self) -> bool:
        return self.codes or self.text


def stages_for(modules: Collection[Module]) -> Stages:
    """What images/details runs for its modules."""
    return Stages(codes=not NEED_CODES.isdisjoint(modules))
