"""CPU time and memory, measured on both sides of a ratio in turn, so that a busy machine slows both."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True)
class Figure:
    """One line of the report. `limit` is what the ratio should not pass."""

    what: str
    ratio: float
    limit: float
    detail: str
    at_least: bool = False

    @property
    def good(self) -> bool:
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def family(pid: int) -> list[int]:
    return [pid, *(one for child in children(pid) for one in family(child))]


def rss_mb(pid: int) -> float:
    """Resident memory of one process, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_MB


def _ticks(pid: int) -> int:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(after_name[11]) + int(after_name[12])


def cpu_seconds() -> float:
    """Of this process and its running children, with all their threads."""
    return time.process_time() + sum(_ticks(pid) for pid in family(os.getpid())[1:]) / TICKS


async def cpu_ms(work: Callable[[], Awaitable[object]], *, times: int) -> float:
    """Mean CPU milliseconds of one run, children included (their clock ticks at 10 ms, so many runs are needed)."""
    before = cpu_seconds()
    for _ in range(times):
        await work()
    return (cpu_seconds() - before) / times * 1000


async def side_by_side(
    one: Callable[[], Awaitable[object]], other: Callable[[], Awaitable[object]], *, times: int, rounds: int = 5
) -> tuple[float, float]:
    """Median CPU milliseconds of each, measured in turn."""
    await one()
    await other()
    pairs = [(await cpu_ms(one, times=times), await cpu_ms(other, times=times)) for _ in range(rounds)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def in_thread(work: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    return lambda: asyncio.to_thread(work)
