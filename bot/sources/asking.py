"""One question to somebody else's JSON service: a deadline, a limit, and every way it can go wrong sorted."""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any, TypeVar

from aiohttp import ClientError, ClientSession
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from bot.errors import RateLimited, Unavailable
from bot.insights.client import Breaker, retry_after

log = logging.getLogger(__name__)

CALL_SECONDS = 8.0
MAX_ANSWER = 4 * 1024 * 1024
REFUSED = frozenset({400, 401, 403})
TOO_MANY, FINE, BROKEN = 429, 200, 500


class Shape(BaseModel):
    """What a service documents of its answer, as far as we read it; more is ignored, another type is an outage."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)


AnyShape = TypeVar("AnyShape", bound=Shape)


class Asking:
    """`name` is the service's, `setting` what to change when it does not know us. Stops asking for a while what keeps failing."""

    def __init__(self, session: ClientSession, name: str, setting: str) -> None:
        self._session = session
        self._name = name
        self._setting = setting
        self._breaker = Breaker()

    async def ask(
        self,
        shape: type[AnyShape],
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> AnyShape:
        """The answer, which has the shape. With a body it is a POST of JSON. Raises Unavailable, RateLimited."""
        self._breaker.check()
        try:
            status, data, pause = await self._call(url, params, headers, body)
        except (TimeoutError, ClientError, OSError) as error:
            self._breaker.say(answered=False)
            raise Unavailable(f"{self._name} is not answering ({type(error).__name__}).") from None
        self._breaker.say(answered=status < BROKEN)
        if status == TOO_MANY:
            raise RateLimited(f"{self._name} has had enough questions.", float(pause or 60))
        if status in REFUSED:
            log.error("%s refuses us with %s; look at %s", self._name, status, self._setting)
        if status != FINE:
            raise Unavailable(f"{self._name} answers {status}.")
        try:
            return shape.model_validate(json.loads(data))
        except (ValueError, RecursionError, ValidationError):
            raise Unavailable(f"{self._name} answered something I don't understand.") from None

    async def _call(
        self, url: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None, body: Any
    ) -> tuple[int, bytes, str]:
        async with (
            asyncio.timeout(CALL_SECONDS),
            self._session.request(
                "GET" if body is None else "POST",
                url,
                params=params,
                headers=headers,
                data=None if body is None else json.dumps(body).encode(),
                allow_redirects=False,
            ) as response,
        ):
            data = bytearray()
            async for part in response.content.iter_any():
                data += part
                if len(data) > MAX_ANSWER:
                    raise ClientError("too much")
            return response.status, bytes(data), retry_after(response.headers.get("Retry-After", ""))
