"""InsightsClient over HTTP: our own service somewhere else, or anything that speaks the same wire."""

import asyncio
import json
import math
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, FormData

from bot.errors import RateLimited, Unavailable, UserError
from bot.insights import bing
from bot.insights.model import WHOLE, Crop, Found, Insights, Module, Outside, Picture, SafeSearch, Thing, Token, Upload, Url
from bot.pixels import Pixels

UPLOAD_SIDE = 1500
UPLOAD_BYTES = 1_000_000
CONNECT_SECONDS, CALL_SECONDS, LOOKUP_SECONDS = 1.0, 8.0, 20.0
WINDOW, OPEN_SECONDS = 20, 10.0
RETRIES = 2
RETRIED = frozenset({429, 502, 503, 504})
MAX_PAUSE = 2.0
MAX_ANSWER = 8 * 1024 * 1024


def details_url(url: str) -> str:
    """The endpoint below a configured address: its root, `…/v7.0`, or the endpoint itself."""
    url = url.rstrip("/")
    if url.endswith("/images/details"):
        return url
    return f"{url}/images/details" if urlsplit(url).path else f"{url}/bing/v7.0/images/details"


class Breaker:
    """Stops asking a service that keeps failing: for OPEN_SECONDS not at all, then one question at a time until one is answered.

    threats.md R7: opens when half of the last 20 calls failed.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls: deque[bool] = deque(maxlen=WINDOW)
        self._open_until = 0.0

    def check(self) -> None:
        """Raises Unavailable while it is open; lets one call through when it has been open long enough."""
        if not self._open_until:
            return
        if self._clock() < self._open_until:
            raise Unavailable("The insights service isn't answering. It is asked again in a few seconds.")
        self._open_until = self._clock() + OPEN_SECONDS  # half open: the next ones wait for what this one finds

    def say(self, *, answered: bool) -> None:
        self._calls.append(answered)
        if answered and self._open_until:
            self._open_until = 0.0
            self._calls.clear()
        elif len(self._calls) == WINDOW and self._calls.count(False) * 2 >= WINDOW:
            self._open_until = self._clock() + OPEN_SECONDS


class HttpInsightsClient:
    """Pictures go out re-encoded, without metadata, at most 1,000,000 bytes (threats.md P7, P8)."""

    def __init__(self, session: ClientSession, url: str, pixels: Pixels, breaker: Breaker | None = None) -> None:
        self._session = session
        self._url = url
        self._search_url = f"{url.removesuffix('/details')}/search"
        self._knowledge_url = f"{url.removesuffix('/details')}/visualsearch"
        self._pixels = pixels
        self._breaker = breaker or Breaker()
        self._client_id = ""  # the service's name for us: kept, so that it sees one client (insights-api.md §2)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, key: str, *, pixels: Pixels) -> AsyncIterator[Self]:
        headers = {"Ocp-Apim-Subscription-Key": key} if key else {}
        timeout = ClientTimeout(total=CALL_SECONDS, connect=CONNECT_SECONDS)
        async with ClientSession(headers=headers, timeout=timeout) as session:
            yield cls(session, details_url(url), pixels)

    async def insights(
        self,
        picture: Picture,
        modules: Collection[Module],
        *,
        crop: Crop = WHOLE,
        query: str = "",
        market: str = "en-US",
        language: str = "en",
        safe_search: SafeSearch = SafeSearch.MODERATE,
        outside: Outside | None = None,
    ) -> Insights:
        """Raises what InsightsClient says; an answer that is not the contract is an outage: Unavailable."""
        del outside  # nobody else is asked from here
        parameters = {"modules": ",".join(sorted(modules)), "mkt": market, "safeSearch": safe_search.value, "q": query}
        if language != "en":
            parameters["setLang"] = language
        if crop != WHOLE:
            edges = (("cal", crop.left), ("cat", crop.top), ("car", crop.right), ("cab", crop.bottom))
            parameters |= {name: repr(float(edge)) for name, edge in edges}
        data = b""
        match picture:
            case Upload(sent):
                data = await self._pixels.jpeg(sent, side=UPLOAD_SIDE, max_bytes=UPLOAD_BYTES)
            case Url(url):
                parameters["imgUrl"] = url
            case Token(token):
                parameters["insightsToken"] = token
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                return bing.from_wire(await self._ask(self._url, "ImageInsights", parameters, data))
        except TimeoutError:
            raise Unavailable("The insights service isn't answering.") from None

    async def search(
        self,
        words: str,
        *,
        count: int = 35,
        market: str = "en-US",
        language: str = "en",
        safe_search: SafeSearch = SafeSearch.MODERATE,
    ) -> Found:
        """Raises what InsightsClient says."""
        parameters = {"q": words, "count": str(count), "mkt": market, "safeSearch": safe_search.value}
        if language != "en":
            parameters["setLang"] = language
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                return bing.found_from_wire(await self._ask(self._search_url, "Images", parameters, b""))
        except TimeoutError:
            raise Unavailable("The insights service isn't answering.") from None

    async def things(self, picture: Picture, *, market: str = "en-US") -> Sequence[Thing]:
        """Those of Visual Search, for a token; a service without it, or another picture, has none."""
        if not isinstance(picture, Token):
            return ()
        asked = json.dumps({"imageInfo": {"imageInsightsToken": picture.token}})
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                answer = await self._ask(
                    self._knowledge_url, "ImageKnowledge", {"mkt": market}, asked.encode(), form="knowledgeRequest"
                )
        except TimeoutError:
            raise Unavailable("The insights service isn't answering.") from None
        except UserError:
            return ()
        return bing.things_from_wire(answer)

    async def _ask(self, url: str, kind: str, parameters: dict[str, str], data: bytes, *, form: str = "image") -> Any:
        """The answer as JSON; `kind` is its `_type`."""
        for attempt in range(RETRIES + 1):
            self._breaker.check()
            status, body, pause = await self._call(url, parameters, data, form)
            outage = status in {0, 200, *RETRIED} and not (status == 200 and body.strip())  # noqa: PLR2004
            self._breaker.say(answered=not outage or status == 429)  # noqa: PLR2004 (it is there, and busy)
            if not outage:
                if status == 200:  # noqa: PLR2004
                    return await asyncio.to_thread(_read, body, kind)
                raise bing.error_from_wire(status, body, pause)
            error = (
                bing.error_from_wire(status, body, pause) if status else Unavailable("The insights service cannot be reached.")
            )
            wait = error.retry_after if isinstance(error, RateLimited) else _seconds(pause) or 0.2 * 2**attempt
            if attempt == RETRIES or wait > MAX_PAUSE:
                raise error
            await asyncio.sleep(wait * random.uniform(1.0, 1.5))  # noqa: S311 (spreads retries)
        raise AssertionError("the last attempt returns or raises")

    async def _call(self, url: str, parameters: dict[str, str], data: bytes, form: str) -> tuple[int, bytes, str]:
        """Status (0: no connection), body, Retry-After in seconds. Raises Unavailable for an answer that cannot be one."""
        try:
            async with self._session.request(
                "POST" if data else "GET",
                url,
                params={name: value for name, value in parameters.items() if value},
                headers={"X-MSEdge-ClientID": self._client_id} if self._client_id else None,
                data=_form(data, form) if data else None,
                allow_redirects=False,
            ) as response:
                body = bytearray()
                async for part in response.content.iter_any():
                    body += part
                    if len(body) > MAX_ANSWER:
                        self._breaker.say(answered=False)
                        raise Unavailable("The insights service answered something I don't understand.")
                self._client_id = response.headers.get("X-MSEdge-ClientID", self._client_id)[:128]
                return response.status, bytes(body), retry_after(response.headers.get("Retry-After", ""))
        except TimeoutError:
            self._breaker.say(answered=False)
            raise Unavailable("The insights service isn't answering.") from None
        except (ClientError, OSError):
            return 0, b"", ""


def retry_after(text: str) -> str:
    """Whole seconds of a Retry-After header, which may be a date; empty for neither."""
    if text.isascii() and text.isdigit():
        return text[:9]
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return ""
    now = datetime.now(when.tzinfo)
    return str(max(0, math.ceil((when - now).total_seconds())))


def _seconds(text: str) -> float:
    return float(text) if text else 0.0


def _form(data: bytes, name: str) -> FormData:
    form = FormData()
    if name == "image":
        form.add_field(name, data, filename="image", content_type="image/jpeg")
    else:
        form.add_field(name, data.decode())
    return form


def _read(body: bytes, kind: str) -> Any:
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or answer.get("_type", kind) != kind:
        raise Unavailable("The insights service answered something I don't understand.")
    return answer
