"""Pictures of the catalogue by words (insights-api.md §3, `images/search`): SQLite's full text in memory."""

import re
import sqlite3
import threading
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Self

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.insights.colours import WORDS, Palette
from bot.insights.model import WHOLE, Category, Found, ImageFilter, ImagePage, Tile
from bot.insights.refining import refine
from bot.insights.shelf import Product, Shelf, StoredPicture, Subject
from bot.insights.view import MarketView
from bot.insights.words import said_colours, same_colour, singular

MOST_WORDS = 16
MOST_LETTERS = 400
MOST_RELATED = 8
MOST_CATEGORIES = 8
MOST_TILES = 8
ENOUGH = 8
"""Entries with all of the words: fewer are followed by those with any of them."""
TYPO_LETTERS = 4
"""Shorter words have too many neighbours: `mug` is one letter from `rug`."""
TWO_TYPOS_LETTERS = 7
LEAST_HALF = 3
"""Letters of each of two words that were written as one."""

_SMALL_WORDS = frozenset(["a", "an", "and", "for", "in", "of", "on", "or", "the", "to", "with"])
_AT_ONCE = 200
_MOST_DEAD = 1000
_WEIGHTS = {"title": 10, "kind": 8, "brand": 6, "looks": 4, "offers": 3, "about": 3, "pages": 2, "description": 1}
"""How much a word counts where it stands; the columns of the index, in this order."""

_BINGS_COLOURS = {"gray": ("grey",), "blue": ("blue", "navy"), "brown": ("brown", "beige")}
"""Bing's words that mean other or more of ours (colours.WORDS)."""
_WITHOUT_COLOUR = frozenset({"black", "grey", "white"})
_MEDIUM, _LARGE = 200, 500
_WALLPAPER = (1024, 768)
_SQUARE = 1.1
"""Width to height of a picture that still looks square; wide and tall begin there."""
_DAYS = {"day": 1, "week": 7, "month": 31}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row of the index leads to: pictures by id, the main one first, and the product's type, if it is one."""

    pictures: tuple[str, ...]
    product_type: str = ""


@dataclass(frozen=True, slots=True)
class Hits:
    """Entries, best first. corrected: the words as they were understood, when they were misspelt."""

    entries: tuple[Entry, ...] = ()
    corrected: str = ""


