"""Pictures of the catalogue over HTTP: whole, or made small once and remembered."""

import re
from collections import OrderedDict
from dataclasses import dataclass

from bot.insights.service import InsightsService

MAX_SIDE = 2000
CACHE_BYTES = 32 * 1024 * 1024
_NAME = re.compile(r"OIP\.([0-9a-f]{64})")
_SIDE = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture by its content: to fit within width and height (0: as large as it is), to fill them, or padded to them."""

    content: str
    width: int
    height: int
    fill: bool
    pad: bool

    @property
    def etag(self) -> str:
        return f'"{self.content}-{self.width}-{self.height}-{int(self.fill)}{int(self.pad)}"'


def read_wanted(given: dict[str, str]) -> Wanted | None:
    """The query string of `/th`; None when it names no picture or no size of ours."""
    name = _NAME.fullmatch(given.get("id", ""))
    sides = [given.get(side, "") for side in ("w", "h")]
    if not name or any(side and (not _SIDE.fullmatch(side) or int(side) > MAX_SIDE) for side in sides):
        return None
    width, height = (int(side or 0) for side in sides)
    both = width > 0 and height > 0
    pad = both and given.get("p") == "1"
    return Wanted(name[1], width, height, fill=both and not pad and bool(given.get("c")), pad=pad)


class Thumbnails:
    """JPEGs by what is wanted; the least recently used are forgotten beyond CACHE_BYTES."""

    def __init__(self, service: InsightsService) -> None:
        self._service = service
        self._kept: OrderedDict[Wanted, bytes] = OrderedDict()
        self._bytes = 0

    async def get(self, wanted: Wanted) -> bytes:
        """Raises FileNotFoundError."""
        if wanted in self._kept:
            self._kept.move_to_end(wanted)
            return self._kept[wanted]
        data = await self._service.catalogue.files.read(wanted.content)
        if wanted.width or wanted.height:
            size = (wanted.width, wanted.height)
            fill, pad = size if wanted.fill else None, size if wanted.pad else None
            data = await self._service.pixels.jpeg(data, side=self._side(wanted), box=fill, pad=pad)
        if wanted not in self._kept:
            self._kept[wanted] = data
            self._bytes += len(data)
        while self._bytes > CACHE_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1])
        return data

    def _side(self, wanted: Wanted) -> int:
        """The longest side that fits within what is wanted."""
        goods = self._service.catalogue.serving.shelf
        picture = goods.pictures.get(goods.by_content.get(wanted.content, ""))
        if picture is None:  # a logo, about square
            return min(side for side in (wanted.width, wanted.height) if side)
        edges = ((wanted.width, picture.width), (wanted.height, picture.height))
        shrink = min([1.0, *(side / source for side, source in edges if side)])
        return max(1, round(max(picture.width, picture.height) * shrink))
