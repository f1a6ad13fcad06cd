"""The catalogue in memory as the modules read it: products, offers, pictures, pages. Never changed, only replaced."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

from sqlalchemy import Row, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.insights import tables
from bot.insights.model import Availability, Rating

UNBUYABLE = frozenset({Availability.OUT_OF_STOCK, Availability.SOLD_OUT, Availability.DISCONTINUED})


@dataclass(frozen=True, slots=True)
class ShopOffer:
    """One shop's offer of a product. `id` is the feed's."""

    id: str
    title: str
    link: str
    price: Decimal | None
    currency: str
    availability: Availability | None
    seller: str
    last_seen: date

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

    def offers_in(self, currency: str) -> tuple[ShopOffer, ...]:
        """The offers of a market: what can be bought first, the cheapest of it first of all.

        A seller who states the same price twice counts once.
        """
        distinct = {(offer.seller, offer.price): offer for offer in reversed(self.offers) if offer.currency == currency}
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
        """Picture ids by the name of their file."""
        return {picture.content: picture.id for picture in list(self.pictures.values())[::-1]}

    @cached_property
    def by_gtin(self) -> Mapping[str, tuple[Product, ...]]:
        """Products by their GTIN in 14 digits."""
        found: defaultdict[str, list[Product]] = defaultdict(list)
        for product in self.products.values():
            if product.gtin:
                found[product.gtin.zfill(14)].append(product)
        return {gtin: tuple(products) for gtin, products in found.items()}

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
    offers: defaultdict[str, list[ShopOffer]] = defaultdict(list)
    for row in await _all(connection, tables.offers, "source", "position"):
        offers[row.product_id].append(_offer(row))
    kept = tables.pictures.c
    columns = (kept.id, kept.product_id, kept.content, kept.width, kept.height, kept.bytes, kept.accent, kept.published)
    pictures = {row.id: StoredPicture(*row) for row in await connection.execute(select(*columns).order_by(kept.id))}
    titles = {(row.source, row.url): HostPage(row.url, row.title) for row in await _all(connection, tables.pages, "url")}
    told = {(row.source, row.key): row for row in await _all(connection, tables.subjects, "source", "position", "key")}
    shown: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    members: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in await _all(connection, tables.subject_products, "position"):
        members[row.source, row.key].append(row.product_id)
    of_product: defaultdict[str, list[str]] = defaultdict(list)
    pages: defaultdict[str, list[HostPage]] = defaultdict(list)
    for row in await _all(connection, tables.picture_uses, "position", "source", "used_by"):
        if page := titles.get((row.source, row.used_by)):
            pages[row.picture_id].append(page)
        elif (row.source, row.used_by) in told:
            shown[row.source, row.used_by].append(row.picture_id)
        elif row.picture_id in pictures:
            of_product[pictures[row.picture_id].product_id].append(row.picture_id)
    related: defaultdict[str, list[str]] = defaultdict(list)
    for row in await _all(connection, tables.related_searches, "source", "position"):
        related[row.product_type].append(row.query)
    products = {
        row.id: _product(row, offers[row.id], of_product[row.id]) for row in await _all(connection, tables.products, "id")
    }
    return Shelf(
        products=products,
        subjects={
            row.key: _subject(row, shown[place], [key for key in members[place] if key in products], products)
            for place, row in reversed(told.items())
        },
        pictures=pictures,
        pages={picture_id: tuple(dict.fromkeys(found)) for picture_id, found in pages.items()},
        logos={row.name: row.logo for row in await _all(connection, tables.sellers, "name")},
        related={kind: tuple(dict.fromkeys(queries)) for kind, queries in related.items()},
    )


async def _all(connection: AsyncConnection, table: Table, *order: str) -> Iterable[Row[tuple[object, ...]]]:
    return await connection.execute(select(table).order_by(*(table.c[name] for name in order)))


def _offer(row: Row[tuple[object, ...]]) -> ShopOffer:
    return ShopOffer(
        id=row.id,
        title=row.title,
        link=row.link,
        price=Decimal(row.price) if row.price else None,
        currency=row.currency,
        availability=Availability(row.availability) if row.availability else None,
        seller=row.seller,
        last_seen=row.last_seen,
    )


def _subject(
    row: Row[tuple[object, ...]], pictures: Iterable[str], members: list[str], products: Mapping[str, Product]
) -> Subject:
    """A brand's products are those that name it."""
    facts = json.loads(row.facts)
    if facts.get("type") == "Brand":
        members = [key for key, product in products.items() if product.brand.casefold() == row.name.casefold()]
    return Subject(row.key, row.name, row.url, row.description, facts, tuple(dict.fromkeys(pictures)), tuple(members))


def _product(row: Row[tuple[object, ...]], offers: Iterable[ShopOffer], pictures: Iterable[str]) -> Product:
    return Product(
        id=row.id,
        title=row.title,
        description=row.description,
        brand=row.brand,
        product_type=row.product_type,
        color=row.color,
        material=row.material,
        size=row.size,
        gtin=row.gtin,
        adult=row.adult,
        rating=Rating(row.rating_value, row.rating_count or 0) if row.rating_value else None,
        offers=tuple(offers),
        pictures=tuple(dict.fromkeys(pictures)),
    )
