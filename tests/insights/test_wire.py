"""The HTTP API against the real server: what clients of Bing send, and what they get (insights-api.md; threats.md §8)."""

import asyncio
import gzip
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, FormData
from PIL import Image

from bot.insights.bing import MAX_IMAGE_BYTES
from bot.insights.model import Module, Upload
from tests.insights.clients import DETAILS, HEX, KEY, MUG, Client, form, serving
from tests.worlds import Engine

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(engine: Engine) -> AsyncIterator[Client]:
    found = await engine.service.insights(Upload(MUG), [Module.SIMILAR_PRODUCTS])
    async with serving(engine, ["old", KEY]) as url, ClientSession() as session:
        yield Client(session, url, found.similar_products[0].token)


@pytest.mark.parametrize("path", [DETAILS, "/v7.0/images/details"])
async def test_s1_both_prefixes_answer(client: Client, path: str) -> None:
    response, answer = await client.ask(path=path, params={"insightsToken": client.token, "modules": "All"})
    assert response.status == 200
    assert answer["_type"] == "ImageInsights"
    assert answer["imageInsightsToken"] == client.token
    assert {"imageTags", "imageCaption", "bestRepresentativeQuery", "shoppingSources", "pagesIncluding"} <= set(answer)
    assert "relatedSearches" not in answer


async def test_s2_headers_of_an_answer(client: Client) -> None:
    response, _ = await client.ask(params={"insightsToken": client.token, "mkt": "DE-de"}, headers={"X-MSEdge-ClientID": "ABC"})
    assert response.headers["X-MSEdge-ClientID"] == "ABC"
    assert response.headers["BingAPIs-Market"] == "de-DE"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in response.headers
    response, _ = await client.ask(
        params={"insightsToken": client.token}, headers={"Accept": "text/html", "Content-Type": "multipart/form-data"}
    )
    assert HEX.fullmatch(response.headers["X-MSEdge-ClientID"])


async def test_s1_names_and_values_in_any_case_and_encoding(client: Client) -> None:
    token = client.token.replace("*", "%2A")
    for query in (
        f"INSIGHTSTOKEN={token}&Modules=tags%2Ccaption",
        f"insightstoken={client.token}&modules=Tags,Caption&q=&ct=Rectangular",
    ):
        _, answer = await client.ask(path=f"{DETAILS}?{query}")
        assert set(answer) == {"_type", "imageInsightsToken", "imageTags", "imageCaption"}


async def test_s4_5_without_modules_query_and_caption_are_answered(client: Client) -> None:
    _, answer = await client.ask(params={"insightsToken": client.token})
    assert set(answer) == {"_type", "imageInsightsToken", "bestRepresentativeQuery", "imageCaption"}


async def test_s4_4_recognized_entities_is_alone_or_dropped(client: Client) -> None:
    _, alone = await client.ask(params={"insightsToken": client.token, "modules": "RecognizedEntities"})
    assert set(alone) <= {"_type", "imageInsightsToken", "recognizedEntityGroups"}
    _, dropped = await client.ask(params={"insightsToken": client.token, "modules": "RecognizedEntities,Tags"})
    assert set(dropped) == {"_type", "imageInsightsToken", "imageTags"}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"content_type": "text/plain"},
        {"content_type": "image/jpeg"},
        {"name": "file", "filename": "a.jpg"},
        {"name": "sourceImg"},
    ],
)
async def test_s5_a_posted_picture_is_answered_and_its_token_works_again(client: Client, options: dict[str, Any]) -> None:
    response, answer = await client.ask("POST", params={"modules": "SimilarProducts"}, data=form(MUG, **options))
    assert response.status == 200
    assert answer["imageInsightsToken"].startswith("bcid_")
    assert answer["visuallySimilarProducts"]["value"][0]["insightsMetadata"]["aggregateOffer"]["lowPrice"] == 14.95
    again, _ = await client.ask(params={"insightsToken": answer["imageInsightsToken"], "modules": "Tags"})
    assert again.status == 200


