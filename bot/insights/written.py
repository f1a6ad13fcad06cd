"""Words lead: what is written on a thing, a brand or a title, tells it from what only looks like it (design.md §5)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from bot.insights.codes import led_by, lies_in
from bot.insights.context import Context
from bot.insights.model import Line, TextRegion
from bot.insights.textsearch import TextIndex, words_of

MOST_LINES = 24
"""Read in a picture; more is a page of a book."""
LEAST_LETTERS = 4
"""Of the longest word of a line: `for 2` says nothing."""
FEW = 8
"""A line that fits more than one in so many products is a word of the trade, not a name; a handful is always few."""
A_HANDFUL = 12
LEAST_TITLE = 2
"""Words of a title that is known by its words alone."""


def naming(index: TextIndex, text: Iterable[TextRegion]) -> tuple[Line, ...]:
    """The lines that name something of the catalogue, without the places of their words."""
    lines = [line for region in text for line in region.lines if max(map(len, words_of(line.text)), default=0) >= LEAST_LETTERS]
    return tuple(replace(line, words=()) for line in lines[:MOST_LINES] if index.labelled(line.text))


def with_text(context: Context, index: TextIndex, naming_lines: Iterable[Line]) -> Context:
    """Products named by a line of text come before others that look as similar; one whose whole title is written leads.

    A line names a product when all its words are in its title or brand. Lines outside the crop are another thing's.
    """
    lines = [line.text for line in naming_lines if lies_in(line.box, context.crop)]
    read: Counter[str] = Counter()
    brands: dict[str, None] = {}
    for line in lines:
        named = [context.shelf.product_of(entry.pictures[0]) for entry in index.labelled(line) if entry.pictures]
        products = [one for one in named if one and context.shows(one)]
        brands |= dict.fromkeys(one.brand for one in products if one.brand and words_of(one.brand) == words_of(line))
        if len(products) <= max(A_HANDFUL, len(context.shelf.products) // FEW):
            for one in products:
                read[one.id] += len(set(words_of(line)))
    if not read and not brands:
        return context
    said = {word for line in lines for word in words_of(line)}
    titled = [context.shelf.products[key] for key, _ in read.most_common() if _is_said(context.shelf.products[key].title, said)]
    whole = [one for one in titled if one.pictures]
    matches = led_by(context.matches, whole)
    part = matches if context.part is context.matches else led_by(context.part, whole)
    return replace(context, matches=matches, part=part, read=dict(read), brands=tuple(brands))


def _is_said(title: str, said: set[str]) -> bool:
    words = set(words_of(title))
    return len(words) >= LEAST_TITLE and words <= said
