"""The API's description and the API say the same (insights-api.md §3, §4)."""

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import schemathesis
from aiohttp import ClientSession

from bot.insights import bing, openapi
from bot.insights.openapi import AUDIENCE, DETAILS, SEARCH, Parameter
from tests.insights.clients import DETAILS as DETAILS_PATH
from tests.insights.clients import KEY, MUG, Client, form, serving
from tests.worlds import Engine

pytestmark = pytest.mark.asyncio(loop_scope="session")
SEARCH_PATH = "/bing/v7.0/images/search"


class Watched(dict[str, str]):
    """A query string that remembers which names were looked up."""

    def __init__(self, **given: str) -> None:
        super().__init__(given)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


@pytest.mark.parametrize(
    ("table", "read"), [(DETAILS, bing.read_question), (SEARCH, bing.read_search), (AUDIENCE, bing.read_audience)]
)
async def test_s3_what_is_described_is_what_is_read(table: tuple[Parameter, ...], read: Callable[[Any], object]) -> None:
    given = Watched(q="mug")
    read(given)
    assert given.names == {parameter.name.lower() for parameter in table}


async def test_s6_every_value_that_is_described_as_invalid_is_refused_by_name(engine: Engine) -> None:
    async with serving(engine, [KEY]) as url, ClientSession() as session:
        client = Client(session, url, "")
        for path, table in ((DETAILS_PATH, DETAILS), (SEARCH_PATH, SEARCH), (SEARCH_PATH, AUDIENCE)):
            for parameter in table:
                for value in parameter.refused:
                    await client.refused(400, parameter.name, path=path, params={"q": "mug"} | {parameter.name: value})


async def test_the_document_is_valid_and_served_without_a_key(engine: Engine) -> None:
    async with serving(engine, [KEY]) as url, ClientSession() as session:
        async with session.get(url + "/openapi.json") as response:
            assert response.status == 200
            described = await response.json()
        async with session.get(url + "/openapi.json", headers={"If-None-Match": response.headers["ETag"]}) as again:
            assert again.status == 304
    assert described == openapi.document(engine.service.links.base_url)
    schemathesis.openapi.from_dict(described).validate()


async def test_the_page_shows_every_operation_and_how_to_move_here(engine: Engine) -> None:
    async with serving(engine, [KEY]) as url, ClientSession() as session, session.get(url + "/docs") as response:
        page = await response.text()
        policy = response.headers["Content-Security-Policy"]
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy
    assert "<script" not in page
    for path in openapi.document("http://x.example")["paths"]:
        assert path in page
    assert f"{engine.service.links.base_url}/bing/v7.0" in page
    assert "Ocp-Apim-Subscription-Key" in page
    for parameter in (*DETAILS, *SEARCH, *AUDIENCE):
        assert f"<code>{parameter.name}</code>" in page


async def test_s1_answers_are_what_the_document_says(engine: Engine) -> None:
    schemas = openapi.document("http://x.example")["components"]

    def check(name: str, answer: dict[str, Any]) -> None:
        jsonschema.validate(answer, {"$ref": f"#/components/schemas/{name}", "components": schemas})

    async with serving(engine, [KEY]) as url, ClientSession() as session:
        client = Client(session, url, "")
        _, details = await client.ask("POST", params={"modules": "All", "q": "mug"}, data=form(MUG))
        _, knowledge = await client.ask("POST", "/v7.0/images/visualsearch", data=form(MUG))
        _, found = await client.ask(path="/v7.0/images/search", params={"q": "mug"})
        _, trending = await client.ask(path="/v7.0/images/trending")
        _, refused = await client.ask()
    for name, answer in (
        ("Insights", details),
        ("Knowledge", knowledge),
        ("Found", found),
        ("Trending", trending),
        ("ErrorResponse", refused),
    ):
        check(name, answer)
        with pytest.raises(jsonschema.ValidationError):
            check(name, {"_type": "Other"})
