"""What other programs of Bing's time send, byte for byte: JavaScript, C#, jQuery, curl, .NET (insights-api.md §1, §2, §5, §8)."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from yarl import URL

from tests.conformance.conftest import Service
from tests.insights.clients import DETAILS, KEY, MUG, Client

pytestmark = pytest.mark.asyncio(loop_scope="session")

VISUAL = "/bing/v7.0/images/visualsearch"
JAVASCRIPT = {
    "Accept": "*/*",
    "Content-Type": "application/json; charset=utf-8",
    "accept-language": "en-US",
    "X-BingApis-SDK": "true",
    "X-BingApis-SDK-Client": "JavaScript-SDK",
    "x-ms-client-request-id": "b6b1c3d2-7a0f-4d4e-8f57-3d8b3a3a3f10",
    "User-Agent": "Node/v8.11.1",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A body with what the program's library says of it."""

    content_type: str
    body: bytes


def sent(content_type: str, boundary: str, *parts: tuple[str, bytes]) -> Sent:
    chunks = [f"--{boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n" for head, data in parts]
    return Sent(content_type, b"".join(chunks) + f"--{boundary}--\r\n".encode())


def named(name: str, *more: str) -> str:
    return "\r\n".join([f"Content-Disposition: form-data; name={name}", *more])