@dataclass(frozen=True)
class TextIndex:
    """The words of one catalogue, a projection of it. Thread-safe. What has changed is added again; the old rows are dead."""

    entries: list[Entry]
    exact: dict[str, tuple[int, ...]]
    vocabulary: Counter[str]
    _database: sqlite3.Connection = field(repr=False)
    _rows_of: dict[str, int] = field(default_factory=dict, repr=False)
    _dead: set[int] = field(default_factory=set, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def build(cls, shelf: Shelf) -> Self:
        """Takes a second for some ten thousand products: called in a thread."""
        database = sqlite3.connect(":memory:", check_same_thread=False)
        tokenize = "porter unicode61 remove_diacritics 2"
        database.execute(f"CREATE VIRTUAL TABLE words USING fts5({', '.join(_WEIGHTS)}, tokenize='{tokenize}', content='')")
        weights = ", ".join(str(weight) for weight in _WEIGHTS.values())
        database.execute(f"INSERT INTO words(words, rank) VALUES ('rank', 'bm25({weights})')")  # noqa: S608 (our own numbers)
        index = cls([], {}, Counter(), database)
        index._add(shelf, chain(shelf.products, shelf.subjects, shelf.pictures))
        database.execute("INSERT INTO words(words) VALUES ('optimize')")
        return index

    def renewed(self, shelf: Shelf, names: Iterable[str]) -> "TextIndex":
        """With those products, subjects and pictures as they are in the shelf now; another index when most of this is dead."""
        names = sorted(names)
        with self._lock:
            self._dead.update(row for name in names if (row := self._rows_of.pop(name, None)) is not None)
            for start in range(0, len(names), _AT_ONCE):
                self._add(shelf, names[start : start + _AT_ONCE])
            worn = len(self._dead) > max(_MOST_DEAD, len(self._rows_of))
        return TextIndex.build(shelf) if worn else self

    def _add(self, shelf: Shelf, names: Iterable[str]) -> None:
        def rows() -> Iterator[tuple[int | str, ...]]:
            for name in names:
                if (document := _document(shelf, name)) is None:
                    continue
                entry, keys, texts = document
                row = len(self.entries)
                for key in dict.fromkeys(map(_key, keys)):
                    self.exact[key] = (*self.exact.get(key, ()), row)
                for text in texts:
                    self.vocabulary.update(words_of(text))
                self._rows_of[name] = row
                self.entries.append(entry)
                yield row, *texts

        places = ", ".join("?" * (len(_WEIGHTS) + 1))
        statement = f"INSERT INTO words(rowid, {', '.join(_WEIGHTS)}) VALUES ({places})"  # noqa: S608 (our own columns)
        self._database.executemany(statement, rows())
        self._database.commit()

    def find(self, words: str) -> Hits:
        """Entries with all of the words; where they are few, then those with any of them. A GTIN or an id leads to its product.

        The last word may be unfinished. A word that nobody uses is read as the most frequent one a slip of the finger away, two
        where it is long, or as two words that are used.
        """
        text = words[:MOST_LETTERS]
        if (key := _key(text)) and (rows := self._living(self.exact.get(key, ()))):
            return Hits(tuple(self.entries[row] for row in rows))
        said = words_of(text)[:MOST_WORDS]
        said = [word for word in said if word not in _SMALL_WORDS] or said
        if not said:
            return Hits()
        with self._lock:
            understood = [*(self._understood(word) for word in said[:-1]), self._understood(said[-1], last=True)]
            meant = " ".join(understood).split()
            last = _prefix(meant[-1])
            whole = [_quoted(word) for word in meant]
            rows = self._rows(" AND ".join(whole)) or self._rows(" AND ".join([*whole[:-1], last]))
            if len(rows) < ENOUGH:
                rows = tuple(dict.fromkeys(rows + self._rows(" OR ".join([*whole, last]))))
        return Hits(tuple(self.entries[row] for row in rows), "" if meant == said else " ".join(meant))

    def named(self, words: str) -> frozenset[str]:
        """Ids of the pictures of entries that have every one of the words."""
        said = [word for word in words_of(words[:MOST_LETTERS])[:MOST_WORDS] if word not in _SMALL_WORDS]
        if not said:
            return frozenset()
        with self._lock:
            rows = self._rows(" AND ".join(map(_quoted, said)))
        return frozenset(picture for row in rows for picture in self.entries[row].pictures)

    def labelled(self, line: str) -> tuple[Entry, ...]:
        """Entries that have every word of a line in their title or brand."""
        said = [word for word in words_of(line[:MOST_LETTERS])[:MOST_WORDS] if word not in _SMALL_WORDS]
        if not said:
            return ()
        with self._lock:
            rows = self._rows(f"{{title brand}} : ({' AND '.join(map(_quoted, said))})")
        return tuple(self.entries[row] for row in rows)

    def _understood(self, word: str, *, last: bool = False) -> str:
        if len(word) < TYPO_LETTERS or word in self.vocabulary or self._known(_quoted(word)):
            return word
        if last and self._known(_prefix(word)):
            return word
        slips = 2 if len(word) >= TWO_TYPOS_LETTERS else 1
        found = process.extract(word, self.vocabulary.keys(), scorer=OSA.distance, score_cutoff=slips, limit=None)
        # few people miss the first key as well
        near = [(far, -self.vocabulary[other], other) for other, far, _ in found if far == 1 or other[0] == word[0]]
        if near:
            return min(near)[-1]
        halves = ((word[:at], word[at:]) for at in range(LEAST_HALF, len(word) - LEAST_HALF + 1))
        known = [(one, other) for one, other in halves if one in self.vocabulary and other in self.vocabulary]
        return " ".join(max(known, key=lambda two: sum(self.vocabulary[one] for one in two), default=(word,)))

    def _known(self, expression: str) -> bool:
        return self._database.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (expression,)).fetchone() is not None

    def _rows(self, expression: str) -> tuple[int, ...]:
        found = self._database.execute("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank, rowid", (expression,))
        return self._living(row for (row,) in found)

    def _living(self, rows: Iterable[int]) -> tuple[int, ...]:
        return tuple(row for row in rows if row not in self._dead)


def search(view: MarketView, index: TextIndex, words: str, *, count: int, offset: int, only: ImageFilter, first: str) -> Found:
    """The main picture of each hit, best first, then their further ones; `first`: the id of a picture that leads if found.

    Words may hold conditions, `mug in blue under $20`: what does not meet them is not found. Adult products are there only with
    SafeSearch Off, as everywhere.
    """
    refined = refine(words)
    hits = index.find(refined.words) if refined.words or not refined.conditions else Hits(tuple(index.entries))
    fits = _filter(view, only)
    if refined.conditions:
        as_asked, plain = refined.allows, fits

        def fits(picture: StoredPicture) -> bool:
            product = view.shelf.products.get(picture.product_id)
            return product is not None and as_asked(product, view.currency) and plain(picture)

    pictures = [found for entry in hits.entries if (found := [one for one in _shown(view, entry) if fits(one)])]
    mains, others = (found[0] for found in pictures), chain.from_iterable(found[1:] for found in pictures)
    ranked = list({picture.id: picture for picture in (*mains, *others)}.values())
    ranked.sort(key=lambda picture: picture.id != first)
    page = tuple(view.image(picture, sums=True) for picture in ranked[offset : offset + count])
    return Found(
        page=ImagePage(page, offset, min(offset + len(page), len(ranked)) if page else len(ranked), len(ranked)),
        related=tuple(view.search_for(text) for text in _related(view.shelf, hits, words)),
        corrected=hits.corrected,
    )


