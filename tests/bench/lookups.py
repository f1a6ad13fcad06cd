"""A lookup of an 800 × 600 JPEG through the engine, against the same decoding, encoder runs and scan with nothing around them."""

import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import numpy as np

from bot import decode
from bot.fetch import Fetcher
from bot.insights.encoder import LEAST_SIDE, MOST_REGIONS, OUTPUTS, PHOTO_SIDE, REFERENCE_SIDE, Encoder
from bot.insights.model import Upload
from bot.insights.service import InsightsService
from bot.lookup import MODULES
from bot.pixels import Pixels
from bot.storage import Database
from tests.bench.measure import Figure, in_thread, side_by_side
from tests.bench.pictures import resized
from tests.worlds import CATALOGUE, settings_for

TIMES = 30


class Raw:
    """The least that an answer takes: decode, two runs of the encoder on what it is given, a scan of the vectors."""

    def __init__(self, data: bytes, encoder: Encoder, references: int) -> None:
        self._data = data
        self._session = encoder._session
        frame = np.full((PHOTO_SIDE * 3 // 4, PHOTO_SIDE, 3), 127, np.uint8)
        height, width = frame.shape[:2]
        scale = PHOTO_SIDE / max(height, width)
        photo = (max(LEAST_SIDE, round(height * scale)), max(LEAST_SIDE, round(width * scale)))
        sizes = [photo, (REFERENCE_SIDE, REFERENCE_SIDE)]
        self._inputs = [np.random.default_rng(1).standard_normal((1, 3, *size)).astype(np.float32) for size in sizes]
        self._references = np.random.default_rng(2).standard_normal((references, encoder.dim)).astype(np.float32)
        self._looks = np.random.default_rng(3).standard_normal((MOST_REGIONS + 1, encoder.dim)).astype(np.float32)

    def decode(self) -> None:
        decode.answer(self._data, {"as": "rgb", "side": PHOTO_SIDE, "crop": (0.0, 0.0, 1.0, 1.0)})

    def encode(self) -> None:
        for pixels in self._inputs:
            self._session.run(OUTPUTS, {"x": pixels})

    def all(self) -> None:
        self.decode()
        self.encode()
        np.argpartition(self._looks @ self._references.T, -20, axis=1)


async def figures() -> Sequence[Figure]:
    data = resized("photo-01.jpg", 800, 600)
    new = count()

    def photo() -> Upload:  # another picture every time, or the engine would know it already: bytes after the end are ignored
        return Upload(data + str(next(new)).encode())

    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder))
        async with (
            Database.open(settings.database) as database,
            Pixels.open(workers=1) as pixels,
            Fetcher.open(allow=()) as fetcher,
            InsightsService.open(settings, database, pixels, fetcher, base_url="http://localhost") as service,
        ):
            await service.catalogue.import_feeds([str(CATALOGUE)])
            encoder = service.catalogue.serving.encoder
            assert isinstance(encoder, Encoder)
            raw = Raw(data, encoder, service.catalogue.stats()["pictures"])

            async def ask() -> None:
                await service.insights(photo(), MODULES)

            ours, least = await side_by_side(ask, in_thread(raw.all), times=TIMES)
            encoding, decoding = await side_by_side(in_thread(raw.encode), in_thread(raw.decode), times=TIMES)
    detail = f"{ours:.0f} ms of CPU; raw {least:.0f} ms (encoder {encoding:.0f}, decoding {decoding:.0f})"
    return [Figure("lookup of an 800 × 600 JPEG / raw decode + encode + scan", ours / least, 1.5, detail)]
