"""The catalogue in memory as the modules read it: products, offers, pictures, pages. Never changed, only replaced."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from sys import intern
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.insights import prices, tables
from bot.insights.journal import Changes
from bot.insights.model import Availability, Rating
from bot.insights.prices import Change, Price, change, was

T = TypeVar("T")
_IN_ONE_QUERY = 500

UNBUYABLE = frozenset({Availability.OUT_OF_STOCK, Availability.SOLD_OUT, Availability.DISCONTINUED})


@dataclass(frozen=True, slots=True)
class ShopOffer:
    """One shop's offer of a product. `id` is the feed's; history: what it has cost, oldest first, where that has changed.

    inferred: that it is of this product is told by picture and name alone (twins.py).
    """

    id: str
    title: str
    link: str
    price: Decimal | None
    currency: str
    availability: Availability | None
    seller: str
    last_seen: date
    history: tuple[Price, ...] = field(default=(), repr=False)
    inferred: bool = False

    def change(self, now: datetime, *, days: int = 30) -> Change | None:
        """Today's price against that of so many days ago, when there is something to say. now: UTC, naive."""
        return change(self.history, now, days=days)

    def was(self, now: datetime, *, days: int = 30) -> Decimal | None:
        """What it cost before, where it is cheaper now than at any other time in so many days. now: UTC, naive."""
        return was(self.history, now, days=days)

    @property
    def can_be_bought(self) -> bool:
        return self.price is not None and self.availability not in UNBUYABLE


@dataclass(frozen=True, slots=True)
class Product:
    """What a product is. product_type is a path of categories: `Kitchen > Drinkware > Mugs`."""

    id: str
    title: str
    description: str
    brand: str
    product_type: str
    color: str
    material: str
    size: str
    gtin: str
    adult: bool
    rating: Rating | None
    offers: tuple[ShopOffer, ...]
    pictures: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The category's last step: `Mugs`."""
        return self.product_type.rpartition(">")[2].strip()

    def offers_in(self, currency: str, more: Sequence[ShopOffer] = ()) -> tuple[ShopOffer, ...]:
        """The offers of a market, and `more` of another product: what can be bought first, the cheapest of it first of all.

        A seller who states the same price twice counts once.
        """
        offers = (*more, *reversed(self.offers))
        distinct = {(offer.seller, offer.price): offer for offer in offers if offer.currency == currency}
        return tuple(sorted(distinct.values(), key=lambda offer: (not offer.can_be_bought, offer.price or 0, offer.seller)))


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture of the catalogue. Its file is named by `content`; width, height (pixels) and bytes are that file's."""

    id: str
    product_id: str
    content: str
    width: int
    height: int
    bytes: int
    accent: str
    published: datetime


@dataclass(frozen=True, slots=True)
class HostPage:
    url: str
    title: str


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What a picture may be about besides a product: a recipe, a collection or an enrolled entity.

    key: `recipe:…`, `collection:…` or `entity:…`. facts: the rest as the feed says it (totalTime, creator, type, jobTitle …).
    pictures and products are ids.
    """

    key: str
    name: str
    url: str
    description: str
    facts: Mapping[str, str]
    pictures: tuple[str, ...] = ()
    products: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return self.key.partition(":")[0]


@dataclass(frozen=True)
class Shelf:
    """All of the catalogue but its vectors. Keys are ids; `pages` lists the pages that show a picture."""

    products: Mapping[str, Product] = field(default_factory=dict)
    pictures: Mapping[str, StoredPicture] = field(default_factory=dict)
    pages: Mapping[str, tuple[HostPage, ...]] = field(default_factory=dict)
    logos: Mapping[str, str] = field(default_factory=dict)
    related: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    subjects: Mapping[str, Subject] = field(default_factory=dict)

    @cached_property
    def subjects_of_picture(self) -> Mapping[str, tuple[Subject, ...]]:
        """By picture id: the subjects that a picture shows."""
        return _gathered((picture, one) for one in self.subjects.values() for picture in one.pictures)

    @cached_property
    def subjects_of_product(self) -> Mapping[str, tuple[Subject, ...]]:
        """By product id: the recipes and collections it is part of, the entity that makes it."""
        return _gathered((product, one) for one in self.subjects.values() for product in one.products)

    @cached_property
    def by_content(self) -> Mapping[str, str]:
        """Picture ids by the name of their file; of several the first, so that every process names the same."""
        found: dict[str, str] = {}
        for picture in self.pictures.values():
            if found.setdefault(picture.content, picture.id) > picture.id:
                found[picture.content] = picture.id
        return found

    @cached_property
    def by_gtin(self) -> Mapping[str, tuple[Product, ...]]:
        """Products by their GTIN in 14 digits."""
        found: defaultdict[str, list[Product]] = defaultdict(list)
        for product in self.products.values():
            if product.gtin:
                found[product.gtin.zfill(14)].append(product)
        return {gtin: tuple(products) for gtin, products in found.items()}

    def prepare(self) -> None:
        """Work out on a thread what lookups would have to wait for."""
        assert None not in (self.subjects_of_picture, self.subjects_of_product, self.by_content, self._copies)

    def product_of(self, picture_id: str) -> Product | None:
        picture = self.pictures.get(picture_id)
        return self.products.get(picture.product_id) if picture else None

    def pictures_like(self, picture_id: str) -> int:
        """How many pictures of the catalogue hold the same bytes: Bing's availableSizesCount."""
        return self._copies.get(self.pictures[picture_id].content, 1)

    @cached_property
    def _copies(self) -> Mapping[str, int]:
        counts: defaultdict[str, int] = defaultdict(int)
        for picture in self.pictures.values():
            counts[picture.content] += 1
        return counts