def trending(view: MarketView, index: TextIndex) -> tuple[Category, ...]:
    """What shops say people look for, else the kinds of things, by the largest categories of the catalogue; no picture twice."""
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for product in view.shelf.products.values():
        if product.product_type and product.pictures and view.shows(product):
            kinds[product.product_type.partition(">")[0].strip()][product.product_type] += 1
    largest = sorted(kinds, key=lambda title: (-kinds[title].total(), title))[:MOST_CATEGORIES]
    seen: set[str] = set()
    return tuple(
        Category(title, tiles) for title in largest if (tiles := tuple(_tiles(view, index, [*_by_count(kinds[title])], seen)))
    )


def _by_count(counts: Counter[str]) -> list[str]:
    return [name for name, _ in counts.most_common()]


def _tiles(view: MarketView, index: TextIndex, product_types: Sequence[str], seen: set[str]) -> Iterator[Tile]:
    """One of each kind in turn, until there are enough."""
    lists = [view.shelf.related.get(name, ()) or (name.rpartition(">")[2].strip().lower(),) for name in product_types]
    turns = [texts[turn] for turn in range(MOST_TILES) for texts in lists if turn < len(texts)]
    left = MOST_TILES
    for words in dict.fromkeys(turns[: 2 * MOST_TILES]):
        found = (picture for entry in index.find(words).entries for picture in _shown(view, entry)[:1])
        picture = next((one for one in found if one.id not in seen), None)
        if picture and left:
            left -= 1
            seen.add(picture.id)
            image = view.image(picture)
            yield Tile(view.search_for(words, thumbnail_url=image.thumbnail_url), image)


# ---------------------------------------------------------------- what is indexed

_Document = tuple[Entry, tuple[str, ...], tuple[str, ...]]
"""What it leads to, its numbers and ids, its texts in the order of the columns."""


def _document(shelf: Shelf, name: str) -> _Document | None:
    """Of a product, of a subject, or of a picture that only pages show."""
    if product := shelf.products.get(name):
        return _of_product(shelf, product)
    if subject := shelf.subjects.get(name):
        mains = (shelf.products[key].pictures[:1] for key in subject.products if key in shelf.products)
        pictures = tuple(dict.fromkeys(chain(subject.pictures, chain.from_iterable(mains))))
        return Entry(pictures), (), _texts(title=subject.name, kind=subject.kind, description=subject.description)
    titles = [page.title for page in shelf.pages.get(name, ())]
    sold = shelf.product_of(name)
    if titles and name in shelf.pictures and not (shelf.subjects_of_picture.get(name) or (sold and name in sold.pictures)):
        return Entry((name,)), (), _texts(pages="\n".join(titles))
    return None


def _of_product(shelf: Shelf, product: Product) -> _Document:
    subjects: Iterable[Subject] = chain(
        shelf.subjects_of_product.get(product.id, ()),
        *(shelf.subjects_of_picture.get(picture, ()) for picture in product.pictures),
    )
    pages = (page.title for picture in product.pictures for page in shelf.pages.get(picture, ()))
    texts = _texts(
        title=product.title,
        kind=product.product_type,
        brand=product.brand,
        looks=f"{product.color}\n{product.material}\n{product.size}",
        offers="\n".join(dict.fromkeys(offer.title for offer in product.offers if offer.title != product.title)),
        about="\n".join(dict.fromkeys(subject.name for subject in subjects)),
        pages="\n".join(dict.fromkeys(pages)),
        description=product.description,
    )
    keys = (product.id, product.gtin, *(offer.id for offer in product.offers))
    return Entry(product.pictures, product.product_type), keys, texts


def _texts(**said: str) -> tuple[str, ...]:
    return tuple(said.get(column, "").replace("\0", " ") for column in _WEIGHTS)


# ---------------------------------------------------------------- words