CURL = "------------------------d74496d66958873e"
UPLOAD_HEAD = named('"image"; filename="image"', "Content-Type: application/octet-stream")
DOTNET = "5c1a4f47-5b52-4e77-9b8b-2d5f7a1f3c10"
UPLOADS = {
    "curl -F image=@mug.jpg": sent(
        f"multipart/form-data; boundary={CURL}", CURL, (named('"image"; filename="mug.jpg"', "Content-Type: image/jpeg"), MUG)
    ),
    "C# WebClient.UploadFile": sent(
        "multipart/form-data; boundary=---------------------8d5a1b2c3d4e5f6",
        "---------------------8d5a1b2c3d4e5f6",
        (named('"file"; filename="mug.jpg"', "Content-Type: application/octet-stream"), MUG),
    ),
    "jQuery without a boundary": sent(
        "multipart/form-data",
        "----WebKitFormBoundary7MA4YWxkTrZu0gW",
        (named('"sourceImg"; filename="blob"', "Content-Type: image/jpeg"), MUG),
    ),
    "multipart/data-form": sent("multipart/data-form; boundary=b", "b", (named('"image"'), MUG)),
    "Python requests": sent(
        "multipart/form-data; boundary=9f86d081884c7d65", "9f86d081884c7d65", (named('"image"; filename="myfile"'), MUG)
    ),
    "JavaScript SDK": sent(
        "multipart/form-data; boundary=--------------------------515890814546601021194782",
        "--------------------------515890814546601021194782",
        (named('"image"; filename="mug.jpg"', "Content-Type: image/jpeg"), MUG),
    ),
    ".NET SDK": sent(
        f'multipart/form-data; boundary="{DOTNET}"',
        DOTNET,
        ("Content-Type: application/octet-stream\r\n" + named("image; filename=image; filename*=utf-8''image"), MUG),
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(service: Service) -> AsyncIterator[Client]:
    async with ClientSession() as session:
        yield Client(session, service.url, service.token)


async def post(client: Client, path: str, form: Sent, **headers: str) -> dict[str, Any]:
    response, answer = await client.ask("POST", path, data=form.body, headers={"Content-Type": form.content_type} | headers)
    assert response.status == 200
    return answer


@pytest.mark.parametrize("program", UPLOADS)
async def test_s5_a_picture_as_each_program_posts_it(client: Client, program: str) -> None:
    answer = await post(client, f"{DETAILS}?modules=All", UPLOADS[program])
    assert answer["visuallySimilarProducts"]["value"][0]["name"] == "Harbour Stripe Straight Mug"


@pytest.mark.parametrize("program", UPLOADS)
async def test_s8_the_same_forms_search_by_picture(client: Client, program: str) -> None:
    answer = await post(client, VISUAL, UPLOADS[program])
    (default,) = (tag for tag in answer["tags"] if tag["displayName"] == "")
    assert "ProductVisualSearch" in {action["actionType"] for action in default["actions"]}


async def test_s5_a_header_called_contenttype_says_nothing(client: Client) -> None:
    answer = await post(client, f"{DETAILS}?modules=Tags", UPLOADS["C# WebClient.UploadFile"], ContentType="multipart/form-data")
    assert answer["imageTags"]["value"]


async def test_s5_a_program_that_waits_for_100_continue_is_told_to_go_on(client: Client) -> None:
    form = UPLOADS["curl -F image=@mug.jpg"]
    response, answer = await client.ask("POST", data=form.body, headers={"Content-Type": form.content_type}, expect100=True)
    assert (response.status, answer["_type"]) == (200, "ImageInsights")


@pytest.mark.parametrize(
    "head",
    [
        named("knowledgeRequest", "Content-Type: text/plain; charset=utf-8"),
        named('"knowledgeRequest"'),
        "Content-Type: text/plain; charset=utf-8\r\n" + named("knowledgeRequest"),
        named('"knowledgeRequest"', "Content-Type: application/json"),
    ],
)
async def test_s8_a_knowledge_request_in_every_form_it_comes(client: Client, head: str) -> None:
    asked = json.dumps({"imageInfo": {"imageInsightsToken": client.token, "url": None}})
    answer = await post(client, VISUAL, sent('multipart/form-data; boundary="b"', "b", (head, asked.encode())))
    assert answer["image"]["imageInsightsToken"] == client.token


async def test_s8_a_part_without_filename_or_type_is_a_picture(client: Client) -> None:
    answer = await post(client, VISUAL, sent("multipart/form-data; boundary=b", "b", (named('"image"'), MUG)))
    assert answer["image"]["imageInsightsToken"].startswith("bcid_")


async def test_s8_filters_beside_a_sent_picture_and_its_crop_are_read(client: Client) -> None:
    asked = {
        "imageInfo": {"cropArea": {"left": "0.0", "top": 0, "right": 1, "bottom": "1.0"}},
        "knowledgeRequest": {"filters": {"site": "cupandcorner.example"}},
    }
    form = sent(
        "multipart/form-data; boundary=b", "b", (UPLOAD_HEAD, MUG), (named("knowledgeRequest"), json.dumps(asked).encode())
    )
    (default,) = (tag for tag in (await post(client, VISUAL, form))["tags"] if tag["displayName"] == "")
    (products,) = (action for action in default["actions"] if action["actionType"] == "ProductVisualSearch")
    assert all("cupandcorner.example" in image["hostPageUrl"] for image in products["data"]["value"])


async def test_s8_json_with_a_comma_too_many_is_refused(client: Client) -> None:
    asked = b'{"imageInfo": {"url": "",}, }'
    form = sent("multipart/form-data; boundary=b", "b", (named("knowledgeRequest"), asked))
    headers = {"Content-Type": form.content_type}
    await client.refused(400, "knowledgeRequest", method="POST", path=VISUAL, data=form.body, headers=headers)


# ---------------------------------------------------------------- addresses and headers


@pytest.mark.parametrize(
    "query",
    [
        "q=blue%20mug&insightsToken={quoted}&modules=All,RelatedSearches",  # Python
        "q=blue%20mug&insightsToken={token}&modules=All",  # JavaScript leaves * bare
        "mkt=en-us&InsightsToken={quoted}&modules=All%2CRelatedSearches&q=blue+mug",  # the samples
        "INSIGHTSTOKEN={quoted}&Q=blue%20mug&modules=all,%20relatedSearches",
    ],
)
async def test_s1_queries_as_each_program_encodes_them(client: Client, query: str) -> None:
    said = query.format(token=client.token, quoted=client.token.replace("*", "%2A"))
    async with client.session.get(
        URL(f"{client.url}{DETAILS}?{said}", encoded=True), headers={"Ocp-Apim-Subscription-Key": KEY} | JAVASCRIPT
    ) as response:
        answer = await response.json()
    assert response.status == 200
    assert answer["imageInsightsToken"] == client.token
    assert answer["relatedSearches"]["value"]


async def test_s1_a_query_is_decoded_once(client: Client) -> None:
    twice = client.token.replace("*", "%252A")
    headers = {"Ocp-Apim-Subscription-Key": KEY}
    async with client.session.get(URL(f"{client.url}{DETAILS}?insightsToken={twice}", encoded=True), headers=headers) as response:
        assert response.status == 400


async def test_s2_the_javascript_clients_headers_change_nothing(client: Client) -> None:
    parameters = {"insightsToken": client.token, "modules": "All", "q": ""}
    _, plain = await client.ask(params=parameters)
    response, same = await client.ask(params=parameters, headers=JAVASCRIPT)
    assert response.status == 200
    assert same == plain
