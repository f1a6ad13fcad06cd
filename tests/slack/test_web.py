"""What reaches Bolt, and what does not (threats.md S1 to S5)."""

import asyncio
import hashlib
import hmac
import io
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck

from bot import web
from bot.slack import web as wire
from bot.slack.bolt import dispatcher
from bot.slack.web import FORM, JSON, read, routes, signed

KEY, OLD = b"8f742231b10e8888abcd99yyyzzz85a5", b"00000000000000000000000000000000"
NOW = 1_700_000_000


def signature(body: bytes, stamp: str, key: bytes = KEY) -> str:
    return "v0=" + hmac.new(key, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def test_a_signature_of_either_secret_within_five_minutes_passes() -> None:
    for key in (KEY, OLD):
        for age in (-300, 0, 300):
            stamp = str(NOW - age)
            assert signed([KEY, OLD], [stamp], [signature(b"{}", stamp, key)], b"{}", now=NOW)


@pytest.mark.parametrize(
    ("stamps", "signatures", "body"),
    [
        ([str(NOW - 301)], [signature(b"{}", str(NOW - 301))], b"{}"),
        ([str(NOW + 301)], [signature(b"{}", str(NOW + 301))], b"{}"),
        ([str(NOW)], [signature(b"{}", str(NOW), b"another secret")], b"{}"),
        ([str(NOW)], [signature(b"{}", str(NOW))], b"{} "),
        ([str(NOW)], [signature(b"{}", str(NOW))] * 2, b"{}"),
        ([str(NOW)] * 2, [signature(b"{}", str(NOW))], b"{}"),
        ([], [signature(b"{}", str(NOW))], b"{}"),
        ([str(NOW)], [], b"{}"),
        ([f"{NOW}.0"], [signature(b"{}", f"{NOW}.0")], b"{}"),
        ([f" {NOW}"], [signature(b"{}", f" {NOW}")], b"{}"),
        (["1e9"], [signature(b"{}", "1e9")], b"{}"),
        (["١٧٠٠٠٠٠٠٠٠"], ["v0=00"], b"{}"),
        (["9" * 5000], ["v0=00"], b"{}"),
        ([str(NOW)], ["v0=\udcff\xe9"], b"{}"),
        ([str(NOW)], [""], b"{}"),
    ],
)
def test_anything_else_does_not(stamps: list[str], signatures: list[str], body: bytes) -> None:
    assert not signed([KEY], stamps, signatures, body, now=NOW)


def test_without_a_secret_nothing_passes() -> None:
    stamp = str(NOW)
    assert not signed([], [stamp], [signature(b"{}", stamp, b"")], b"{}", now=NOW)


@given(st.text(), st.text(), st.binary())
def test_no_header_makes_the_check_stumble(stamp: str, given_signature: str, body: bytes) -> None:
    assert not signed([KEY], [stamp], [given_signature], body, now=NOW)


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"NaN", b"1", b"null", b"", b"{", b'{"a": Infinity}', b"\xff{}", b"[" * 100_000])
def test_only_json_objects_are_read(body: bytes) -> None:
    assert read(JSON, body) is None
    assert read(FORM, urlencode({"payload": body}).encode()) is None


def test_a_command_that_says_payload_stays_a_command() -> None:
    form = {"command": "/insights", "text": "payload"}
    assert read(FORM, urlencode(form).encode()) == form


