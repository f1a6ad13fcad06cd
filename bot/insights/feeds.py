"""Product feeds: Google Merchant tables and our JSON lines, read into rows. Pure, but for the files it is pointed at."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from babel.numbers import list_currencies

from bot.errors import UserError
from bot.insights.model import Availability

MAX_FEED_BYTES = 512 * 1024 * 1024
MAX_PICTURES = 10
"""A product; more are ignored, as Google Merchant does."""

_AVAILABILITY = {
    "instock": Availability.IN_STOCK,
    "outofstock": Availability.OUT_OF_STOCK,
    "preorder": Availability.PRE_ORDER,
    "backorder": Availability.PRE_ORDER,  # Bing has no word for it: ordered now, delivered later
    "presale": Availability.PRE_ORDER,
    "limited": Availability.LIMITED,
    "limitedavailability": Availability.LIMITED,
    "discontinued": Availability.DISCONTINUED,
    "soldout": Availability.SOLD_OUT,
    "onlineonly": Availability.ONLINE_ONLY,
    "instoreonly": Availability.IN_STORE_ONLY,
}
_AMOUNT = re.compile(r"[0-9][0-9.,' \u00a0]*", re.ASCII)
_CODE = re.compile(r"[A-Za-z]{3}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_DURATION = re.compile(r"P(?=.)(?:\d{1,4}D)?(?:T(?=.)(?:\d{1,4}H)?(?:\d{1,4}M)?(?:\d{1,4}S)?)?", re.ASCII)
_FACTS = {
    "recipe": ("totalTime", "cookTime", "prepTime"),
    "collection": ("source", "followers"),
    "entity": ("type", "jobTitle", "consent"),
}


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
    """A recipe, a collection or an entity, as a folder's file states it. `products` are the feed's own product ids.

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
    """All that one source says."""

    rows: list[Row] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    subjects: list[SubjectRow] = field(default_factory=list)
    logos: dict[str, str] = field(default_factory=dict)
    related: dict[str, list[str]] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)


class _BadField(Exception):
    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


def read_source(path: Path, *, seller: str = "") -> Feed:
    """A feed file, or a folder with products.jsonl, feeds, pages and logos. Raises UserError when there is nothing to read.

    Within one source an offer's id counts once: a folder may hold the same goods as JSON lines and as tables.
    """
    if not path.exists():
        raise UserError(f"{path} is not there. Name a feed file (.tsv, .csv, .jsonl), a folder of them, or an http address.")
    feed = Feed()
    if path.is_file():
        _read_file(feed, path, seller)
        return feed
    files = [path / "products.jsonl", *sorted(path.glob("feeds/*")), *sorted(path.glob("*.tsv")), *sorted(path.glob("*.csv"))]
    files = [file for file in files if file.is_file() and file.suffix in {".jsonl", ".tsv", ".csv", ".txt"}]
    if not files:
        raise UserError(f"{path} holds no feed. Put products.jsonl or .tsv files there.")
    for file in files:
        _read_file(feed, file, seller)
    _read_company(feed, path)
    return feed


def _read_file(feed: Feed, path: Path, seller: str) -> None:
    if path.stat().st_size > MAX_FEED_BYTES:
        raise UserError(f"{path} is too large. Split it into files of at most {MAX_FEED_BYTES // 2**20} MB.")
    read_feed(feed, path.read_bytes(), str(path), seller=seller)


def read_feed(feed: Feed, data: bytes, source: str, *, seller: str = "") -> None:
    """Add the rows of one feed to `feed`. `source` (a path or URL) names it, and its pictures are relative to it."""
    text = data.decode("utf-8-sig", "replace")
    known = {row.id for row in feed.rows}
    here: set[str] = set()
    records = _json_lines(text) if urlsplit(source).path.endswith((".jsonl", ".json")) else _table(text, source)
    for number, record in records:
        for row in [record] if isinstance(record, _BadField) else _rows(number, record, source, seller):
            bad = row if isinstance(row, _BadField) else None
            if isinstance(row, Row):
                if row.id in here:
                    bad = _BadField("id", f"{row.id!r} is used twice in this feed.")
                elif row.id not in known:
                    feed.rows.append(row)
                here.add(row.id)
            if bad:
                feed.rejected.append(Rejected(source, number, bad.name, str(bad)))


