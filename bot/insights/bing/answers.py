"""Answers of ours in Bing's spelling, and anybody's of this wire read back (insights-api.md §7). Pure."""

import math
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from bot.errors import Unavailable
from bot.insights.bing.wire import (
    WireCaption,
    WireImage,
    WireImages,
    WireInsights,
    WireMetadata,
    WireOffer,
    WireOrganization,
    WireQueries,
    WireQuery,
    WireRating,
    WireTag,
    WireTags,
    WireThumbnail,
)
from bot.insights.model import AggregateOffer, Availability, Caption, ImageObject, Insights, Offer, Query, Rating, Seller, Tag


def to_wire(insights: Insights) -> dict[str, Any]:
    """The ImageInsights of an answer. A module without data is left out (§4.2)."""
    return WireInsights(
        type="ImageInsights",
        image_insights_token=insights.token,
        best_representative_query=_query(insights.best_query) if insights.best_query else None,
        image_caption=_caption(insights.caption) if insights.caption else None,
        image_tags=WireTags(value=[WireTag(name=tag.name) for tag in insights.tags]) if insights.tags else None,
        pages_including=_images(insights.pages_including),
        related_searches=WireQueries(value=[_query(query) for query in insights.related_searches])
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


def _images(images: tuple[ImageObject, ...]) -> WireImages | None:
    return WireImages(value=[_image(image) for image in images]) if images else None


def _images_back(wire: WireImages | None) -> tuple[ImageObject, ...]:
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
