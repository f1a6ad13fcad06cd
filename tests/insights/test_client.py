"""HttpInsightsClient against services that behave badly (insights-api.md §6, §9; threats.md R7)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web as aio

from bot import web
from bot.errors import CannotFetch, InvalidValue, NotAPicture, RateLimited, Unavailable, UnknownToken
from bot.insights import bing
from bot.insights.client import OPEN_SECONDS, WINDOW, Breaker, HttpInsightsClient, details_url, retry_after
from bot.insights.model import Crop, Insights, Module, SafeSearch, Token, Upload, Url
from tests.worlds import Engine, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOOD = {"_type": "ImageInsights", "imageInsightsToken": "t", "imageTags": {"value": [{"name": "mug"}]}}


class FarEnd:
    """A service that answers what it is told to, one answer after the other, the last one for ever."""

    def __init__(self, *answers: aio.Response | Callable[[], aio.Response]) -> None:
        self.answers = list(answers)
        self.asked: list[aio.Request] = []

    async def answer(self, request: aio.Request) -> aio.StreamResponse:
        await request.read()
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer() if callable(answer) else clone(answer)


def clone(response: aio.Response) -> aio.Response:
    return aio.Response(status=response.status, body=response.body, headers=response.headers)


def good(**headers: str) -> aio.Response:
    return aio.json_response(GOOD, headers=headers)


@asynccontextmanager
async def asking(engine: Engine, *answers: Any, key: str = "k") -> AsyncIterator[tuple[HttpInsightsClient, FarEnd]]:
    far = FarEnd(*answers)
    sock = web.bind("127.0.0.1", 0)
    routes = [aio.get("/bing/v7.0/images/details", far.answer), aio.post("/bing/v7.0/images/details", far.answer)]
    async with (
        web.listening(sock, routes, max_body=4 * 2**20),
        HttpInsightsClient.open(web.address(sock), key, pixels=engine.pixels) as client,
    ):
        yield client, far


async def ask(client: HttpInsightsClient) -> Insights:
    return await client.insights(Token("t"), [Module.TAGS])


async def test_s2_the_client_id_of_the_first_answer_goes_with_the_later_questions(engine: Engine) -> None:
    async with asking(engine, good(**{"X-MSEdge-ClientID": "ABC"}), good()) as (client, far):
        for _ in range(3):
            assert (await ask(client)).tags[0].name == "mug"
    assert [request.headers.get("X-MSEdge-ClientID") for request in far.asked] == [None, "ABC", "ABC"]
    assert far.asked[0].headers["Ocp-Apim-Subscription-Key"] == "k"


async def test_s3_what_is_asked_is_spelled_as_bing_spells_it(engine: Engine) -> None:
    async with asking(engine, good()) as (client, far):
        await client.insights(
            Url("https://a.example/x.jpg"),
            [Module.TAGS, Module.BRQ],
            crop=Crop(0.25, 0.0, 0.5, 1.0),
            query="blue",
            market="de-DE",
            language="de",
            safe_search=SafeSearch.STRICT,
        )
        await client.insights(Upload(photo("photo-02.jpg")), [Module.TAGS])
    query = far.asked[0].query
    assert query["imgUrl"] == "https://a.example/x.jpg"
    assert query["modules"] == "BRQ,Tags"
    assert (query["cal"], query["cat"], query["car"], query["cab"]) == ("0.25", "0.0", "0.5", "1.0")
    assert (query["q"], query["mkt"], query["setLang"], query["safeSearch"]) == ("blue", "de-DE", "de", "Strict")
    assert far.asked[1].method == "POST"


@pytest.mark.parametrize(
    "bad",
    [
        aio.Response(status=200),
        aio.Response(status=200, body=b"  \n"),
        aio.Response(status=503, text="<html>busy</html>"),
        aio.Response(status=502),
        aio.json_response(bing.BUSY.wire(), status=503, headers={"Retry-After": "1"}),
    ],
    ids=["empty 200", "blank 200", "html 503", "502", "our 503"],
)
async def test_s1_r7_a_passing_outage_is_asked_again(engine: Engine, bad: aio.Response) -> None:
    async with asking(engine, bad, good()) as (client, far):
        assert (await ask(client)).token == "t"
    assert len(far.asked) == 2


@pytest.mark.parametrize("body", [b"<html>", b"null", b"[]", b'"x"', b'{"_type": "Other"}', b"[" * 100_000, b"\xff\xfe"])
async def test_r7_an_answer_that_is_not_the_contract_is_an_outage(engine: Engine, body: bytes) -> None:
    async with asking(engine, aio.Response(body=body)) as (client, _):
        with pytest.raises(Unavailable):
            await ask(client)


async def test_r7_an_endless_answer_is_cut_off(engine: Engine) -> None:
    async with asking(engine, aio.Response(body=b"{" + b" " * (9 * 2**20))) as (client, _):
        with pytest.raises(Unavailable):
            await ask(client)


async def test_r7_a_redirect_is_not_followed(engine: Engine) -> None:
    async with asking(engine, aio.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})) as (client, far):
        with pytest.raises(Unavailable):
            await ask(client)
    assert len(far.asked) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (aio.json_response({"statusCode": 401, "message": "Access denied"}, status=401), Unavailable),
        (aio.json_response({"error": {"code": "401", "message": "Access denied"}}, status=401), Unavailable),
        (aio.json_response(bing.UNAUTHORIZED.wire(), status=401), Unavailable),
        (aio.json_response(bing.refusal_for(UnknownToken(), picture="image").wire(), status=400), UnknownToken),
        (aio.json_response(bing.refusal_for(CannotFetch(), picture="image").wire(), status=400), CannotFetch),
        (aio.json_response(bing.refusal_for(NotAPicture(), picture="image").wire(), status=400), NotAPicture),
        (aio.json_response(bing.refusal_for(InvalidValue("mkt", "x", "No."), picture="").wire(), status=400), InvalidValue),
        (aio.Response(status=403, headers={"Retry-After": "3600"}), RateLimited),
        (aio.Response(status=500, text="<html>"), Unavailable),
    ],
)
async def test_s6_the_shapes_of_errors_are_told_apart_and_not_asked_again(
    engine: Engine, answer: aio.Response, error: type[Exception]
) -> None:
    async with asking(engine, answer) as (client, far):
        with pytest.raises(error):
            await ask(client)
    assert len(far.asked) == 1


async def test_s2_a_short_retry_after_is_waited_for_and_a_long_one_is_passed_on(engine: Engine) -> None:
    async with asking(engine, aio.Response(status=429, headers={"Retry-After": "1"}), good()) as (client, _):
        started = asyncio.get_running_loop().time()
        assert (await ask(client)).token == "t"
        assert asyncio.get_running_loop().time() - started >= 1
    async with asking(engine, aio.Response(status=429, headers={"Retry-After": "60"})) as (client, far):
        with pytest.raises(RateLimited) as limited:
            await ask(client)
    assert (limited.value.retry_after, len(far.asked)) == (60.0, 1)


async def test_s2_retry_after_may_be_a_date() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=90)
    assert 80 <= int(retry_after(format_datetime(soon, usegmt=True))) <= 91
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == "0"
    assert (retry_after("7"), retry_after("soon"), retry_after("")) == ("7", "", "")


async def test_r7_after_many_failures_nothing_is_asked_until_it_has_rested() -> None:
    class Clock:
        now = 100.0

        def __call__(self) -> float:
            return self.now

    clock = Clock()
    breaker = Breaker(clock)
    for number in range(WINDOW):
        breaker.check()
        breaker.say(answered=number % 2 == 0)
    with pytest.raises(Unavailable):
        breaker.check()
    clock.now += OPEN_SECONDS + 1
    breaker.check()
    with pytest.raises(Unavailable):
        breaker.check()
    breaker.say(answered=True)
    for _ in range(3):
        breaker.check()
        breaker.say(answered=True)


async def test_r7_the_client_stops_asking_a_dead_service(engine: Engine) -> None:
    async with asking(engine, aio.Response(status=502)) as (client, far):
        for _ in range(12):
            with pytest.raises(Unavailable):
                await ask(client)
        asked = len(far.asked)
    assert asked == WINDOW


async def test_an_address_names_the_endpoint_whatever_part_of_it_is_given() -> None:
    for url in (
        "http://a.example",
        "http://a.example/",
        "http://a.example/bing/v7.0",
        "http://a.example/bing/v7.0/images/details/",
    ):
        assert details_url(url) == "http://a.example/bing/v7.0/images/details"
    assert details_url("http://a.example/v7.0") == "http://a.example/v7.0/images/details"


async def test_our_own_errors_survive_the_wire() -> None:
    for error in (UnknownToken(), CannotFetch(), NotAPicture(), InvalidValue("modules", "X", "Name another.")):
        refusal = bing.refusal_for(error, picture="image")
        back = bing.error_from_wire(refusal.status, json.dumps(refusal.wire()).encode())
        assert type(back) is type(error)