def _json_lines(text: str) -> Iterator[tuple[int, Mapping[str, Any] | _BadField]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        yield number, record if isinstance(record, dict) else _BadField("row", "This line is not a JSON object.")


def _table(text: str, source: str) -> Iterator[tuple[int, Mapping[str, Any] | _BadField]]:
    lines = csv.reader(io.StringIO(text), delimiter="," if urlsplit(source).path.endswith(".csv") else "\t")
    try:
        header = [name.strip().lower().removeprefix("g:").replace(" ", "_") for name in next(lines, [])]
        if "id" not in header:
            yield 1, _BadField("row", "The first row must name the columns, and one of them must be id.")
            return
        for cells in lines:
            if any(cell.strip() for cell in cells):
                yield lines.line_num, dict(zip(header, cells, strict=False))
    except csv.Error:
        yield lines.line_num, _BadField("row", "This row cannot be read: a quote is missing or a cell is too long.")


def _rows(number: int, record: Mapping[str, Any], source: str, seller: str) -> Iterator[Row | _BadField]:
    """A line of a table is one offer; a product of ours may hold several, and a bad one does not spoil the others."""
    offers = record.get("offers", [record])
    if not isinstance(offers, list) or not all(isinstance(offer, dict) for offer in offers):
        yield _BadField("offers", "offers must be a list of objects.")
        return
    for offer in offers:
        try:
            yield _row(number, record, offer, source, seller)
        except _BadField as bad:
            yield bad


def _row(number: int, product: Mapping[str, Any], offer: Mapping[str, Any], source: str, seller: str) -> Row:
    group = product.get("item_group_id", "") or ("" if offer is product else product.get("id", ""))
    pictures = [product.get("image_link") or product.get("image") or ""]
    more = product.get("additional_image_link") or product.get("additional_images") or []
    pictures += more.split(",") if isinstance(more, str) else more
    price, currency = _price(_text(offer.get("sale_price")) or _text(offer.get("price")), _text(product.get("currency")))
    rating, count = _rating(product)
    logo = _text(offer.get("seller_logo"))
    return Row(
        number=number,
        id=_needed(offer, "id"),
        title=_needed(product, "title"),
        link=_link(_needed(offer, "link")),
        pictures=_pictures(pictures, source),
        price=price,
        currency=currency,
        availability=_availability(_text(offer.get("availability"))),
        group=_text(group),
        gtin=_gtin(_text(product.get("gtin"))),
        description=_text(product.get("description")),
        brand=_text(product.get("brand")),
        product_type=_text(product.get("product_type") or product.get("google_product_category")),
        color=_text(product.get("color")),
        material=_text(product.get("material")),
        size=_text(product.get("size")),
        seller=_text(offer.get("seller_name")) or seller or (urlsplit(_text(offer.get("link"))).hostname or ""),
        logo=_picture(logo, source) if logo else "",
        adult=str(product.get("adult", "")).strip().lower() in {"yes", "true"},
        rating=rating,
        rating_count=count,
    )


def _text(value: Any) -> str:
    return _CONTROL.sub(" ", str(value)).strip() if isinstance(value, str | int | float) else ""


def _needed(record: Mapping[str, Any], name: str) -> str:
    text = _text(record.get(name))
    if not text:
        raise _BadField(name, f"{name} is missing.")
    return text


def _link(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or len(text) > 2000:  # noqa: PLR2004 (Slack and browsers end about here)
        raise _BadField("link", "link must be an http or https address.")
    return text


def _price(text: str, currency: str) -> tuple[str, str]:
    """`14.95 USD`, `USD 14.95`, `1,299.00 USD`, `14,95 EUR`, or a number beside a currency of its own."""
    if not text:
        return "", ""
    amount, code = _AMOUNT.search(text), _CODE.search(text)
    currency = (code[0] if code else currency).upper()
    if not amount or text.lstrip().startswith("-"):
        raise _BadField("price", f"{text!r} is not a price. Write it like 14.95 USD.")
    if currency not in list_currencies():
        raise _BadField("price", f"{text!r} names no currency. Write it like 14.95 USD.")
    digits = re.sub(r"[' \u00a0]", "", amount[0])
    if re.search(r",[0-9]{1,2}$", digits):
        digits = digits.replace(".", "").replace(",", ".")
    try:
        number = Decimal(digits.replace(",", ""))
    except InvalidOperation:
        raise _BadField("price", f"{text!r} is not a price. Write it like 14.95 USD.") from None
    return f"{number:f}", currency


def _availability(text: str) -> str:
    word = re.sub(r"[^a-z]", "", text.lower().rpartition("/")[2])
    if not word:
        return ""
    if word not in _AVAILABILITY:
        raise _BadField("availability", f"{text!r} is unknown. Use in_stock, out_of_stock, preorder or backorder.")
    return _AVAILABILITY[word].value


def _gtin(text: str) -> str:
    digits = re.sub(r"[ -]", "", text)
    return digits if digits.isascii() and digits.isdigit() and len(digits) in {8, 12, 13, 14} else ""


def _rating(product: Mapping[str, Any]) -> tuple[float | None, int | None]:
    rating = product.get("rating")
    if not isinstance(rating, dict):
        return None, None
    value, count = rating.get("value"), rating.get("count")
    if not isinstance(value, int | float) or not 0 < value <= 5:  # noqa: PLR2004 (stars)
        return None, None
    return float(value), count if isinstance(count, int) else 0


def _pictures(addresses: Iterable[Any], source: str) -> tuple[str, ...]:
    found = [_picture(text, source) for address in addresses if (text := _text(address))]
    if not found:
        raise _BadField("image_link", "image_link is missing.")
    return tuple(dict.fromkeys(found))[:MAX_PICTURES]


def _picture(text: str, source: str) -> str:
    """An address, or a file beside the feed or one folder up; a feed names no other file of this machine."""
    if urlsplit(text).scheme in {"http", "https"}:
        return text
    if urlsplit(source).scheme in {"http", "https"}:
        return urljoin(source, text)
    folder = Path(source).parent
    for root in (folder, folder.parent):
        path = (root / text).resolve()
        if path.is_relative_to(root.resolve()) and path.is_file():
            return str(path)
    raise _BadField("image_link", f"{text!r} is not beside the feed.")


def _stamp(picture: str) -> list[Any]:
    if urlsplit(picture).scheme in {"http", "https"}:
        return [picture]
    try:
        found = Path(picture).stat()
    except OSError:
        return [picture]
    return [picture, found.st_size, found.st_mtime_ns]


def stamp_of(picture: str) -> str:
    """Changes when the address does, or the file behind it."""
    return json.dumps(_stamp(picture))


def _read_company(feed: Feed, folder: Path) -> None:
    """What else a folder may hold: host pages, sellers' logos, related searches."""
    pages = folder / "pages.jsonl"
    if pages.is_file():
        for number, record in _json_lines(pages.read_text("utf-8")):
            try:
                if isinstance(record, _BadField):
                    raise record
                addresses = record.get("images") if isinstance(record.get("images"), list) else []
                url = _link(_needed(record, "url"))
                feed.pages.append(Page(number, url, _text(record.get("title")), _pictures(addresses or [], str(pages))))
            except _BadField as bad:
                feed.rejected.append(Rejected(str(pages), number, bad.name, str(bad)))
    for seller in _json_list(folder / "merchants.json"):
        try:
            feed.logos[_needed(seller, "name")] = _picture(_text(seller.get("logo")), str(folder / "merchants.json"))
        except _BadField as bad:
            feed.rejected.append(Rejected(str(folder / "merchants.json"), 0, bad.name, str(bad)))
    for kind in ("recipe", "collection", "entity"):
        path = folder / ("entities.json" if kind == "entity" else f"{kind}s.json")
        known: set[str] = set()
        for number, record in enumerate(_json_list(path), 1):
            try:
                feed.subjects.append(_subject(kind, number, record, str(path), known))
            except _BadField as bad:
                feed.rejected.append(Rejected(str(path), number, bad.name, str(bad)))
    for group in _json_list(folder / "related_searches.json"):
        queries = group.get("queries")
        if isinstance(queries, list):
            feed.related[_text(group.get("product_type"))] = [text for query in queries if (text := _text(query))]


def _subject(kind: str, number: int, record: Mapping[str, Any], source: str, known: set[str]) -> SubjectRow:
    """`known`: the ids of the file so far; this one is added."""
    if (subject_id := _needed(record, "id")) in known:
        raise _BadField("id", f"{subject_id!r} is used twice in this file.")
    pictures = [record.get("image") or "", *_list(record, "images")]
    facts = {name: text for name in _FACTS[kind] if (text := _text(record.get(name)))}
    if creator := _name_of(record.get("creator") or record.get("author")):
        facts["creator"] = creator
    value, count = _rating(record)
    if value is not None:
        facts |= {"ratingValue": str(value), "reviewCount": str(count or 0)}
    for name in ("totalTime", "cookTime", "prepTime"):
        if name in facts and not _DURATION.fullmatch(facts[name]):
            raise _BadField(name, f"{facts[name]!r} is not a duration. Write it like PT1H45M.")
    if kind == "entity":
        facts["type"] = _type(record.get("type") or record.get("@type"))
    if facts.get("type") == "Person" and not facts.get("consent"):
        raise _BadField("consent", "A person is enrolled only with a note of their consent: who gave it, when, for what.")
    known.add(subject_id)
    return SubjectRow(
        number=number,
        kind=kind,
        id=subject_id,
        name=_needed(record, "name"),
        url=_link(_needed(record, "url")),
        description=_text(record.get("description")),
        facts=facts,
        pictures=_pictures(pictures, source),
        products=tuple(filter(None, map(_text, _list(record, "related_products" if kind == "recipe" else "products")))),
    )


def _type(said: Any) -> str:
    """schema.org's name, however it is written: a person is one as `person`, by address, or as one of several types."""
    names = [_text(one).rpartition("/")[2].rpartition(":")[2] for one in (said if isinstance(said, list) else [said])]
    return "Person" if "person" in map(str.casefold, names) else next(filter(None, names), "Thing")


def _list(record: Mapping[str, Any], name: str) -> list[Any]:
    found = record.get(name)
    return found if isinstance(found, list) else []


def _name_of(person: Any) -> str:
    """schema.org lets a creator be a name or a Person."""
    return _text(person.get("name") if isinstance(person, dict) else person)


def _json_list(path: Path) -> list[Mapping[str, Any]]:
    if not path.is_file():
        return []
    try:
        records = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError):
        raise UserError(f"{path} is not JSON.") from None
    return [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []
