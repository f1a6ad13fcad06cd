"""Visual Search's answer in Bing's spelling (insights-api.md §8). Pure."""

from collections.abc import Iterable
from typing import Any

from bot.insights.bing.answers import entity_image, image_wire, offers_wire, queries_wire, recipes_wire
from bot.insights.bing.wire import (
    AnyAction,
    WireAction,
    WireEntity,
    WireEntityAction,
    WireImage,
    WireImages,
    WireImageTag,
    WireKnowledge,
    WireModuleAction,
    WirePoint,
    WireQuad,
    WireRecipesAction,
    WireSearchesAction,
    WireShoppingAction,
    WireTagRegion,
    WireText,
    WireTextAction,
    WireTextLine,
    WireTextRegion,
    WireTextWord,
)
from bot.insights.model import WHOLE, Crop, Entity, ImageObject, ImagePage, Knowledge, Point, Quad, Query, Reading, Thing
from bot.insights.uris import uris

TEXT_TAG = "##TextRecognition"


def knowledge_to_wire(knowledge: Knowledge, *, entity_data: bool = False) -> dict[str, Any]:
    """The ImageKnowledge: the default tag, a tag for each thing, the text. entity_data: Entity actions tell what is known."""
    if knowledge.too_large:
        hint = {"category": "ImageDimensionsExceedLimit"}
        return WireKnowledge(type="ImageKnowledge", tags=[], image_quality_hints=[hint]).dump()
    tags = [WireImageTag(display_name="", actions=_default(knowledge))]
    tags += [_thing(thing, entity_data=entity_data) for thing in knowledge.things]
    tags += _text(knowledge.reading)
    return WireKnowledge(
        type="ImageKnowledge", tags=tags, image=WireImage(image_insights_token=knowledge.token) if knowledge.token else None
    ).dump()


def _default(knowledge: Knowledge) -> list[AnyAction]:
    """Each type at most once, in ranking order. PagesIncluding is there even when it is empty, unlike in details (§4.2)."""
    found = knowledge.insights
    actions: list[AnyAction] = [_module("PagesIncluding", WireImages(value=_images(found.pages_including)))]
    if knowledge.more_sizes:
        actions.append(WireAction(action_type="MoreSizes", image=image_wire(knowledge.more_sizes)))
    if knowledge.similar_images.total:
        actions.append(_module("VisualSearch", _page(knowledge.similar_images)))
    if knowledge.similar_products.total:
        actions.append(_module("ProductVisualSearch", _page(knowledge.similar_products)))
    if found.shopping_sources:
        data = offers_wire(found.shopping_sources)
        actions.append(WireShoppingAction(type="ImageShoppingSourcesAction", action_type="ShoppingSources", data=data))
    if found.related_searches:
        actions.append(_searches("RelatedSearches", found.related_searches))
    if found.best_query:
        actions.append(_words("BestRepresentativeQuery", found.best_query))
    if knowledge.image:
        actions.append(WireAction(action_type="ImageById", image=image_wire(knowledge.image)))
    if found.recipes:
        data_of_recipes = recipes_wire(found.recipes)
        actions.append(WireRecipesAction(type="ImageRecipesAction", action_type="Recipes", data=data_of_recipes))
    if knowledge.suggestions:
        actions.append(_searches("DocumentLevelSuggestions", knowledge.suggestions))
    return actions


def _images(images: Iterable[ImageObject]) -> list[WireImage]:
    return [image_wire(image) for image in images]


def _page(page: ImagePage) -> WireImages:
    return WireImages(
        value=_images(page.value),
        current_offset=page.offset,
        next_offset=page.next_offset,
        total_estimated_matches=page.total,
    )


def _module(action_type: str, data: WireImages) -> WireModuleAction:
    return WireModuleAction(type="ImageModuleAction", action_type=action_type, data=data)


def _searches(action_type: str, queries: Iterable[Query]) -> WireSearchesAction:
    return WireSearchesAction(type="ImageRelatedSearchesAction", action_type=action_type, data=queries_wire(queries))


def _words(action_type: str, query: Query) -> WireAction:
    return WireAction(
        action_type=action_type,
        display_name=query.display_text,
        web_search_url=query.web_search_url or None,
        service_url=query.search_link or None,
    )


def _thing(thing: Thing, *, entity_data: bool) -> WireImageTag:
    actions: list[AnyAction] = []
    if thing.entity:
        actions.append(_entity(thing.entity, with_data=entity_data))
    if thing.query:
        actions += [_words(action_type, thing.query) for action_type in ("TextResults", "ImageResults")]
    return WireImageTag(
        display_name=thing.name,
        image=WireImage(thumbnail_url=thing.thumbnail_url) if thing.thumbnail_url else None,
        bounding_box=_region(_corners(thing.box)),
        actions=actions,
    )


def _entity(entity: Entity, *, with_data: bool) -> WireEntityAction:
    data = WireEntity(
        id=entity.id,
        web_search_url=entity.web_search_url or None,
        name=entity.name,
        description=entity.description or None,
        image=entity_image(entity),
        bing_id=entity.id,
    )
    return WireEntityAction(
        type="ImageEntityAction",
        action_type="Entity",
        display_name=entity.name,
        web_search_url=entity.web_search_url or entity.url or None,
        main_entity={"bingId": entity.id},
        data=data if with_data else None,
    )


def _text(reading: Reading) -> list[WireImageTag]:
    """All text as one action, and a tag for each address in it, which lies where its line does."""
    if not reading.text and not reading.codes:
        return []
    tags: list[WireImageTag] = []
    if reading.text:
        everything = _around([region.box for region in reading.text])
        regions = [
            WireTextRegion(
                bounding_box=_quad(region.box),
                lines=[
                    WireTextLine(
                        text=line.text,
                        bounding_box=_quad(line.box),
                        words=[WireTextWord(text=word.text, bounding_box=_quad(word.box)) for word in line.words],
                    )
                    for line in region.lines
                ],
            )
            for region in reading.text
        ]
        data = WireText(regions=regions, bounding_box=_quad(everything))
        action = WireTextAction(type="ImageKnowledge/TextRecognitionAction", action_type="TextRecognition", data=data)
        tags.append(_text_tag(_corners(WHOLE), action))
    said = [(line.text, line.box) for region in reading.text for line in region.lines]
    said += [(code.text, code.box) for code in reading.codes]
    distinct = {uri: box for text, box in reversed(said) for uri in uris(text)}
    return tags + [_text_tag(box, WireAction(action_type="Uri", url=uri)) for uri, box in reversed(distinct.items())]


def _text_tag(box: Quad, action: AnyAction) -> WireImageTag:
    return WireImageTag(display_name=TEXT_TAG, bounding_box=_region(box), actions=[action], sources=["OCR"])


def _region(box: Quad) -> WireTagRegion:
    return WireTagRegion(query_rectangle=_quad(box), display_rectangle=_quad(box))


def _corners(box: Crop) -> Quad:
    return (box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)


def _around(boxes: Iterable[Quad]) -> Quad:
    points = [point for box in boxes for point in box]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return _corners(Crop(min(xs), min(ys), max(xs), max(ys)))


def _quad(box: Quad) -> WireQuad:
    top_left, top_right, bottom_right, bottom_left = map(_point, box)
    return WireQuad(top_left=top_left, top_right=top_right, bottom_right=bottom_right, bottom_left=bottom_left)


def _point(point: Point) -> WirePoint:
    """The edges of the picture are the integers 0 and 1, as Bing sends them."""
    x, y = (int(value) if value in {0, 1} else round(value, 7) for value in point)
    return WirePoint(x=x, y=y)
