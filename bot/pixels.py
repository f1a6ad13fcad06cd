"""The one place where bytes become pixels: a pool of small killable processes (threats.md §4)."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bot import metrics
from bot.child import Child, Died
from bot.errors import NotAPicture, TooLarge, TooManyPixels, Unavailable
from bot.insights.model import WHOLE, Crop
from bot.language import marked

MAX_BYTES = 20 * 1024 * 1024
WALL_SECONDS = 8.0
"""Backstop behind the worker's own limit of processor time (decode.CPU_SECONDS)."""
WAIT_SECONDS = 10.0
MAX_WAITING = 64
_TOO_LARGE = marked("That picture is too large. I read pictures up to 20 MB and 50 megapixels.")


@dataclass(frozen=True, slots=True)
class Frame:
    """An upright picture without metadata. `rgb` is (h, w, 3) uint8; width, height and format ("jpeg", …) are the source's."""

    rgb: NDArray[np.uint8]
    width: int
    height: int
    format: str


class Pixels:
    """Decodes pictures in worker processes, `workers` at once; what waits is bounded."""

    def __init__(self) -> None:
        self._idle: asyncio.Queue[Child] = asyncio.Queue()
        self._waiting = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, *, workers: int = 2) -> AsyncIterator[Self]:
        pixels = cls()
        everyone = [Child("bot.decode", seconds=WALL_SECONDS) for _ in range(workers)]
        try:
            for worker in everyone:
                await worker.start()
                pixels._idle.put_nowait(worker)
            yield pixels
        finally:
            for worker in everyone:
                await worker.stop()

    async def check(self, data: bytes) -> None:
        """Whether the bytes begin like a picture we read: the header only, at the price of no pixel.

        Raises as load does; what is broken further in is found by load.
        """
        await self._ask(data, {"as": "header"})

    async def load(self, data: bytes, *, side: int = 512, crop: Crop = WHOLE) -> Frame:
        """The upright picture, or a part of it (fractions of the source), its longest side at most `side` pixels.

        Raises NotAPicture, TooLarge, and Unavailable when too much is waiting.
        """
        about, payload = await self._ask(data, {"as": "rgb", "side": side, "crop": _edges(crop)})
        rgb = np.frombuffer(payload, np.uint8).reshape(about["shape"])
        return Frame(rgb, about["width"], about["height"], about["format"])

    async def two(self, data: bytes, *, side: int, look: int) -> tuple[Frame, Frame]:
        """`load` with its longest side at most `side`, and with at most `look`, for one decoding. Raises as load does."""
        about, payload = await self._ask(data, {"as": "two", "side": side, "look": look, "crop": _edges(WHOLE)})
        size = math.prod(about["shape"])
        parts = ((payload[:size], about["shape"]), (payload[size:], about["small"]))
        large, small = (
            Frame(np.frombuffer(part, np.uint8).reshape(shape), about["width"], about["height"], about["format"])
            for part, shape in parts
        )
        return large, small

    async def jpeg(
        self,
        data: bytes,
        *,
        side: int,
        max_bytes: int | None = None,
        box: tuple[int, int] | None = None,
        pad: tuple[int, int] | None = None,
        crop: Crop = WHOLE,
        smart: bool = False,
    ) -> bytes:
        """The same re-encoded, nothing but pixels left.

        With `box` it fills exactly that size, cut at both sides, or where `smart` around what differs from its edges; with
        `pad` all of it lies within exactly that size, and the ground goes on in the colours of its edges.

        Raises as load does; TooLarge also when it cannot be made to fit `max_bytes`.
        """
        order = {"as": "jpeg", "side": side, "crop": _edges(crop), "max_bytes": max_bytes, "box": box, "pad": pad, "smart": smart}
        return (await self._ask(data, order))[1]

    async def both(self, data: bytes, *, side: int, look: int) -> tuple[bytes, Frame]:
        """`jpeg` with its longest side at most `side`, and `load` with at most `look`, for one decoding. Raises as load does."""
        about, payload = await self._ask(data, {"as": "both", "side": side, "look": look, "crop": _edges(WHOLE)})
        height, width, channels = about["shape"]
        size = height * width * channels
        rgb = np.frombuffer(payload, np.uint8, size).reshape(about["shape"])
        return payload[size:], Frame(rgb, about["width"], about["height"], about["format"])

    async def _ask(self, data: bytes, order: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        if len(data) > MAX_BYTES:
            raise TooLarge(_TOO_LARGE)
        async with self._worker() as worker:
            try:
                with metrics.stage("decode"):
                    about, payload = await worker.ask(order, data)
            except Died:  # the picture cost it its life
                raise NotAPicture from None
        match about.get("error"):
            case "too_large":
                raise TooManyPixels(_TOO_LARGE)
            case "not_a_picture":
                raise NotAPicture
        return about, payload

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator[Child]:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many pictures are waiting to be read. Try again in a moment.")
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                worker = await self._idle.get()
        except TimeoutError:
            raise Unavailable("Too many pictures are waiting to be read. Try again in a moment.") from None
        finally:
            self._waiting -= 1
        try:
            yield worker
        finally:
            self._idle.put_nowait(worker)


def _edges(crop: Crop) -> tuple[float, float, float, float]:
    return crop.left, crop.top, crop.right, crop.bottom
