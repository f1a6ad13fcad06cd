"""`make simulate`: how many cores and how much memory from 1 to 1,000 workspaces and to a billion pictures.

A lookup's cost is measured here and now, over the demo's photos; the rest is arithmetic and a simulated queue.
"""

import asyncio
import resource
import tempfile
import time
from itertools import count
from pathlib import Path

from bot.fetch import Fetcher
from bot.insights.model import Upload
from bot.insights.service import InsightsService
from bot.lookup import MODULES
from bot.pixels import Pixels
from bot.storage import Database
from tests.simulate.queueing import Load, shares, simulate
from tests.worlds import CATALOGUE, PHOTOS, settings_for

PHOTOS_AN_HOUR = 60  # of a workspace, in its busiest hour, on average
GOOD_SECONDS = 1.5  # p95 of design.md
LARGE, LARGE_BYTES, LARGE_SCAN = 100_000, 675e6, 0.0235  # pictures, resident, seconds of a core for 15 regions (docs/quality.md)
CORE_DOLLARS, GIGABYTE_DOLLARS = 20.0, 3.0  # a month, rented; an assumption, and round


async def measured() -> list[float]:
    """Seconds of a core that a lookup took, each demo photo twice."""
    found: list[float] = []
    new = count()
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder))
        async with (
            Database.open(settings.database) as database,
            Pixels.open(workers=1) as pixels,
            Fetcher.open(allow=()) as fetcher,
            InsightsService.open(settings, database, pixels, fetcher, base_url="http://localhost") as service,
        ):
            await service.catalogue.import_feeds([str(CATALOGUE)])
            for path in sorted(PHOTOS.glob("*.jpg")) * 2:
                data = path.read_bytes() + str(next(new)).encode()  # bytes after the end: another picture every time
                since = time.process_time()
                await service.insights(Upload(data), MODULES)
                found.append(time.process_time() - since)
    return found


def workspaces(services: list[float]) -> None:
    print(f"\n{'workspaces':>10} {'photos/s':>9} {'cores':>6} {'busy':>6} {'p50':>7} {'p95':>7}   a month")
    for number in (1, 10, 100, 1_000):
        rate = number * PHOTOS_AN_HOUR / 3600
        for cores in range(1, 1_000):
            if rate * sum(services) / len(services) > cores:
                continue
            found = simulate(Load(shares(number, rate), services, cores, seconds=3600))
            if found.quantile(0.95) <= GOOD_SECONDS:
                break
        print(
            f"{number:10,} {rate:9.2f} {cores:6} {found.busy / cores / 3600:6.0%} {found.quantile(0.5):6.2f}s"
            f" {found.quantile(0.95):6.2f}s   ${cores * CORE_DOLLARS:,.0f}"
        )


def flood(services: list[float]) -> None:
    print("\nOne workspace of 100 asks 100 times its share; the others' p95:")
    rate = PHOTOS_AN_HOUR / 3600
    for cores in (4, 8, 16):
        quiet = simulate(Load([rate] * 100, services, cores, seconds=3600))
        loud = simulate(Load([rate * 100, *[rate] * 99], services, cores, seconds=3600))
        others = list(range(1, 100))
        before, after = quiet.quantile(0.95, others), loud.quantile(0.95, others)
        change, own = after / before - 1, loud.quantile(0.95, [0])
        print(f"{cores:4} cores: {before:.3f} s → {after:.3f} s ({change:+.0%}); its own {own:.1f} s")


def pictures(empty: float) -> None:
    """empty: bytes that a process holds with next to no pictures."""
    print(f"\n{'pictures':>14} {'memory':>10} {'scan, one core':>15}   a month for one copy")
    for number in (100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000):
        gigabytes = (empty + number * (LARGE_BYTES - empty) / LARGE) / 1e9
        scan = LARGE_SCAN * number / LARGE
        print(f"{number:14,} {gigabytes:7,.1f} GB {scan:13.2f} s   ${gigabytes * GIGABYTE_DOLLARS:,.0f}")


def main() -> None:
    services = asyncio.run(measured())
    middle = sorted(services)[len(services) // 2]
    empty = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    print(f"{len(services)} lookups here: {middle * 1000:.0f} ms of a core in the middle, {max(services) * 1000:.0f} at most")
    print(f"a process with the demo's pictures: {empty / 1e6:.0f} MB")
    workspaces(services)
    flood(services)
    pictures(empty)


if __name__ == "__main__":
    main()
