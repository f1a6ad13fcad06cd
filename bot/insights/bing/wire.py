"""Bing's objects as they stand in JSON, read and given back without loss (insights-api.md §7 to §9). Pure."""

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


def _soft(value: Any) -> Any:
    """Bing sends words for missing things in places; an empty string is no number."""
    return None if value == "" else value


Number = Annotated[float | None, BeforeValidator(_soft)]


class Wire(BaseModel):
    """Every field may be missing, and unknown ones are kept: real answers hold what no reference lists (§9)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")

    def dump(self) -> dict[str, Any]:
        """As JSON: no nulls, nothing that was never set (§1)."""
        return self.model_dump(by_alias=True, exclude_none=True)


class WireRating(Wire):
    rating_value: Number = None
    best_rating: Number = None
    review_count: int | None = None


class WireThumbnail(Wire):
    url: str | None = None
    thumbnail_url: str | None = None
    width: int | None = None
    height: int | None = None


class WireOrganization(Wire):
    name: str | None = None
    image: WireThumbnail | None = None


class WireOffer(Wire):
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


class WireQuery(Wire):
    text: str | None = None
    display_text: str | None = None
    web_search_url: str | None = None
    search_link: str | None = Field(None, validation_alias=AliasChoices("searchLink", "searchUrl", "search_link"))
    thumbnail: WireThumbnail | None = None


class WireCaption(Wire):
    caption: str | None = None
    data_source_url: str | None = None
    related_searches: list[WireQuery] | None = None


class WireMetadata(Wire):
    shopping_sources_count: int | None = None
    recipe_sources_count: int | None = None
    pages_including_count: int | None = None
    available_sizes_count: int | None = None
    aggregate_offer: WireOffer | None = None


class WireImage(Wire):
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


class WireTag(Wire):
    name: str | None = None


class WireImages(Wire):
    value: list[WireImage] = []


class WireQueries(Wire):
    value: list[WireQuery] = []


class WireTags(Wire):
    value: list[WireTag] = []


class WireInsights(Wire):
    type: str | None = Field(None, alias="_type")
    image_insights_token: str | None = None
    best_representative_query: WireQuery | None = None
    image_caption: WireCaption | None = None
    image_tags: WireTags | None = None
    pages_including: WireImages | None = None
    related_searches: WireQueries | None = None
    shopping_sources: WireOffer | None = None
    visually_similar_images: WireImages | None = None
    visually_similar_products: WireImages | None = None
