"""Microsoft's own clients against our server: every operation, every parameter, answers read as their typed objects.

azure: azure-cognitiveservices-search-{imagesearch,visualsearch}, paths below /bing/v7.0.
bing: microsoft-bing-{imagesearch,visualsearch}, paths below /v7.0.
"""

import inspect
import io
import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from azure.cognitiveservices.search.imagesearch.models import ErrorResponseException
from azure.cognitiveservices.search.visualsearch import models as visual_models  # type: ignore[import-untyped]
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from tests.conformance.conftest import Sdk, Service, clients
from tests.insights.clients import HEX, KEY, MUG, serving
from tests.insights.written import jpeg, text_picture
from tests.worlds import CATALOGUE, Engine, beside, picture_host

pytestmark = pytest.mark.asyncio(loop_scope="session")

MODULES = (
    "All",
    "BRQ",
    "Caption",
    "Collections",
    "Recipes",
    "PagesIncluding",
    "RecognizedEntities",
    "RelatedSearches",
    "ShoppingSources",
    "SimilarImages",
    "SimilarProducts",
    "Tags",
)
FIELDS = {
    "BRQ": "best_representative_query",
    "Caption": "image_caption",
    "Collections": "related_collections",
    "Recipes": "recipes",
    "PagesIncluding": "pages_including",
    "RelatedSearches": "related_searches",
    "ShoppingSources": "shopping_sources",
    "SimilarImages": "visually_similar_images",
    "SimilarProducts": "visually_similar_products",
    "Tags": "image_tags",
}
EVERY_PARAMETER: Mapping[str, Any] = {
    "accept": "application/json",
    "accept_language": "en-US,en;q=0.9",
    "content_type": "multipart/form-data",
    "user_agent": "Mozilla/5.0",
    "user_agent_parameter": "Mozilla/5.0",
    "client_id": "1C3352B306E669780D58D607B96869",
    "client_ip": "999.999.999.999",
    "location": "lat:47.60357;long:-122.3295;re:100",
    "country_code": "US",
    "id": "DEADBEEF",
    "market": "en-us",
    "safe_search": "Moderate",
    "set_lang": "en",
    "crop_bottom": 1.0,
    "crop_left": 0.0,
    "crop_right": 1.0,
    "crop_top": 0.0,
    "crop_type": "Rectangular",
    "modules": ["All"],
    "count": 5,
    "offset": 0,
    "aspect": "All",
    "color": "Blue",
    "freshness": "Month",
    "height": 480,
    "width": 480,
    "image_type": "Photo",
    "license": "All",
    "max_file_size": 10_000_000,
    "max_height": 2000,
    "max_width": 2000,
    "min_file_size": 1,
    "min_height": 10,
    "min_width": 10,
    "size": "Medium",
}
NOT_SENT_TOGETHER = {"insights_token", "image_url", "image_content", "knowledge_request", "image"}
OWN = {"query", "custom_headers", "raw", "operation_config", "kwargs", "x_bing_apis_sdk", "self"}


def parameters_of(operation: Any) -> dict[str, Any]:
    """A value for every parameter the operation has; one we do not know fails the test."""
    names = set(inspect.signature(operation).parameters) - OWN - NOT_SENT_TOGETHER
    assert names <= set(EVERY_PARAMETER), names - set(EVERY_PARAMETER)
    return {name: EVERY_PARAMETER[name] for name in names}


# ---------------------------------------------------------------- details


async def test_details_takes_every_parameter_the_client_has(sdk: Sdk, service: Service) -> None:
    named = parameters_of(sdk.images.details)
    assert {"crop_left", "modules", "market", "set_lang", "safe_search", "client_id", "location", "id"} <= set(named)
    answer = await sdk.call(sdk.images.details, "mug", insights_token=service.token, **named)
    assert answer.image_insights_token == service.token
    for module, field in FIELDS.items():
        if module not in {"BRQ", "Recipes"}:
            assert getattr(answer, field) is not None, module


