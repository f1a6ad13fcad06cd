"""What the engine is asked and what it answers, as plain data (insights-api.md §4, §7).

Bing's spelling lives in bing.py; here are the things themselves. An empty tuple or None means: not asked, or nothing found.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class Module(StrEnum):
    """A question to the engine, by Bing's name (insights-api.md §4)."""

    BRQ = "BRQ"
    CAPTION = "Caption"
    COLLECTIONS = "Collections"
    PAGES_INCLUDING = "PagesIncluding"
    RECIPES = "Recipes"
    RECOGNIZED_ENTITIES = "RecognizedEntities"
    RELATED_SEARCHES = "RelatedSearches"
    SHOPPING_SOURCES = "ShoppingSources"
    SIMILAR_IMAGES = "SimilarImages"
    SIMILAR_PRODUCTS = "SimilarProducts"
    TAGS = "Tags"


EVERYTHING = frozenset(Module) - {Module.RECOGNIZED_ENTITIES}
"""What `All` names: RecognizedEntities is asked for alone or not at all (insights-api.md §4)."""


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
    """One shop's offer. Money is decimal with its ISO 4217 currency and is never converted.

    was: what it cost before, in the same currency, where it is cheaper now. inferred: that it is of this product is told by
    picture and name alone. Neither is on the wire.
    """

    name: str
    url: str
    seller: Seller
    price: Decimal | None = None
    currency: str = ""
    availability: Availability | None = None
    last_updated: date | None = None
    description: str = ""
    was: Decimal | None = None
    inferred: bool = False


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
    related_searches: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    name: str


class Band(StrEnum):
    """How far a match goes, calibrated on the catalogue itself; what is less than similar is not shown."""

    SAME_ITEM = "SameItem"
    SAME_KIND = "SameKind"
    SIMILAR = "Similar"


class Reason(StrEnum):
    """What a match rests on beside its looks."""

    COPY = "Copy"
    CODE = "Code"
    TEXT = "Text"
    KIND = "Kind"
    COLOUR = "Colour"


@dataclass(frozen=True, slots=True)
class Match:
    """Why a picture is in an answer. reasons: the strongest first, none when it only looks alike; score: 0 to 1."""

    band: Band
    reasons: tuple[Reason, ...] = ()
    score: float = 0.0


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
    web_search_url: str = ""
    accent_color: str = ""
    host_name: str = ""
    family_friendly: bool = True
    shopping_sources_count: int = 0
    recipe_sources_count: int = 0
    pages_including_count: int = 0
    available_sizes_count: int = 0
    aggregate_offer: AggregateOffer | None = None
    rating: Rating | None = None
    match: Match | None = None


@dataclass(frozen=True, slots=True)
class Gallery:
    """A page that collects pictures: Bing's ImageGallery. Creator and source must be shown with it."""

    name: str
    url: str
    description: str = ""
    thumbnail_url: str = ""
    creator: str = ""
    source: str = ""
    images_count: int = 0
    followers_count: int = 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Times are ISO 8601 durations (`PT1H45M`)."""

    name: str
    url: str
    thumbnail_url: str = ""
    description: str = ""
    creator: str = ""
    rating: Rating | None = None
    cook_time: str = ""
    prep_time: str = ""
    total_time: str = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """Something the operator has enrolled by name. `kind` is schema.org's: Brand, Place, Product, VisualArtwork, Person."""

    id: str
    name: str
    kind: str
    description: str = ""
    url: str = ""
    image_url: str = ""
    image_host_page_url: str = ""
    image_width: int = 0
    image_height: int = 0
    job_title: str = ""
    web_search_url: str = ""


@dataclass(frozen=True, slots=True)
class EntityMatch:
    """`confidence` is 0 to 1."""

    entity: Entity
    confidence: float


@dataclass(frozen=True, slots=True)
class EntityRegion:
    """Where in the whole picture, and who or what it may be, the likeliest first."""

    box: Crop
    matches: tuple[EntityMatch, ...]


@dataclass(frozen=True, slots=True)
class EntityGroup:
    """Regions recognised in one way; `name` is Bing's: CelebRecognitionAnnotations (surer) or CelebrityAnnotations."""

    name: str
    regions: tuple[EntityRegion, ...]


class Shortfall(StrEnum):
    """Why live sources were not heard: they took too long, or have been asked enough today."""

    NONE = ""
    LATE = "late"
    SPENT = "spent"


OWN = "own"
"""The source that is the operator's catalogue."""


