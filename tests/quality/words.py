"""Slips of the finger: title words as people mistype them, asked of the text index."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from bot.insights.shelf import Shelf
from bot.insights.textsearch import TextIndex, words_of

FIRST = 10
LEAST_LETTERS, LEAST_FOR_TWO = 5, 7
_NEIGHBOURS = "qsz vgn xdv sfe wrd dgr fht gjy uok hku jli ko nj bhm ipl ol wa etf adw ryg yij cfb qes zsc tuh ax"
"""Of the keys a to z, on a keyboard."""
_NEXT_KEYS = dict(zip("abcdefghijklmnopqrstuvwxyz", _NEIGHBOURS.split(" "), strict=True))


@dataclass(frozen=True, slots=True)
class Typed:
    """So many words typed with so many slips, and how many of them found a product of that word among the first ten."""

    slips: str
    words: int
    found: int


def typed(index: TextIndex, shelf: Shelf) -> Iterator[Typed]:
    """Each word of each title once: as it is, with one slip, with two, and run together with the next word."""
    chance = random.Random(7)
    names = {name: [word for word in words_of(product.title) if word.isalpha()] for name, product in shelf.products.items()}
    words = sorted({word for name in names.values() for word in name if len(word) >= LEAST_LETTERS})
    pairs = sorted({(one, other) for name in names.values() for one, other in pairwise(name)})
    pairs = [(one, other) for one, other in pairs if min(len(one), len(other)) >= LEAST_LETTERS]
    pictures = {
        word: {key for name, said in names.items() if word in said for key in shelf.products[name].pictures} for word in words
    }

    def found(text: str, word: str) -> bool:
        return any(pictures[word].intersection(entry.pictures) for entry in index.find(text).entries[:FIRST])

    for slips, least in ((0, LEAST_LETTERS), (1, LEAST_LETTERS), (2, LEAST_FOR_TWO)):
        some = [(word, _slipped(word, slips, chance)) for word in words if len(word) >= least]
        yield Typed(("none", "one", "two, in long words")[slips], len(some), sum(found(text, word) for word, text in some))
    yield Typed("no space", len(pairs), sum(found(one + other, one) for one, other in pairs))


def _slipped(word: str, slips: int, chance: random.Random) -> str:
    for _ in range(slips):
        at = chance.randrange(1, len(word))
        letter, rest = word[at], word[at + 1 :]
        word = word[:at] + chance.choice(
            [rest, letter + letter + rest, rest[:1] + letter + rest[1:], chance.choice(_NEXT_KEYS[letter]) + rest]
        )
    return word
