"""Bing's objects as they stand in JSON, read and given back without loss (insights-api.md §7 to §9). Pure."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic.alias_generators import to_camel

Number = int | float | str | None
"""A JSON number as it came: 495 stays an integer. Bing sends words for missing ones in places."""


class Wire(BaseModel):
    """Every field may be missing, and unknown ones are kept: real answers hold what no reference lists (§9)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")

    type: str | None = Field(None, alias="_type")
    id: str | None = None
    read_link: str | None = None
    web_search_url: str | None = None

    @classmethod
    def read(cls, answer: Any) -> Self:
        """Raises pydantic.ValidationError."""
        return cls.model_validate(answer)

    def given(self) -> dict[str, Any]:
        """What was read, as it was read."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    def dump(self) -> dict[str, Any]:
        """What we send: no nulls (§1)."""
        return self.model_dump(by_alias=True, exclude_none=True)


class WireRating(Wire):
    """An AggregateRating."""

    rating_value: Number = None
    best_rating: Number = None
    review_count: Number = None
    text: str | None = None


class WireThumbnail(Wire):
    """An Image of which only address and size are told."""

    url: str | None = None
    thumbnail_url: str | None = None
    width: Number = None
    height: Number = None


class WireOrganization(Wire):
    name: str | None = None
    url: str | None = None
    description: str | None = None
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
    offer_count: Number = None
    offers: list["WireOffer"] | None = None


class WireQuery(Wire):
    """`searchUrl` is one reference's name of `searchLink`, `thumbnail.thumbnailUrl` images/search's of `thumbnail.url` (§7)."""

    text: str | None = None
    display_text: str | None = None
    search_link: str | None = None
    search_url: str | None = None
    thumbnail: WireThumbnail | None = None


class WireCaption(Wire):
    caption: str | None = None
    data_source_url: str | None = None
    related_searches: list[WireQuery] | None = None


class WireMatch(Wire):
    """Ours, in no answer of Bing's: how far a similar picture matches (`SameItem`, `SameKind`, `Similar`), and why."""

    band: str | None = None
    reasons: list[str] | None = None
    score: Number = None


class WireMetadata(Wire):
    shopping_sources_count: Number = None
    recipe_sources_count: Number = None
    pages_including_count: Number = None
    available_sizes_count: Number = None
    aggregate_offer: WireOffer | None = None
    best_representative_query: WireQuery | None = None
    video_object: dict[str, Any] | None = None
    match: WireMatch | None = None


class WireImage(Wire):
    """`insightsSourcesSummary` is version 5's name of `insightsMetadata`; `known` reads both (§7)."""

    name: str | None = None
    url: str | None = None
    thumbnail_url: str | None = None
    date_published: str | None = None
    is_family_friendly: bool | None = None
    content_url: str | None = None
    host_page_url: str | None = None
    content_size: str | None = None
    encoding_format: str | None = None
    host_page_display_url: str | None = None
    host_page_domain_friendly_name: str | None = None
    width: Number = None
    height: Number = None
    thumbnail: WireThumbnail | None = None
    image_insights_token: str | None = None
    insights_metadata: WireMetadata | None = None
    insights_sources_summary: WireMetadata | None = None
    image_id: str | None = None
    accent_color: str | None = None
    visual_words: str | None = None
    creative_commons: str | None = None
    aggregate_rating: WireRating | None = None

    @property
    def known(self) -> WireMetadata:
        return self.insights_metadata or self.insights_sources_summary or WireMetadata()


class WireTag(Wire):
    name: str | None = None


class WireImages(Wire):
    """An ImagesModule; with paging in Visual Search; the whole answer of images/search."""

    value: list[WireImage] = []
    current_offset: Number = None
    next_offset: Number = None
    total_estimated_matches: Number = None


class WireQueries(Wire):
    value: list[WireQuery] = []


class WireTags(Wire):
    value: list[WireTag] = []


class WirePerson(Wire):
    """`_type` is always "Person": it selects the type (§7)."""

    name: str | None = None
    url: str | None = None
    description: str | None = None
    image: WireImage | None = None
    job_title: str | None = None
    twitter_profile: str | None = None
    bing_id: str | None = None


class WireRecipe(Wire):
    name: str | None = None
    url: str | None = None
    description: str | None = None
    thumbnail_url: str | None = None
    creator: WirePerson | None = None
    aggregate_rating: WireRating | None = None
    cook_time: str | None = None
    prep_time: str | None = None
    total_time: str | None = None


class WireRecipes(Wire):
    value: list[WireRecipe] = []


class WireGallery(Wire):
    """An ImageGallery."""

    name: str | None = None
    url: str | None = None
    description: str | None = None
    thumbnail_url: str | None = None
    creator: WirePerson | None = None
    source: str | None = None
    images_count: Number = None
    followers_count: Number = None


class WireGalleries(Wire):
    value: list[WireGallery] = []


class WireRectangle(Wire):
    """A NormalizedRectangle: fractions of the whole image."""

    left: Number = None
    top: Number = None
    right: Number = None
    bottom: Number = None


class WireEntityMatch(Wire):
    """A RecognizedEntity."""

    entity: WirePerson | None = None
    match_confidence: Number = None


class WireEntityRegion(Wire):
    region: WireRectangle | None = None
    matching_entities: list[WireEntityMatch] | None = None


class WireEntityGroup(Wire):
    name: str | None = None
    recognized_entity_regions: list[WireEntityRegion] | None = None


class WireEntityGroups(Wire):
    value: list[WireEntityGroup] = []


