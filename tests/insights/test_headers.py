"""Headers in and out (insights-api.md §2)."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from bot.insights.model import Module, Upload
from tests.insights.clients import DETAILS, HEX, KEY, MUG, Client, form, serving
from tests.worlds import Engine

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(engine: Engine) -> AsyncIterator[Client]:
    found = await engine.service.insights(Upload(MUG), [Module.SIMILAR_PRODUCTS])
    async with serving(engine, [KEY]) as url, ClientSession() as session:
        yield Client(session, url, found.similar_products[0].token)


async def test_s2_every_trace_is_another_and_errors_have_one_too(client: Client) -> None:
    good, _ = await client.ask(params={"insightsToken": client.token})
    bad, _ = await client.ask()
    unknown, _ = await client.ask(path="/bing/v7.0/nothing")
    traces = {response.headers["BingAPIs-TraceId"] for response in (good, bad, unknown)}
    assert len(traces) == 3


async def test_s2_the_market_is_on_errors_as_well_once_it_is_known(client: Client) -> None:
    response, _ = await client.ask(params={"mkt": "fr-fr"})
    assert (response.status, response.headers["BingAPIs-Market"]) == (400, "fr-FR")


async def test_s2_accept_language_with_cc_finds_the_market(client: Client) -> None:
    response, _ = await client.ask(
        params={"insightsToken": client.token, "cc": "ch"}, headers={"Accept-Language": "it, de;q=0.7, fr;q=0.9"}
    )
    assert response.headers["BingAPIs-Market"] == "fr-CH"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-MSEdge-ClientIP", "999.999.999.999"),
        ("X-Search-ClientIP", "2001:db8::1"),
        ("X-Search-Location", "lat:55;long:-111;re:22"),
        ("X-Search-Location", "nonsense;;:"),
        ("X-BingApis-SDK", "True"),
        ("X-BingApis-SDK-Client", "Python-SDK"),
        ("x-ms-client-request-id", "1"),
        ("User-Agent", "Mozilla/5.0 (anything)"),
        ("Accept", "text/html"),
        ("Accept", "*/*"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Pragma", "no-cache"),
    ],
)
async def test_s2_headers_that_never_refuse(client: Client, header: str, value: str) -> None:
    response, answer = await client.ask(params={"insightsToken": client.token, "modules": "Tags"}, headers={header: value})
    assert response.status == 200
    assert answer["imageTags"]["value"]


async def test_s2_the_client_id_comes_back_unchanged_or_is_made(client: Client) -> None:
    response, _ = await client.ask(headers={"X-MSEdge-ClientID": "1C3352B306E669780D58D607B96869"})
    assert response.headers["X-MSEdge-ClientID"] == "1C3352B306E669780D58D607B96869"
    response, _ = await client.ask(headers={"X-MSEdge-ClientID": "with space"})
    assert HEX.fullmatch(response.headers["X-MSEdge-ClientID"])


async def test_s2_json_ld_when_it_is_asked_for(client: Client) -> None:
    parameters = {"insightsToken": client.token, "modules": "ShoppingSources"}
    headers = {"Ocp-Apim-Subscription-Key": KEY, "Accept": "application/ld+json"}
    async with client.session.get(client.url + DETAILS, params=parameters, headers=headers) as response:
        assert response.headers["Content-Type"] == "application/ld+json; charset=utf-8"
        answer = await response.json(content_type=None)
    assert answer["@context"]
    assert answer["@type"] == "ImageInsights"
    assert answer["shoppingSources"]["offers"][0]["price"] > 0
    response, _ = await client.ask(params=parameters, headers={"Accept": "application/json, application/ld+json;q=0.9"})
    assert response.status == 200


async def test_s2_answers_are_not_cached_on_the_way(client: Client) -> None:
    response, _ = await client.ask(params={"insightsToken": client.token})
    assert (response.headers["Cache-Control"], response.headers["Pragma"], response.headers["Expires"]) == (
        "no-cache",
        "no-cache",
        "-1",
    )


async def test_s2_pragma_no_cache_looks_again_and_finds_the_same(client: Client) -> None:
    _, first = await client.ask("POST", params={"modules": "Tags"}, data=form(MUG))
    _, again = await client.ask("POST", params={"modules": "Tags"}, data=form(MUG), headers={"Pragma": "no-cache"})
    assert first == again
