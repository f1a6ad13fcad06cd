"""Answers of ours in Bing's spelling, and anybody's of this wire read back (insights-api.md §7). Pure."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from bot.errors import Unavailable
from bot.insights.bing.wire import (
    Number,
    WireCaption,
    WireEntityGroup,
    WireEntityGroups,
    WireEntityMatch,
    WireEntityRegion,
    WireFound,
    WireGalleries,
    WireGallery,
    WireImage,
    WireImages,
    WireInsights,
    WireMatch,
    WireMetadata,
    WireOffer,
    WireOrganization,
    WirePerson,
    WireQueries,
    WireQuery,
    WireRating,
    WireRecipe,
    WireRecipes,
    WireRectangle,
    WireTag,
    WireTags,
    WireThumbnail,
)
from bot.insights.model import (
    WHOLE,
    AggregateOffer,
    Availability,
    Band,
    Caption,
    Crop,
    Entity,
    EntityGroup,
    EntityMatch,
    EntityRegion,
    Found,
    Gallery,
    ImageObject,
    ImagePage,
    Insights,
    Match,
    Offer,
    Query,
    Rating,
    Reason,
    Recipe,
    Seller,
    Tag,
    Thing,
)


def to_wire(insights: Insights) -> dict[str, Any]:
    """The ImageInsights of an answer. A module without data is left out (§4.2)."""
    return insights_wire(insights).dump()


def insights_wire(insights: Insights) -> WireInsights:
    return WireInsights(
        type="ImageInsights",
        image_insights_token=insights.token,
        best_representative_query=query_wire(insights.best_query) if insights.best_query else None,
        image_caption=_caption(insights.caption) if insights.caption else None,
        image_tags=WireTags(value=[WireTag(name=tag.name) for tag in insights.tags]) if insights.tags else None,
        pages_including=_images(insights.pages_including),
        recipes=recipes_wire(insights.recipes),
        recognized_entity_groups=_groups(insights.recognized_entities),
        related_collections=_galleries(insights.collections),
        related_searches=queries_wire(insights.related_searches) if insights.related_searches else None,
        shopping_sources=offers_wire(insights.shopping_sources) if insights.shopping_sources else None,
        visually_similar_images=_images(insights.similar_images),
        visually_similar_products=_images(insights.similar_products),
        answered_by=insights.source or None,
    )


def from_wire(answer: Any) -> Insights:
    """An ImageInsights as anybody of this wire sends it. Raises Unavailable when it is not one."""
    try:
        wire = WireInsights.read(answer)
    except ValidationError:
        raise Unavailable("The insights service answered something I don't understand.") from None
    caption = wire.image_caption
    return Insights(
        token=wire.image_insights_token or "",
        best_query=_query_back(wire.best_representative_query) if wire.best_representative_query else None,
        caption=Caption(caption.caption, caption.data_source_url or "", tuple(map(_query_back, caption.related_searches or ())))
        if caption and caption.caption
        else None,
        tags=tuple(Tag(tag.name) for tag in wire.image_tags.value if tag.name) if wire.image_tags else (),
        similar_images=_images_back(wire.visually_similar_images),
        similar_products=_images_back(wire.visually_similar_products),
        shopping_sources=tuple(_offer_back(offer) for offer in wire.shopping_sources.offers or ())
        if wire.shopping_sources
        else (),
        pages_including=_images_back(wire.pages_including),
        related_searches=tuple(map(_query_back, wire.related_searches.value)) if wire.related_searches else (),
        collections=tuple(map(_gallery_back, wire.related_collections.value)) if wire.related_collections else (),
        recipes=tuple(map(_recipe_back, wire.recipes.value)) if wire.recipes else (),
        recognized_entities=tuple(map(_group_back, wire.recognized_entity_groups.value)) if wire.recognized_entity_groups else (),
        source=wire.answered_by or "",
    )


def found_from_wire(answer: Any) -> Found:
    """The Images answer of images/search. Raises Unavailable when it is not one."""
    try:
        wire = WireFound.read(answer)
    except ValidationError:
        raise Unavailable("The insights service answered something I don't understand.") from None
    images, total = _images_back(wire), wire.total_estimated_matches
    known = total if isinstance(total, int) else len(images)
    return Found(
        ImagePage(images, 0, min(len(images), known), known),
        tuple(map(_query_back, wire.related_searches or ())),
        (wire.query_context.altered_query if wire.query_context else None) or "",
    )


def things_from_wire(answer: Any) -> tuple[Thing, ...]:
    """The tags of a Visual Search answer that have a place and a name."""
    found = []
    for tag in answer.get("tags") or () if isinstance(answer, dict) else ():
        try:
            corners = tag["boundingBox"]["queryRectangle"]
            near, far = corners["topLeft"], corners["bottomRight"]
            box = Crop(*(min(max(float(edge), 0.0), 1.0) for edge in (near["x"], near["y"], far["x"], far["y"])))
        except (TypeError, KeyError, ValueError):
            continue
        name = tag.get("displayName")
        if isinstance(name, str) and name and box != WHOLE and box.left < box.right and box.top < box.bottom:
            found.append(Thing(name, box))
    return tuple(found)


def query_wire(query: Query) -> WireQuery:
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
        search_link=wire.search_link or wire.search_url or "",
        thumbnail_url=thumbnail.url or thumbnail.thumbnail_url or "",
    )


def queries_wire(queries: Iterable[Query]) -> WireQueries:
    return WireQueries(value=[query_wire(query) for query in queries])


def _caption(caption: Caption) -> WireCaption:
    return WireCaption(
        caption=caption.caption,
        data_source_url=caption.data_source_url or None,
        related_searches=[query_wire(query) for query in caption.related_searches] or None,
    )


def _rating(rating: Rating | None) -> WireRating | None:
    if rating is None:
        return None
    return WireRating(rating_value=rating.value, best_rating=rating.best, review_count=rating.count or None)


def _rating_back(wire: WireRating | None) -> Rating | None:
    value = _number(wire.rating_value) if wire else None
    if wire is None or value is None:
        return None
    return Rating(value, _count(wire.review_count), _number(wire.best_rating) or 5.0)


def offers_wire(offers: Iterable[Offer]) -> WireOffer:
    return WireOffer(offers=[_offer(offer) for offer in offers])


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
    prices = [price for offer in wire.offers or () if (price := _money(offer.price)) is not None]
    low = _first(_money(wire.low_price), _money(wire.price), min(prices, default=None))
    if low is None:
        return None
    return AggregateOffer(
        name=wire.name or "",
        currency=wire.price_currency or "",
        low_price=low,
        high_price=_first(_money(wire.high_price), max(prices, default=None), low) or low,
        offer_count=_count(wire.offer_count) if wire.offer_count is not None else len(wire.offers or ()) or 1,
        rating=_rating_back(wire.aggregate_rating),
    )


def _first(*amounts: Decimal | None) -> Decimal | None:
    return next((amount for amount in amounts if amount is not None), None)


def _number(number: Number) -> float | None:
    """None for words and for what is no finite number."""
    return float(number) if isinstance(number, int | float) and abs(number) < 1e300 else None  # noqa: PLR2004 (an int may be no float)


def _count(number: Number) -> int:
    return max(0, int(_number(number) or 0))


def _money(number: Number) -> Decimal | None:
    """A JSON number as it was written: 14.95 is fourteen ninety-five."""
    return None if _number(number) is None else Decimal(repr(number)).normalize() + 0


def _images(images: tuple[ImageObject, ...]) -> WireImages | None:
    return WireImages(value=[image_wire(image) for image in images]) if images else None


def _images_back(wire: WireImages | None) -> tuple[ImageObject, ...]:
    return tuple(_image_back(image) for image in wire.value) if wire else ()


def image_wire(image: ImageObject) -> WireImage:
    metadata = WireMetadata(
        shopping_sources_count=image.shopping_sources_count,
        recipe_sources_count=image.recipe_sources_count,
        pages_including_count=image.pages_including_count,
        available_sizes_count=image.available_sizes_count,
        aggregate_offer=_aggregate(image.aggregate_offer) if image.aggregate_offer else None,
        match=_match(image.match),
    )
    return WireImage(
        name=image.name,
        web_search_url=image.web_search_url or None,
        host_page_domain_friendly_name=image.host_name or None,
        thumbnail_url=image.thumbnail_url or None,
        date_published=image.date_published or None,
        content_url=image.content_url or None,
        host_page_url=image.host_page_url or None,
        content_size=f"{image.content_size} B" if image.content_size else None,
        encoding_format=image.encoding_format or None,
        host_page_display_url=image.host_page_display_url or None,
        width=image.width or None,
        height=image.height or None,
        thumbnail=WireThumbnail(width=image.thumbnail_width, height=image.thumbnail_height),
        image_insights_token=image.token or None,
        insights_metadata=metadata if image.token or image.aggregate_offer else None,
        image_id=image.image_id or None,
        accent_color=image.accent_color or None,
        is_family_friendly=image.family_friendly,
        aggregate_rating=_rating(image.rating),
    )


def _image_back(wire: WireImage) -> ImageObject:
    metadata = wire.known
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
        width=_count(wire.width),
        height=_count(wire.height),
        thumbnail_width=_count(thumbnail.width),
        thumbnail_height=_count(thumbnail.height),
        image_id=wire.image_id or "",
        web_search_url=wire.web_search_url or "",
        host_name=wire.host_page_domain_friendly_name or "",
        accent_color=wire.accent_color or "",
        family_friendly=wire.is_family_friendly is not False,
        shopping_sources_count=_count(metadata.shopping_sources_count),
        recipe_sources_count=_count(metadata.recipe_sources_count),
        pages_including_count=_count(metadata.pages_including_count),
        available_sizes_count=_count(metadata.available_sizes_count),
        aggregate_offer=_aggregate_back(metadata.aggregate_offer),
        rating=_rating_back(wire.aggregate_rating),
        match=_match_back(metadata.match),
    )


def _match(match: Match | None) -> WireMatch | None:
    return WireMatch(band=match.band, reasons=[*match.reasons], score=match.score) if match else None


def _match_back(wire: WireMatch | None) -> Match | None:
    if wire is None or wire.band not in set(Band):
        return None
    known = {reason.value for reason in Reason}
    reasons = tuple(Reason(reason) for reason in wire.reasons or () if reason in known)
    return Match(Band(wire.band), reasons, _number(wire.score) or 0.0)


# ---------------------------------------------------------------- collections, recipes, entities


def _galleries(galleries: tuple[Gallery, ...]) -> WireGalleries | None:
    return WireGalleries(value=[_gallery(one) for one in galleries]) if galleries else None


def _gallery(one: Gallery) -> WireGallery:
    return WireGallery(
        name=one.name,
        url=one.url or None,
        description=one.description,
        thumbnail_url=one.thumbnail_url or None,
        creator=_person(one.creator),
        source=one.source or None,
        images_count=one.images_count,
        followers_count=one.followers_count or None,
    )


def _gallery_back(wire: WireGallery) -> Gallery:
    return Gallery(
        name=wire.name or "",
        url=wire.url or "",
        description=wire.description or "",
        thumbnail_url=wire.thumbnail_url or "",
        creator=(wire.creator.name or "") if wire.creator else "",
        source=wire.source or "",
        images_count=_count(wire.images_count),
        followers_count=_count(wire.followers_count),
    )


def recipes_wire(recipes: tuple[Recipe, ...]) -> WireRecipes | None:
    return WireRecipes(value=[_recipe(one) for one in recipes]) if recipes else None


def _recipe(one: Recipe) -> WireRecipe:
    return WireRecipe(
        name=one.name,
        url=one.url or None,
        description=one.description or None,
        thumbnail_url=one.thumbnail_url or None,
        creator=_person(one.creator),
        aggregate_rating=_rating(one.rating),
        cook_time=one.cook_time or None,
        prep_time=one.prep_time or None,
        total_time=one.total_time or None,
    )


def _recipe_back(wire: WireRecipe) -> Recipe:
    return Recipe(
        name=wire.name or "",
        url=wire.url or "",
        thumbnail_url=wire.thumbnail_url or "",
        description=wire.description or "",
        creator=(wire.creator.name or "") if wire.creator else "",
        rating=_rating_back(wire.aggregate_rating),
        cook_time=wire.cook_time or "",
        prep_time=wire.prep_time or "",
        total_time=wire.total_time or "",
    )


def _person(name: str) -> WirePerson | None:
    return WirePerson(type="Person", name=name) if name else None


_TYPES = {"Brand": "Organization", "Organization": "Organization", "Person": "Person", "VisualArtwork": "CreativeWork"}
"""What clients know of schema.org; without `_type` they read a Thing (§7, Person)."""


def _groups(groups: tuple[EntityGroup, ...]) -> WireEntityGroups | None:
    return WireEntityGroups(value=[_group(one) for one in groups]) if groups else None


def _group(group: EntityGroup) -> WireEntityGroup:
    return WireEntityGroup(
        name=group.name,
        recognized_entity_regions=[
            WireEntityRegion(
                region=WireRectangle(left=one.box.left, top=one.box.top, right=one.box.right, bottom=one.box.bottom),
                matching_entities=[
                    WireEntityMatch(entity=_entity(match.entity), match_confidence=match.confidence) for match in one.matches
                ],
            )
            for one in group.regions
        ],
    )


def _entity(entity: Entity) -> WirePerson:
    return WirePerson(
        type=_TYPES.get(entity.kind),
        id=entity.id or None,
        name=entity.name,
        url=entity.url or None,
        web_search_url=entity.web_search_url or None,
        description=entity.description or None,
        job_title=entity.job_title or None,
        image=entity_image(entity),
        bing_id=entity.id or None,
    )


def entity_image(entity: Entity) -> WireImage | None:
    if not entity.image_url:
        return None
    return WireImage(
        thumbnail_url=entity.image_url,
        host_page_url=entity.image_host_page_url or None,
        width=entity.image_width or None,
        height=entity.image_height or None,
    )


def _group_back(wire: WireEntityGroup) -> EntityGroup:
    return EntityGroup(wire.name or "", tuple(map(_region_back, wire.recognized_entity_regions or ())))


def _region_back(wire: WireEntityRegion) -> EntityRegion:
    box = wire.region or WireRectangle()
    left, top, right, bottom = map(_number, (box.left, box.top, box.right, box.bottom))
    matches = (
        EntityMatch(_entity_back(match.entity), _number(match.match_confidence) or 0.0)
        for match in wire.matching_entities or ()
        if match.entity
    )
    crop = Crop(left or 0.0, top or 0.0, 1.0 if right is None else right, 1.0 if bottom is None else bottom)
    return EntityRegion(crop, tuple(matches))


def _entity_back(wire: WirePerson) -> Entity:
    image = wire.image or WireImage()
    return Entity(
        id=wire.bing_id or wire.id or "",
        name=wire.name or "",
        kind=wire.type or "",
        description=wire.description or "",
        url=wire.url or "",
        image_url=image.thumbnail_url or "",
        image_host_page_url=image.host_page_url or "",
        image_width=_count(image.width),
        image_height=_count(image.height),
        job_title=wire.job_title or "",
        web_search_url=wire.web_search_url or "",
    )