@asynccontextmanager
async def served(*, broken: bool = False) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A Bolt app behind our route; what its listeners got."""
    got: list[dict[str, Any]] = []

    async def authorize(team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=team_id, bot_user_id="UBOT", bot_id="BBOT", bot_token="xoxb-1")

    app = AsyncApp(authorize=authorize, process_before_response=True, request_verification_enabled=False, signing_secret="")

    @app.event("app_home_opened")
    async def opened(event: dict[str, Any]) -> None:
        if broken:
            raise TimeoutError("database is locked")
        got.append(event)

    @app.command("/insights")
    async def typed(ack: AsyncAck, command: dict[str, Any]) -> None:
        got.append(command)
        await ack("fine")

    async def nothing(_: dict[str, Any]) -> dict[str, Any]:
        return {}

    sock = web.bind("127.0.0.1", 0)
    async with web.listening(sock, routes(dispatcher(app, nothing), [KEY.decode()]), drain_seconds=0.1):
        yield web.address(sock), got


EVENT = {"type": "event_callback", "team_id": "T1", "event": {"type": "app_home_opened", "user": "U1", "tab": "home"}}


async def post(
    url: str, body: bytes, *, kind: str = JSON, key: bytes = KEY, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    stamp = str(int(time.time()))
    whole = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature(body, stamp, key)} | (
        headers or {}
    )
    async with ClientSession() as session, session.post(f"{url}/slack/events", data=io.BytesIO(body), headers=whole) as answer:
        return answer.status, await answer.text()


async def test_a_signed_event_is_heard_and_acknowledged() -> None:
    async with served() as (url, got):
        assert (await post(url, json.dumps(EVENT).encode()))[0] == 200
        assert got == [EVENT["event"]]


async def test_slacks_handshakes_are_answered() -> None:
    async with served() as (url, got):
        status, text = await post(url, b'{"type": "url_verification", "challenge": "3eZbrw1a"}')
        assert (status, json.loads(text)) == (200, {"challenge": "3eZbrw1a"})
        assert (await post(url, b"ssl_check=1&token=x", kind=FORM))[0] == 200
        assert got == []


async def test_a_command_reaches_its_listener_whatever_its_text_says() -> None:
    async with served() as (url, got):
        for text in ("payload", "payload={}", "&payload=1", "help"):
            form = urlencode({"command": "/insights", "text": text, "team_id": "T1", "user_id": "U1"}).encode()
            assert await post(url, form, kind=FORM) == (200, "fine")
        assert {command["text"] for command in got} == {"payload", "payload={}", "&payload=1", "help"}


async def test_strangers_and_the_malformed_are_turned_away_without_a_word() -> None:
    async with served() as (url, got):
        assert await post(url, json.dumps(EVENT).encode(), key=OLD) == (401, "")
        assert await post(url, b"not json", key=OLD) == (401, "")
        for body in (b"[]", b'"x"', b"NaN", b"{"):
            assert await post(url, body) == (400, "")
        assert await post(url, b"{}", kind="text/plain") == (415, "")
        assert await post(url, b"{}", headers={"Content-Encoding": "gzip"}) == (415, "")
        assert await post(url, b" " * (2**20 + 1)) == (413, "")
        async with ClientSession() as session, session.get(f"{url}/slack/events") as answer:
            assert answer.status == 405
        assert got == []


async def test_a_listener_that_could_not_store_its_order_makes_slack_try_again() -> None:
    async with served(broken=True) as (url, got):
        assert await post(url, json.dumps(EVENT).encode()) == (503, "")
        assert got == []


async def test_a_body_of_unknown_length_is_cut_off_at_the_limit() -> None:
    async with served() as (url, _):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            head = f"POST /slack/events HTTP/1.1\r\nHost: {host}\r\nContent-Type: {JSON}\r\nTransfer-Encoding: chunked\r\n\r\n"
            raw.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(raw, head.encode())
            chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
            for _ in range(17):
                await loop.sock_sendall(raw, chunk)
            assert b" 413 " in await loop.sock_recv(raw, 4096)


async def test_slack_looks_whether_our_certificate_is_good() -> None:
    async with served() as (url, got):
        assert await post(url, b"ssl_check=1&token=x", kind=FORM) == (200, "")
        assert got == []


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "BODY_SECONDS", 0.2)
    async with served() as (url, _):
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /slack/events HTTP/1.1\r\nHost: {host}\r\nContent-Type: {JSON}\r\nContent-Length: 90\r\n\r\n{{".encode()
        )
        assert b" 413 " in await asyncio.wait_for(reader.read(4096), 5)
        writer.close()


async def test_an_event_that_nobody_listens_to_is_fine() -> None:
    async with served() as (url, got):
        strange = EVENT | {"event": {"type": "channel_rename"}}
        assert await post(url, json.dumps(strange).encode()) == (200, "")
        assert got == []
