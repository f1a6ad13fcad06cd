"""Feeds: a hundred thousand rows that say what they said, and new pictures against the same decoding and encoding alone."""

import asyncio
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median

from bot.fetch import Fetcher
from bot.insights.catalogue import Catalogue
from bot.insights.encoders import load_encoder
from bot.insights.importing import PICTURES_AT_ONCE
from bot.insights.pictures import READ_SIDE
from bot.pixels import Pixels
from bot.storage import Database
from tests.bench.measure import Figure
from tests.worlds import CATALOGUE

ROWS, FEW = 100_000, 5_000
MOST_SECONDS = 60.0
ROUNDS, COPIES = 3, 4


async def figures() -> Sequence[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(CATALOGUE / "images", folder / "images")
        few, many = await _again(folder, FEW), await _again(folder, ROWS)
        rate, alone = await _new_pictures(folder)
    seconds, memory = many
    return [
        Figure("import of 100,000 unchanged rows / 60 s", seconds / MOST_SECONDS, 1.0, f"{seconds:.1f} s, {memory:.0f} MB"),
        Figure("  its memory / that of 5,000 rows", memory / few[1], 1.25, f"{few[1]:.0f} MB"),
        Figure(
            "new pictures imported a second / decode + encode alone",
            median(ours / least for ours, least in zip(rate, alone, strict=True)),
            0.85,
            f"{median(rate):.1f} a second; alone {median(alone):.1f}",
            at_least=True,
        ),
    ]


def _feed(path: Path, pictures: Iterable[str]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for number, picture in enumerate(pictures):
            said = {"id": f"{number}", "title": f"Thing {number}", "description": "A thing of clay. " * 10, "brand": "Kilnby"}
            said |= {"link": f"https://shop.example/{number}", "image_link": picture, "price": f"{number % 90 + 1}.95 USD"}
            file.write(json.dumps(said) + "\n")
    return path


async def _again(folder: Path, rows: int) -> tuple[float, float]:
    """Seconds and the most MB of a second import, the command's start included."""
    names = sorted(path.name for path in (folder / "images").iterdir())
    feed = _feed(folder / f"{rows}.jsonl", (f"images/{names[number % len(names)]}" for number in range(rows)))
    environment = os.environ | {"DATA_DIR": str(folder / f"data-{rows}")}
    await _import(feed, environment)
    began = time.monotonic()
    said, memory = await _import(feed, environment)
    assert f"{rows} unchanged" in said, said
    return time.monotonic() - began, memory


async def _import(feed: Path, environment: dict[str, str]) -> tuple[str, float]:
    """What it says, and the most resident memory of the process in MB."""
    words = [sys.executable, "-m", "bot", "catalogue", "import", str(feed)]
    done = await asyncio.create_subprocess_exec(*words, env=environment, stdout=asyncio.subprocess.PIPE)
    assert done.stdout
    most = 0.0
    while done.returncode is None:
        most = max(most, _most_mb(done.pid))
        await asyncio.sleep(0.1)
    said = (await done.stdout.read()).decode()
    assert await done.wait() == 0
    return said, most


def _most_mb(pid: int) -> float:
    """The most resident memory that a process has had so far; 0 when it is gone."""
    try:
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(peak[1]) / 1024 if peak else 0.0


def _copies(folder: Path) -> Iterator[Path]:
    """Every picture a few times, each of its own: bytes after the end are ignored."""
    (folder / "new").mkdir()
    for path in sorted((folder / "images").glob("*.jpg")):
        for number in range(COPIES):
            copy = folder / "new" / f"{number}-{path.name}"
            copy.write_bytes(path.read_bytes() + bytes([number]))
            yield copy


async def _new_pictures(folder: Path) -> tuple[list[float], list[float]]:
    """Pictures a second, of an import and of nothing but decoding and encoding; in turn, as many at once."""
    pictures = [*_copies(folder)]
    feed = _feed(folder / "new.jsonl", (f"new/{path.name}" for path in pictures))
    encoder = load_encoder(None)
    rate, alone = [], []
    async with Pixels.open() as pixels, Fetcher.open(allow=()) as fetcher:

        async def look(path: Path) -> None:
            frame = await pixels.load(await asyncio.to_thread(path.read_bytes), side=READ_SIDE)
            await asyncio.to_thread(encoder.reference, frame.rgb)

        async def lane(waiting: Iterable[Path]) -> None:
            for path in waiting:
                await look(path)

        for number in range(ROUNDS):
            began = time.monotonic()
            waiting = iter(pictures)
            await asyncio.gather(*(lane(waiting) for _ in range(PICTURES_AT_ONCE)))
            alone.append(len(pictures) / (time.monotonic() - began))
            data_dir = folder / f"new-{number}"
            async with (
                Database.open(data_dir / "bot.db") as database,
                Catalogue.open(data_dir, database, pixels, fetcher, encoder, serves=False) as catalogue,
            ):
                began = time.monotonic()
                report = await catalogue.import_feeds([str(feed)])
                rate.append(len(pictures) / (time.monotonic() - began))
            assert report.added == len(pictures)
    return rate, alone
