"""The catalogue's pictures: as files, re-encoded and named by their content, and as what the encoder sees in them."""

import asyncio
import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from bot.errors import NotAPicture, TooLarge
from bot.fetch import Downloaded, Fetcher
from bot.insights.encoder import THING, palette_of, perceptual_hash
from bot.insights.encoders import ImageEncoder
from bot.pixels import MAX_BYTES, Pixels

KEPT_SIDE = 1024
READ_SIDE = 512
SMALL = 256 * 1024
_CONTENT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Features:
    """What is kept of a picture besides its file. vector: (dim,) float32; width, height and bytes are the file's."""

    content: str
    vector: NDArray[np.float32] = field(repr=False)
    hash: str
    width: int
    height: int
    bytes: int
    accent: str


class PictureStore(Protocol):
    """Where the JPEGs are. Their names are hashes of the bytes they were made from, never anybody's words.

    Each raises ValueError for what is no name of ours; Unavailable, or OSError, when the place cannot be reached.
    """

    async def read(self, content: str) -> bytes:
        """Raises FileNotFoundError."""
        ...

    async def write(self, content: str, data: bytes) -> None: ...

    async def delete(self, content: str) -> None: ...


def checked(content: str) -> str:
    """Raises ValueError when this is not one of our names."""
    if not _CONTENT.fullmatch(content):
        raise ValueError("not a name of a picture")
    return content


class PictureFiles:
    """A folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, content: str) -> Path:
        return self._folder / checked(content)[:2] / f"{content}.jpg"

    async def read(self, content: str) -> bytes:
        return await asyncio.to_thread(self.path(content).read_bytes)

    async def write(self, content: str, data: bytes) -> None:
        def write() -> None:
            path = self.path(content)
            part = path.with_suffix(f".{os.getpid()}.part")
            try:
                part.write_bytes(data)
            except FileNotFoundError:  # the first of its folder
                path.parent.mkdir(parents=True, exist_ok=True)
                part.write_bytes(data)
            part.replace(path)  # a reader sees the whole file or none

        await asyncio.to_thread(write)

    async def delete(self, content: str) -> None:
        await asyncio.to_thread(self.path(content).unlink, missing_ok=True)


def open_store(blob_url: str, data_dir: Path) -> PictureStore:
    """Raises ConfigurationError for an address that nobody here can open."""
    if not blob_url:
        return PictureFiles(data_dir / "pictures")
    from bot.insights.blobs import PictureBlobs  # noqa: PLC0415 (most have no storage, and need not wait for its packages)

    return PictureBlobs.at(blob_url)


class Pictures:
    """Turns addresses of a feed into files and features."""

    def __init__(self, files: PictureStore, pixels: Pixels, fetcher: Fetcher, encoder: ImageEncoder, *, folder: Path) -> None:
        """folder: for what an import needs meanwhile."""
        self.files = files
        self.folder = folder
        self._pixels = pixels
        self.fetcher = fetcher
        self._encoder = encoder

    async def bytes_of(self, address: str) -> tuple[str, bytes]:
        """Content name and bytes behind a path or URL. Raises CannotFetch, NotAPicture, TooLarge."""
        data, _ = await self.labelled(address)
        return await self.name_of(data), data

    async def name_of(self, data: bytes) -> str:
        """A small picture is hashed sooner than a thread can be asked to."""
        return (hashlib.sha256(data) if len(data) <= SMALL else await asyncio.to_thread(hashlib.sha256, data)).hexdigest()

    async def labelled(self, address: str, *, etag: str = "", modified: str = "") -> tuple[bytes, Downloaded]:
        """The bytes behind a path or URL, none when nothing has changed since etag or modified; raises as bytes_of does."""
        if urlsplit(address).scheme in {"http", "https"}:
            return await self.fetcher.get_if_changed(address, etag=etag, modified=modified)
        return await asyncio.to_thread(_read, Path(address)), Downloaded("ok")

    async def take(self, content: str, data: bytes) -> Features:
        """Keep the picture and look at it. Raises NotAPicture, TooLarge, Unavailable."""
        jpeg, frame = await self._pixels.both(data, side=KEPT_SIDE, look=READ_SIDE)
        shrink = min(1.0, KEPT_SIDE / max(frame.width, frame.height))
        width, height = max(1, round(frame.width * shrink)), max(1, round(frame.height * shrink))
        vector, digest, accent = await asyncio.to_thread(self._see, frame.rgb)
        await self.files.write(content, jpeg)
        return Features(content, vector, digest, width, height, len(jpeg), accent)

    async def keep(self, content: str, data: bytes, *, side: int) -> None:
        """Write the file. Raises as take does."""
        await self.files.write(content, await self._pixels.jpeg(data, side=side))

    async def see_again(self, content: str) -> NDArray[np.float32]:
        """The vector of a kept picture, from its file."""
        frame = await self._pixels.load(await self.files.read(content), side=READ_SIDE)
        return await asyncio.to_thread(self._encoder.reference, frame.rgb)

    def _see(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], str, str]:
        palette = palette_of(rgb)
        return self._encoder.reference(rgb, palette), perceptual_hash(rgb), palette.of(THING).accent


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TooLarge("That picture is too large. I read pictures up to 20 MB.")
        return path.read_bytes()
    except OSError:
        raise NotAPicture("The picture's file cannot be read.") from None
