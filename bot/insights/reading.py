"""What is written in a picture: text, barcodes and QR codes, read in a child process that can be killed."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bot.child import Child, Died
from bot.insights.gtin import gtin_of
from bot.insights.model import Code, Line, Quad, Reading, TextRegion, Word

log = logging.getLogger(__name__)

READ_SIDE = 1024
"""Pixels: a barcode that fills a third of the picture is still read."""
SECONDS = 8.0
"""For one picture, with waiting its turn and starting the child: less than an answer has, more than reading takes."""
MOST_WAITING = 4
"""Pictures that wait to be read; beyond, an answer comes without its text rather than late."""
MOST_CODES_WAITING = 16
"""As many as lookups that run at once: each takes a hundredth of a second."""
IDLE_SECONDS = 120.0
"""After which the child ends and its 300 MB come back."""
LEAST_MEMORY = 768 * 2**20
"""Below, text is left alone: the whole service must fit into 512 MB."""
LINE_GAP = 1.5
"""Lines of one region lie closer than so many heights of a line."""


class Reader:
    """Reads pictures one after the other. What it cannot read it leaves out: text is an extra, never a reason to fail.

    Codes have a child of their own, so that they never wait behind a text.
    """

    def __init__(self, *, text: bool, codes: bool, idle_seconds: float = IDLE_SECONDS) -> None:
        self._text = _Desk("text", most_waiting=MOST_WAITING, idle_seconds=idle_seconds) if text else None
        self._codes = _Desk("codes", most_waiting=MOST_CODES_WAITING, idle_seconds=idle_seconds) if codes else None

    @classmethod
    @asynccontextmanager
    async def open(cls, *, idle_seconds: float = IDLE_SECONDS) -> AsyncIterator[Self]:
        memory = memory_bytes()
        text = find_spec("rapidocr") is not None and memory >= LEAST_MEMORY
        codes = find_spec("zxingcpp") is not None
        if not text:
            why = f"this machine has {memory // 2**20} MB" if find_spec("rapidocr") else "the package rapidocr is not installed"
            log.info("text in pictures is not read: %s", why)
        if not codes:
            log.info("barcodes are not read: the package zxing-cpp is not installed")
        reader = cls(text=text, codes=codes, idle_seconds=idle_seconds)
        try:
            yield reader
        finally:
            for desk in (reader._text, reader._codes):
                if desk:
                    await desk.close()

    async def read(self, rgb: NDArray[np.uint8], *, text: bool = True) -> Reading:
        """What is written in an upright picture (h, w, 3); `missed` when too much is waiting or it takes too long.

        text: False reads the codes alone, at a twentieth of the cost.
        """
        desks = [desk for desk in (self._text if text else None, self._codes) if desk]
        answers = await asyncio.gather(*(desk.read(rgb) for desk in desks))
        height, width = rgb.shape[:2]
        found: dict[str, list[dict[str, Any]]] = {"text": [], "codes": []}
        for answer in answers:
            found |= answer or {}
        return reading_of(found, width, height, missed=None in answers)


class _Desk:
    """Reads one sort of thing, one picture at a time, in a child that ends when it has nothing to do."""

    def __init__(self, sort: str, *, most_waiting: int, idle_seconds: float) -> None:
        self._sort = sort
        self._most_waiting = most_waiting
        self._idle_seconds = idle_seconds
        self.child = Child("bot.insights.read_child", seconds=SECONDS)
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0
        self._rest: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    async def read(self, rgb: NDArray[np.uint8]) -> dict[str, Any] | None:
        """What the child found, by sort; None when it was missed."""
        if self._waiting >= self._most_waiting:
            return None
        self._waiting += 1
        try:
            async with asyncio.timeout(SECONDS), self._one_at_a_time:
                if self._rest:
                    self._rest.cancel()
                order = {"shape": rgb.shape, "sort": self._sort}
                answer, _ = await self.child.ask(order, np.ascontiguousarray(rgb).data.cast("B"))
        except (Died, TimeoutError):
            log.warning("a picture could not be read for its %s", self._sort)
            return None
        finally:
            self._waiting -= 1
            self._rest = asyncio.get_running_loop().call_later(self._idle_seconds, self._sleep)
        return {self._sort: answer["found"]}

    def _sleep(self) -> None:
        self._ending = asyncio.create_task(self._end())

    async def _end(self) -> None:
        """After whoever reads now, never in the middle of it."""
        async with self._one_at_a_time:
            await self.child.stop()

    async def close(self) -> None:
        if self._rest:
            self._rest.cancel()
        await self.child.stop()


def reading_of(answer: Mapping[str, Any], width: int, height: int, *, missed: bool = False) -> Reading:
    """What the child has found, in fractions of the picture."""

    def quad(one: Mapping[str, Any]) -> Quad:
        return _quad(one["box"], width, height)

    lines = [
        Line(one["text"], quad(one), tuple(Word(word["text"], quad(word)) for word in one["words"])) for one in answer["text"]
    ]
    codes = [Code(one["text"], one["kind"], quad(one), gtin_of(one["text"], one["kind"])) for one in answer["codes"]]
    return Reading(regions_of(lines), tuple(codes), missed)


def regions_of(lines: Iterable[Line]) -> tuple[TextRegion, ...]:
    """Lines that lie below each other at about a line's distance and overlap sideways belong together, top to bottom."""
    regions: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (_edges(line.box)[1], _edges(line.box)[0])):
        left, top, right, bottom = _edges(line.box)
        for region in regions:
            l, _, r, b = _edges(region[-1].box)  # noqa: E741 (left)
            if top - b < LINE_GAP * (bottom - top) and left < r and l < right:
                region.append(line)
                break
        else:
            regions.append([line])
    return tuple(TextRegion(_around(region), tuple(region)) for region in regions)


def _quad(box: Iterable[Iterable[float]], width: int, height: int) -> Quad:
    a, b, c, d = ((min(max(x / width, 0.0), 1.0), min(max(y / height, 0.0), 1.0)) for x, y in box)
    return a, b, c, d


def _edges(box: Quad) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in box], [y for _, y in box]
    return min(xs), min(ys), max(xs), max(ys)


def _around(lines: Iterable[Line]) -> Quad:
    edges = [_edges(line.box) for line in lines]
    left, top = min(edge[0] for edge in edges), min(edge[1] for edge in edges)
    right, bottom = max(edge[2] for edge in edges), max(edge[3] for edge in edges)
    return (left, top), (right, top), (right, bottom), (left, bottom)


def memory_bytes() -> int:
    """What this process may use: the machine's memory, or the container's limit."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            return min(machine, int(Path(path).read_text("ascii")))
    return machine