@pytest.mark.parametrize("module", MODULES)
async def test_s4_each_module_alone(sdk: Sdk, service: Service, module: str) -> None:
    answer = await sdk.call(sdk.images.details, "espresso cup", insights_token=service.token, modules=[module])
    filled = {name for name, field in FIELDS.items() if getattr(answer, field, None) is not None}
    assert filled <= ({module} if module != "All" else set(FIELDS))
    if module not in {"RecognizedEntities", "BRQ", "Recipes"}:
        assert filled


async def test_s4_products_lead_to_their_offers(sdk: Sdk, service: Service) -> None:
    sent = await sdk.call(sdk.images.details, "", insights_token=service.token, modules=["SimilarProducts"])
    product = next(one for one in sent.visually_similar_products.value if one.insights_metadata.aggregate_offer)
    summary = product.insights_metadata.aggregate_offer
    assert summary.price_currency == "USD"
    assert product.insights_metadata.shopping_sources_count >= 1
    extra = summary.additional_properties
    answer = await sdk.call(sdk.images.details, "", insights_token=product.image_insights_token, modules=["ShoppingSources"])
    offers = answer.shopping_sources.offers
    assert len(offers) == extra["offerCount"]
    prices = [offer.price for offer in offers if offer.availability in {"InStock", "PreOrder", "LimitedAvailability"}]
    assert min(prices or [offer.price for offer in offers]) == extra["lowPrice"]
    first = offers[0]
    assert first.seller.name
    assert first.url.startswith("https://")
    assert first.price_currency == "USD"
    assert first.last_updated.endswith("T00:00:00.0000000")


async def test_s7_an_image_has_every_typed_field(sdk: Sdk, service: Service) -> None:
    answer = await sdk.call(sdk.images.details, "", insights_token=service.token, modules=["SimilarImages"])
    image = answer.visually_similar_images.value[0]
    for name in (
        "name", "content_url", "host_page_url", "thumbnail_url", "host_page_display_url", "web_search_url", "date_published",
        "content_size", "encoding_format", "width", "height", "thumbnail", "image_insights_token", "image_id", "accent_color",
        "insights_metadata",
    ):  # fmt: skip
        assert getattr(image, name) is not None, name
    assert image.content_size.endswith(" B")
    assert image.thumbnail.width > 0


async def test_s4_recognized_entities_with_regions_and_crop(sdk: Sdk, service: Service) -> None:
    sheet = beside("sculpture-threefold-knot.jpg", "pl01.jpg")
    posted = await sdk.call(sdk.visual.visual_search, **visual(sdk, image=io.BytesIO(sheet)))
    token = posted.image.image_insights_token

    async def names(**crop: float) -> set[str]:
        found = await sdk.call(sdk.images.details, "", insights_token=token, modules=["RecognizedEntities"], **crop)
        if found.recognized_entity_groups is None:
            return set()
        regions = [region for group in found.recognized_entity_groups.value for region in group.recognized_entity_regions]
        for region in regions:
            assert 0 <= region.region.left < region.region.right <= 1
        return {match.entity.name for region in regions for match in region.matching_entities if match.match_confidence > 0}

    assert service.token
    assert "Threefold Knot" in await names()
    assert "Threefold Knot" in await names(crop_left=0.0, crop_right=0.5)
    assert "Threefold Knot" not in await names(crop_left=0.5, crop_right=1.0)


async def test_s4_recipes_and_collections_are_typed(sdk: Sdk, service: Service) -> None:
    picture = (CATALOGUE / "images" / "ec01.jpg").read_bytes()
    posted = await sdk.call(sdk.visual.visual_search, **visual(sdk, image=io.BytesIO(picture)))
    answer = await sdk.call(
        sdk.images.details, "", insights_token=posted.image.image_insights_token, modules=["Recipes", "Collections", "Caption"]
    )
    assert answer.recipes.value[0].name == "Flat white"
    assert answer.recipes.value[0].total_time == "PT6M"
    gallery = answer.related_collections.value[0]
    assert gallery.name == "Coffee corner"
    assert gallery.images_count > 0
    assert answer.image_caption.data_source_url.startswith("https://")
    assert service.url