class WireInsights(Wire):
    """An ImageInsights; `image` and `imageBasedRelatedSearches` are in no reference, but in real answers (§4.8)."""

    image_insights_token: str | None = None
    best_representative_query: WireQuery | None = None
    image_caption: WireCaption | None = None
    image_tags: WireTags | None = None
    image: WireImage | None = None
    pages_including: WireImages | None = None
    recipes: WireRecipes | None = None
    recognized_entity_groups: WireEntityGroups | None = None
    related_collections: WireGalleries | None = None
    related_searches: WireQueries | None = None
    image_based_related_searches: WireQueries | None = None
    shopping_sources: WireOffer | None = None
    visually_similar_images: WireImages | None = None
    visually_similar_products: WireImages | None = None
    answered_by: str | None = None
    """Ours, in no answer of Bing's: who found it, where several were asked."""


# ---------------------------------------------------------------- Visual Search (§8)


class WirePoint(Wire):
    x: Number = None
    y: Number = None


class WireQuad(Wire):
    """A NormalizedQuadrilateral."""

    top_left: WirePoint | None = None
    top_right: WirePoint | None = None
    bottom_right: WirePoint | None = None
    bottom_left: WirePoint | None = None


class WireTagRegion(Wire):
    query_rectangle: WireQuad | None = None
    display_rectangle: WireQuad | None = None


class WireEntity(Wire):
    """`data` of an Entity action."""

    name: str | None = None
    description: str | None = None
    bing_id: str | None = None
    image: WireImage | None = None
    contractual_rules: list[dict[str, Any]] | None = None


class WireTextWord(Wire):
    text: str | None = None
    bounding_box: WireQuad | None = None


class WireTextLine(WireTextWord):
    words: list[WireTextWord] | None = None


class WireTextRegion(Wire):
    bounding_box: WireQuad | None = None
    lines: list[WireTextLine] | None = None


class WireText(Wire):
    """A TextRegionsModule."""

    regions: list[WireTextRegion] | None = None
    bounding_box: WireQuad | None = None


class WireAction(Wire):
    """Any action; those of the types below have `data` as well. Only `actionType` is always there."""

    action_type: str
    display_name: str | None = None
    service_url: str | None = None
    url: str | None = None
    image: WireImage | None = None
    thumbnail_url: str | None = None
    date_published: str | None = None
    is_top_action: bool | None = None
    text: str | None = None


class WireModuleAction(WireAction):
    data: WireImages | None = None


class WireShoppingAction(WireAction):
    data: WireOffer | None = None


class WireRecipesAction(WireAction):
    data: WireRecipes | None = None


class WireSearchesAction(WireAction):
    data: WireQueries | None = None


class WireEntityAction(WireAction):
    main_entity: dict[str, Any] | None = None
    data: WireEntity | None = None


class WireTextAction(WireAction):
    data: WireText | None = None


_ACTIONS = {
    "ImageModuleAction",
    "ImageShoppingSourcesAction",
    "ImageRecipesAction",
    "ImageRelatedSearchesAction",
    "ImageEntityAction",
    "ImageKnowledge/TextRecognitionAction",
}


def _kind(action: Any) -> str:
    said = action.get("_type") if isinstance(action, dict) else action.type
    return said if said in _ACTIONS else "Action"


AnyAction = Annotated[
    Annotated[WireModuleAction, Tag("ImageModuleAction")]
    | Annotated[WireShoppingAction, Tag("ImageShoppingSourcesAction")]
    | Annotated[WireRecipesAction, Tag("ImageRecipesAction")]
    | Annotated[WireSearchesAction, Tag("ImageRelatedSearchesAction")]
    | Annotated[WireEntityAction, Tag("ImageEntityAction")]
    | Annotated[WireTextAction, Tag("ImageKnowledge/TextRecognitionAction")]
    | Annotated[WireAction, Tag("Action")],
    Discriminator(_kind),
]
"""By `_type`; the base class where it is absent or unknown (§9)."""


class WireImageTag(Wire):
    display_name: str | None = None
    image: WireImage | None = None
    bounding_box: WireTagRegion | None = None
    actions: list[AnyAction] | None = None
    sources: list[str] | None = None


class WireKnowledge(Wire):
    """An ImageKnowledge."""

    tags: list[WireImageTag] | None = None
    image: WireImage | None = None
    image_quality_hints: list[dict[str, Any]] | None = None


# ---------------------------------------------------------------- images/search and images/trending


class WireQueryContext(Wire):
    original_query: str | None = None
    altered_query: str | None = None


class WirePivot(Wire):
    pivot: str | None = None
    suggestions: list[WireQuery] | None = None


class WireFound(WireImages):
    """The answer of images/search."""

    query_context: WireQueryContext | None = None
    query_expansions: list[WireQuery] | None = None
    pivot_suggestions: list[WirePivot] | None = None
    similar_terms: list[WireQuery] | None = None
    related_searches: list[WireQuery] | None = None


class WireTile(Wire):
    query: WireQuery | None = None
    image: WireImage | None = None


class WireCategory(Wire):
    title: str | None = None
    tiles: list[WireTile] | None = None


class WireTrending(Wire):
    categories: list[WireCategory] | None = None


# ---------------------------------------------------------------- errors (§6)


class WireError(Wire):
    code: str | None = None
    sub_code: str | None = None
    message: str | None = None
    more_details: str | None = None
    parameter: str | None = None
    value: str | None = None


class WireErrorResponse(Wire):
    errors: list[WireError] | None = None
