"""A catalogue of 100,000 pictures: what a lookup costs, how near the scan comes to memory, what it all takes.

The pictures' vectors are mixtures of the demo catalogue's, so that there are kinds and look-alikes; their files are not there.
"""

import asyncio
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bot import decode
from bot.config import Settings
from bot.fetch import Fetcher
from bot.insights.catalogue import Catalogue
from bot.insights.encoder import PHOTO_SIDE, Encoder
from bot.insights.index import Index
from bot.insights.model import Article, Module, Token, Upload
from bot.insights.service import InsightsService
from bot.memory import give_back
from bot.pixels import Pixels
from bot.storage import Database
from tests.bench.measure import Figure, in_thread, rss_mb, side_by_side
from tests.bench.pictures import resized
from tests.worlds import CATALOGUE, settings_for

PICTURES = 100_000
NEIGHBOURS = 20
MOST_CPU_MS, MOST_MB = 60.0, 700.0
FILTERED = 17
ORDER = {"as": "rgb", "side": PHOTO_SIDE, "crop": (0.0, 0.0, 1.0, 1.0)}
MODULES = (Module.SIMILAR_IMAGES, Module.SIMILAR_PRODUCTS, Module.TAGS, Module.CAPTION, Module.BRQ)


async def figures() -> Sequence[Figure]:
    """Measured in a process of its own, so that its memory is its own."""
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.large", folder, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
    return [Figure(*line) for line in json.loads(out)]


