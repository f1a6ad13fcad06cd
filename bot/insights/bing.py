"""Bing's spelling, and nothing else: requests read, answers written and read, errors (insights-api.md). Pure."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from bot.errors import CannotFetch, Error, InvalidValue, NotAPicture, RateLimited, TooLarge, Unavailable, UnknownToken, UserError
from bot.insights.model import (
    AggregateOffer,
    Availability,
    Caption,
    Crop,
    ImageObject,
    Insights,
    Module,
    Offer,
    Query,
    Rating,
    SafeSearch,
    Seller,
    Tag,
)

MAX_IMAGE_BYTES = 1_048_576
_MARKETS = (
    "es-AR en-AU de-AT nl-BE fr-BE pt-BR en-CA fr-CA es-CL da-DK fi-FI fr-FR de-DE zh-HK en-IN en-ID it-IT ja-JP ko-KR "
    "en-MY es-MX nl-NL en-NZ no-NO zh-CN pl-PL en-PH ru-RU en-ZA es-ES sv-SE fr-CH de-CH zh-TW tr-TR en-GB en-US es-US"
)
MARKETS = tuple(_MARKETS.split())
DEFAULT_MARKET = "en-US"
UNNAMED = frozenset({Module.BRQ, Module.CAPTION})
"""What is answered when no module is named (§4.5)."""

_ALONE = "RecognizedEntities"
_WITHOUT_DATA = frozenset({"collections", "collection", "recipes", _ALONE.lower()})
_BY_NAME = {module.lower(): module for module in Module}
_FIRST_PER_LANGUAGE = {"en": "en-US", "es": "es-ES", "fr": "fr-FR", "de": "de-DE", "pt": "pt-BR", "nl": "nl-NL", "zh": "zh-CN"}
_EDGES = {"cal": "left", "cat": "top", "car": "right", "cab": "bottom"}
_FRACTION = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


class Missing(InvalidValue):
    """A required parameter did not come."""

    def __init__(self, parameter: str, text: str) -> None:
        super().__init__(parameter, "", text)


# ---------------------------------------------------------------- what is asked


@dataclass(frozen=True, slots=True)
class Question:
    """The query string of a details request, read. `token` and `url` are empty when the picture is in the body."""

    token: str
    url: str
    query: str
    modules: frozenset[Module]
    crop: Crop
    market: str
    safe_search: SafeSearch


def read_question(
    parameters: Iterable[tuple[str, str]], *, accept_language: str = "", default_market: str = DEFAULT_MARKET
) -> Question:
    """Names and values without regard to case; the first of a repeated name counts (§1, §3). Raises InvalidValue."""
    given: dict[str, str] = {}
    for name, value in parameters:
        given.setdefault(name.lower(), value.strip())
    safe_search = {word.lower(): word for word in SafeSearch}.get(given.get("safesearch", "").lower() or "moderate")
    if safe_search is None:
        raise InvalidValue("safeSearch", given["safesearch"], "safeSearch is Off, Moderate or Strict.")
    return Question(
        token=given.get("insightstoken", ""),
        url=given.get("imgurl", ""),
        query=given.get("q", ""),
        modules=read_modules(given.get("modules", "")),
        crop=_crop(given),
        market=best_market(given.get("mkt", ""), given.get("cc", ""), accept_language, default_market),
        safe_search=safe_search,
    )


def read_modules(text: str) -> frozenset[Module]:
    """The comma list of §4; names of which we hold no data are valid and ask for nothing. Raises InvalidValue."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        return UNNAMED
    found: set[Module] = set()
    for name in names:
        key = name.lower()
        if key == "all":
            found.update(Module)
        elif key in _BY_NAME:
            found.add(_BY_NAME[key])
        elif key not in _WITHOUT_DATA:
            raise InvalidValue("modules", name, f"Name modules from this list: All, {', '.join(Module)}.")
    return frozenset(found)


def _crop(given: Mapping[str, str]) -> Crop:
    edges = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}
    for name, edge in _EDGES.items():
        text = given.get(name, "")
        if not text:
            continue
        number = float(text) if _FRACTION.fullmatch(text) else math.nan
        if not 0 <= number <= 1:
            raise InvalidValue(name, text, f"{name} is a fraction of the picture's size, between 0 and 1.")
        edges[edge] = number
    crop = Crop(**edges)
    for low, high, name in ((crop.left, crop.right, "car"), (crop.top, crop.bottom, "cab")):
        if low >= high:
            raise InvalidValue(name, given.get(name, ""), "The crop is empty: left must be less than right, top than bottom.")
    return crop


