"""What the engine is asked and what it answers, as plain data (insights-api.md §4, §7).

Bing's spelling lives in bing.py; here are the things themselves. An empty tuple or None means: not asked, or nothing found.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class Module(StrEnum):
    """A question to the engine, by Bing's name (insights-api.md §4)."""

    BRQ = "BRQ"
    CAPTION = "Caption"
    PAGES_INCLUDING = "PagesIncluding"
    RELATED_SEARCHES = "RelatedSearches"
    SHOPPING_SOURCES = "ShoppingSources"
    SIMILAR_IMAGES = "SimilarImages"
    SIMILAR_PRODUCTS = "SimilarProducts"
    TAGS = "Tags"


class SafeSearch(StrEnum):
    OFF = "Off"
    MODERATE = "Moderate"
    STRICT = "Strict"


class Availability(StrEnum):
    """Bing's eight words (insights-api.md §7, Offer)."""

    DISCONTINUED = "Discontinued"
    IN_STOCK = "InStock"
    IN_STORE_ONLY = "InStoreOnly"
    LIMITED = "LimitedAvailability"
    ONLINE_ONLY = "OnlineOnly"
    OUT_OF_STOCK = "OutOfStock"
    PRE_ORDER = "PreOrder"
    SOLD_OUT = "SoldOut"


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture as the bytes of its file, any format we read."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Url:
    """A picture by its address; fetched by the one fetcher."""

    url: str


@dataclass(frozen=True, slots=True)
class Token:
    """A picture the engine has answered about before, or one of the catalogue's."""

    token: str


Picture = Upload | Url | Token


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture, as fractions of its width and height from the top left corner."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0


WHOLE = Crop()


@dataclass(frozen=True, slots=True)
class Rating:
    value: float
    count: int = 0
    best: float = 5.0


@dataclass(frozen=True, slots=True)
class Seller:
    name: str
    logo_url: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """One shop's offer. Money is decimal with its ISO 4217 currency and is never converted."""

    name: str
    url: str
    seller: Seller
    price: Decimal | None = None
    currency: str = ""
    availability: Availability | None = None
    last_updated: date | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class AggregateOffer:
    """A product's offers in one market, summed up: lowest and highest price, how many."""

    name: str
    currency: str
    low_price: Decimal
    high_price: Decimal
    offer_count: int
    rating: Rating | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Words to search for, and where."""

    text: str
    display_text: str
    web_search_url: str = ""
    search_link: str = ""
    thumbnail_url: str = ""


@dataclass(frozen=True, slots=True)
class Caption:
    """Its source must be shown with it."""

    caption: str
    data_source_url: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    name: str


@dataclass(frozen=True, slots=True)
class ImageObject:
    """A picture of the catalogue, as found (insights-api.md §7, Image). Sizes in pixels, content_size in bytes."""

    token: str
    name: str
    content_url: str
    thumbnail_url: str
    host_page_url: str = ""
    host_page_display_url: str = ""
    date_published: str = ""
    content_size: int = 0
    encoding_format: str = ""
    width: int = 0
    height: int = 0
    thumbnail_width: int = 0
    thumbnail_height: int = 0
    image_id: str = ""
    accent_color: str = ""
    family_friendly: bool = True
    shopping_sources_count: int = 0
    recipe_sources_count: int = 0
    pages_including_count: int = 0
    available_sizes_count: int = 0
    aggregate_offer: AggregateOffer | None = None
    rating: Rating | None = None


@dataclass(frozen=True, slots=True)
class Insights:
    """What is known about one picture. Lists hold the best first and are cut by the calibrated floor."""

    token: str
    best_query: Query | None = None
    caption: Caption | None = None
    tags: tuple[Tag, ...] = ()
    similar_images: tuple[ImageObject, ...] = ()
    similar_products: tuple[ImageObject, ...] = ()
    shopping_sources: tuple[Offer, ...] = ()
    pages_including: tuple[ImageObject, ...] = ()
    related_searches: tuple[Query, ...] = ()


class InsightsClient(Protocol):
    """The seam between bot and engine: in process, over HTTP to our own service, or to anything of the same wire."""

    async def insights(
        self,
        picture: Picture,
        modules: Collection[Module],
        *,
        crop: Crop = WHOLE,
        query: str = "",
        market: str = "en-US",
        safe_search: SafeSearch = SafeSearch.MODERATE,
    ) -> Insights:
        """Answer the modules about the picture.

        Raises NotAPicture, TooLarge, CannotFetch, UnknownToken or InvalidValue when the question cannot be answered,
        Unavailable when the engine cannot answer now.
        """
        ...