def _gathered(pairs: Iterable[tuple[str, Subject]]) -> Mapping[str, tuple[Subject, ...]]:
    found: defaultdict[str, list[Subject]] = defaultdict(list)
    for key, subject in pairs:
        found[key].append(subject)
    return {key: tuple(subjects) for key, subjects in found.items()}


async def load(connection: AsyncConnection) -> Shelf:
    """Read the whole catalogue but its vectors."""
    said = tables.prices.c
    changed = select(said.source, said.offer).group_by(said.source, said.offer).having(func.count() > 1).subquery()
    on = (changed.c.source == said.source) & (changed.c.offer == said.offer)
    query = select(tables.prices).join(changed, on).order_by(said.source, said.offer, said.at)
    histories = prices.of_rows(await connection.execute(query))
    offers: defaultdict[str, list[ShopOffer]] = defaultdict(list)
    for row in await _all(connection, tables.offers, "source", "position", "id"):
        offers[row.product_id].append(_offer(row, histories.get((row.source, row.id), ())))
    pictures = {row.id: _picture(row) for row in await connection.execute(select(*_PICTURE).order_by(tables.pictures.c.id))}
    titles = {(row.source, row.url): HostPage(row.url, row.title) for row in await _all(connection, tables.pages, "url")}
    told = {(row.source, row.key) for row in await _all(connection, tables.subjects)}
    of_product: defaultdict[str, list[str]] = defaultdict(list)
    pages: defaultdict[str, list[HostPage]] = defaultdict(list)
    for row in await _all(connection, tables.picture_uses, "position", "source", "used_by"):
        if page := titles.get((row.source, row.used_by)):
            pages[row.picture_id].append(page)
        elif (row.source, row.used_by) not in told and row.picture_id in pictures:
            of_product[pictures[row.picture_id].product_id].append(row.picture_id)
    products = {
        row.id: _product(row, offers[row.id], of_product[row.id]) for row in await _all(connection, tables.products, "id")
    }
    return Shelf(
        products=products,
        pictures=pictures,
        pages={picture_id: tuple(dict.fromkeys(found)) for picture_id, found in pages.items()},
        logos=await _logos(connection),
        related=await _related(connection),
        subjects=await _subjects(connection, products),
    )


