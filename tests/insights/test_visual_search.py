"""Visual Search on real pictures, from the engine and over the wire (insights-api.md §8)."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, FormData
from PIL import Image

from bot.insights.bing.wire import WireKnowledge
from bot.insights.model import Crop, Knowledge, Module, SafeSearch, Skill, Token, Upload
from tests.insights.clients import KEY, MUG, Client, serving
from tests.insights.written import code_picture, jpeg, text_picture
from tests.worlds import CATALOGUE, Engine, beside

pytestmark = pytest.mark.asyncio(loop_scope="session")

VISUAL = "/bing/v7.0/images/visualsearch"
CORNERS = (("topLeft", 0, 0), ("topRight", 1, 0), ("bottomRight", 1, 1), ("bottomLeft", 0, 1))
PAIR = beside("mg01.jpg", "pl01.jpg")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(engine: Engine) -> AsyncIterator[Client]:
    found = await engine.service.insights(Upload(MUG), [Module.SIMILAR_PRODUCTS])
    async with serving(engine, [KEY]) as url, ClientSession() as session:
        yield Client(session, url, found.similar_products[0].token)


def form(picture: bytes = b"", asked: Any = None) -> FormData:
    body = FormData()
    if picture:
        body.add_field("image", io.BytesIO(picture), filename="image", content_type="application/octet-stream")
    if asked is not None:
        said = asked if isinstance(asked, str) else json.dumps(asked)
        body.add_field("knowledgeRequest", said, content_type="text/plain; charset=utf-8")
    return body


async def ask(client: Client, picture: bytes = b"", asked: Any = None, **parameters: str) -> dict[str, Any]:
    response, answer = await client.ask("POST", VISUAL, data=form(picture, asked), params=parameters)
    assert response.status == 200
    assert WireKnowledge.read(answer).given() == answer
    return answer


def default_tag(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The actions of the one tag without a name, by type."""
    (tag,) = (tag for tag in answer["tags"] if tag["displayName"] == "")
    assert "boundingBox" not in tag
    types = [action["actionType"] for action in tag["actions"]]
    assert len(types) == len(set(types))
    return {action["actionType"]: action for action in tag["actions"]}


def boxes(answer: dict[str, Any]) -> dict[str, tuple[float, float, float, float]]:
    found = {}
    for tag in answer["tags"]:
        if tag["displayName"]:
            corners = tag["boundingBox"]["queryRectangle"]
            assert tag["boundingBox"]["displayRectangle"] == corners
            start, end = corners["topLeft"], corners["bottomRight"]
            found[tag["displayName"]] = (start["x"], start["y"], end["x"], end["y"])
    return found


async def test_s8_an_uploaded_picture_has_a_default_tag_with_typed_actions(client: Client) -> None:
    answer = await ask(client, MUG)
    assert answer["_type"] == "ImageKnowledge"
    assert set(answer["image"]) == {"imageInsightsToken"}
    actions = default_tag(answer)
    types = {
        "PagesIncluding": "ImageModuleAction",
        "VisualSearch": "ImageModuleAction",
        "ProductVisualSearch": "ImageModuleAction",
        "ShoppingSources": "ImageShoppingSourcesAction",
        "RelatedSearches": "ImageRelatedSearchesAction",
        "BestRepresentativeQuery": None,
        "ImageById": None,
    }
    assert types.items() <= {name: action.get("_type") for name, action in actions.items()}.items()
    products = actions["ProductVisualSearch"]["data"]
    assert products["currentOffset"] == 0
    assert products["nextOffset"] <= products["totalEstimatedMatches"]
    assert products["value"][0]["insightsMetadata"]["aggregateOffer"]["lowPrice"] == 14.95
    assert actions["ShoppingSources"]["data"]["offers"][0]["price"] == 14.95
    assert actions["BestRepresentativeQuery"]["displayName"] == "Harbour Stripe Straight Mug"
    assert actions["BestRepresentativeQuery"]["serviceUrl"].startswith("http")
    itself = actions["ImageById"]["image"]
    assert (itself["width"], itself["height"], itself["encodingFormat"]) == (480, 480, "jpeg")
    assert itself["thumbnail"] == {"width": 0, "height": 0}
    assert "imageInsightsToken" not in itself