async def test_s3_a_picture_named_by_its_address(sdk: Sdk, service: Service) -> None:
    known = await sdk.call(sdk.images.details, "", insights_token=service.token, modules=["SimilarImages"])
    image = known.visually_similar_images.value[0]
    ours = await sdk.call(sdk.images.details, "", image_url=image.content_url, modules=["Tags"])
    assert ours.image_insights_token == image.image_insights_token
    async with picture_host() as host:
        theirs = await sdk.call(sdk.images.details, "", image_url=f"{host}/vase.jpg", modules=["Tags", "SimilarProducts"])
    assert theirs.image_insights_token.startswith("bcid_")
    assert theirs.visually_similar_products.value


# ---------------------------------------------------------------- search and trending


async def test_search_takes_every_parameter_the_client_has(sdk: Sdk) -> None:
    named = parameters_of(sdk.images.search)
    assert {"aspect", "color", "count", "min_width", "offset", "size", "license"} <= set(named)
    answer = await sdk.call(sdk.images.search, "mug", **named)
    assert answer.value
    assert all((image.width, image.height) == (480, 480) for image in answer.value)
    assert answer.total_estimated_matches >= len(answer.value)


async def test_search_starts_from_words_and_leads_to_offers(sdk: Sdk) -> None:
    answer = await sdk.call(sdk.images.search, "striped mug", count=3)
    first = answer.value[0]
    assert "mug" in first.name.lower()
    assert first.insights_metadata.shopping_sources_count >= 1
    found = await sdk.call(sdk.images.details, "", insights_token=first.image_insights_token, modules=["ShoppingSources"])
    assert len(found.shopping_sources.offers) == first.insights_metadata.shopping_sources_count
    assert answer.read_link.startswith("http")
    assert answer.web_search_url.startswith("http")


async def test_search_pages_follow_each_other(sdk: Sdk) -> None:
    first = await sdk.call(sdk.images.search, "mug", count=4)
    second = await sdk.call(sdk.images.search, "mug", count=4, offset=first.next_offset)
    ids = [image.image_id for image in (*first.value, *second.value)]
    assert len(ids) == len(set(ids))


async def test_trending_takes_every_parameter_and_is_typed(sdk: Sdk) -> None:
    answer = await sdk.call(sdk.images.trending, **parameters_of(sdk.images.trending))
    category = answer.categories[0]
    assert category.title
    tile = category.tiles[0]
    assert tile.query.text
    assert tile.image.thumbnail_url.startswith("http")


# ---------------------------------------------------------------- Visual Search


def visual(sdk: Sdk, **named: Any) -> dict[str, Any]:
    """The 2021 client insists on a content type, the older one sets it."""
    return named if sdk.generation == "azure" else {"content_type": "multipart/form-data", **named}


def actions_of(answer: Any) -> dict[str, Any]:
    (default,) = (tag for tag in answer.tags if tag.display_name == "")
    return {action.action_type: action for action in default.actions}


def data_of(action: Any) -> dict[str, Any]:
    """Typed by `_type` in the older client; the 2021 one has no types of actions and keeps what it does not know."""
    typed = getattr(action, "data", None)
    found: dict[str, Any] = typed.serialize(keep_readonly=True) if typed else action.additional_properties["data"]
    return found


async def test_visual_search_takes_every_parameter_the_client_has(sdk: Sdk) -> None:
    named = parameters_of(sdk.visual.visual_search)
    answer = await sdk.call(sdk.visual.visual_search, image=io.BytesIO(MUG), knowledge_request="{}", **named)
    assert data_of(actions_of(answer)["ProductVisualSearch"])["value"]