async def renewed(connection: AsyncConnection, goods: Shelf, changes: Changes) -> tuple[Shelf, frozenset[str]]:
    """The shelf with what has changed read anew, and the ids of all products, pictures and subjects that may be different."""
    kept, uses = tables.pictures.c, tables.picture_uses.c
    found = await _among(connection, select(*_PICTURE), kept.id, changes.pictures)
    ids = {row.product_id for row in found} | {
        goods.pictures[key].product_id for key in changes.pictures if key in goods.pictures
    }
    ids = (ids | changes.products) - {""}
    found += await _among(connection, select(*_PICTURE), kept.product_id, ids)
    pictures = {row.id: _picture(row) for row in found}

    offers: defaultdict[str, list[ShopOffer]] = defaultdict(list)
    stated, cost = tables.offers.c, tables.prices.c
    on = (stated.source == cost.source) & (stated.id == cost.offer)
    query = select(tables.prices).join(tables.offers, on).order_by(cost.source, cost.offer, cost.at)
    histories = prices.of_rows(await _among(connection, query, stated.product_id, ids))
    query = select(tables.offers).order_by(stated.source, stated.position, stated.id)
    for row in await _among(connection, query, stated.product_id, ids):
        offers[row.product_id].append(_offer(row, histories.get((row.source, row.id), ())))
    shown = select(kept.product_id, uses.picture_id).join(tables.pictures, kept.id == uses.picture_id).where(_by_offers())
    of_product: defaultdict[str, list[str]] = defaultdict(list)
    for row in await _among(connection, shown.order_by(*_BY_PLACE), kept.product_id, ids):
        of_product[row.product_id].append(row.picture_id)
    said = await _among(connection, select(tables.products), tables.products.c.id, ids)
    products = {row.id: _product(row, offers[row.id], of_product[row.id]) for row in said}

    page = tables.pages.c
    on = (page.source == uses.source) & (page.url == uses.used_by)
    pages: defaultdict[str, list[HostPage]] = defaultdict(list)
    query = select(uses.picture_id, page.url, page.title).join(tables.pages, on).order_by(*_BY_PLACE)
    for row in await _among(connection, query, uses.picture_id, pictures):
        pages[row.picture_id].append(HostPage(row.url, row.title))

    gone = changes.pictures - pictures.keys()
    fresh = replace(
        goods,
        products=_with(goods.products, products, ids),
        pictures=_with(goods.pictures, pictures, gone),
        pages=_with(goods.pages, {key: tuple(dict.fromkeys(some)) for key, some in pages.items()}, gone | pictures.keys()),
    )
    about = {one.key for key in ids for one in goods.subjects_of_product.get(key, ())}
    names = ids | gone | pictures.keys() | about
    if changes.rest or await _concerns_subjects(connection, goods, fresh, ids):
        fresh = replace(fresh, subjects=await _subjects(connection, fresh.products))
        for key in goods.subjects.keys() | fresh.subjects.keys():
            names |= _apart(goods.subjects.get(key), fresh.subjects.get(key))
    if changes.rest:
        fresh = replace(fresh, logos=await _logos(connection), related=await _related(connection))
    sold = {fresh.pictures[key].product_id for key in names if key in fresh.pictures}
    return fresh, frozenset(names | sold)


def _apart(before: Subject | None, after: Subject | None) -> set[str]:
    """Ids of a subject and of the products and pictures that it belongs to otherwise than before."""
    parts = [{*one.products, *one.pictures} if one else set() for one in (before, after)]
    key = {one.key for one in (before, after) if one}
    same = before and after and before.name == after.name
    return key | (parts[0] ^ parts[1] if same else parts[0] | parts[1])


async def _concerns_subjects(connection: AsyncConnection, goods: Shelf, fresh: Shelf, ids: AbstractSet[str]) -> bool:
    """Whether a product came or went that a subject lists, or whose brand is one."""
    brands = {one.name.casefold() for one in goods.subjects.values() if one.facts.get("type") == "Brand"}
    moved: set[str] = set()
    for key in ids:
        before, after = goods.products.get(key), fresh.products.get(key)
        was, now = (one.brand.casefold() if one else "" for one in (before, after))
        if was != now and brands & {was, now}:
            return True
        if (before is None) != (after is None):
            moved.add(key)
    of = tables.subject_products.c
    return bool(await _among(connection, select(of.key), of.product_id, moved))


_PICTURE = tuple(
    tables.pictures.c[name] for name in ("id", "product_id", "content", "width", "height", "bytes", "accent", "published")
)
_BY_PLACE = tuple(tables.picture_uses.c[name] for name in ("position", "source", "used_by"))


def _by_offers() -> ColumnElement[bool]:
    """Uses of pictures by what is neither a page nor a subject."""
    uses, page, subject = tables.picture_uses.c, tables.pages.c, tables.subjects.c
    on_page = select(page.url).where(page.source == uses.source, page.url == uses.used_by)
    by_subject = select(subject.key).where(subject.source == uses.source, subject.key == uses.used_by)
    return ~on_page.exists() & ~by_subject.exists()


