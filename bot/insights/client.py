"""InsightsClient over HTTP: our own service somewhere else, or anything that speaks the same wire."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, FormData

from bot.errors import RateLimited, Unavailable
from bot.insights import bing
from bot.insights.model import WHOLE, Crop, Insights, Module, Picture, SafeSearch, Token, Upload, Url
from bot.pixels import Pixels

UPLOAD_SIDE = 1500
UPLOAD_BYTES = 1_000_000
CONNECT_SECONDS, CALL_SECONDS = 1.0, 8.0
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


class HttpInsightsClient:
    """Pictures go out re-encoded, without metadata, at most 1,000,000 bytes (threats.md P7, P8)."""

    def __init__(self, session: ClientSession, url: str, pixels: Pixels) -> None:
        self._session = session
        self._url = url
        self._pixels = pixels

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
    ) -> Insights:
        """Raises what InsightsClient says; an answer that is not the contract is an outage: Unavailable."""
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
        for attempt in range(RETRIES + 1):
            status, body, pause = await self._call(parameters, data, last=attempt == RETRIES)
            if status == 200:  # noqa: PLR2004
                return await asyncio.to_thread(_read, body)
            error = bing.error_from_wire(status, body, pause)
            wait = error.retry_after if isinstance(error, RateLimited) else 0.2 * 2**attempt
            if (status and status not in RETRIED) or attempt == RETRIES or wait > MAX_PAUSE:
                raise error
            await asyncio.sleep(wait * random.uniform(1.0, 1.5))  # noqa: S311 (spreads retries)
        raise AssertionError("the last attempt returns or raises")

    async def _call(self, parameters: dict[str, str], data: bytes, *, last: bool) -> tuple[int, bytes, str]:
        """Status (0: no connection), body, Retry-After."""
        try:
            async with self._session.request(
                "POST" if data else "GET",
                self._url,
                params={name: value for name, value in parameters.items() if value},
                data=_form(data) if data else None,
                allow_redirects=False,
            ) as response:
                body = bytearray()
                async for part in response.content.iter_any():
                    body += part
                    if len(body) > MAX_ANSWER:
                        raise Unavailable("The insights service answered something I don't understand.")
                return response.status, bytes(body), response.headers.get("Retry-After", "")
        except TimeoutError:
            raise Unavailable("The insights service isn't answering.") from None
        except (ClientError, OSError):
            if last:
                raise Unavailable("The insights service cannot be reached.") from None
            return 0, b"", ""


def _form(data: bytes) -> FormData:
    form = FormData()
    form.add_field("image", data, filename="image", content_type="image/jpeg")
    return form


def _read(body: bytes) -> Insights:
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or answer.get("_type", "ImageInsights") != "ImageInsights":
        raise Unavailable("The insights service answered something I don't understand.")
    return bing.from_wire(answer)