@pytest.mark.parametrize("form", ["stream", "bytes"])
async def test_s8_a_picture_in_the_forms_the_client_sends(sdk: Sdk, form: str) -> None:
    image: Any = {"stream": io.BytesIO(MUG), "bytes": MUG}[form]
    answer = await sdk.call(sdk.visual.visual_search, **visual(sdk, image=image))
    actions = actions_of(answer)
    if sdk.generation == "azure":
        assert type(actions["ShoppingSources"]).__name__ == "ImageShoppingSourcesAction"
        assert type(actions["VisualSearch"]).__name__ == "ImageModuleAction"
        assert type(actions["RelatedSearches"]).__name__ == "ImageRelatedSearchesAction"
    assert data_of(actions["ShoppingSources"])["offers"][0]["price"] == 14.95
    assert data_of(actions["VisualSearch"])["value"][0]["imageInsightsToken"]
    assert data_of(actions["RelatedSearches"])["value"][0]["text"]
    assert answer.image.image_insights_token.startswith("bcid_")


async def test_s8_an_open_file_is_sent_with_its_name(sdk: Sdk) -> None:
    with (CATALOGUE / "images" / "mg01.jpg").open("rb") as file:
        answer = await sdk.call(sdk.visual.visual_search, **visual(sdk, image=file))
    assert data_of(actions_of(answer)["ProductVisualSearch"])["value"][0]["name"] == "Harbour Stripe Straight Mug"


async def test_s8_knowledge_requests_by_token_and_address(sdk: Sdk, service: Service) -> None:
    by_token = json.dumps({"imageInfo": {"imageInsightsToken": service.token}})
    answer = await sdk.call(sdk.visual.visual_search, **visual(sdk, knowledge_request=by_token))
    itself = actions_of(answer)["ImageById"].image
    assert itself.image_insights_token == service.token
    site = {"filters": {"site": "cupandcorner.example"}}
    by_url = json.dumps({"imageInfo": {"url": itself.content_url}, "knowledgeRequest": site})
    answer = await sdk.call(sdk.visual.visual_search, **visual(sdk, knowledge_request=by_url))
    assert all("cupandcorner" in image["hostPageUrl"] for image in data_of(actions_of(answer)["VisualSearch"])["value"])


async def test_s8_a_picture_with_a_crop_area(sdk: Sdk) -> None:
    crop = json.dumps({"imageInfo": {"cropArea": {"top": 0.0, "left": 0.5, "right": 1.0, "bottom": 1.0}}})
    answer = await sdk.call(
        sdk.visual.visual_search, **visual(sdk, image=io.BytesIO(beside("mg01.jpg", "pl01.jpg")), knowledge_request=crop)
    )
    assert "Mug" not in data_of(actions_of(answer)["ProductVisualSearch"])["value"][0]["name"]


async def test_s8_tags_have_boxes_and_text_is_there(sdk: Sdk) -> None:
    picture = jpeg(text_picture("Kilnby Stoneware", "info@kilnby.example"))
    answer = await sdk.call(sdk.visual.visual_search, **visual(sdk, image=io.BytesIO(picture)))
    texts = [tag for tag in answer.tags if tag.display_name == "##TextRecognition"]
    assert texts[0].bounding_box.query_rectangle.top_left.x == 0
    assert texts[0].actions[0].action_type == "TextRecognition"
    assert texts[1].actions[0].action_type == "Uri"
    assert texts[1].actions[0].url == "mailto:info@kilnby.example"


# ---------------------------------------------------------------- errors and headers


async def error_of(sdk: Sdk, **named: Any) -> Any:
    """The first error of the ErrorResponse, as each generation shows it."""
    with pytest.raises((ErrorResponseException, HttpResponseError)) as raised:
        await sdk.call(sdk.images.details, "mug", **named)
    error: Any = raised.value
    return (error.error if sdk.generation == "azure" else error.model).errors[0]


