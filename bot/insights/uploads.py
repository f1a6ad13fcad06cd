"""What was seen in pictures people sent, by token, so that it can be asked about again. The pictures are not kept."""

import base64
import hashlib
import hmac
import json
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Self

import numpy as np
from sqlalchemy import delete, insert, select

from bot.errors import UnknownToken
from bot.insights import tables
from bot.insights.encoder import Label, Look, Region
from bot.insights.model import Crop
from bot.storage import Database

KEPT = timedelta(days=30)
_TOKEN = re.compile(r"bcid_[A-Za-z0-9_-]{32}")
_SECRET = "upload_tokens"  # noqa: S105 (the name of a row)


class Uploads:
    """Looks by token. The same picture has the same token, which only this installation can make."""

    def __init__(self, database: Database, secret: bytes, encoder: str) -> None:
        self._database = database
        self._secret = secret
        self._encoder = encoder

    @classmethod
    async def open(cls, database: Database, encoder: str) -> Self:
        state = tables.engine_state
        async with database.write() as connection:
            secret = (await connection.execute(select(state.c.value).where(state.c.key == _SECRET))).scalar()
            if secret is None:
                secret = secrets.token_bytes(32)
                await connection.execute(insert(state).values(key=_SECRET, value=secret))
            await connection.execute(delete(tables.uploads).where(tables.uploads.c.created < _now() - KEPT))
        return cls(database, secret, encoder)

    def token(self, data: bytes, crop: Crop) -> str:
        """Hashes megabytes: not for the event loop."""
        part = f"{crop.left!r} {crop.top!r} {crop.right!r} {crop.bottom!r}".encode()
        digest = hmac.digest(self._secret, hashlib.sha256(data).digest() + part, "sha256")
        return f"bcid_{base64.urlsafe_b64encode(digest[:24]).decode()}"

    async def find(self, token: str) -> Look | None:
        """None when it is too old, of another encoder, or was never there."""
        kept = tables.uploads.c
        async with self._database.read() as connection:
            query = select(kept.look).where(kept.token == token, kept.encoder == self._encoder, kept.created > _now() - KEPT)
            blob = (await connection.execute(query)).scalar()
        return None if blob is None else unpack(blob)

    async def get(self, token: str) -> Look:
        """Raises UnknownToken."""
        look = await self.find(token) if _TOKEN.fullmatch(token) else None
        if look is None:
            raise UnknownToken
        return look

    async def put(self, token: str, look: Look) -> Look:
        """Keep it; returns it as it will be read again, so that the first answer is also the later one."""
        kept, blob = tables.uploads, pack(look)
        async with self._database.write() as connection:
            await connection.execute(delete(kept).where(kept.c.token == token))
            await connection.execute(insert(kept).values(token=token, encoder=self._encoder, look=blob, created=_now()))
        return unpack(blob)


def pack(look: Look) -> bytes:
    """Vectors as float16, the rest as JSON."""
    about = {
        "boxes": [[r.box.left, r.box.top, r.box.right, r.box.bottom] for r in look.regions],
        "contrasts": [float(region.contrast) for region in look.regions],
        "labels": [[label.name, float(label.probability)] for label in look.labels],
        "seen": [look.accent, look.colour, look.hash, look.mirrored],
    }
    vectors = np.stack([region.vector for region in look.regions]).astype(np.float16)
    return json.dumps(about).encode() + b"\n" + vectors.tobytes()


def unpack(blob: bytes) -> Look:
    words, _, numbers = blob.partition(b"\n")
    about = json.loads(words)
    vectors = np.frombuffer(numbers, np.float16).reshape(len(about["boxes"]), -1).astype(np.float32)
    accent, colour, digest, mirrored = about["seen"]
    return Look(
        regions=tuple(
            Region(Crop(*box), vector, contrast)
            for box, vector, contrast in zip(about["boxes"], vectors, about["contrasts"], strict=True)
        ),
        labels=tuple(Label(name, probability) for name, probability in about["labels"]),
        accent=accent,
        colour=colour,
        hash=digest,
        mirrored=mirrored,
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
