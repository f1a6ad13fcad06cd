"""POST /slack/events in front of Bolt: who is it, is it whole, is it what we know; then one dispatch (threats.md §2)."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from slack_bolt.response import BoltResponse

from bot import metrics, tracing
from bot.slack.bolt import Dispatch

log = logging.getLogger(__name__)

MAX_BODY = 2**20
BODY_SECONDS = 5.0
CLOCK_SECONDS = 300
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def routes(dispatch: Dispatch, secrets: Sequence[str]) -> list[web.RouteDef]:
    """`secrets`: the signing secret, or two while it is being changed (threats.md S6)."""
    keys = [secret.encode() for secret in secrets if secret]

    async def events(request: web.Request) -> web.Response:
        if request.content_type not in {JSON, FORM} or request.headers.get("Content-Encoding", "identity") != "identity":
            return web.Response(status=415)
        body = await _body(request)
        if body is None:
            return web.Response(status=413)
        if not signed(
            keys, request.headers.getall("X-Slack-Request-Timestamp", []), request.headers.getall("X-Slack-Signature", []), body
        ):
            return web.Response(status=401)
        payload = read(request.content_type, body)
        if payload is None:
            return web.Response(status=400)
        if payload.get("type") == "url_verification":
            return web.json_response({"challenge": payload.get("challenge", "")})
        if payload.get("ssl_check") == "1":
            return web.Response()
        since = time.perf_counter()
        tracing.begun()
        answer = _answer(await dispatch(payload))
        metrics.acknowledged.labels(answer.status).observe(time.perf_counter() - since)
        return answer

    return [web.post("/slack/events", events)]


def _answer(answer: BoltResponse) -> web.Response:
    """Bolt's answer over HTTP. 503 lets Slack try again: the order is not stored."""
    if answer.status >= 500:  # noqa: PLR2004
        return web.Response(status=503)
    if answer.status == 404:  # noqa: PLR2004 (nobody listens: subscribed events we ignore on purpose)
        return web.Response()
    kind = answer.first_headers().get("content-type", "").partition(";")[0]
    return web.Response(status=answer.status, text=answer.body, content_type=kind or "text/plain")


def signed(
    keys: Sequence[bytes], timestamps: Sequence[str], signatures: Sequence[str], body: bytes, *, now: float | None = None
) -> bool:
    """Slack's v0 signature over the raw bytes; both headers once, at most five minutes old (threats.md S1)."""
    if len(timestamps) != 1 or len(signatures) != 1:
        return False
    stamp = timestamps[0]
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):  # noqa: PLR2004 (seconds until the year 33658)
        return False
    if abs((time.time() if now is None else now) - int(stamp)) > CLOCK_SECONDS:
        return False
    given = signatures[0].encode("utf-8", "surrogateescape")
    base = b"v0:" + stamp.encode() + b":" + body
    matches = [hmac.compare_digest(b"v0=" + hmac.new(key, base, hashlib.sha256).hexdigest().encode(), given) for key in keys]
    return any(matches)


def read(content_type: str, body: bytes) -> dict[str, Any] | None:
    """The JSON object of an event or interaction, or a command's form. None for anything else, NaN included."""
    try:
        text = body.decode()
        if content_type == FORM:
            form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=100))
            if "payload" not in form:
                return form  # a command; Bolt takes one whose text says "payload" for an interaction
            text = form["payload"]
        payload = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


async def _body(request: web.Request) -> bytes | None:
    """The raw bytes, or None for more than we read, or a body that does not come."""
    if (request.content_length or 0) > MAX_BODY:
        return None
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.content.iter_any():
                body += part
                if len(body) > MAX_BODY:
                    return None
    except TimeoutError:
        return None
    return bytes(body)