async def test_s8_pages_including_is_there_even_when_it_is_empty(client: Client) -> None:
    plain = jpeg(Image.new("RGB", (300, 300), (90, 160, 90)))
    actions = default_tag(await ask(client, plain))
    assert actions["PagesIncluding"]["data"] == {"value": []}
    assert "ShoppingSources" not in actions


async def test_s8_things_lie_where_they_are(client: Client) -> None:
    found = boxes(await ask(client, PAIR))
    mug, planter = found["mug"], next(box for name, box in found.items() if "plant" in name or "pot" in name)
    assert (mug[0] + mug[2]) / 2 < 0.5 < (planter[0] + planter[2]) / 2


async def test_s8_other_tags_lead_to_searches(client: Client) -> None:
    answer = await ask(client, PAIR)
    (tag,) = (tag for tag in answer["tags"] if tag["displayName"] == "mug")
    assert [action["actionType"] for action in tag["actions"]] == ["TextResults", "ImageResults"]
    service_url = tag["actions"][1]["serviceUrl"]
    path = service_url.split("/bing/", 1)[1]
    _, searched = await client.ask(path=f"/bing/{path}")
    assert searched["totalEstimatedMatches"] >= 1


async def test_s8_words_about_the_whole_have_a_box_of_integers(client: Client) -> None:
    answer = await ask(client, MUG)
    whole = {tag["displayName"]: tag["boundingBox"]["queryRectangle"] for tag in answer["tags"] if tag["displayName"]}
    corners = {name: {"x": x, "y": y} for name, x, y in CORNERS}
    assert json.dumps(corners) in {json.dumps(box) for box in whole.values()}


async def test_s8_entities_tell_what_is_known_when_asked(client: Client) -> None:
    sculpture = (CATALOGUE / "images" / "sculpture-threefold-knot.jpg").read_bytes()

    async def entity(asked: Any) -> dict[str, Any]:
        answer = await ask(client, sculpture, asked)
        (tag,) = (tag for tag in answer["tags"] if tag["displayName"] == "Threefold Knot")
        action: dict[str, Any] = tag["actions"][0]
        assert (action["actionType"], action["_type"]) == ("Entity", "ImageEntityAction")
        assert len(action["mainEntity"]["bingId"]) == 36
        return action

    assert "data" not in await entity(None)
    with_data = await entity({"knowledgeRequest": {"invokedSkillsRequestData": {"enableEntityData": "true"}}})
    assert with_data["data"]["name"] == "Threefold Knot"
    assert with_data["data"]["bingId"] == with_data["mainEntity"]["bingId"]
    assert with_data["data"]["image"]["thumbnailUrl"].startswith("http")


async def test_s8_text_with_its_addresses(client: Client) -> None:
    picture = jpeg(text_picture("Kilnby Stoneware", "Call +1 888 555 1212", "info@kilnby.example", "www.kilnby.example"))
    answer = await ask(client, picture)
    texts = [tag for tag in answer["tags"] if tag["displayName"] == "##TextRecognition"]
    assert all(tag["sources"] == ["OCR"] for tag in texts)
    recognised, *uris = (tag["actions"][0] for tag in texts)
    assert (recognised["actionType"], recognised["_type"]) == ("TextRecognition", "ImageKnowledge/TextRecognitionAction")
    lines = [line for region in recognised["data"]["regions"] for line in region["lines"]]
    assert lines[0]["text"] == "Kilnby Stoneware"
    assert [word["text"] for word in lines[0]["words"]] == ["Kilnby", "Stoneware"]
    assert 0 <= lines[0]["boundingBox"]["topLeft"]["x"] < lines[0]["boundingBox"]["topRight"]["x"] <= 1
    assert {action["url"] for action in uris} == {
        "tel:+1%20888%20555%201212",
        "mailto:info@kilnby.example",
        "http://www.kilnby.example",
    }
    assert all(set(action) == {"actionType", "url"} for action in uris)


async def test_s8_a_barcode_is_an_exact_product(client: Client) -> None:
    actions = default_tag(await ask(client, jpeg(code_picture("2100005001007"))))
    first = actions["ProductVisualSearch"]["data"]["value"][0]
    assert first["name"] == "Harbour Stripe Straight Mug"
    assert actions["BestRepresentativeQuery"]["displayName"] == "Harbour Stripe Straight Mug"
    assert min(offer["price"] for offer in actions["ShoppingSources"]["data"]["offers"]) == 14.95


