"""RecognizedEntities: who or what of the operator's gallery is in the picture, and where (insights-api.md §4, §7)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from uuid import NAMESPACE_URL, uuid5

from bot.insights.context import Context
from bot.insights.matching import Hit, shared
from bot.insights.model import Crop, Entity, EntityGroup, EntityMatch, EntityRegion
from bot.insights.shelf import Subject

SURE, LIKELY = "CelebRecognitionAnnotations", "CelebrityAnnotations"
LEAST_OF_COPIES = 0.9
"""Confidence of a copy begins here: its pixels agree, which the score of its features alone does not say."""
MOSTLY = 0.5
"""So much of a copy must lie in the crop, or of the crop in the copy."""
MOST_REGIONS = 10


def recognized_entities(context: Context) -> tuple[EntityGroup, ...]:
    """Sure: this is an enrolled picture, whole or in part. Likely: a region looks like one, or shows a product of a brand.

    People are recognised on copies of enrolled pictures only: nobody is known by their looks (design.md §5).
    """
    copies = (
        replace(hit, score=LEAST_OF_COPIES + (1 - LEAST_OF_COPIES) * hit.score)
        for hit in context.same_hits
        if shared(hit.box, context.crop) >= MOSTLY
    )
    sure = _regions(context, ((hit, one) for hit in copies for one in _of_picture(context, hit)))
    known = {match.entity.id for region in sure for match in region.matches}
    likely = _regions(
        context,
        (
            (replace(hit, box=context.in_whole(hit.box)), one)
            for hit in context.part.pictures
            for one in (*_of_picture(context, hit), *_brands(context, hit))
            if one.facts.get("type") != "Person" and entity_id(one) not in known
        ),
    )
    return tuple(EntityGroup(name, regions) for name, regions in ((SURE, sure), (LIKELY, likely)) if regions)


def _of_picture(context: Context, hit: Hit) -> list[Subject]:
    return [one for one in context.shelf.subjects_of_picture.get(hit.picture_id, ()) if one.kind == "entity"]


def _brands(context: Context, hit: Hit) -> list[Subject]:
    """The maker of what is surely this product: the first of a thing, and none of the others comes near."""
    if hit.product_id not in context.leading:
        return []
    return [one for one in context.shelf.subjects_of_product.get(hit.product_id, ()) if one.kind == "entity"]


def _regions(context: Context, found: Iterable[tuple[Hit, Subject]]) -> tuple[EntityRegion, ...]:
    """By place, each entity once with its best score, the likeliest first."""
    best: dict[str, tuple[Hit, Subject]] = {}
    for hit, one in found:
        if one.key not in best or hit.score > best[one.key][0].score:
            best[one.key] = (hit, one)
    places: defaultdict[Crop, list[EntityMatch]] = defaultdict(list)
    for hit, one in sorted(best.values(), key=lambda pair: -pair[0].score):
        places[hit.box].append(EntityMatch(entity_of(context, one), round(min(max(hit.score, 0.0), 1.0), 4)))
    return tuple(EntityRegion(box, tuple(matches)) for box, matches in places.items())[:MOST_REGIONS]


def entity_id(subject: Subject) -> str:
    """Stable, and shaped as Bing's: the same entity has the same wherever it is enrolled."""
    return str(uuid5(NAMESPACE_URL, subject.key))


def entity_of(context: Context, subject: Subject) -> Entity:
    picture = next((context.shelf.pictures[key] for key in subject.pictures if key in context.shelf.pictures), None)
    return Entity(
        id=entity_id(subject),
        name=subject.name,
        kind=subject.facts.get("type", "Thing"),
        description=subject.description,
        url=subject.url,
        image_url=context.thumbnail(subject.pictures),
        image_host_page_url=subject.url if picture else "",
        image_width=picture.width if picture else 0,
        image_height=picture.height if picture else 0,
        job_title=subject.facts.get("jobTitle", ""),
        web_search_url=context.links.search_page(subject.name, context.market, context.language),
    )