@dataclass(frozen=True, slots=True)
class Insights:
    """What is known about one picture. Lists hold the best first and are cut by the calibrated floor.

    source: who found it, where several could have (OWN, or the name of a live source). shortfall: why some of them did not say.
    """

    token: str
    best_query: Query | None = None
    caption: Caption | None = None
    tags: tuple[Tag, ...] = ()
    similar_images: tuple[ImageObject, ...] = ()
    similar_products: tuple[ImageObject, ...] = ()
    shopping_sources: tuple[Offer, ...] = ()
    pages_including: tuple[ImageObject, ...] = ()
    related_searches: tuple[Query, ...] = ()
    collections: tuple[Gallery, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    recognized_entities: tuple[EntityGroup, ...] = ()
    source: str = ""
    shortfall: Shortfall = Shortfall.NONE


# ---------------------------------------------------------------- Visual Search


@dataclass(frozen=True, slots=True)
class ImagePage:
    """A part of a longer list: `total` in all, this part from `offset`, the next from `next_offset` (total at the end)."""

    value: tuple[ImageObject, ...] = ()
    offset: int = 0
    next_offset: int = 0
    total: int = 0


Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
"""Top left, top right, bottom right, bottom left, as fractions of the picture's width and height."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    box: Quad


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    box: Quad
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class TextRegion:
    """Lines that belong together, as they are read."""

    box: Quad
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A barcode or QR code: what it says, its kind (`EAN-13`, `QR Code` …) and where it is. gtin: 14 digits, or empty."""

    text: str
    kind: str
    box: Quad
    gtin: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is written in a picture. missed: too much was waiting or it took too long, so there may be more."""

    text: tuple[TextRegion, ...] = ()
    codes: tuple[Code, ...] = ()
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Thing:
    """One object seen in a picture: its everyday name, where it is, the words to search for it, the entity it is, if any."""

    name: str
    box: Crop
    query: Query | None = None
    entity: Entity | None = None
    thumbnail_url: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What Visual Search answers (insights-api.md §8).

    insights: of the whole picture, without the two paged lists. image: the picture itself (ImageById), as far as it is known.
    more_sizes: the largest other copy. suggestions: DocumentLevelSuggestions. too_large: nothing was looked at, the picture has
    more pixels than we read.
    """

    token: str = ""
    insights: Insights = field(default_factory=lambda: Insights(""))
    image: ImageObject | None = None
    more_sizes: ImageObject | None = None
    similar_images: ImagePage = ImagePage()
    similar_products: ImagePage = ImagePage()
    suggestions: tuple[Query, ...] = ()
    things: tuple[Thing, ...] = ()
    reading: Reading = Reading()
    too_large: bool = False


@dataclass(frozen=True, slots=True)
class Skill:
    """One list of Visual Search, page by page: SIMILAR_IMAGES or SIMILAR_PRODUCTS, from `offset`, `count` at most (§8)."""

    module: Module
    offset: int = 0
    count: int = 35


# ---------------------------------------------------------------- pictures by words


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """Which pictures count; empty and 0 mean any. Sides in pixels, sizes of files in bytes. Words are Bing's, lower case.

    size: small, medium, large, wallpaper. aspect: square, wide, tall. color: coloronly, monochrome or one of Bing's words.
    """

    size: str = ""
    aspect: str = ""
    color: str = ""
    image_type: str = ""
    image_content: str = ""
    license: str = ""
    freshness: str = ""
    width: int = 0
    height: int = 0
    min_width: int = 0
    max_width: int = 0
    min_height: int = 0
    max_height: int = 0
    min_file_size: int = 0
    max_file_size: int = 0


ANY = ImageFilter()


@dataclass(frozen=True, slots=True)
class Found:
    """Pictures for words (`images/search`). corrected: the words as they were understood, when they were misspelt."""

    page: ImagePage
    related: tuple[Query, ...] = ()
    corrected: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """Words people look for, with a picture (`images/trending`)."""

    query: Query
    image: ImageObject


@dataclass(frozen=True, slots=True)
class Category:
    title: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """One product with one offer, as a person tells it. source and id name it for ever; money as in Offer."""

    source: str
    id: str
    title: str
    price: Decimal | None = None
    currency: str = ""
    link: str = ""
    description: str = ""
    seller: str = ""


class Goods(Protocol):
    """The catalogue, changed an article at a time: what is put in is found at once, what is taken out no more."""

    async def put(self, article: Article, pictures: Sequence[bytes]) -> None:
        """Bring it in, or change what it said before.

        Raises NotAPicture or TooLarge with a sentence for the person, Unavailable when the engine cannot look now.
        """
        ...

    async def take_out(self, source: str, article: str = "") -> int:
        """An article, or all of a source: how many went."""
        ...


@dataclass(frozen=True, slots=True)
class ShopPage:
    """A page that offers a product: the product as the catalogue shows it, and this page's own offer."""

    product: ImageObject
    offer: Offer


class Shop(Protocol):
    """Whoever knows which product an address is about."""

    async def at(self, url: str, *, market: str = "en-US") -> ShopPage | None:
        """None for an address that the catalogue does not know, and for a product that it cannot show."""
        ...


@dataclass(frozen=True, slots=True)
class Outside:
    """That a picture may leave this machine when the catalogue has nothing.

    team: on whose behalf. early: is told what the catalogue says, before anybody else is asked.
    """

    team: str
    early: Callable[[Insights], Awaitable[None]]


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
        language: str = "en",
        safe_search: SafeSearch = SafeSearch.MODERATE,
        outside: Outside | None = None,
    ) -> Insights:
        """Answer the modules about the picture. Without `outside` nobody else is asked about it.

        Raises NotAPicture, TooLarge, CannotFetch, UnknownToken or InvalidValue when the question cannot be answered,
        Unavailable when the engine cannot answer now.
        """
        ...

    async def search(
        self,
        words: str,
        *,
        count: int = 35,
        market: str = "en-US",
        language: str = "en",
        safe_search: SafeSearch = SafeSearch.MODERATE,
    ) -> Found:
        """Pictures of the catalogue for words, each with what its product costs.

        Raises Unavailable when the engine cannot answer now.
        """
        ...

    async def things(self, picture: Picture, *, market: str = "en-US") -> Sequence[Thing]:
        """What is seen apart in the picture, each with its place; raises what `insights` does."""
        ...
