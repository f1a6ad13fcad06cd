"""Facts of the wire that no other test holds, each small, over the real server or the real models (docs/insights-api.md)."""

import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web
from PIL import Image
from pydantic import ValidationError
from sqlalchemy import update

from bot.insights import bing, tables
from bot.insights.bing.markets import COUNTRIES
from bot.insights.bing.wire import WireAction, WireImage, WireInsights, WireKnowledge, WireModuleAction, WirePerson
from bot.insights.model import (
    WHOLE,
    Crop,
    Entity,
    EntityGroup,
    EntityMatch,
    EntityRegion,
    Gallery,
    Insights,
    Module,
    Rating,
    Recipe,
    Token,
    Upload,
)
from bot.insights.uploads import Remembered, Uploads, pack
from bot.storage import Database
from bot.web import address, bind, listening
from tests import databases
from tests.insights.clients import DETAILS, KEY, MUG, Client, form, serving
from tests.insights.test_client import asking, good
from tests.insights.test_modules import look
from tests.worlds import CATALOGUE, Engine, beside, photo, picture_host

pytestmark = pytest.mark.asyncio(loop_scope="session")

VISUAL = "/v7.0/images/visualsearch"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(engine: Engine) -> AsyncIterator[Client]:
    found = await engine.service.insights(Upload(MUG), [Module.SIMILAR_PRODUCTS])
    async with serving(engine, [KEY]) as url, ClientSession() as session:
        yield Client(session, url, found.similar_products[0].token)


# ---------------------------------------------------------------- transport


async def test_s1_the_address_may_have_2048_characters_in_all(client: Client) -> None:
    start = f"{client.url}{DETAILS}?insightsToken={client.token}&q="
    response, _ = await client.ask(path=f"{start}{'a' * (2048 - len(start))}".removeprefix(client.url))
    assert response.status == 200
    await client.refused(404, path=f"{start}{'a' * (2049 - len(start))}".removeprefix(client.url))


@pytest.mark.parametrize("path", ["/bing/v7.0/images/search/details", "/v7.0/images/search/details"])
async def test_s1_the_path_that_no_client_used_is_not_there(client: Client, path: str) -> None:
    error = await client.refused(404, path=path, params={"insightsToken": client.token})
    assert error["code"] == "InvalidRequest"


async def test_s1_a_strange_token_arrives_as_it_is(engine: Engine) -> None:
    token = r"bcid_r0Yz*ccid_a+b/c.d-e!_f*thid_OIP.sGbXtPJLgOt8i\_88mVk"
    async with asking(engine, good()) as (http, far):
        await http.insights(Token(token), [Module.TAGS])
    assert far.asked[0].query["insightsToken"] == token


async def test_s3_a_token_of_another_service_is_refused_as_a_value(client: Client) -> None:
    for token in (r"ccid_a!_b*mid_C*simid_1*thid_OIP.x\_88", "bcid_SIdv*ccid_", "mid_" + "A" * 40):
        error = await client.refused(400, "insightsToken", params={"insightsToken": token})
        assert error["subCode"] == "ParameterInvalidValue"


# ---------------------------------------------------------------- details


async def test_s3_what_details_does_not_know_it_ignores(client: Client) -> None:
    wanted = {"insightsToken": client.token, "modules": "SimilarImages"}
    _, plain = await client.ask(params=wanted)
    others = {"count": "1", "offset": "x", "size": "Huge", "width": "-1", "license": "?", "id": "DEADBEEF", "nonsense": "1"}
    _, same = await client.ask(params=wanted | others)
    assert same == plain


async def test_s3_an_edge_that_is_missing_is_the_pictures() -> None:
    assert bing.read_question({"cal": "0.5"}).crop == Crop(0.5, 0.0, 1.0, 1.0)
    assert bing.read_question({"cat": "0.5"}).crop == Crop(0.0, 0.5, 1.0, 1.0)
    assert bing.read_question({"car": "0.5"}).crop == Crop(0.0, 0.0, 0.5, 1.0)
    assert bing.read_question({"cab": "0.5"}).crop == Crop(0.0, 0.0, 1.0, 0.5)
    assert bing.read_question({}).crop == WHOLE


async def test_s3_a_picture_by_address_with_modules(client: Client) -> None:
    async with picture_host() as host:
        parameters = {"imgurl": f"{host}/vase.jpg", "modules": "SimilarProducts"}
        response, answer = await client.ask(params=parameters)
    assert response.status == 200
    assert answer["visuallySimilarProducts"]["value"]
    assert answer["imageInsightsToken"].startswith("bcid_")