@pytest.mark.parametrize(
    "content_type", ["multipart/data-form; boundary=b", "multipart/form-data", 'multipart/form-data; boundary="b"']
)
async def test_s5_media_types_of_old_clients(client: Client, content_type: str) -> None:
    body = b"--b\r\nContent-Disposition: form-data; name=image\r\n\r\n" + MUG + b"\r\n--b--\r\n"
    response, _ = await client.ask("POST", data=body, headers={"Content-Type": content_type})
    assert response.status == 200


async def test_s1_a_chunked_body_is_read(client: Client) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"--b\r\nContent-Disposition: form-data; name=image\r\n\r\n"
        yield MUG
        yield b"\r\n--b--\r\n"

    response, _ = await client.ask("POST", data=pieces(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert response.status == 200


async def test_s3_the_posted_picture_goes_before_token_and_address(client: Client) -> None:
    _, answer = await client.ask("POST", params={"insightsToken": client.token, "imgUrl": "x"}, data=form(MUG))
    assert answer["imageInsightsToken"].startswith("bcid_")
    _, answer = await client.ask(params={"insightsToken": client.token, "imgUrl": "x"})
    assert answer["imageInsightsToken"] == client.token


@pytest.mark.parametrize(
    ("parameters", "parameter"),
    [
        ({"insightsToken": "TOKEN", "modules": "Tags,NotAModule"}, "modules"),
        ({"insightsToken": "TOKEN", "cal": "2"}, "cal"),
        ({"insightsToken": "TOKEN", "safeSearch": "maybe"}, "safeSearch"),
        ({"insightsToken": "never issued"}, "insightsToken"),
        ({"imgUrl": "http://127.0.0.1:1/"}, "imgUrl"),
        ({"imgUrl": "file:///etc/passwd"}, "imgUrl"),
        ({}, "insightsToken"),
    ],
)
async def test_s6_bad_values_are_named(client: Client, parameters: dict[str, str], parameter: str) -> None:
    parameters = {name: value.replace("TOKEN", client.token) for name, value in parameters.items()}
    error = await client.refused(400, parameter, params=parameters)
    assert error["code"] == "InvalidRequest"


async def test_s6_a_post_without_a_picture_misses_it(client: Client) -> None:
    body = FormData()
    body.add_field("knowledgeRequest", "{}", content_type="text/plain")
    error = await client.refused(400, "image", method="POST", data=body)
    assert error["subCode"] == "ParameterMissing"
    await client.refused(400, "image", method="POST", data=b"{}", headers={"Content-Type": "application/json"})
    await client.refused(400, "image", method="POST")


async def test_s6_a_picture_over_one_megabyte_is_an_invalid_value(client: Client) -> None:
    fits = Image.effect_noise((400, 400), 80).convert("RGB")
    out = io.BytesIO()
    fits.save(out, "JPEG", quality=95)
    padded = out.getvalue().ljust(MAX_IMAGE_BYTES, b"\0")
    response, _ = await client.ask("POST", data=form(padded))
    assert response.status == 200
    error = await client.refused(400, "image", method="POST", data=form(padded + b"\0"))
    assert error["subCode"] == "ParameterInvalidValue"


async def test_s6_bytes_that_are_no_picture_are_an_invalid_value(client: Client) -> None:
    for junk in (b"<html>", b"\xff\xd8\xff truncated", b"GIF89a"):
        await client.refused(400, "image", method="POST", data=form(junk))


@pytest.mark.parametrize("key", [None, "", "wrong", "k" * 31, "ключ"])
async def test_h1_without_the_key_nothing_is_answered(client: Client, key: str | None) -> None:
    headers = {} if key is None else {"Ocp-Apim-Subscription-Key": key}
    async with client.session.post(client.url + DETAILS, headers=headers, data=b"x" * 1000) as response:
        answer = await response.json()
    assert response.status == 401
    assert answer["errors"][0]["code"] == "InvalidAuthorization"


async def test_h1_a_key_given_twice_is_no_key(client: Client) -> None:
    headers = [("Ocp-Apim-Subscription-Key", KEY), ("Ocp-Apim-Subscription-Key", KEY)]
    async with client.session.get(client.url + DETAILS, headers=headers) as response:
        assert response.status == 401


async def test_h1_without_keys_only_this_machine_is_answered(engine: Engine) -> None:
    async with serving(engine, []) as url, ClientSession() as session:
        async with session.get(url + DETAILS, params={"modules": "Tags"}) as response:
            assert response.status == 400
        async with session.get(url + DETAILS, headers={"X-Forwarded-For": "203.0.113.9"}) as response:
            assert response.status == 401


async def test_h4_the_frameworks_own_refusals_are_error_responses(client: Client) -> None:
    await client.refused(404, path="/bing/v7.0/images/nothing")
    await client.refused(404, path="/v7.0/%00/x")
    await client.refused(405, method="DELETE")
    await client.refused(404, path=f"{DETAILS}?q={'a' * 2100}")
    await client.refused(417, headers={"Expect": "miracles"})


async def test_h5_encoded_and_oversized_bodies_are_refused_unread(client: Client) -> None:
    await client.refused(415, method="POST", data=gzip.compress(MUG), headers={"Content-Encoding": "gzip"})
    await client.refused(413, method="POST", data=io.BytesIO(bytes(5 * 1024 * 1024)))


async def test_many_at_once_are_all_answered(client: Client) -> None:
    answers = await asyncio.gather(
        *(client.ask("POST", params={"modules": "Tags"}, data=form(MUG + bytes([n]))) for n in range(12))
    )
    assert {response.status for response, _ in answers} == {200}


# ---------------------------------------------------------------- pictures


async def test_th_serves_small_and_whole_pictures_as_jpeg(client: Client, engine: Engine) -> None:
    found = await engine.service.insights(Upload(MUG), [Module.SIMILAR_PRODUCTS])
    path = found.similar_products[0].content_url.removeprefix(engine.url)
    for query, size in (
        ("", (480, 480)),
        ("&w=120&h=90", (90, 90)),
        ("&w=120&h=90&c=7", (120, 90)),
        ("&w=120&h=90&p=1", (120, 90)),
        ("&w=200", (200, 200)),
        ("&w=2000", (480, 480)),
    ):
        async with client.session.get(client.url + path + query) as response:
            data = await response.read()
        assert response.headers["Content-Type"] == "image/jpeg"
        assert "immutable" in response.headers["Cache-Control"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert Image.open(io.BytesIO(data)).size == size, query
        async with client.session.get(client.url + path + query, headers={"If-None-Match": response.headers["ETag"]}) as again:
            assert again.status == 304


async def test_th_pictures_are_what_the_answer_says_they_are(client: Client, engine: Engine) -> None:
    found = await engine.service.insights(Upload(MUG), [Module.SIMILAR_PRODUCTS])
    image = found.similar_products[0]
    async with client.session.get(client.url + image.content_url.removeprefix(engine.url)) as response:
        data = await response.read()
    assert len(data) == image.content_size
    assert Image.open(io.BytesIO(data)).size == (image.width, image.height)
    async with client.session.get(client.url + image.thumbnail_url.removeprefix(engine.url)) as response:
        assert Image.open(io.BytesIO(await response.read())).size == (image.thumbnail_width, image.thumbnail_height)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?id=",
        "?id=../../etc/passwd",
        "?id=OIP." + "0" * 64,
        "?id=OIP." + "0" * 64 + "&w=0",
        "?id=OIP.x&w=9999999999",
        "?w=1&h=1",
    ],
)
async def test_th_of_anything_else_is_not_found(client: Client, query: str) -> None:
    async with client.session.get(f"{client.url}/th{query}") as response:
        assert response.status == 404
