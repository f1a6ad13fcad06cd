"""What was seen in pictures people sent, by token, so that it can be asked about again. The pictures are not kept."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from collections import OrderedDict
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import numpy as np
from sqlalchemy import delete, select, update

from bot.errors import UnknownToken
from bot.insights import tables
from bot.insights.colours import SHADES
from bot.insights.encoder import Grid, Label, Look, Region
from bot.insights.matching import Hit
from bot.insights.model import Code, Crop, Line, Quad
from bot.storage import Database, insert

KEPT = timedelta(days=30)
REFRESHED = timedelta(days=1)
"""A token that is asked about lives on; it is written down once a day at most."""
SWEEP_SECONDS = 3600.0
GATHER_SECONDS = 0.02
"""A write waits so long for others: a commit costs as much for ten as for one, and a photo takes five times as long."""
RECENT_BYTES = 16 * 1024 * 1024
_TOKEN = re.compile(r"bcid_[A-Za-z0-9_-]{32}")
_FRESH = insert(tables.uploads)
_KEEP = _FRESH.on_conflict_do_update(
    index_elements=["token"], set_={name: _FRESH.excluded[name] for name in ("encoder", "look", "created")}
)
_SECRET = "upload_tokens"  # noqa: S105 (the name of a row)


@dataclass(frozen=True, slots=True)
class SentPicture:
    """What is known of a file somebody sent: pixels, bytes, and what it is (`jpeg`, …). Zeros when nothing is."""

    width: int = 0
    height: int = 0
    format: str = ""
    bytes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """What was seen in a picture, as it is stored and read again, so that the first answer is also the later one.

    copies: pictures of the catalogue whose pixels agreed when it was looked at.
    codes: the article numbers read in it, None while nobody has read them; what else a code may say is not kept.
    lines: the lines of text that name something of the catalogue, None while nobody has read them; no other words are kept.
    adult: how likely it is adult, 0 to 1; None while nobody has asked.
    """

    look: Look
    source: SentPicture = SentPicture()
    copies: tuple[Hit, ...] = ()
    codes: tuple[Code, ...] | None = None
    adult: float | None = None
    lines: tuple[Line, ...] | None = None


class Uploads:
    """What was seen, by token. The same picture has the same token, which only this installation can make."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self.secret = secret
        self._sweep_at = 0.0
        self._recent: OrderedDict[tuple[str, str], tuple[bytes, datetime]] = OrderedDict()
        self._bytes = 0
        self._pending: dict[tuple[str, str], bytes] = {}
        self._writing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, database: Database) -> Self:
        state = tables.engine_state
        async with database.write() as connection:
            secret = (await connection.execute(select(state.c.value).where(state.c.key == _SECRET))).scalar()
            if secret is None:
                secret = secrets.token_bytes(32)
                await connection.execute(insert(state).values(key=_SECRET, value=secret))
        return cls(database, secret)

    def token(self, data: bytes) -> str:
        """The name of a picture. Hashes megabytes: not for the event loop."""
        digest = hmac.digest(self.secret, hashlib.sha256(data).digest(), "sha256")
        return f"bcid_{base64.urlsafe_b64encode(digest[:24]).decode()}"

    async def find(self, token: str, encoder: str) -> Remembered | None:
        """None when it is too old, of another encoder, or was never there. What is asked about stays."""
        if recent := self.recent(token, encoder):
            return recent
        kept = tables.uploads.c
        query = select(kept.look, kept.created).where(kept.token == token, kept.encoder == encoder, kept.created > _now() - KEPT)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        if row.created < _now() - REFRESHED:
            async with self._database.write() as connection:
                await connection.execute(update(tables.uploads).where(kept.token == token).values(created=_now()))
        self._remember((token, encoder), row.look)
        return unpack(row.look)

    def recent(self, token: str, encoder: str) -> Remembered | None:
        """Without asking the database: what was kept or found a moment ago."""
        blob, created = self._recent.get((token, encoder), (b"", datetime.min))  # noqa: DTZ901 (as stored)
        if created <= _now() - REFRESHED:
            return None
        self._recent.move_to_end((token, encoder))
        return unpack(blob)

    def _remember(self, key: tuple[str, str], blob: bytes) -> None:
        """The most recent stay in memory: reading one from the database costs more than all that is asked about it."""
        self._bytes -= len(self._recent.pop(key, (b"",))[0])
        self._recent[key] = (blob, _now())
        self._bytes += len(blob)
        while self._bytes > RECENT_BYTES:
            self._bytes -= len(self._recent.popitem(last=False)[1][0])

    async def get(self, token: str, encoder: str) -> Remembered:
        """Of a sent picture. Raises UnknownToken."""
        found = await self.find(token, encoder) if _TOKEN.fullmatch(token) else None
        if found is None:
            raise UnknownToken
        return found

    async def keep(self, token: str, encoder: str, blob: bytes) -> None:
        """From now on the token is answered, also after kill -9. What comes while the disk is busy is written together."""
        self._remember((token, encoder), blob)
        self._pending[token, encoder] = blob
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
            await asyncio.shield(self._writing)
        else:  # the write that runs may have begun without this one
            await asyncio.shield(self._writing)
            if (token, encoder) in self._pending:
                await self.keep(token, encoder, blob)

    async def _write(self) -> None:
        kept = tables.uploads
        while self._pending:
            await asyncio.sleep(GATHER_SECONDS)
            batch, self._pending = self._pending, {}
            rows = [
                {"token": token, "encoder": encoder, "look": blob, "created": _now()} for (token, encoder), blob in batch.items()
            ]
            async with self._database.write() as connection:
                await connection.execute(_KEEP, rows)
                if time.monotonic() >= self._sweep_at:
                    await connection.execute(delete(kept).where(kept.c.created < _now() - KEPT))
                    self._sweep_at = time.monotonic() + SWEEP_SECONDS