def best_market(mkt: str, cc: str = "", accept_language: str = "", default: str = DEFAULT_MARKET) -> str:
    """The market used, in canonical case: never an error, the best fit instead (§3)."""
    known = {market.lower(): market for market in MARKETS}
    languages = [part.partition(";")[0].strip().lower().partition("-")[0] for part in accept_language.split(",")]
    if mkt:
        language, _, country = mkt.lower().replace("_", "-").partition("-")
        languages, cc = [language], country
    candidates = [f"{language}-{cc.lower()}" for language in languages]
    for candidate in candidates:
        if candidate in known:
            return known[candidate]
    if cc:  # a known country in another language is nearer than another country: currency and shops are the country's
        for market in MARKETS:
            if market.endswith(f"-{cc.upper()}"):
                return market
    if mkt:
        language = languages[0]
        return _FIRST_PER_LANGUAGE.get(language) or next((m for m in MARKETS if m.startswith(f"{language}-")), default)
    return default


# ---------------------------------------------------------------- what is answered


def _soft(value: Any) -> Any:
    """Bing sends words for missing things in places; an empty string is no number."""
    return None if value == "" else value


Number = Annotated[float | None, BeforeValidator(_soft)]


class _Wire(BaseModel):
    """Every field may be missing, and unknown ones are kept: real answers hold what no reference lists (§9)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")

    def dump(self) -> dict[str, Any]:
        """As JSON: no nulls, nothing that was never set (§1)."""
        return self.model_dump(by_alias=True, exclude_none=True)


class WireRating(_Wire):
    rating_value: Number = None
    best_rating: Number = None
    review_count: int | None = None


class WireThumbnail(_Wire):
    url: str | None = None
    thumbnail_url: str | None = None
    width: int | None = None
    height: int | None = None


class WireOrganization(_Wire):
    name: str | None = None
    image: WireThumbnail | None = None


class WireOffer(_Wire):
    """An Offer, and an AggregateOffer, which is an Offer with a list."""

    name: str | None = None
    url: str | None = None
    description: str | None = None
    seller: WireOrganization | None = None
    price: Number = None
    price_currency: str | None = None
    availability: str | None = None
    aggregate_rating: WireRating | None = None
    last_updated: str | None = None
    low_price: Number = None
    high_price: Number = None
    offer_count: int | None = None
    offers: list["WireOffer"] | None = None


class WireQuery(_Wire):
    text: str | None = None
    display_text: str | None = None
    web_search_url: str | None = None
    search_link: str | None = Field(None, validation_alias=AliasChoices("searchLink", "searchUrl", "search_link"))
    thumbnail: WireThumbnail | None = None


class WireCaption(_Wire):
    caption: str | None = None
    data_source_url: str | None = None
    related_searches: list[WireQuery] | None = None


class WireMetadata(_Wire):
    shopping_sources_count: int | None = None
    recipe_sources_count: int | None = None
    pages_including_count: int | None = None
    available_sizes_count: int | None = None
    aggregate_offer: WireOffer | None = None


class WireImage(_Wire):
    name: str | None = None
    web_search_url: str | None = None
    thumbnail_url: str | None = None
    date_published: str | None = None
    content_url: str | None = None
    host_page_url: str | None = None
    content_size: str | None = None
    encoding_format: str | None = None
    host_page_display_url: str | None = None
    width: int | None = None
    height: int | None = None
    thumbnail: WireThumbnail | None = None
    image_insights_token: str | None = None
    insights_metadata: WireMetadata | None = Field(
        None, validation_alias=AliasChoices("insightsMetadata", "insightsSourcesSummary", "insights_metadata")
    )
    image_id: str | None = None
    accent_color: str | None = None
    is_family_friendly: bool | None = None
    aggregate_rating: WireRating | None = None


class WireTag(_Wire):
    name: str | None = None


class _Images(_Wire):
    value: list[WireImage] = []


class _Queries(_Wire):
    value: list[WireQuery] = []


class _Tags(_Wire):
    value: list[WireTag] = []


class WireInsights(_Wire):
    type: str | None = Field(None, alias="_type")
    image_insights_token: str | None = None
    best_representative_query: WireQuery | None = None
    image_caption: WireCaption | None = None
    image_tags: _Tags | None = None
    pages_including: _Images | None = None
    related_searches: _Queries | None = None
    shopping_sources: WireOffer | None = None
    visually_similar_images: _Images | None = None
    visually_similar_products: _Images | None = None


def to_wire(insights: Insights) -> dict[str, Any]:
    """The ImageInsights of an answer. A module without data is left out (§4.2)."""
    return WireInsights(
        type="ImageInsights",
        image_insights_token=insights.token,
        best_representative_query=_query(insights.best_query) if insights.best_query else None,
        image_caption=_caption(insights.caption) if insights.caption else None,
        image_tags=_Tags(value=[WireTag(name=tag.name) for tag in insights.tags]) if insights.tags else None,
        pages_including=_images(insights.pages_including),
        related_searches=_Queries(value=[_query(query) for query in insights.related_searches])
        if insights.related_searches
        else None,
        shopping_sources=WireOffer(offers=[_offer(offer) for offer in insights.shopping_sources])
        if insights.shopping_sources
        else None,
        visually_similar_images=_images(insights.similar_images),
        visually_similar_products=_images(insights.similar_products),
    ).dump()


def from_wire(answer: Any) -> Insights:
    """An ImageInsights as anybody of this wire sends it. Raises Unavailable when it is not one."""
    try:
        wire = WireInsights.model_validate(answer)
    except ValidationError:
        raise Unavailable("The insights service answered something I don't understand.") from None
    return Insights(
        token=wire.image_insights_token or "",
        best_query=_query_back(wire.best_representative_query) if wire.best_representative_query else None,
        caption=Caption(wire.image_caption.caption, wire.image_caption.data_source_url or "")
        if wire.image_caption and wire.image_caption.caption
        else None,
        tags=tuple(Tag(tag.name) for tag in wire.image_tags.value if tag.name) if wire.image_tags else (),
        similar_images=_images_back(wire.visually_similar_images),
        similar_products=_images_back(wire.visually_similar_products),
        shopping_sources=tuple(_offer_back(offer) for offer in wire.shopping_sources.offers or ())
        if wire.shopping_sources
        else (),
        pages_including=_images_back(wire.pages_including),
        related_searches=tuple(_query_back(query) for query in wire.related_searches.value) if wire.related_searches else (),
    )


def _query(query: Query) -> WireQuery:
    return WireQuery(
        text=query.text,
        display_text=query.display_text,
        web_search_url=query.web_search_url or None,
        search_link=query.search_link or None,
        thumbnail=WireThumbnail(url=query.thumbnail_url) if query.thumbnail_url else None,
    )


def _query_back(wire: WireQuery) -> Query:
    thumbnail = wire.thumbnail or WireThumbnail()
    return Query(
        text=wire.text or wire.display_text or "",
        display_text=wire.display_text or wire.text or "",
        web_search_url=wire.web_search_url or "",
        search_link=wire.search_link or "",
        thumbnail_url=thumbnail.url or thumbnail.thumbnail_url or "",
    )


def _caption(caption: Caption) -> WireCaption:
    return WireCaption(caption=caption.caption, data_source_url=caption.data_source_url or None)


def _rating(rating: Rating | None) -> WireRating | None:
    if rating is None:
        return None
    return WireRating(rating_value=rating.value, best_rating=rating.best, review_count=rating.count or None)


def _rating_back(wire: WireRating | None) -> Rating | None:
    if wire is None or wire.rating_value is None:
        return None
    return Rating(wire.rating_value, wire.review_count or 0, wire.best_rating or 5.0)


def _offer(offer: Offer) -> WireOffer:
    seller = WireOrganization(
        name=offer.seller.name or None, image=WireThumbnail(url=offer.seller.logo_url) if offer.seller.logo_url else None
    )
    return WireOffer(
        name=offer.name,
        url=offer.url or None,
        description=offer.description or None,
        seller=seller,
        price=None if offer.price is None else float(offer.price),
        price_currency=offer.currency or None,
        availability=offer.availability,
        last_updated=f"{offer.last_updated.isoformat()}T00:00:00.0000000" if offer.last_updated else None,
    )


def _offer_back(wire: WireOffer) -> Offer:
    seller = wire.seller or WireOrganization()
    try:
        updated = date.fromisoformat((wire.last_updated or "")[:10])
    except ValueError:
        updated = None
    return Offer(
        name=wire.name or "",
        url=wire.url or "",
        seller=Seller(seller.name or "", (seller.image.url or seller.image.thumbnail_url or "") if seller.image else ""),
        price=_money(wire.price),
        currency=wire.price_currency or "",
        availability=Availability(wire.availability) if wire.availability in set(Availability) else None,
        last_updated=updated,
        description=wire.description or "",
    )


def _aggregate(offer: AggregateOffer) -> WireOffer:
    return WireOffer(
        name=offer.name,
        price_currency=offer.currency,
        low_price=float(offer.low_price),
        high_price=float(offer.high_price),
        offer_count=offer.offer_count,
        aggregate_rating=_rating(offer.rating),
    )


def _aggregate_back(wire: WireOffer | None) -> AggregateOffer | None:
    """Foreign answers lack any of it; without a price there is nothing to say."""
    if wire is None:
        return None
    prices = [offer.price for offer in wire.offers or () if offer.price is not None]
    low = _first(_money(wire.low_price), _money(wire.price), _money(min(prices, default=None)))
    if low is None:
        return None
    return AggregateOffer(
        name=wire.name or "",
        currency=wire.price_currency or "",
        low_price=low,
        high_price=_first(_money(wire.high_price), _money(max(prices, default=None)), low) or low,
        offer_count=wire.offer_count or len(wire.offers or ()) or 1,
        rating=_rating_back(wire.aggregate_rating),
    )


def _first(*amounts: Decimal | None) -> Decimal | None:
    return next((amount for amount in amounts if amount is not None), None)


def _money(number: float | None) -> Decimal | None:
    """A JSON number as it was written: 14.95 is fourteen ninety-five."""
    return None if number is None or not math.isfinite(number) else Decimal(repr(number)).normalize() + 0


def _images(images: tuple[ImageObject, ...]) -> _Images | None:
    return _Images(value=[_image(image) for image in images]) if images else None


def _images_back(wire: _Images | None) -> tuple[ImageObject, ...]:
    return tuple(_image_back(image) for image in wire.value) if wire else ()


def _image(image: ImageObject) -> WireImage:
    metadata = WireMetadata(
        shopping_sources_count=image.shopping_sources_count or None,
        recipe_sources_count=image.recipe_sources_count or None,
        pages_including_count=image.pages_including_count or None,
        available_sizes_count=image.available_sizes_count or None,
        aggregate_offer=_aggregate(image.aggregate_offer) if image.aggregate_offer else None,
    )
    return WireImage(
        name=image.name,
        thumbnail_url=image.thumbnail_url or None,
        date_published=image.date_published or None,
        content_url=image.content_url or None,
        host_page_url=image.host_page_url or None,
        content_size=f"{image.content_size} B" if image.content_size else None,
        encoding_format=image.encoding_format or None,
        host_page_display_url=image.host_page_display_url or None,
        width=image.width or None,
        height=image.height or None,
        thumbnail=WireThumbnail(width=image.thumbnail_width, height=image.thumbnail_height) if image.thumbnail_width else None,
        image_insights_token=image.token or None,
        insights_metadata=metadata if metadata.dump() else None,
        image_id=image.image_id or None,
        accent_color=image.accent_color or None,
        is_family_friendly=image.family_friendly,
        aggregate_rating=_rating(image.rating),
    )


def _image_back(wire: WireImage) -> ImageObject:
    metadata = wire.insights_metadata or WireMetadata()
    thumbnail = wire.thumbnail or WireThumbnail()
    size = (wire.content_size or "").partition(" ")[0]
    return ImageObject(
        token=wire.image_insights_token or "",
        name=wire.name or "",
        content_url=wire.content_url or "",
        thumbnail_url=wire.thumbnail_url or "",
        host_page_url=wire.host_page_url or "",
        host_page_display_url=wire.host_page_display_url or "",
        date_published=wire.date_published or "",
        content_size=int(size) if size.isascii() and size.isdigit() and len(size) < 16 else 0,  # noqa: PLR2004 (petabytes)
        encoding_format=wire.encoding_format or "",
        width=wire.width or 0,
        height=wire.height or 0,
        thumbnail_width=thumbnail.width or 0,
        thumbnail_height=thumbnail.height or 0,
        image_id=wire.image_id or "",
        accent_color=wire.accent_color or "",
        family_friendly=wire.is_family_friendly is not False,
        shopping_sources_count=metadata.shopping_sources_count or 0,
        recipe_sources_count=metadata.recipe_sources_count or 0,
        pages_including_count=metadata.pages_including_count or 0,
        available_sizes_count=metadata.available_sizes_count or 0,
        aggregate_offer=_aggregate_back(metadata.aggregate_offer),
        rating=_rating_back(wire.aggregate_rating),
    )


# ---------------------------------------------------------------- what goes wrong


@dataclass(frozen=True, slots=True)
class Refusal:
    """An ErrorResponse: its HTTP status and what it says (§6)."""

    status: int
    code: str
    sub_code: str = ""
    message: str = ""
    more_details: str = ""
    parameter: str = ""
    value: str = ""
    retry_after: int = 0

    def wire(self) -> dict[str, Any]:
        said = {
            "code": self.code,
            "subCode": self.sub_code,
            "message": self.message,
            "moreDetails": self.more_details,
            "parameter": self.parameter,
            "value": self.value,
        }
        return {"_type": "ErrorResponse", "errors": [{name: text for name, text in said.items() if text}]}


UNAUTHORIZED = Refusal(
    401,
    "InvalidAuthorization",
    "AuthorizationMissing",
    "Authorization is required.",
    "Subscription key is not recognized.",
)
UNEXPECTED = Refusal(500, "ServerError", "UnexpectedError", "Something went wrong on our side.")
BUSY = Refusal(503, "ServerError", "ResourceError", "The service is busy.", "Ask again in a moment.", retry_after=1)


def refusal_for(error: Exception, *, picture: str) -> Refusal:
    """What an error of ours says on the wire. `picture`: the parameter that named the picture."""
    invalid = Refusal(400, "InvalidRequest", "ParameterInvalidValue", "Parameter has invalid value.")
    match error:
        case Missing():
            return Refusal(
                400, "InvalidRequest", "ParameterMissing", "Required parameter is missing.", str(error), error.parameter
            )
        case InvalidValue():
            return _about(invalid, str(error), error.parameter, error.value)
        case UnknownToken():
            return _about(invalid, str(error), "insightsToken")
        case CannotFetch():
            return _about(invalid, "The address cannot be opened, or may not be.", "imgUrl")
        case NotAPicture() | TooLarge():
            return _about(invalid, str(error), picture)
        case UserError():
            return Refusal(400, "InvalidRequest", "ParameterInvalidValue", "The request cannot be answered.", str(error))
        case RateLimited():
            wait = max(1, math.ceil(error.retry_after))
            return Refusal(429, "RateLimitExceeded", "", "Too many requests.", "Ask again later.", retry_after=wait)
        case Unavailable():
            return BUSY
        case _:
            return UNEXPECTED


def _about(base: Refusal, details: str, parameter: str, value: str = "") -> Refusal:
    shown = value.encode("utf-8", "replace").decode()[:200]
    return Refusal(base.status, base.code, base.sub_code, base.message, details, parameter, shown)


def refusal_for_status(status: int) -> Refusal:
    """For what the web framework refuses by itself."""
    words = {
        404: "There is nothing at this address.",
        405: "This method is not allowed here.",
        408: "The request took too long to arrive.",
        413: "The request is too large.",
        415: "This content type or encoding is not read here.",
        417: "This expectation is not met here.",
    }
    if status >= 500:  # noqa: PLR2004 (server errors)
        return Refusal(status, UNEXPECTED.code, UNEXPECTED.sub_code, UNEXPECTED.message)
    return Refusal(status, "InvalidRequest", "", words.get(status, "The request cannot be answered."))


def error_from_wire(status: int, body: bytes, retry_after: str = "") -> Error:
    """What a foreign answer that is not an ImageInsights means: three shapes of error, HTML, nothing at all (§6)."""
    if status == 429 or (status == 403 and retry_after):  # noqa: PLR2004
        wait = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 1.0
        return RateLimited("The insights service asks me to slow down.", min(wait, 3600.0))
    said = _first_error(body)
    if status == 400:  # noqa: PLR2004
        parameter = str(said.get("parameter", ""))
        if parameter.lower() in {"insightstoken", "imageinsightstoken"} and "picture again" not in str(said.get("moreDetails")):
            return UnknownToken()
        if parameter.lower() in {"imgurl", "url"}:
            return CannotFetch()
        details = str(said.get("moreDetails") or said.get("message") or "The insights service does not accept this.")[:300]
        if parameter == "image":
            return TooLarge(details) if "large" in details.lower() else NotAPicture()
        if parameter:
            return InvalidValue(parameter, str(said.get("value", "")), details)
    if status in {401, 403}:
        return Unavailable("The insights service does not accept our key. Check INSIGHTS_KEY.")
    return Unavailable(f"The insights service cannot answer (status {status}).")


def _first_error(body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    errors = answer.get("errors") if isinstance(answer, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else answer
    return first if isinstance(first, dict) else {}