async def test_s6_a_missing_picture_is_a_typed_error(sdk: Sdk) -> None:
    said = await error_of(sdk)
    assert (said.code, said.sub_code, said.parameter) == ("InvalidRequest", "ParameterMissing", "insightsToken")


async def test_s6_a_bad_module_is_named(sdk: Sdk, service: Service) -> None:
    said = await error_of(sdk, insights_token=service.token, modules=["NotAModule"])
    assert (said.sub_code, said.parameter, said.value) == ("ParameterInvalidValue", "modules", "NotAModule")


@pytest.mark.parametrize("generation", ["azure", "bing"])
async def test_s6_a_wrong_key_is_refused_as_the_client_shows_it(service: Service, generation: str) -> None:
    sdk = clients(generation, service.url, "wrong")
    with pytest.raises((ErrorResponseException, ClientAuthenticationError)) as raised:
        await sdk.call(sdk.images.details, "mug", insights_token=service.token)
    error: Any = raised.value
    if generation == "azure":
        assert error.error.errors[0].code == "InvalidAuthorization"
    else:
        assert error.status_code == 401


async def test_s2_headers_come_back_raw(service: Service) -> None:
    sdk = clients("azure", service.url)
    raw = await sdk.call(sdk.images.details, "", insights_token=service.token, market="de-de", client_id="ABCDEF", raw=True)
    assert raw.response.headers["X-MSEdge-ClientID"] == "ABCDEF"
    assert raw.response.headers["BingAPIs-Market"] == "de-DE"
    assert HEX.fullmatch(raw.response.headers["BingAPIs-TraceId"])


async def test_s2_headers_come_back_to_the_2021_client_too(service: Service) -> None:
    seen: list[Any] = []
    sdk = clients("bing", service.url)
    await sdk.call(
        sdk.images.details,
        "",
        insights_token=service.token,
        market="fr-fr",
        client_id="ABCDEF",
        raw_response_hook=lambda answer: seen.append(answer.http_response.headers),
    )
    assert seen[0]["X-MSEdge-ClientID"] == "ABCDEF"
    assert seen[0]["BingAPIs-Market"] == "fr-FR"


def statuses(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [record.getMessage() for record in caplog.records if record.name == "bot.insights.server"]
    return [line.split()[2] for line in lines]


@pytest.mark.parametrize("generation", ["azure", "bing"])
async def test_s6_a_client_waits_as_retry_after_says_and_asks_again(
    engine: Engine, service: Service, caplog: pytest.LogCaptureFixture, generation: str
) -> None:
    with caplog.at_level(logging.INFO, logger="bot.insights.server"):
        async with serving(engine, [KEY], rate=1) as url:
            sdk = clients(generation, url)
            for _ in range(2):
                answer = await sdk.call(sdk.images.details, "", insights_token=service.token, modules=["Tags"])
                assert answer.image_tags.value
    assert statuses(caplog) == ["200", "429", "200"]


async def test_s6_the_older_client_posts_once(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="bot.insights.server"):
        async with serving(engine, [KEY], rate=0.1) as url:
            sdk = clients("azure", url)
            await sdk.call(sdk.visual.visual_search, image=MUG)
            with pytest.raises(visual_models.ErrorResponseException) as raised:
                await sdk.call(sdk.visual.visual_search, image=MUG)
    assert raised.value.error.errors[0].code == "RateLimitExceeded"
    assert statuses(caplog) == ["200", "429"]


async def test_s6_the_2021_client_posts_again_when_it_is_told_to_wait(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="bot.insights.server"):
        async with serving(engine, [KEY], rate=1) as url:
            sdk = clients("bing", url)
            for _ in range(2):
                answer = await sdk.call(sdk.visual.visual_search, **visual(sdk, image=MUG))
                assert answer.tags
    assert statuses(caplog) == ["200", "429", "200"]