def words_of(text: str) -> list[str]:
    """Words as the index sees them, but for their endings: `Café-Tassen` is cafe, tassen."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(letter))
    return re.findall(r"[^\W_]+", plain)


def _key(text: str) -> str:
    """An id or GTIN as it is compared: 12, 13 and 14 digits of one number are the same."""
    return text.strip().lower().lstrip("0")


def _quoted(word: str) -> str:
    return f'"{word}"'  # of letters and digits only


def _prefix(word: str) -> str:
    return f"{_quoted(word)} *" if len(word) > 1 else _quoted(word)


def _related(shelf: Shelf, hits: Hits, words: str) -> list[str]:
    """What shops say about the kinds that were found, the kind of the best hit first; never what was asked."""
    asked = {_bare(words), _bare(hits.corrected)}
    kinds = dict.fromkeys(entry.product_type for entry in hits.entries)
    texts = dict.fromkeys(text for kind in kinds for text in shelf.related.get(kind, ()))
    return [text for text in texts if _bare(text) not in asked][:MOST_RELATED]


def _bare(text: str) -> frozenset[str]:
    return frozenset(singular(word) for word in words_of(text))


# ---------------------------------------------------------------- which pictures count


def _shown(view: MarketView, entry: Entry) -> list[StoredPicture]:
    found = (view.shelf.pictures.get(key) for key in entry.pictures)
    return [picture for picture in found if picture and view.shows(view.shelf.products.get(picture.product_id))]


def _filter(view: MarketView, only: ImageFilter) -> Callable[[StoredPicture], bool]:
    """What is not known of any picture (who may use it, drawings, transparency, movement) is found in none."""
    checks: list[Callable[[StoredPicture], bool]] = []
    if only.size:
        checks.append(lambda picture: _has_size(picture, only.size))
    if only.aspect:
        checks.append(lambda picture: _aspect(picture) == only.aspect)
    if any((only.width, only.height, only.min_width, only.max_width, only.min_height, only.max_height)):
        checks.append(lambda picture: _measures(picture, only))
    if only.min_file_size or only.max_file_size:
        checks.append(lambda picture: only.min_file_size <= picture.bytes <= (only.max_file_size or picture.bytes))
    if only.color:
        checks.append(lambda picture: _has_colour(view, picture, only.color))
    if only.freshness:
        since = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=_DAYS.get(only.freshness, 0))
        checks.append(lambda picture: picture.published >= since)
    if only.image_type == "shopping":
        checks.append(lambda picture: bool(view.offers(view.shelf.products.get(picture.product_id))))
    if only.image_content:
        checks.append(lambda picture: _shows_a_person(view.shelf, picture))
    if only.license not in {"", "all", "any"} or only.image_type not in {"", "photo", "shopping"}:
        checks.append(lambda _: False)
    return lambda picture: all(check(picture) for check in checks)


def _has_size(picture: StoredPicture, size: str) -> bool:
    longest = max(picture.width, picture.height)
    match size:
        case "small":
            return longest < _MEDIUM
        case "medium":
            return _MEDIUM <= longest < _LARGE
        case "large":
            return longest >= _LARGE
        case "wallpaper":
            return picture.width >= _WALLPAPER[0] and picture.height >= _WALLPAPER[1] and _aspect(picture) == "wide"
        case _:
            return size == "all"


def _aspect(picture: StoredPicture) -> str:
    ratio = picture.width / picture.height
    return "wide" if ratio > _SQUARE else "tall" if ratio < 1 / _SQUARE else "square"


def _measures(picture: StoredPicture, only: ImageFilter) -> bool:
    return (
        only.width in {0, picture.width}
        and only.height in {0, picture.height}
        and only.min_width <= picture.width <= (only.max_width or picture.width)
        and only.min_height <= picture.height <= (only.max_height or picture.height)
    )


def _has_colour(view: MarketView, picture: StoredPicture, color: str) -> bool:
    product = view.shelf.products.get(picture.product_id)
    words = _colours(product.color if product else "") or {_seen(picture.accent)}
    match color:
        case "monochrome":
            return words <= _WITHOUT_COLOUR
        case "coloronly":
            return not words <= _WITHOUT_COLOUR
        case _:
            return not words.isdisjoint(_BINGS_COLOURS.get(color, (color,)))


@lru_cache(maxsize=4096)
def _colours(said: str) -> frozenset[str]:
    """The everyday words for the maker's: what the maker says counts for more than what a photo's light makes of it."""
    return frozenset(word for one in said_colours(said) for word in WORDS if same_colour(one, word))


@lru_cache(maxsize=4096)
def _seen(accent: str) -> str:
    rgb = np.frombuffer(bytes.fromhex(accent), np.uint8)
    return Palette(rgb.reshape(1, 1, 3)).of(WHOLE).word


def _shows_a_person(shelf: Shelf, picture: StoredPicture) -> bool:
    """Faces are not looked for; who is enrolled by name is known."""
    return any(subject.facts.get("type") == "Person" for subject in shelf.subjects_of_picture.get(picture.id, ()))