async def _among(connection: AsyncConnection, query: Select[Any], column: ColumnElement[str], keys: Iterable[str]) -> list[Any]:
    """The rows whose column is one of the keys; in the query's order as far as one key goes."""
    wanted = sorted(keys)
    found: list[Any] = []
    for start in range(0, len(wanted), _IN_ONE_QUERY):
        found += (await connection.execute(query.where(column.in_(wanted[start : start + _IN_ONE_QUERY])))).all()
    return found


def _with(before: Mapping[str, T], fresh: Mapping[str, T], read: AbstractSet[str]) -> Mapping[str, T]:
    """What was there, with what is fresh; what was read anew and not found is gone."""
    after = {**before, **fresh}
    for key in read - fresh.keys():
        after.pop(key, None)
    return after


async def _logos(connection: AsyncConnection) -> Mapping[str, str]:
    return {row.name: row.logo for row in await _all(connection, tables.sellers, "name")}


async def _related(connection: AsyncConnection) -> Mapping[str, tuple[str, ...]]:
    related: defaultdict[str, list[str]] = defaultdict(list)
    for row in await _all(connection, tables.related_searches, "source", "position"):
        related[row.product_type].append(row.query)
    return {kind: tuple(dict.fromkeys(queries)) for kind, queries in related.items()}


async def _subjects(connection: AsyncConnection, products: Mapping[str, Product]) -> Mapping[str, Subject]:
    """All of them; their products are those that there are."""
    uses, subject = tables.picture_uses.c, tables.subjects.c
    told = {(row.source, row.key): row for row in await _all(connection, tables.subjects, "source", "position", "key")}
    shown: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    on = (subject.source == uses.source) & (subject.key == uses.used_by)
    for row in await connection.execute(select(tables.picture_uses).join(tables.subjects, on).order_by(*_BY_PLACE)):
        shown[row.source, row.used_by].append(row.picture_id)
    members: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in await _all(connection, tables.subject_products, "position"):
        members[row.source, row.key].append(row.product_id)
    of_brand: defaultdict[str, list[str]] = defaultdict(list)
    for key, product in products.items() if told else ():
        of_brand[product.brand.casefold()].append(key)
    return {
        row.key: _subject(row, shown[place], [key for key in members[place] if key in products], of_brand)
        for place, row in reversed(told.items())
    }


async def _all(connection: AsyncConnection, table: Table, *order: str) -> Iterable[Row[tuple[object, ...]]]:
    return await connection.execute(select(table).order_by(*(table.c[name] for name in order)))


def _picture(row: Any) -> StoredPicture:
    key, product_id, content, width, height, size, accent, published = row
    return StoredPicture(intern(key), intern(product_id), content, width, height, size, intern(accent), _same(published))


@lru_cache(maxsize=1024)
def _same(value: Any) -> Any:
    """One object for equal values: what a hundred thousand rows have in common is kept once."""
    return value


def _offer(row: Row[tuple[object, ...]], history: tuple[Price, ...]) -> ShopOffer:
    return ShopOffer(
        id=row.id,
        title=intern(row.title),  # its product's, mostly
        link=row.link,
        price=Decimal(row.price) if row.price else None,
        currency=intern(row.currency),
        availability=Availability(row.availability) if row.availability else None,
        seller=intern(row.seller),
        last_seen=_same(row.last_seen),
        history=history,
    )


def _subject(
    row: Row[tuple[object, ...]], pictures: Iterable[str], members: list[str], of_brand: Mapping[str, list[str]]
) -> Subject:
    """A brand's products are those that name it."""
    facts = json.loads(row.facts)
    if facts.get("type") == "Brand":
        members = sorted(of_brand.get(row.name.casefold(), []))
    return Subject(row.key, row.name, row.url, row.description, facts, tuple(dict.fromkeys(pictures)), tuple(members))


def _product(row: Row[tuple[object, ...]], offers: Iterable[ShopOffer], pictures: Iterable[str]) -> Product:
    return Product(
        id=intern(row.id),
        title=intern(row.title),
        description=row.description,
        brand=intern(row.brand),
        product_type=intern(row.product_type),
        color=intern(row.color),
        material=intern(row.material),
        size=intern(row.size),
        gtin=row.gtin,
        adult=row.adult,
        rating=Rating(row.rating_value, row.rating_count or 0) if row.rating_value else None,
        offers=tuple(offers),
        pictures=tuple(map(intern, dict.fromkeys(pictures))),
    )
