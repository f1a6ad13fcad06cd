"""The engine over HTTP, on Bing's wire (insights-api.md), and its pictures."""

import asyncio
import json
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import hdrs, web

from bot import metrics
from bot.errors import Error, TooLarge, TooManyPixels
from bot.insights import bing, openapi, result_page, thumbnails
from bot.insights.bing import MAX_IMAGE_BYTES, Audience, Missing, Refusal
from bot.insights.gate import Gate, Refused
from bot.insights.model import Knowledge, Picture, Token, Upload
from bot.insights.multipart import Form, read_form
from bot.insights.service import SMALL, InsightsService

log = logging.getLogger(__name__)

ROOTS = ("/bing/v7.0/", "/v7.0/")
PREFIXES = ("/bing/", "/v7.0/")
MAX_URL = 2048
MAX_BODY = 4 * 1024 * 1024
"""Above the picture's own limit, so that a large picture is refused as one; beyond it nothing is read."""
BODY_SECONDS = 30.0
ANSWER_SECONDS = 12.0
JSON, JSON_LD = "application/json", "application/ld+json"
_CLIENT = re.compile(r"[!-~]{1,128}", re.ASCII)
_TRACE = web.RequestKey("trace", str)
_MARKET = web.RequestKey("market", str)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Endpoint = Callable[[web.Request, Mapping[str, str], Form, Audience], Awaitable[dict[str, Any]]]


def routes(service: InsightsService, *, keys: Sequence[str], rate: float = 0.0) -> list[web.RouteDef]:
    """Both spellings of the API, its pictures, pages and description. Without keys only peers on this machine are answered."""
    gate = Gate(keys, rate=rate)

    async def details(request: web.Request, given: Mapping[str, str], form: Form, audience: Audience) -> dict[str, Any]:
        question = bing.read_question(given)
        insights = await service.insights(
            await _picture(request, service, form.picture, question.token, question.url),
            question.modules,
            crop=question.crop,
            query=question.query,
            market=audience.market,
            language=audience.language,
            safe_search=audience.safe_search,
            fresh=_wants_fresh(request),
        )
        return bing.to_wire(insights)

    async def visual_search(request: web.Request, given: Mapping[str, str], form: Form, audience: Audience) -> dict[str, Any]:
        asked = bing.read_knowledge_request(form.knowledge_request)
        try:
            knowledge = await service.knowledge(
                await _picture(request, service, form.picture, asked.token, asked.url),
                crop=asked.crop,
                query=given.get("q", ""),
                site=asked.site,
                skill=asked.skill,
                market=audience.market,
                language=audience.language,
                safe_search=audience.safe_search,
                fresh=_wants_fresh(request),
            )
        except TooManyPixels:  # Bing answered a picture of too many pixels so (§8)
            knowledge = Knowledge(too_large=True)
        return bing.knowledge_to_wire(knowledge, entity_data=asked.entity_data)

    async def search(request: web.Request, given: Mapping[str, str], form: Form, audience: Audience) -> dict[str, Any]:
        del form
        asked = bing.read_search(given)
        found = await service.search(
            asked.words,
            count=asked.count,
            offset=asked.offset,
            only=asked.only,
            first=asked.first,
            market=audience.market,
            language=audience.language,
            safe_search=audience.safe_search,
        )
        return bing.found_to_wire(
            found,
            words=asked.words,
            read_link=f"{service.links.base_url}{request.path_qs}",
            web_search_url=service.links.search_page(asked.words, audience.market, audience.language),
        )

    async def trending(request: web.Request, given: Mapping[str, str], form: Form, audience: Audience) -> dict[str, Any]:
        del request, given, form
        categories = await service.trending(market=audience.market, language=audience.language, safe_search=audience.safe_search)
        return bing.trending_to_wire(categories)

    endpoints: list[tuple[str, str, Endpoint]] = [
        (hdrs.METH_GET, "images/details", details),
        (hdrs.METH_POST, "images/details", details),
        (hdrs.METH_POST, "images/visualsearch", visual_search),
        (hdrs.METH_GET, "images/search", search),
        (hdrs.METH_GET, "images/trending", trending),
    ]
    return [
        *(
            web.route(method, root + path, _guarded(endpoint, gate), expect_handler=_expect)
            for root in ROOTS
            for method, path, endpoint in endpoints
        ),
        *thumbnails.routes(service),
        *result_page.routes(service),
        *openapi.routes(service.links.base_url),
    ]


