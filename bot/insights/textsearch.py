"""Pictures of the catalogue by words."""

from typing import Self

from bot.insights.model import Category, Found, ImageFilter, ImagePage
from bot.insights.shelf import Shelf
from bot.insights.view import MarketView


class TextIndex:
    """The words of one catalogue. A projection that is built anew when the catalogue changes. Thread-safe."""

    @classmethod
    def build(cls, shelf: Shelf) -> Self:
        del shelf
        return cls()


def search(view: MarketView, index: TextIndex, words: str, *, count: int, offset: int, only: ImageFilter, first: str) -> Found:
    del view, index, words, count, offset, only, first
    return Found(ImagePage())


def trending(view: MarketView, index: TextIndex) -> tuple[Category, ...]:
    del view, index
    return ()