def pack(seen: Remembered) -> bytes:
    """Vectors as float16, the grid as it is, the rest as JSON."""
    look, source, grid = seen.look, seen.source, seen.look.grid
    about = {
        "boxes": [[r.box.left, r.box.top, r.box.right, r.box.bottom] for r in look.regions],
        "contrasts": [float(region.contrast) for region in look.regions],
        "labels": [[label.name, float(label.probability)] for label in look.labels],
        "seen": [look.accent, look.colour, look.hash, look.mirrored],
        "source": [source.width, source.height, source.format, source.bytes],
        "copies": [[hit.picture_id, hit.product_id, hit.score, astuple(hit.box), hit.partial] for hit in seen.copies],
        "codes": None if seen.codes is None else [[one.text, one.kind, one.box, one.gtin] for one in seen.codes if one.gtin],
        "adult": seen.adult,
        "lines": None if seen.lines is None else [[line.text, line.box] for line in seen.lines],
        "grid": [*grid.features.shape, grid.scale] if grid else [],
    }
    vectors = np.stack([region.vector for region in look.regions]).astype(np.float16)
    cells = grid.shades.tobytes() + grid.features.tobytes() if grid else b""
    return json.dumps(about).encode() + b"\n" + vectors.tobytes() + cells


def unpack(blob: bytes) -> Remembered:
    """Looks of older versions have no grid, no source, nothing that was read and no score."""
    words, _, numbers = blob.partition(b"\n")
    about = json.loads(words)
    grid, cells = None, b""
    if about.get("grid"):
        height, width, depth, scale = about["grid"]
        at = len(numbers) - height * width * (depth + 2 * len(SHADES))
        numbers, cells = numbers[:at], numbers[at:]
        split = height * width * 2 * len(SHADES)
        shades = np.frombuffer(cells[:split], np.float16).reshape(height, width, -1)
        grid = Grid(np.frombuffer(cells[split:], np.int8).reshape(height, width, depth), scale, shades)
    vectors = np.frombuffer(numbers, np.float16).reshape(len(about["boxes"]), -1).astype(np.float32)
    accent, colour, digest, mirrored = about["seen"]
    look = Look(
        regions=tuple(
            Region(Crop(*box), vector, contrast)
            for box, vector, contrast in zip(about["boxes"], vectors, about["contrasts"], strict=True)
        ),
        labels=tuple(Label(name, probability) for name, probability in about["labels"]),
        accent=accent,
        colour=colour,
        hash=digest,
        mirrored=mirrored,
        grid=grid,
    )
    copies = (
        Hit(picture_id, product_id, score, Crop(*box), partial)
        for picture_id, product_id, score, box, partial in about.get("copies", ())
    )
    codes, lines = about.get("codes"), about.get("lines")
    return Remembered(
        look,
        SentPicture(*about.get("source", ())),
        tuple(copies),
        None if codes is None else tuple(Code(text, kind, _quad(box), gtin) for text, kind, box, gtin in codes),
        about.get("adult"),
        None if lines is None else tuple(Line(text, _quad(box)) for text, box in lines),
    )


def _quad(corners: list[list[float]]) -> Quad:
    a, b, c, d = ((x, y) for x, y in corners)
    return a, b, c, d


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