def _guarded(endpoint: Endpoint, gate: Gate) -> Handler:
    """What stands before every endpoint, cheapest first: key, rate, length of the address, place among those in work."""

    async def handle(request: web.Request) -> web.StreamResponse:
        since = time.perf_counter()
        answer = await answered(request)
        metrics.api_requests.labels(endpoint.__name__, answer.status).observe(time.perf_counter() - since)
        return answer

    async def answered(request: web.Request) -> web.StreamResponse:
        named = "image"
        try:
            gate.enter(request.headers, request.remote or "")
            if len(f"{request.scheme}://{request.host}{request.raw_path}") > MAX_URL:
                return _refuse(request, bing.refusal_for_status(404))
            given = bing.read_names(request.query.items())
            named = "insightsToken" if given.get("insightstoken") else "imgUrl" if given.get("imgurl") else "image"
            audience = bing.read_audience(given, accept_language=request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
            request[_MARKET] = audience.market
            with gate.turn():
                form = await _form(request)
                async with asyncio.timeout(ANSWER_SECONDS):
                    return _answer(request, await endpoint(request, given, form, audience))
        except Refused as refused:
            return _refuse(request, refused.refusal)
        except TimeoutError:
            return _refuse(request, bing.BUSY)
        except Error as error:
            visual = request.path.endswith("visualsearch")
            return _refuse(request, bing.refusal_for(error, picture=named, visual_search=visual))

    return handle


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever fails below /bing/ and /v7.0/ is an ErrorResponse, the framework's own refusals included (threats.md H4).

    Every request leaves one line: no key, no token, no address that was asked about.
    """
    if not request.path.startswith(PREFIXES):
        return await handler(request)
    started = time.monotonic()
    request[_TRACE] = secrets.token_hex(16).upper()
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = _refuse(request, bing.refusal_for_status(error.status))
        if hdrs.ALLOW in error.headers:
            response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception:
        response = _refuse(request, bing.UNEXPECTED)
        log.exception("insights request failed, trace %s", request[_TRACE])
    log.info(
        "%s %s %d %.0f ms trace=%s market=%s",
        request.method,
        request.match_info.route.resource.canonical if request.match_info.route.resource else "(unknown path)",
        response.status,
        (time.monotonic() - started) * 1000,
        request[_TRACE],
        request.get(_MARKET, "-"),
    )
    return response


def _answer(request: web.Request, answer: dict[str, Any]) -> web.Response:
    headers = _headers(request) | {"Cache-Control": "no-cache", "Pragma": "no-cache", "Expires": "-1"}
    if _wants_json_ld(request.headers.get(hdrs.ACCEPT, "")):
        return web.Response(text=json.dumps(bing.to_json_ld(answer)), content_type=JSON_LD, charset="utf-8", headers=headers)
    return web.json_response(answer, headers=headers)


def _wants_json_ld(accept: str) -> bool:
    """JSON-LD when it is asked for and JSON is not liked as much; everything else is JSON (§2: never 406)."""
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, _, rest = part.partition(";")
        weight = re.search(r"q=([0-9.]{1,5})", rest)
        try:
            weights[name.strip()] = float(weight[1]) if weight else 1.0
        except ValueError:
            weights[name.strip()] = 0.0
    return weights.get(JSON_LD, 0.0) > weights.get(JSON, 0.0)


def _wants_fresh(request: web.Request) -> bool:
    return "no-cache" in request.headers.get(hdrs.PRAGMA, "").lower()


async def _picture(request: web.Request, service: InsightsService, data: bytes, token: str, url: str) -> Picture:
    """The body's picture, else the token's, else the address's (§3, §8). Raises Missing, TooLarge, CannotFetch."""
    if len(data) > MAX_IMAGE_BYTES:
        raise TooLarge("The image is too large: at most 1 MB (1,048,576 bytes).")
    if data:
        return Upload(data)
    if token:
        return Token(token)
    if url:
        return await service.fetched(url, MAX_IMAGE_BYTES)
    if request.method == hdrs.METH_POST:
        raise Missing("image", "Send the picture as a form's part named image, or name one by token or address.")
    raise Missing("insightsToken", "Name a picture by insightsToken or imgUrl, or post one.")


async def _form(request: web.Request) -> Form:
    if request.method != hdrs.METH_POST:
        return Form()
    body = await _body(request)
    content_type = request.headers.get(hdrs.CONTENT_TYPE, "")
    return read_form(body, content_type) if len(body) <= SMALL else await asyncio.to_thread(read_form, body, content_type)


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


def _headers(request: web.Request) -> dict[str, str]:
    client = request.headers.get("X-MSEdge-ClientID", "")
    market = {"BingAPIs-Market": request[_MARKET]} if _MARKET in request else {}
    return market | {
        "BingAPIs-TraceId": request.get(_TRACE) or secrets.token_hex(16).upper(),
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
