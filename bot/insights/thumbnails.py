"""Pictures of the catalogue over HTTP: whole, or made small once and remembered."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import hdrs, web

from bot.errors import Error
from bot.insights.service import InsightsService

MAX_SIDE = 2000
CACHE_BYTES = 32 * 1024 * 1024
_NAME = re.compile(r"OIP\.([0-9a-f]{64})")
_SIDE = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


class Fit(StrEnum):
    """What becomes of a picture that has another shape than what is wanted; the values are what Bing's addresses say.

    INSIDE: all of it, smaller than the box on two sides. PADDED (`p=1`): all of it, the box filled with the colours of its edges.
    CENTRE (`c=4`): the box filled, cut equally on both sides. SUBJECT (`c=7`): the same, cut around what the picture shows.
    """

    INSIDE = ""
    PADDED = "p1"
    CENTRE = "c4"
    SUBJECT = "c7"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture by its content, and its size in pixels (0: as its shape has it). Only a box of two sides has a fit."""

    content: str
    width: int
    height: int
    fit: Fit

    @property
    def etag(self) -> str:
        return f'"{self.content}-{self.width}-{self.height}-{self.fit}"'


def read_wanted(given: Mapping[str, str]) -> Wanted | None:
    """The query string of `/th`; None when it names no picture, size or crop of ours. The rest is ignored."""
    name = _NAME.fullmatch(given.get("id", ""))
    sides = [given.get(side, "") for side in ("w", "h")]
    crop, pad = given.get("c", ""), given.get("p", "")
    if not name or crop not in {"", "4", "7"} or pad not in {"", "0", "1"}:
        return None
    if any(side and (not _SIDE.fullmatch(side) or int(side) > MAX_SIDE) for side in sides):
        return None
    width, height = (int(side or 0) for side in sides)
    fit = Fit.INSIDE
    if width and height:
        fit = Fit.PADDED if pad == "1" else Fit(f"c{crop}" if crop else "")
    return Wanted(name[1], width, height, fit)


class Thumbnails:
    """JPEGs by what is wanted; the least recently used are forgotten beyond CACHE_BYTES.

    Who asks for what is being made waits for it, so that a picture in a busy channel is made once.
    """

    def __init__(self, service: InsightsService) -> None:
        self._service = service
        self._kept: OrderedDict[Wanted, bytes] = OrderedDict()
        self._bytes = 0
        self._made: dict[Wanted, asyncio.Task[bytes]] = {}

    async def get(self, wanted: Wanted) -> bytes:
        """Raises FileNotFoundError, and what Pixels.jpeg raises."""
        if wanted in self._kept:
            self._kept.move_to_end(wanted)
            return self._kept[wanted]
        if wanted not in self._made:
            task = self._made[wanted] = asyncio.create_task(self._make(wanted))
            task.add_done_callback(lambda done: self._done(wanted, done))
        return await asyncio.shield(self._made[wanted])  # somebody else may wait for the same when this request goes away

    def _done(self, wanted: Wanted, task: asyncio.Task[bytes]) -> None:
        del self._made[wanted]
        if not task.cancelled():
            task.exception()  # looked at, so that nobody is warned when all who waited are gone

    async def _make(self, wanted: Wanted) -> bytes:
        data = await self._service.catalogue.files.read(wanted.content)
        size = (wanted.width, wanted.height)
        match wanted.fit:
            case Fit.PADDED:
                data = await self._service.pixels.jpeg(data, side=max(size), pad=size)
            case Fit.CENTRE | Fit.SUBJECT:
                data = await self._service.pixels.jpeg(data, side=max(size), box=size, smart=wanted.fit is Fit.SUBJECT)
            case Fit.INSIDE if any(size):
                data = await self._service.pixels.jpeg(data, side=self._side(wanted))
        self._keep(wanted, data)
        return data

    def _keep(self, wanted: Wanted, data: bytes) -> None:
        self._kept[wanted] = data
        self._bytes += len(data)
        while self._bytes > CACHE_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1])

    def _side(self, wanted: Wanted) -> int:
        """The longest side that fits within what is wanted."""
        goods = self._service.catalogue.serving.shelf
        picture = goods.pictures.get(goods.by_content.get(wanted.content, ""))
        if picture is None:  # a logo, about square
            return min(side for side in (wanted.width, wanted.height) if side)
        edges = ((wanted.width, picture.width), (wanted.height, picture.height))
        shrink = min([1.0, *(side / source for side, source in edges if side)])
        return max(1, round(max(picture.width, picture.height) * shrink))


def routes(service: InsightsService) -> list[web.RouteDef]:
    """`/th?id=&w=&h=&c=&p=`, for anybody: its addresses name a picture by a hash that only answers of ours tell."""
    thumbnails = Thumbnails(service)

    async def thumbnail(request: web.Request) -> web.StreamResponse:
        wanted = read_wanted(request.query)
        if wanted is None:
            return _refused(404, "No such picture.")
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
            return _refused(404, "No such picture.")
        except Error:
            return _refused(503, "Busy. Ask again in a moment.", **{"Retry-After": "1"})
        return web.Response(body=data, content_type="image/jpeg", headers=headers)

    return [web.get("/th", thumbnail)]


def _refused(status: int, text: str, **headers: str) -> web.Response:
    return web.Response(
        status=status, text=text, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", **headers}
    )