async def measured(folder: Path) -> list[tuple[Any, ...]]:
    settings = settings_for(folder)
    async with Database.open(settings.database):
        pass
    encoder = Encoder.load(None)
    filling = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.bench.large", "fill", str(settings.database))
    assert await filling.wait() == 0
    async with (
        Database.open(settings.database) as database,
        Pixels.open(workers=1) as pixels,
        Fetcher.open(allow=()) as fetcher,
        InsightsService.open(settings, database, pixels, fetcher, base_url="http://localhost") as service,
    ):
        data = resized("photo-01.jpg", 800, 600)
        for number in range(5):
            await service.insights(Upload(data + bytes([number])), MODULES)
        memory = rss_mb(os.getpid())
        matcher = service.catalogue.serving.matcher
        rgb = (await pixels.load(data, side=PHOTO_SIDE)).rgb
        look = encoder.look(rgb)

        token = Token((await service.insights(Upload(data), MODULES)).token)

        def matched() -> None:
            decode.answer(data, ORDER)
            matcher.match(encoder.look(rgb))

        whole, _ = await side_by_side(in_thread(matched), in_thread(lambda: None), times=10)
        answering, again = await side_by_side(
            lambda: service.insights(token, MODULES), in_thread(lambda: matcher.match(look)), times=10
        )
        memory_floor = np.zeros(PICTURES * encoder.dim // 8, dtype=np.int64)
        memory_floor[:] = np.arange(len(memory_floor))  # pages of its own, not the one of zeros
        question = [look.whole.vector]
        scan, floor = await side_by_side(
            in_thread(lambda: matcher._index.query_many(question, NEIGHBOURS, least=matcher.floor)),
            in_thread(memory_floor.sum),
            times=20,
        )
        regions = len(look.regions)
        seen, gone = await _followed(service, settings, pixels, fetcher, data)
        exact = await asyncio.to_thread(_recall, matcher._index, [region.vector for region in look.regions])
    cpu, rows = whole + answering - again, answering - again
    return [
        (
            "lookup at 100,000 pictures / 60 ms",
            cpu / MOST_CPU_MS,
            1.0,
            f"{cpu:.0f} ms: decode, encode, scan for {regions} regions, rows ({rows:.0f} ms)",
        ),
        ("scan of 100,000 pictures / reading as many bytes", scan / floor, 1.3, f"{scan:.1f} ms; memory {floor:.1f} ms"),
        ("memory at 100,000 pictures / 700 MB", memory / MOST_MB, 1.0, f"{memory:.0f} MB"),
        ("what another process adds is found / 1 s", seen, 1.0, f"{seen:.2f} s; what it takes out is gone after {gone:.2f} s"),
        ("recall@10 against brute force, plain and filtered", exact, 1.0, "of the regions of a photo", True),
    ]


async def _followed(
    service: InsightsService, settings: Settings, pixels: Pixels, fetcher: Fetcher, data: bytes
) -> tuple[float, float]:
    """The longest of some times in seconds from a change that another one stores until it is served here: added, taken out."""
    found: list[float] = []
    gone: list[float] = []

    async def until(there: bool, times: list[float]) -> None:
        began = time.perf_counter()
        while ("row:bench:1" in service.catalogue.serving.shelf.products) is not there:  # noqa: ASYNC110 (nothing tells of it)
            await asyncio.sleep(0.005)
        times.append(time.perf_counter() - began)

    async with (
        Database.open(settings.database) as database,
        Catalogue.open(settings.data_dir, database, pixels, fetcher, Encoder.load(None), serves=False) as other,
    ):
        for number in range(5):
            article = Article("bench", "1", "Another thing", Decimal(5), "USD", "https://shop.example/another")
            await other.put(article, [data + b"another" + bytes([number])])
            await until(True, found)
            await other.take_out("bench", "1")
            await until(False, gone)
    return max(found), max(gone)


def _recall(index: Index, questions: Sequence[NDArray[np.float32]]) -> float:
    """The share of the ten nearest that is found, without and with a filter."""
    keys = [f"P{number:031}" for number in range(PICTURES)]
    found = total = 0
    for question in questions:
        scores: dict[str, float] = {}
        for start in range(0, PICTURES, 5000):
            part = index.vectors(keys[start : start + 5000])
            scores |= dict(zip(part, (np.stack([*part.values()]) @ question).tolist(), strict=True))
        for allowed in (None, lambda key: int(key[1:]) % FILTERED == 0):
            best = sorted((key for key in scores if allowed is None or allowed(key)), key=lambda key: (-scores[key], key))[:10]
            found += len(set(best) & {key for key, _ in index.query(question, 10, allowed)})
            total += 10
    return found / total


def _fill(path: Path, encoder: Encoder) -> None:
    chance = random.Random(1)
    records = [json.loads(line) for line in (CATALOGUE / "products.jsonl").read_text("utf-8").splitlines()]
    with sqlite3.connect(path) as database:
        products, offers, pictures, uses = [], [], [], []
        for number, vector in enumerate(_vectors(records, encoder)):
            one = chance.choice(records)
            product, picture = f"row:feed:{number}", f"P{number:031}"
            title = f"{one['title']} {number}"
            products.append(
                (
                    product,
                    "feed",
                    title,
                    one["description"],
                    one["brand"],
                    one["product_type"],
                    one["color"],
                    one["material"],
                    "",
                    "",
                    False,
                )
            )
            price = f"{chance.randint(5, 90)}.95"
            offers.append(
                (
                    "feed",
                    str(number),
                    "",
                    product,
                    number,
                    title,
                    f"https://shop.example/{number}",
                    price,
                    "USD",
                    "InStock",
                    "Kilnby",
                    "2026-11-26",
                )
            )
            pictures.append(
                (
                    picture,
                    product,
                    f"{number:064x}",
                    f"{chance.getrandbits(64):016x}",
                    vector,
                    encoder.name,
                    480,
                    480,
                    20000,
                    "aabbcc",
                    "2026-11-26 00:00:00",
                )
            )
            uses.append(("feed", str(number), 0, f"{number}.jpg", picture))
        _insert(
            database,
            "catalogue_products",
            "id source title description brand product_type color material size gtin adult",
            products,
        )
        _insert(
            database,
            "catalogue_offers",
            "source id digest product_id position title link price currency availability seller last_seen",
            offers,
        )
        _insert(
            database,
            "catalogue_pictures",
            "id product_id content hash vector encoder width height bytes accent published",
            pictures,
        )
        _insert(database, "catalogue_picture_uses", "source used_by position address picture_id", uses)


def _insert(database: sqlite3.Connection, table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
    names = columns.split()
    database.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", rows)  # noqa: S608


def _vectors(records: Sequence[dict[str, Any]], encoder: Encoder) -> Iterator[bytes]:
    known = np.stack([encoder.reference(np.asarray(Image.open(CATALOGUE / one["image"]).convert("RGB"))) for one in records])
    chance = np.random.default_rng(1)
    for start in range(0, PICTURES, 2000):
        count = min(2000, PICTURES - start)
        shares = chance.dirichlet(np.full(4, 0.4), count)[..., None].astype(np.float32)
        mixed = (known[chance.integers(0, len(known), (count, 4))] * shares).sum(1)
        mixed *= chance.gamma(3, 1 / 3, mixed.shape).astype(np.float32)
        mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
        yield from (row.tobytes() for row in mixed.astype(np.float16))


if __name__ == "__main__":
    give_back()
    if sys.argv[1] == "fill":
        _fill(Path(sys.argv[2]), Encoder.load(None))
    else:
        print(json.dumps(asyncio.run(measured(Path(sys.argv[1])))))