def labelled() -> bytes:
    """The mug and a planter, with the planter's neighbour's barcode: a product that is not in the picture."""
    sheet = Image.new("RGB", (960, 760), "white")
    sheet.paste(Image.open(io.BytesIO(PAIR)), (0, 0))
    sheet.paste(code_picture("2100005001007", size=(460, 260)), (0, 490))
    return jpeg(sheet)


async def test_s8_with_a_barcode_pages_follow_each_other_as_well(client: Client) -> None:
    whole = default_tag(await ask(client, labelled()))["ProductVisualSearch"]["data"]
    assert whole["value"][0]["name"] == "Harbour Stripe Straight Mug"
    asked = {"knowledgeRequest": {"invokedSkills": ["SimilarProducts"], "offset": 0, "count": 35}}
    page = default_tag(await ask(client, labelled(), asked))["ProductVisualSearch"]["data"]
    assert page == whole


async def test_s8_a_product_known_by_its_code_keeps_its_place(client: Client) -> None:
    mug = boxes(await ask(client, labelled()))["mug"]
    assert mug != (0, 0, 1, 1)
    assert (mug[0] + mug[2]) / 2 < 0.5
    assert (mug[1] + mug[3]) / 2 < 0.65


async def test_s8_a_code_outside_the_crop_is_another_things(client: Client, engine: Engine) -> None:
    crop = Crop(0.5, 0.0, 1.0, 0.6)
    found = await engine.service.knowledge(Upload(labelled()), crop=crop)
    plain = await engine.service.insights(Upload(labelled()), [Module.PAGES_INCLUDING, Module.SIMILAR_PRODUCTS], crop=crop)
    assert found.similar_products.value[0].name != "Harbour Stripe Straight Mug"
    assert found.insights.pages_including == plain.pages_including
    assert found.similar_products.value == plain.similar_products


async def test_s8_a_crop_with_the_code_in_it_keeps_the_pages_of_the_whole(engine: Engine) -> None:
    picture, crop = Upload(labelled()), Crop(0.0, 0.0, 0.5, 1.0)
    found = await engine.service.knowledge(picture, crop=crop)
    plain = await engine.service.insights(picture, [Module.PAGES_INCLUDING])
    assert found.similar_products.value[0].name == "Harbour Stripe Straight Mug"
    assert plain.pages_including
    assert found.insights.pages_including == plain.pages_including


async def test_s8_a_qr_code_leads_to_its_address(client: Client) -> None:
    answer = await ask(client, jpeg(code_picture("https://kilnby.example/x", "QRCode")))
    urls = [action["url"] for tag in answer["tags"] for action in tag["actions"] if action["actionType"] == "Uri"]
    assert urls == ["https://kilnby.example/x"]


async def test_s8_paging_walks_the_whole_list_without_gaps(client: Client) -> None:
    whole = default_tag(await ask(client, PAIR))["VisualSearch"]["data"]
    seen: list[str] = []
    offset = 0
    while offset < whole["totalEstimatedMatches"]:
        asked = {"knowledgeRequest": {"invokedSkills": ["SimilarImages"], "offset": offset, "count": 4}}
        actions = default_tag(await ask(client, PAIR, asked))
        page = actions["VisualSearch"]["data"]
        assert "ProductVisualSearch" not in actions
        assert page["currentOffset"] == offset
        assert page["totalEstimatedMatches"] == whole["totalEstimatedMatches"]
        seen += [image["imageId"] for image in page["value"]]
        offset = page["nextOffset"]
    assert len(seen) == len(set(seen)) == whole["totalEstimatedMatches"]
    assert seen[: len(whole["value"])] == [image["imageId"] for image in whole["value"]]


async def test_s8_a_site_limits_both_lists_to_itself_and_its_subdomains(client: Client) -> None:
    everywhere = default_tag(await ask(client, MUG))["ProductVisualSearch"]["data"]
    for site in ("cupandcorner.example", "www.cupandcorner.example"):
        actions = default_tag(await ask(client, MUG, {"knowledgeRequest": {"filters": {"site": site}}}))
        there = actions["ProductVisualSearch"]["data"]
        assert 0 < there["totalEstimatedMatches"] <= everywhere["totalEstimatedMatches"]
        assert all("cupandcorner.example" in image["hostPageUrl"] for image in there["value"])
    assert "VisualSearch" not in default_tag(
        await ask(client, MUG, {"knowledgeRequest": {"filters": {"site": "corner.example"}}})
    )


