"""What is done with a picture besides looking at it: each has a cost of its own and is run only where a module needs it."""

from collections.abc import Collection
from dataclasses import dataclass

from bot.insights.model import Module, SafeSearch

NEED_CODES = frozenset({Module.SIMILAR_PRODUCTS, Module.SHOPPING_SOURCES, Module.SIMILAR_IMAGES})
"""What is led by the product that a barcode names."""
LIST_PICTURES = frozenset({Module.SIMILAR_IMAGES, Module.SIMILAR_PRODUCTS, Module.PAGES_INCLUDING})
"""What SafeSearch Strict hides from who asks about an adult picture."""


@dataclass(frozen=True, slots=True)
class Stages:
    """Costs are processor time, and lie beside the look.

    codes: barcodes and QR codes, 15 ms. text: words, 90 to 140 ms, 300 MB and a second before the first. adult: the adult
    score, 12 ms.
    """

    codes: bool = False
    text: bool = False
    adult: bool = False


def stages_for(modules: Collection[Module], safe_search: SafeSearch) -> Stages:
    """What images/details runs for its modules.

    Text is never read here, though it would serve Tags, Caption and BRQ: it costs more than all the rest together, and no
    list of modules says that somebody wants to wait for it. Who does asks Visual Search: tags, lists led by what is written,
    and the text itself. What it read about the catalogue's goods is remembered with the token, and serves here as well.

    Moderate hides what the catalogue calls adult, whatever the picture is that was sent: it needs no score.
    """
    return Stages(
        codes=not NEED_CODES.isdisjoint(modules),
        adult=safe_search is SafeSearch.STRICT and not LIST_PICTURES.isdisjoint(modules),
    )
