"""The engine over HTTP, on Bing's wire (insights-api.md), and its pictures."""

import asyncio
import hmac
import ipaddress
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import hdrs, web

from bot.errors import Error, TooLarge
from bot.insights import bing, openapi, result_page
from bot.insights.bing import MAX_IMAGE_BYTES, Missing, Question, Refusal
from bot.insights.model import Picture, Token, Upload
from bot.insights.multipart import picture_of
from bot.insights.service import InsightsService
from bot.insights.thumbnails import Thumbnails, read_wanted

log = logging.getLogger(__name__)

PREFIXES = ("/bing/", "/v7.0/")
MAX_URL = 2048
MAX_BODY = 4 * 1024 * 1024
"""Above the picture's own limit, so that a large picture is refused as one; beyond it nothing is read."""
BODY_SECONDS = 30.0
ANSWER_SECONDS = 12.0
_CLIENT = re.compile(r"[!-~]{1,128}", re.ASCII)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(service: InsightsService, *, keys: Sequence[str]) -> list[web.RouteDef]:
    """The two spellings of details, and `/th`. Without keys only peers on this machine are answered."""
    thumbnails = Thumbnails(service)

    async def details(request: web.Request) -> web.StreamResponse:
        if not _may_ask(request, keys):
            return _refuse(request, bing.UNAUTHORIZED)
        if len(request.raw_path) > MAX_URL:
            return _refuse(request, bing.refusal_for_status(404))
        named = "image"
        try:
            question = bing.read_question(request.query.items(), accept_language=request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
            named = "insightsToken" if question.token else "imgUrl" if question.url else "image"
            body = await _body(request) if request.method == hdrs.METH_POST else b""
            async with asyncio.timeout(ANSWER_SECONDS):
                return await _answer(request, service, question, body)
        except TimeoutError:
            return _refuse(request, bing.BUSY)
        except Error as error:
            return _refuse(request, bing.refusal_for(error, picture=named))

    async def thumbnail(request: web.Request) -> web.StreamResponse:
        wanted = read_wanted(dict(request.query))
        if wanted is None:
            return web.Response(status=404, text="No such picture.")
        headers = {
            "ETag": wanted.etag,
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
        }
        if wanted.etag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
            return web.Response(status=304, headers=headers)
        try:
            data = await thumbnails.get(wanted)
        except FileNotFoundError:
            return web.Response(status=404, text="No such picture.")
        except Error:
            return web.Response(status=503, text="Busy. Ask again in a moment.", headers={"Retry-After": "1"})
        return web.Response(body=data, content_type="image/jpeg", headers=headers)

    paths = [f"{prefix}images/details" for prefix in ("/bing/v7.0/", "/v7.0/")]
    return [
        *(web.get(path, details, expect_handler=_expect) for path in paths),
        *(web.post(path, details, expect_handler=_expect) for path in paths),
        web.get("/th", thumbnail),
        *result_page.routes(service),
        *openapi.routes(),
    ]


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever fails below /bing/ and /v7.0/ is an ErrorResponse, the framework's own refusals included (threats.md H4)."""
    if not request.path.startswith(PREFIXES):
        return await handler(request)
    try:
        return await handler(request)
    except web.HTTPException as error:
        response = _refuse(request, bing.refusal_for_status(error.status))
        if hdrs.ALLOW in error.headers:
            response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        return response
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception:
        response = _refuse(request, bing.UNEXPECTED)
        log.exception("insights request failed, trace %s", response.headers["BingAPIs-TraceId"])
        return response


async def _answer(request: web.Request, service: InsightsService, question: Question, body: bytes) -> web.Response:
    insights = await service.insights(
        await _picture(request, service, question, body),
        question.modules,
        crop=question.crop,
        query=question.query,
        market=question.market,
        safe_search=question.safe_search,
    )
    headers = _headers(request) | {"BingAPIs-Market": question.market, "Cache-Control": "no-cache"}
    return web.json_response(bing.to_wire(insights), headers=headers)


async def _picture(request: web.Request, service: InsightsService, question: Question, body: bytes) -> Picture:
    """The body's picture, else the token's, else the address's (§3). Raises Missing, TooLarge, CannotFetch."""
    data = picture_of(body, request.headers.get(hdrs.CONTENT_TYPE, "")) if body else b""
    if len(data) > MAX_IMAGE_BYTES:
        raise TooLarge("The image is too large: at most 1 MB (1,048,576 bytes).")
    if data:
        return Upload(data)
    if question.token:
        return Token(question.token)
    if question.url:
        return await service.fetched(question.url, MAX_IMAGE_BYTES)
    if request.method == hdrs.METH_POST:
        raise Missing("image", "Send the picture as a form's part named image.")
    raise Missing("insightsToken", "Name a picture by insightsToken or imgUrl, or post one.")


async def _body(request: web.Request) -> bytes:
    """Raises HTTPUnsupportedMediaType, HTTPRequestEntityTooLarge, HTTPRequestTimeout."""
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType
    if (request.content_length or 0) > MAX_BODY:
        raise web.HTTPRequestEntityTooLarge(MAX_BODY, request.content_length or 0)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.content.iter_any():
                body += part
                if len(body) > MAX_BODY:
                    raise web.HTTPRequestEntityTooLarge(MAX_BODY, len(body))
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    return bytes(body)


def _may_ask(request: web.Request, keys: Sequence[str]) -> bool:
    """The one key header against all keys, in constant time; without keys a peer on this machine, not behind a proxy (H1)."""
    given = request.headers.getall("Ocp-Apim-Subscription-Key", [])
    if keys:
        if len(given) != 1:
            return False
        said = given[0].encode("utf-8", "surrogateescape")
        return any([hmac.compare_digest(said, key.encode()) for key in keys])  # noqa: C419 (all are compared, always)
    if request.headers.keys() & {"X-Forwarded-For", "Forwarded"}:
        return False
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def _headers(request: web.Request) -> dict[str, str]:
    client = request.headers.get("X-MSEdge-ClientID", "")
    return {
        "BingAPIs-TraceId": secrets.token_hex(16).upper(),
        "X-MSEdge-ClientID": client if _CLIENT.fullmatch(client) else secrets.token_hex(16).upper(),
        "X-Content-Type-Options": "nosniff",
    }


def _refuse(request: web.Request, refusal: Refusal) -> web.Response:
    headers = _headers(request) | {"Cache-Control": "no-store"}
    if refusal.retry_after:
        headers["Retry-After"] = str(refusal.retry_after)
    return web.json_response(refusal.wire(), status=refusal.status, headers=headers)


async def _expect(request: web.Request) -> web.StreamResponse | None:
    """`Expect: 100-continue` from those who may ask; the framework would answer anything else as text."""
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        return _refuse(request, bing.refusal_for_status(417))
    if request.transport:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return None