async def test_s8_a_crop_area_narrows_what_is_similar_and_what_is_tagged(client: Client) -> None:
    right = {"imageInfo": {"cropArea": {"left": 0.5, "top": 0, "right": 1, "bottom": 1}}}
    answer = await ask(client, PAIR, right)
    assert all(box[0] >= 0.49 for name, box in boxes(answer).items() if box != (0, 0, 1, 1))
    products = default_tag(answer)["ProductVisualSearch"]["data"]["value"]
    assert "Mug" not in products[0]["name"]


async def test_s8_a_token_of_either_endpoint_and_an_address_name_the_picture(client: Client, engine: Engine) -> None:
    sent = await ask(client, MUG)
    for asked in (
        {"imageInfo": {"imageInsightsToken": client.token, "url": None}},
        {"imageInfo": {"imageInsightsToken": sent["image"]["imageInsightsToken"]}},
    ):
        answer = await ask(client, asked=asked)
        assert answer["image"]["imageInsightsToken"] == asked["imageInfo"]["imageInsightsToken"]
        assert default_tag(answer)["BestRepresentativeQuery"]["displayName"] == "Harbour Stripe Straight Mug"
    response, details = await client.ask(params={"insightsToken": sent["image"]["imageInsightsToken"], "modules": "Tags"})
    assert response.status == 200
    assert details["imageTags"]
    shown = default_tag(sent)["ProductVisualSearch"]["data"]["value"][0]
    answer = await ask(client, asked={"imageInfo": {"url": shown["contentUrl"]}})
    assert answer["image"]["imageInsightsToken"] == shown["imageInsightsToken"]
    assert default_tag(answer)["ImageById"]["image"]["imageId"] == shown["imageId"]


async def test_s8_the_part_wins_over_the_token_and_the_token_over_the_address(client: Client) -> None:
    answer = await ask(client, MUG, {"imageInfo": {"imageInsightsToken": client.token, "url": "http://127.0.0.1:1/"}})
    assert answer["image"]["imageInsightsToken"].startswith("bcid_")
    answer = await ask(client, asked={"imageInfo": {"imageInsightsToken": client.token, "url": "http://127.0.0.1:1/"}})
    assert answer["image"]["imageInsightsToken"] == client.token


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"imageInfo": {"imageInsightsToken": "never issued"}}, "imageInsightsToken"),
        ({"imageInfo": {"url": "http://127.0.0.1:1/"}}, "url"),
        ({"imageInfo": {"url": "ftp://x.example/a"}}, "url"),
        ({}, "image"),
        ("not json", "knowledgeRequest"),
        ({"imageInfo": {"imageInsightsToken": "TOKEN", "cropArea": {"left": 2}}}, "cropArea"),
    ],
)
async def test_s6_what_is_wrong_is_named_as_visual_search_names_it(client: Client, asked: Any, parameter: str) -> None:
    if isinstance(asked, dict) and asked.get("imageInfo", {}).get("imageInsightsToken") == "TOKEN":
        asked["imageInfo"]["imageInsightsToken"] = client.token
    await client.refused(400, parameter, method="POST", path=VISUAL, data=form(asked=asked))


async def test_s8_a_picture_of_too_many_pixels_gets_a_hint_and_no_insights(client: Client) -> None:
    out = io.BytesIO()
    Image.new("1", (8000, 7000)).save(out, "PNG")
    answer = await ask(client, out.getvalue())
    assert answer["imageQualityHints"] == [{"category": "ImageDimensionsExceedLimit"}]
    assert answer["tags"] == []


async def test_s8_json_bodies_are_refused(client: Client) -> None:
    await client.refused(
        400, "image", method="POST", path=VISUAL, data=b'{"imageInfo": {}}', headers={"Content-Type": "application/json"}
    )


async def test_knowledge_of_a_skill_is_that_list_alone(engine: Engine) -> None:
    found: Knowledge = await engine.service.knowledge(
        Token((await engine.service.insights(Upload(MUG), [Module.SIMILAR_PRODUCTS])).similar_products[0].token),
        skill=Skill(Module.SIMILAR_PRODUCTS, 0, 2),
        crop=Crop(0.1, 0.1, 0.9, 0.9),
        safe_search=SafeSearch.OFF,
    )
    assert len(found.similar_products.value) == 2
    assert found.similar_images.total == 0
    assert found.things == ()
