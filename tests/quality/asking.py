"""Asks the real engine: a catalogue of its own in a temporary folder, pictures as they would be sent."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.fetch import Fetcher
from bot.insights.encoder import REFERENCE_SIDE, Encoder
from bot.insights.model import Module, Upload
from bot.insights.service import InsightsService
from bot.insights.view import catalogue_picture
from bot.insights.words import singular
from bot.pixels import Pixels
from bot.storage import Database
from tests.quality import words
from tests.quality.cases import Case, World
from tests.quality.measures import Answer, Copied
from tests.worlds import settings_for

MODULES = (Module.SIMILAR_PRODUCTS, Module.PAGES_INCLUDING, Module.TAGS)
AT_ONCE = 2


class Asked:
    """An engine with a world's catalogue in it."""

    def __init__(self, world: World, service: InsightsService, pixels: Pixels) -> None:
        self._world = world
        self._service = service
        self._pixels = pixels
        encoder = service.catalogue.serving.encoder
        assert isinstance(encoder, Encoder)
        self._encoder = encoder
        shelf = service.catalogue.serving.shelf
        feed_ids = {offer["id"]: one["id"] for one in world.products for offer in one["offers"]}
        self._ids = {key: feed_ids[product.offers[0].id] for key, product in shelf.products.items()}
        self._kinds = {one["id"]: str(one["product_type"]).rpartition(">")[2].strip() for one in world.products}

    @classmethod
    @asynccontextmanager
    async def open(cls, world: World) -> AsyncIterator["Asked"]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            feed = folder / "feed"
            for one in world.products:
                for path in [
                    one["image"],
                    *one.get("additional_images", []),
                    *(o["seller_logo"] for o in one["offers"] if o.get("seller_logo")),
                ]:
                    (feed / path).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(world.folder / path, feed / path)
            (feed / "products.jsonl").write_text("\n".join(map(json.dumps, world.products)), "utf-8")
            settings = settings_for(folder)
            async with (
                Database.open(settings.database) as database,
                Pixels.open(workers=2) as pixels,
                Fetcher.open(allow=()) as fetcher,
                InsightsService.open(settings, database, pixels, fetcher, base_url="http://localhost") as service,
            ):
                report = await service.catalogue.import_feeds([str(feed)])
                assert not report.rejected, report.rejected[:3]
                yield cls(world, service, pixels)

    def typed(self) -> Sequence[words.Typed]:
        serving = self._service.catalogue.serving
        return [*words.typed(serving.words, serving.shelf)]

    async def answers(self) -> list[Answer]:
        """To every case of the world, in order."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def ask(case: Case) -> Answer:
            async with gate:
                return await self.ask(case)

        return await asyncio.gather(*map(ask, self._world.cases))

    async def ask(self, case: Case) -> Answer:
        currency = "en-US" if "USD" in str(self._world.products[0]["offers"]) else "de-DE"
        found = await self._service.insights(Upload(case.data), MODULES, market=currency)
        shelf = self._service.catalogue.serving.shelf
        pictures = [shelf.pictures[catalogue_picture(one.token) or ""] for one in found.similar_products]
        products = tuple(self._ids[picture.product_id] for picture in pictures)
        seen = self._service._uploads.recent(found.token, self._encoder.name)
        assert seen
        matches = self._service.catalogue.serving.matcher.match(seen.look)
        copies = {hit.picture_id: hit.partial for hit in seen.copies}
        return Answer(
            case=case,
            products=products,
            bands=tuple(one.match.band for one in found.similar_products if one.match),
            scores=tuple(one.match.score for one in found.similar_products if one.match),
            copies=tuple(self._copied(key, partial=partial) for key, partial in copies.items()),
            tags=tuple(tag.name for tag in found.tags),
            kind=self._kinds[products[0]] if products else "",
            boxes=tuple(hit.box for hit in matches.products[: matches.things]),
        )

    def _copied(self, picture_id: str, *, partial: bool) -> Copied:
        """With the feed's name of the picture."""
        shelf = self._service.catalogue.serving.shelf
        picture = shelf.pictures[picture_id]
        if picture.product_id not in shelf.products:
            return Copied(picture_id, partial, "")
        product = shelf.products[picture.product_id]
        record = next(one for one in self._world.products if one["id"] == self._ids[product.id])
        path = [record["image"], *record.get("additional_images", [])][product.pictures.index(picture_id)]
        return Copied(str(path), partial, record["id"])

    async def plainly(self) -> list[tuple[Case, tuple[str, ...]]]:
        """The same encoder without anything of ours: the average of the whole picture, cosine; products best first."""
        rows = [(one["id"], path) for one in self._world.products for path in [one["image"], *one.get("additional_images", [])]]
        known = np.stack([await self._plain((self._world.folder / path).read_bytes()) for _, path in rows])
        found = []
        for case in self._world.cases:
            if not case.copy_of:
                order = np.argsort(-(known @ await self._plain(case.data)), kind="stable")
                found.append((case, tuple(dict.fromkeys(rows[row][0] for row in order))))
        return found

    async def _plain(self, data: bytes) -> NDArray[np.float32]:
        frame = await self._pixels.load(data, side=512)
        vector, _, _ = self._encoder._run(frame.rgb, (REFERENCE_SIDE, REFERENCE_SIDE))
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def says_its_kind(answer: Answer) -> bool:
    """Whether the tags name the kind of what is shown."""
    return singular(answer.case.kind) in answer.tags