async def test_s3_a_picture_behind_an_address_has_one_megabyte_too(client: Client) -> None:
    async def large(_: web.Request) -> web.Response:
        return web.Response(body=MUG.ljust(bing.MAX_IMAGE_BYTES + 1, b"\0"), content_type="image/jpeg")

    sock = bind("127.0.0.1", 0)
    async with listening(sock, [web.get("/large.jpg", large)]):
        await client.refused(400, "imgUrl", params={"imgUrl": f"{address(sock)}/large.jpg"})


async def test_s3_links_speak_the_language_asked_for(client: Client) -> None:
    parameters = {"insightsToken": client.token, "modules": "SimilarImages", "setLang": "fr-ca"}
    _, answer = await client.ask(params=parameters, headers={"Accept-Language": "de"})
    assert "setLang=fr&" in answer["visuallySimilarImages"]["value"][0]["webSearchUrl"]


async def test_s3_a_token_of_a_sent_picture_is_answered_for_thirty_days(tmp_path: Path) -> None:
    async with Database.open(databases.where(tmp_path)) as database:
        uploads = await Uploads.open(database)
        tokens = [uploads.token(data) for data in (b"old", b"new")]
        for token, days in zip(tokens, (31, 29), strict=True):
            await uploads.keep(token, "encoder", pack(Remembered(look())))
            sent = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)
            async with database.write() as connection:
                await connection.execute(update(tables.uploads).where(tables.uploads.c.token == token).values(created=sent))
        later = await Uploads.open(database)
        assert [await later.find(token, "encoder") is not None for token in tokens] == [False, True]


async def test_s3_words_bring_what_they_name_to_the_front_of_what_is_similar(client: Client) -> None:
    wanted = {"insightsToken": client.token, "modules": "SimilarImages"}

    async def names(words: str) -> list[str]:
        _, answer = await client.ask(params=wanted | {"q": words})
        return [image["name"] for image in answer["visuallySimilarImages"]["value"]]

    plain = await names("")
    last = plain[-1]
    assert last != plain[0]
    asked = await names(last)
    assert asked[0] == last
    assert sorted(asked) == sorted(plain)
    assert await names("garden lamp") == plain


async def test_s4_offers_stand_directly_in_shopping_sources(client: Client) -> None:
    _, answer = await client.ask(params={"insightsToken": client.token, "modules": "ShoppingSources"})
    assert set(answer["shoppingSources"]) == {"offers"}


async def test_s5_recognized_entities_of_a_posted_picture_are_answered_at_once(client: Client) -> None:
    sculpture = (CATALOGUE / "images" / "sculpture-threefold-knot.jpg").read_bytes()
    _, answer = await client.ask("POST", params={"modules": "RecognizedEntities"}, data=form(sculpture))
    assert set(answer) == {"_type", "imageInsightsToken", "recognizedEntityGroups"}
    (region, *_) = answer["recognizedEntityGroups"]["value"][0]["recognizedEntityRegions"]
    assert region["matchingEntities"][0]["entity"]["name"] == "Threefold Knot"
    confidences = [match["matchConfidence"] for match in region["matchingEntities"]]
    assert confidences == sorted(confidences, reverse=True)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WebP"])
async def test_s5_every_usual_format_is_read(client: Client, kind: str) -> None:
    out = io.BytesIO()
    Image.open(io.BytesIO(photo("photo-02.jpg"))).resize((320, 320)).save(out, kind)
    response, answer = await client.ask("POST", params={"modules": "Tags"}, data=form(out.getvalue()))
    assert response.status == 200
    assert answer["imageTags"]["value"]


# ---------------------------------------------------------------- errors


async def test_s6_a_parameter_is_named_as_it_is_documented(client: Client) -> None:
    await client.refused(400, "insightsToken", params={"INSIGHTSTOKEN": "never issued"})
    await client.refused(400, "imgUrl", params={"imgurl": "nonsense"})
    await client.refused(400, "safeSearch", params={"SAFESEARCH": "maybe", "insightsToken": client.token})


# ---------------------------------------------------------------- objects

GRAPH = Insights(
    "t",
    collections=(Gallery("Coffee corner", "https://a.example/c", "", "https://a.example/t", "Ana", "A shop", 12, 3),),
    recipes=(
        Recipe(
            "Soup", "https://a.example/r", "https://a.example/t", "Hot.", "Ana", Rating(4.5, 7), "PT1H45M", "PT10M", "PT1H55M"
        ),
    ),
    recognized_entities=(
        EntityGroup(
            "CelebrityAnnotations",
            (EntityRegion(Crop(0.1, 0.2, 0.3, 0.4), (EntityMatch(Entity("1", "Ada", "Person", job_title="Poet"), 0.75),)),),
        ),
    ),
)


