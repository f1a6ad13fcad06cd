"""Fetch the pictures of a message as Slack does before it accepts it, with its refusals (slack-platform.md §5.4)."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from bot.demo.faults import Faults

GOOD_FOR = 60.0  # seconds a good verdict is kept
REMEMBERED = 1000
AT_ONCE = 8
ENOUGH = 16  # bytes that tell the format
MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")


class Pictures:
    """Judges addresses: whether Slack can show what is there."""

    def __init__(self, faults: Faults, seconds: float) -> None:
        self._faults = faults
        self._limit = ClientTimeout(total=seconds)
        self._good: OrderedDict[str, float] = OrderedDict()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._http: ClientSession | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with ClientSession(cookie_jar=DummyCookieJar()) as http:
            self._http = http
            try:
                yield
            finally:
                self._http = None

    async def bad(self, urls: Iterable[str]) -> set[str]:
        """Those that Slack could not download."""
        different = list(dict.fromkeys(urls))
        verdicts = await asyncio.gather(*(self._is_good(url) for url in different))
        return {url for url, good in zip(different, verdicts, strict=True) if not good}

    async def _is_good(self, url: str) -> bool:
        if self._faults.picture_refused(url):
            return False
        if time.monotonic() - self._good.get(url, -GOOD_FOR) < GOOD_FOR:
            return True
        async with self._turns:
            good = await self._look(url)
        if good:
            self._good[url] = time.monotonic()
            while len(self._good) > REMEMBERED:
                self._good.popitem(last=False)
        return good

    async def _look(self, url: str) -> bool:
        if not self._http:
            return False
        try:
            async with self._http.get(url, timeout=self._limit, headers={"User-Agent": "Slackbot 1.0"}) as answer:
                start = await answer.content.read(ENOUGH)
        except (ClientError, TimeoutError, OSError, ValueError):
            return False
        return answer.status == 200 and start.startswith(MAGIC)  # noqa: PLR2004 (OK)
