"""The typed models read what Bing really sent, and give it back without loss (insights-api.md §9)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.insights.bing import from_wire
from bot.insights.bing.wire import (
    Wire,
    WireErrorResponse,
    WireFound,
    WireInsights,
    WireKnowledge,
    WireModuleAction,
    WireTextAction,
)

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
FILES = sorted(RECORDINGS.rglob("*.json")) if RECORDINGS.is_dir() else []
KINDS: dict[str, type[Wire]] = {
    "ImageInsights": WireInsights,
    "ImageKnowledge": WireKnowledge,
    "Images": WireFound,
    "ErrorResponse": WireErrorResponse,
}

pytestmark = pytest.mark.skipif(not FILES, reason="the recordings are not beside this checkout")


def answers(node: Any) -> list[dict[str, Any]]:
    """Every whole answer in a file: the file itself, or what an exchange or a list holds."""
    if isinstance(node, dict):
        if node.get("_type") in KINDS:
            return [node]
        return [found for value in node.values() for found in answers(value)]
    if isinstance(node, list):
        return [found for value in node for found in answers(value)]
    if isinstance(node, str) and node.lstrip().startswith("{"):
        try:
            return answers(json.loads(node))
        except ValueError:
            return []
    return []


def load(name: str) -> Any:
    return json.loads((RECORDINGS / name).read_text("utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_s9_a_recording_comes_back_as_it_was(path: Path) -> None:
    whole = json.loads(path.read_text("utf-8"))
    assert WireKnowledge.read(whole).given() == whole if isinstance(whole, dict) else True
    for answer in answers(whole):
        read = KINDS[answer["_type"]].read(answer)
        assert read.given() == answer


def test_s9_every_recorded_answer_is_found() -> None:
    kinds = [answer["_type"] for path in FILES for answer in answers(json.loads(path.read_text("utf-8")))]
    assert kinds.count("ImageInsights") >= 6
    assert kinds.count("ImageKnowledge") >= 5
    assert {"Images", "ErrorResponse"} <= set(kinds)


def test_s7_objects_of_a_real_insights_answer() -> None:
    wire = WireInsights.read(load("details_all_degas_2017.excerpt.json"))
    assert wire.image_insights_token
    assert wire.image
    assert wire.pages_including
    assert len(wire.pages_including.value) == 4
    assert wire.pages_including.value[0].host_page_url
    assert wire.image_based_related_searches
    found = from_wire(load("details_all_degas_2017.excerpt.json"))
    assert found.tags
    assert len(found.pages_including) == 4
    assert found.pages_including[0].date_published.endswith("Z")


def test_s7_documented_products_and_offers() -> None:
    products = from_wire(load("docs_samples/details_similar_products.json")).similar_products
    assert products[0].aggregate_offer
    assert products[0].aggregate_offer.offer_count >= 1
    offers = from_wire(load("docs_samples/details_shopping_sources.json")).shopping_sources
    assert offers[0].price
    assert offers[0].seller.name


def test_s7_documented_regions_hold_people() -> None:
    (group, *_) = from_wire(load("docs_samples/details_recognized_entities.json")).recognized_entities
    assert group.name in {"CelebRecognitionAnnotations", "CelebrityAnnotations"}
    assert 0 <= group.regions[0].box.left < group.regions[0].box.right <= 1
    assert group.regions[0].matches[0].entity.name


def test_s8_actions_of_real_visual_searches_are_typed() -> None:
    wire = WireKnowledge.read(load("visualsearch_upload_golden_retriever_2019.json"))
    assert wire.tags
    (default,) = (tag for tag in wire.tags if not tag.display_name)
    assert default.bounding_box is None
    assert default.actions
    by_type = {action.action_type: action for action in default.actions}
    visual = by_type["VisualSearch"]
    assert isinstance(visual, WireModuleAction)
    assert visual.data
    assert (len(visual.data.value), visual.data.next_offset, visual.data.total_estimated_matches) == (99, 173, 823)
    (text,) = (tag for tag in wire.tags if tag.display_name == "##TextRecognition")
    assert text.sources == ["OCR"]
    assert text.actions
    assert isinstance(text.actions[0], WireTextAction)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text().map(lambda name: f"x-{name}"), JSON, max_size=4))
def test_s9_unknown_fields_survive(extra: dict[str, Any]) -> None:
    answer = {"_type": "ImageInsights", "imageInsightsToken": "a", "visuallySimilarImages": {"value": [extra]}, **extra}
    assert WireInsights.read(answer).given() == answer