async def test_s7_collections_recipes_and_people_are_spelled_as_bing_spells_them() -> None:
    wire = bing.to_wire(GRAPH)
    person = {"_type": "Person", "name": "Ana"}
    assert wire["relatedCollections"]["value"] == [
        {
            "name": "Coffee corner",
            "url": "https://a.example/c",
            "description": "",
            "thumbnailUrl": "https://a.example/t",
            "creator": person,
            "source": "A shop",
            "imagesCount": 12,
            "followersCount": 3,
        }
    ]
    (recipe,) = wire["recipes"]["value"]
    assert recipe["creator"] == person
    assert (recipe["cookTime"], recipe["prepTime"], recipe["totalTime"]) == ("PT1H45M", "PT10M", "PT1H55M")
    assert recipe["aggregateRating"] == {"ratingValue": 4.5, "bestRating": 5.0, "reviewCount": 7}
    (group,) = wire["recognizedEntityGroups"]["value"]
    (region,) = group["recognizedEntityRegions"]
    assert region["region"] == {"left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4}
    (match,) = region["matchingEntities"]
    assert match["matchConfidence"] == 0.75
    assert (match["entity"]["_type"], match["entity"]["jobTitle"]) == ("Person", "Poet")
    assert bing.from_wire(wire) == GRAPH


async def test_s7_the_fields_of_a_picture_look_as_bings_do(client: Client) -> None:
    _, answer = await client.ask(params={"insightsToken": client.token, "modules": "SimilarImages"})
    for image in answer["visuallySimilarImages"]["value"]:
        assert "://" not in image["hostPageDisplayUrl"]
        assert image["datePublished"].endswith(".0000000Z")
        size, unit = image["contentSize"].split(" ")
        assert (int(size) > 0, unit) == (True, "B")
        assert image["encodingFormat"] == "jpeg"
        assert len(bytes.fromhex(image["accentColor"])) == 3
        assert image["imageId"] == image["imageId"].upper()
        assert image["isFamilyFriendly"] is True
        assert set(image["thumbnail"]) == {"width", "height"}
        assert image["insightsMetadata"]["availableSizesCount"] >= 1
        assert "insightsSourcesSummary" not in image


async def test_s7_a_product_sums_up_its_offers(client: Client) -> None:
    _, answer = await client.ask("POST", params={"modules": "SimilarProducts"}, data=form(MUG))
    summary = answer["visuallySimilarProducts"]["value"][0]["insightsMetadata"]["aggregateOffer"]
    assert {"name", "priceCurrency", "lowPrice", "offerCount"} <= set(summary)
    assert isinstance(summary["lowPrice"], float)
    assert isinstance(summary["offerCount"], int)


RARE = {
    "id": "https://api.example/#1",
    "readLink": "https://api.example/1",
    "url": "https://a.example",
    "alternateName": "Cup",
    "bingId": "b",
    "text": "t",
    "provider": [{"_type": "Organization", "name": "A"}],
    "visualWords": "1 2 3",
    "creativeCommons": "PublicNoRightsReserved",
    "hostPageFavIconUrl": "https://a.example/i",
    "proxyContentUrl": "https://p.example",
    "hostPageUrlPingSuffix": "DevEx,5082.1",
    "hostPageDisplayUrl": "münchen.example/very/lo...",
    "insightsMetadata": {"videoObject": {"creator": {"name": "A"}, "viewCount": 3}, "bestRepresentativeQuery": {"text": "cup"}},
}


async def test_s7_what_only_bing_sends_is_kept() -> None:
    assert WireImage.read(RARE).given() == RARE
    person = {"_type": "Person", "name": "Ada", "twitterProfile": "https://t.example/ada"}
    assert WirePerson.read(person).given() == person
    whole = {"instrumentation": {"pingUrlBase": "https://p"}, "detectedObjects": {"value": [1]}, "image": {"name": ""}}
    assert WireInsights.read(whole).given() == whole
    assert WireKnowledge.read(whole).given() == whole


async def test_s7_what_only_bing_sends_is_not_sent(client: Client) -> None:
    _, details = await client.ask("POST", params={"modules": "All", "q": "mug"}, data=form(MUG))
    _, knowledge = await client.ask("POST", VISUAL, data=form(MUG))
    names = set(keys(details)) | set(keys(knowledge))
    assert names.isdisjoint({"instrumentation", "visualWords", "videoObject", "detectedObjects", "isTopAction"})
    assert not [name for name in names if name.endswith("PingSuffix")]


def keys(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [*node, *(name for value in node.values() for name in keys(value))]
    return [name for value in node for name in keys(value)] if isinstance(node, list) else []


# ---------------------------------------------------------------- Visual Search


async def actions_of(client: Client, picture: bytes) -> dict[str, dict[str, Any]]:
    """Of the default tag, by type."""
    _, answer = await client.ask("POST", VISUAL, data=form(picture))
    (default,) = (tag for tag in answer["tags"] if tag["displayName"] == "")
    return {action["actionType"]: action for action in default["actions"]}


async def test_s8_recipes_and_suggestions_are_actions(client: Client) -> None:
    actions = await actions_of(client, (CATALOGUE / "images" / "ec01.jpg").read_bytes())
    assert actions["Recipes"]["_type"] == "ImageRecipesAction"
    assert actions["Recipes"]["data"]["value"][0]["name"] == "Flat white"
    suggested = await actions_of(client, beside("mg01.jpg", "pl01.jpg"))
    assert suggested["DocumentLevelSuggestions"]["_type"] == "ImageRelatedSearchesAction"
    assert suggested["DocumentLevelSuggestions"]["data"]["value"][0]["text"]


async def test_s8_a_smaller_copy_has_more_sizes(client: Client) -> None:
    out = io.BytesIO()
    Image.open(io.BytesIO(MUG)).resize((240, 240)).save(out, "JPEG", quality=95)
    action = (await actions_of(client, out.getvalue()))["MoreSizes"]
    assert "_type" not in action
    assert (action["image"]["width"], action["image"]["height"]) == (480, 480)
    assert "MoreSizes" not in await actions_of(client, MUG)


async def test_s8_an_insight_is_the_same_at_both_endpoints(client: Client) -> None:
    wanted = {"modules": "PagesIncluding,SimilarImages,SimilarProducts,ShoppingSources,BRQ"}
    _, details = await client.ask("POST", params=wanted, data=form(MUG))
    actions = await actions_of(client, MUG)
    assert actions["PagesIncluding"]["data"]["value"] == details["pagesIncluding"]["value"]
    assert actions["ShoppingSources"]["data"] == details["shoppingSources"]
    assert actions["BestRepresentativeQuery"]["displayName"] == details["bestRepresentativeQuery"]["displayText"]
    for action, field in (("VisualSearch", "visuallySimilarImages"), ("ProductVisualSearch", "visuallySimilarProducts")):
        listed = [image["imageId"] for image in actions[action]["data"]["value"]]
        few = [image["imageId"] for image in details[field]["value"]]
        assert listed[: len(few)] == few[: len(listed)]
    assert not {"Caption", "Collections", "RecognizedEntities"} & set(actions)


# ---------------------------------------------------------------- actions and models


async def test_s8_an_action_without_a_known_type_is_the_base_class() -> None:
    actions = [
        {"actionType": "MoreSizes", "image": {"contentUrl": "x"}},
        {"actionType": "New", "_type": "ImageNewAction", "data": {"value": [1]}},
        {"actionType": "VisualSearch", "_type": "ImageModuleAction", "data": {"value": []}},
        {"actionType": "Uri", "url": "tel:+1 888"},
    ]
    answer = {"tags": [{"displayName": "", "actions": actions}]}
    read = WireKnowledge.read(answer)
    assert read.tags
    assert read.tags[0].actions
    assert [type(action) for action in read.tags[0].actions] == [WireAction, WireAction, WireModuleAction, WireAction]
    assert read.given() == answer


async def test_s9_nothing_but_the_action_type_is_required() -> None:
    for model in (WireInsights, WireKnowledge, WireImage):
        assert model.read({}).given() == {}
    with pytest.raises(ValidationError):
        WireAction.read({"_type": "ImageModuleAction"})
    assert WireAction.read({"actionType": "Uri", "url": "tel:+1"}).url == "tel:+1"


async def test_s9_numbers_stay_as_they_came() -> None:
    answer = {"value": [{"width": 480, "height": 0, "insightsMetadata": {"aggregateOffer": {"lowPrice": 495, "price": 0.0}}}]}
    read = WireInsights.read({"visuallySimilarImages": answer}).given()["visuallySimilarImages"]
    assert json.dumps(read, sort_keys=True) == json.dumps(answer, sort_keys=True)


# ---------------------------------------------------------------- codes


async def test_s10_every_country_leads_to_a_market() -> None:
    assert len(COUNTRIES) == 36
    elsewhere = [country for country in COUNTRIES if not bing.best_market("", country).endswith(f"-{country}")]
    assert elsewhere == ["PT", "SA"]


async def test_s10_every_language_is_spoken() -> None:
    listed = (
        "ar eu bn bg ca zh-hans zh-hant hr cs da nl en en-gb et fi fr gl de gu he hi hu is it ja kn ko lv lt ms ml mr nb pl "
        "pt-br pt-pt pa ro ru sr sk sl es sv ta te th tr uk vi"
    )
    assert [bing.interface_language(code.upper()) for code in listed.split()] == listed.split()
    assert bing.interface_language("jp") == "ja"


# ---------------------------------------------------------------- what no source says


async def test_s11_a_picture_may_be_one_pixel_small(client: Client) -> None:
    out = io.BytesIO()
    Image.new("RGB", (1, 1), "red").save(out, "PNG")
    response, answer = await client.ask("POST", data=form(out.getvalue()))
    assert (response.status, answer["_type"]) == (200, "ImageInsights")
