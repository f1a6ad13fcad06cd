"""Bing's spelling, both ways (insights-api.md)."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import CannotFetch, Error, InvalidValue, NotAPicture, RateLimited, TooLarge, Unavailable, UnknownToken
from bot.insights import bing
from bot.insights.model import AggregateOffer, Availability, Caption, ImageObject, Insights, Offer, Query, Rating, Seller, Tag

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
DETAILS = sorted(RECORDINGS.glob("**/details_*.json"))

IMAGE = ImageObject(
    token="ccid_A*mid_B",
    name="A mug",
    content_url="http://x.example/th?id=1",
    thumbnail_url="http://x.example/th?id=1&w=9",
    host_page_url="https://shop.example/p",
    host_page_display_url="shop.example/p",
    date_published="2017-01-20T00:41:00.0000000Z",
    content_size=59063,
    encoding_format="jpeg",
    width=480,
    height=360,
    thumbnail_width=474,
    thumbnail_height=355,
    image_id="B",
    accent_color="A1B2C3",
    shopping_sources_count=2,
    pages_including_count=3,
    available_sizes_count=1,
    aggregate_offer=AggregateOffer("A mug", "USD", Decimal("14.95"), Decimal(1299), 2, Rating(4.5, 7)),
    rating=Rating(4.5, 7),
)
FULL = Insights(
    token="bcid_x",
    best_query=Query("blue mug", "Blue mug", thumbnail_url="http://x.example/t"),
    caption=Caption("Blue mug", "https://shop.example/p"),
    tags=(Tag("mug"), Tag("blue")),
    similar_images=(IMAGE, ImageObject("t", "n", "http://x.example/c", "", family_friendly=False)),
    similar_products=(IMAGE,),
    shopping_sources=(
        Offer(
            "A mug",
            "https://a.example",
            Seller("A", "http://x.example/l"),
            Decimal("14.95"),
            "USD",
            Availability.PRE_ORDER,
            date(2018, 2, 20),
        ),
        Offer("A mug", "https://b.example", Seller("B")),
    ),
    pages_including=(IMAGE,),
    related_searches=(Query("mugs", "Mugs", "https://w.example", "https://s.example"),),
)


def everything(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(part for one in inner for part in everything(one))]


def test_s7_what_is_sent_is_what_is_read() -> None:
    assert bing.from_wire(json.loads(json.dumps(bing.to_wire(FULL)))) == FULL


def test_s7_field_names_and_shapes_are_bings() -> None:
    wire = bing.to_wire(FULL)
    assert wire["_type"] == "ImageInsights"
    image = wire["visuallySimilarProducts"]["value"][0]
    assert image["contentSize"] == "59063 B"
    assert image["thumbnail"] == {"width": 474, "height": 355}
    assert image["insightsMetadata"]["aggregateOffer"]["lowPrice"] == 14.95
    assert image["insightsMetadata"]["aggregateOffer"]["aggregateRating"] == {
        "ratingValue": 4.5,
        "bestRating": 5.0,
        "reviewCount": 7,
    }
    offer = wire["shoppingSources"]["offers"][0]
    assert offer["seller"] == {"name": "A", "image": {"url": "http://x.example/l"}}
    assert offer["lastUpdated"] == "2018-02-20T00:00:00.0000000"
    assert offer["availability"] == "PreOrder"
    assert wire["bestRepresentativeQuery"]["thumbnail"] == {"url": "http://x.example/t"}


def test_s1_nothing_is_null_and_s4_2_a_module_without_data_is_left_out() -> None:
    assert None not in everything(bing.to_wire(FULL))
    assert bing.to_wire(Insights("t")) == {"_type": "ImageInsights", "imageInsightsToken": "t"}


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_money_survives_the_wire(price: Decimal) -> None:
    found = Insights("t", shopping_sources=(Offer("n", "", Seller("s"), price, "USD"),))
    assert bing.from_wire(json.loads(json.dumps(bing.to_wire(found)))) == found


@pytest.mark.skipif(not DETAILS, reason="other people's recordings are not part of the project")
@pytest.mark.parametrize("path", DETAILS, ids=lambda path: path.stem)
def test_s9_real_answers_are_read_without_loss(path: Path) -> None:
    answer = json.loads(path.read_text("utf-8"))
    assert bing.WireInsights.model_validate(answer).dump() == answer
    found = bing.from_wire(answer)
    assert bing.from_wire(bing.to_wire(found)) == found


def test_s7_the_older_names_are_read() -> None:
    found = bing.from_wire(
        {
            "visuallySimilarProducts": {
                "value": [{"insightsSourcesSummary": {"aggregateOffer": {"lowPrice": 5, "offerCount": 2}}}]
            },
            "relatedSearches": {"value": [{"text": "a", "searchUrl": "https://s", "thumbnail": {"thumbnailUrl": "https://t"}}]},
        }
    )
    assert found.similar_products[0].aggregate_offer == AggregateOffer("", "", Decimal(5), Decimal(5), 2)
    assert found.related_searches[0] == Query("a", "a", "", "https://s", "https://t")


@pytest.mark.parametrize("answer", [None, [], "x", {"imageTags": 3}, {"visuallySimilarImages": {"value": "x"}}])
def test_s9_what_is_not_the_contract_is_an_outage(answer: Any) -> None:
    with pytest.raises(Unavailable):
        bing.from_wire(answer)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("error", "status", "sub_code", "parameter"),
    [
        (bing.Missing("insightsToken", "Name one."), 400, "ParameterMissing", "insightsToken"),
        (InvalidValue("modules", "X", "No."), 400, "ParameterInvalidValue", "modules"),
        (UnknownToken(), 400, "ParameterInvalidValue", "insightsToken"),
        (CannotFetch(), 400, "ParameterInvalidValue", "imgUrl"),
        (NotAPicture(), 400, "ParameterInvalidValue", "image"),
        (TooLarge("big"), 400, "ParameterInvalidValue", "image"),
        (RateLimited("slow", 2.5), 429, "", ""),
        (Unavailable("secret detail"), 503, "ResourceError", ""),
        (KeyError("secret detail"), 500, "UnexpectedError", ""),
    ],
)
def test_s6_errors_are_error_responses(error: Exception, status: int, sub_code: str, parameter: str) -> None:
    refusal = bing.refusal_for(error, picture="image")
    said = refusal.wire()["errors"][0]
    assert (refusal.status, said.get("subCode", ""), said.get("parameter", "")) == (status, sub_code, parameter)
    assert said["code"]
    assert said["message"]
    assert "secret" not in json.dumps(refusal.wire())


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"statusCode": 401, "message": "Access denied"}', Unavailable),
        (401, b'{"error": {"code": "401", "message": "Access denied"}}', Unavailable),
        (401, json.dumps(bing.UNAUTHORIZED.wire()).encode(), Unavailable),
        (500, b"<html>oops</html>", Unavailable),
        (429, b"", RateLimited),
        (400, json.dumps(bing.refusal_for(UnknownToken(), picture="").wire()).encode(), UnknownToken),
        (400, json.dumps(bing.refusal_for(CannotFetch(), picture="").wire()).encode(), CannotFetch),
        (400, json.dumps(bing.refusal_for(NotAPicture(), picture="image").wire()).encode(), NotAPicture),
        (400, json.dumps(bing.refusal_for(TooLarge("It is too large."), picture="image").wire()).encode(), TooLarge),
        (400, json.dumps(bing.refusal_for(InvalidValue("mkt", "x", "No."), picture="").wire()).encode(), InvalidValue),
        (400, b"[[[", Unavailable),
    ],
)
def test_s6_every_shape_of_error_is_understood(status: int, body: bytes, kind: type[Error]) -> None:
    assert type(bing.error_from_wire(status, body)) is kind
