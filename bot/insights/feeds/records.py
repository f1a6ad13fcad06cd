"""What feeds say, as plain data, and what they say badly."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Record = dict[str, Any]
"""An offer or a product with its offers under the names of columns.py, its values still as the feed wrote them."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something in a feed that did not go in."""

    source: str
    row: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One shop's offer of a product, as a feed states it. Money is decimal digits; pictures are paths or URLs."""

    number: int
    id: str
    title: str
    link: str
    pictures: tuple[str, ...]
    price: str = ""
    currency: str = ""
    availability: str = ""
    group: str = ""
    gtin: str = ""
    mpn: str = ""
    description: str = ""
    brand: str = ""
    product_type: str = ""
    color: str = ""
    material: str = ""
    size: str = ""
    seller: str = ""
    logo: str = ""
    adult: bool = False
    rating: float | None = None
    rating_count: int | None = None

    def digest(self) -> str:
        """Equal for rows that say the same; local pictures count with their size and time of change."""
        said = asdict(replace(self, number=0))
        said["files"] = [_stamp(picture) for picture in self.pictures]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Page:
    """A page that shows pictures."""

    number: int
    url: str
    title: str
    pictures: tuple[str, ...]

    def digest(self) -> str:
        said = [self.url, self.title, *map(_stamp, self.pictures)]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A recipe, a collection or an entity. `products` are the feed's own product ids.

    facts: what only its kind has, as words: recipes `totalTime`, `cookTime`, `prepTime`, `creator`, `ratingValue`,
    `reviewCount`; collections `creator`, `source`, `followers`; entities `type`, `jobTitle`, `consent`.
    """

    number: int
    kind: str
    id: str
    name: str
    url: str
    description: str
    facts: Mapping[str, str]
    pictures: tuple[str, ...]
    products: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.id}"

    def digest(self, products: Iterable[str]) -> str:
        """Equal for rows that say the same about the same products."""
        said = asdict(replace(self, number=0)) | {"files": [_stamp(picture) for picture in self.pictures], "of": list(products)}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(slots=True)
class Feed:
    """All that one source says, held at once: for feeds that are small."""

    rows: list[Row] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    subjects: list[SubjectRow] = field(default_factory=list)
    logos: dict[str, str] = field(default_factory=dict)
    related: dict[str, list[str]] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file is from.

    base: its address, or its path: what links and pictures are relative to.
    seller, currency: what holds where the feed does not say.
    now: decides which sales are on.
    """

    base: str
    seller: str = ""
    currency: str = ""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def is_remote(self) -> bool:
        return is_address(self.base)


class BadField(Exception):
    """Its text says what is wrong with the field `name`."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


def is_address(text: str) -> bool:
    """Whether this is an http address; anything else names a file."""
    return text[:8].lower().startswith(("http://", "https://"))


def suffixes(source: str) -> tuple[str, ...]:
    """The endings of the name of a file or address, in lower case, `.gz` left out: (".xml",) of `a/feed.XML.gz?x=1`."""
    try:
        path = urlsplit(source).path if is_address(source) else source
    except ValueError:
        return ()
    return tuple(one for one in map(str.lower, Path(path).suffixes) if one != ".gz")


def stamp_of(picture: str) -> str:
    """Changes when the address does, or the file behind it."""
    return json.dumps(_stamp(picture))


def _stamp(picture: str) -> list[Any]:
    if is_address(picture):
        return [picture]
    try:
        found = Path(picture).stat()
    except (OSError, ValueError):
        return [picture]
    return [picture, found.st_size, found.st_mtime_ns]
