"""Who may ask, and how much (threats.md H1 to H3; insights-api.md §6)."""

import asyncio
import logging

import pytest
from aiohttp import ClientSession
from multidict import CIMultiDict, CIMultiDictProxy

from bot.insights.gate import KEY_HEADER, MOST_AT_ONCE, Buckets, Gate, Refused
from tests.insights.clients import DETAILS, KEY, MUG, form, serving
from tests.worlds import Engine

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def headers(*keys: str) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict((KEY_HEADER, key) for key in keys))


def status_of(gate: Gate, *keys: str, remote: str = "203.0.113.7") -> int:
    try:
        gate.enter(headers(*keys), remote)
    except Refused as refused:
        return refused.refusal.status
    return 200


async def test_h2_a_key_has_its_rate_and_the_others_theirs() -> None:
    clock = Clock()
    gate = Gate(["a", "b"], rate=3, clock=clock)
    assert [status_of(gate, "a") for _ in range(4)] == [200, 200, 200, 429]
    assert status_of(gate, "b") == 200
    clock.now += 0.34
    assert [status_of(gate, "a") for _ in range(2)] == [200, 429]
    clock.now += 3600
    assert [status_of(gate, "a") for _ in range(4)] == [200, 200, 200, 429]


async def test_h2_less_than_one_request_a_second_says_how_long_to_wait() -> None:
    gate = Gate(["a"], rate=0.1, clock=Clock())
    assert status_of(gate, "a") == 200
    with pytest.raises(Refused) as refused:
        gate.enter(headers("a"), "203.0.113.7")
    assert (refused.value.refusal.code, refused.value.refusal.retry_after) == ("RateLimitExceeded", 10)


async def test_h2_no_rate_is_no_limit() -> None:
    gate = Gate(["a"], rate=0)
    assert {status_of(gate, "a") for _ in range(1000)} == {200}


async def test_h2_guessing_keys_is_slowed_down_by_address_and_good_keys_are_not() -> None:
    gate = Gate(["a"], rate=0, clock=Clock())
    assert [status_of(gate, "wrong") for _ in range(22)] == [401] * 20 + [429] * 2
    assert status_of(gate, "wrong", remote="203.0.113.8") == 401
    assert status_of(gate, "a") == 200


async def test_h2_the_memory_of_addresses_is_bounded() -> None:
    buckets = Buckets(1, Clock())
    for number in range(10_000):
        buckets.wait(str(number))
    assert len(buckets._kept) <= 4096


async def test_s6_more_than_one_key_is_redundant() -> None:
    gate = Gate(["a"], rate=0)
    with pytest.raises(Refused) as refused:
        gate.enter(headers("a", "a"), "203.0.113.7")
    assert (refused.value.refusal.status, refused.value.refusal.sub_code) == (401, "AuthorizationRedundancy")


@pytest.mark.parametrize("key", ["", "ключ", "\udcff", "a ", "A"])
async def test_h1_wrong_keys_are_wrong_keys_whatever_they_hold(key: str) -> None:
    assert status_of(Gate(["a"], rate=0), key) == 401


async def test_h3_beyond_what_fits_a_request_is_refused_at_once() -> None:
    gate = Gate(["a"], rate=0)
    held = [gate.turn() for _ in range(MOST_AT_ONCE)]
    for turn in held:
        turn.__enter__()
    with pytest.raises(Refused) as refused, gate.turn():
        pass
    assert (refused.value.refusal.status, refused.value.refusal.retry_after) == (503, 1)
    held[0].__exit__(None, None, None)
    with gate.turn():
        pass


async def test_h2_over_the_rate_the_wire_says_429_with_retry_after(engine: Engine) -> None:
    async with serving(engine, [KEY], rate=2) as url, ClientSession(headers={KEY_HEADER: KEY}) as session:

        async def ask() -> tuple[int, str, str]:
            async with session.get(url + DETAILS) as response:
                answer = await response.json()
                return response.status, answer["errors"][0]["code"], response.headers.get("Retry-After", "")

        answers = await asyncio.gather(*(ask() for _ in range(6)))
    assert (429, "RateLimitExceeded", "1") in answers
    assert (400, "InvalidRequest", "") in answers


async def test_request_log_has_the_trace_and_nothing_private(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="bot.insights.server"):
        async with serving(engine, [KEY]) as url, ClientSession(headers={KEY_HEADER: KEY}) as session:
            parameters = {"modules": "Tags", "mkt": "de-DE", "q": "secret words", "imgUrl": "http://secret.example/x"}
            async with session.post(url + DETAILS, params=parameters, data=form(MUG)) as response:
                trace = response.headers["BingAPIs-TraceId"]
            async with session.get(f"{url}/bing/x%0d%0ay") as response:
                assert response.status == 404
    line, unknown = (record.getMessage() for record in caplog.records if record.name == "bot.insights.server")
    assert f"trace={trace}" in line
    assert "POST /bing/v7.0/images/details 200" in line
    assert "market=de-DE" in line
    assert KEY not in line
    assert "secret" not in line
    assert "\n" not in unknown
