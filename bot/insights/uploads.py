"""What was seen in pictures people sent, by token, so that it can be asked about again. The pictures are not kept."""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from bot.errors import UnknownToken
from bot.insights import tables
from bot.insights.encoder import Label, Look, Region
from bot.insights.model import Crop
from bot.storage import Database

KEPT = timedelta(days=30)
SWEEP_SECONDS = 3600.0
_TOKEN = re.compile(r"bcid_[A-Za-z0-9_-]{32}")
_SECRET = "upload_tokens"  # noqa: S105 (the name of a row)


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """A picture somebody sent: its token, what was seen in it as it is stored, and as it will be read again.

    Answers are made from the latter, so that the first answer is also the later one.
    """

    token: str
    blob: bytes
    look: Look


class Uploads:
    """Looks by token. The same picture has the same token, which only this installation can make."""

    def __init__(self, database: Database, secret: bytes, encoder: str) -> None:
        self._database = database
        self.secret = secret
        self._encoder = encoder
        self._sweep_at = 0.0

    @classmethod
    async def open(cls, database: Database, encoder: str) -> Self:
        state = tables.engine_state
        async with database.write() as connection:
            secret = (await connection.execute(select(state.c.value).where(state.c.key == _SECRET))).scalar()
            if secret is None:
                secret = secrets.token_bytes(32)
                await connection.execute(insert(state).values(key=_SECRET, value=secret))
        return cls(database, secret, encoder)

    def seen(self, data: bytes, crop: Crop, look: Look) -> Sent:
        """Name what was seen in a picture. Hashes megabytes: not for the event loop."""
        part = f"{crop.left!r} {crop.top!r} {crop.right!r} {crop.bottom!r}".encode()
        digest = hmac.digest(self.secret, hashlib.sha256(data).digest() + part, "sha256")
        blob = pack(look)
        return Sent(f"bcid_{base64.urlsafe_b64encode(digest[:24]).decode()}", blob, unpack(blob))

    async def get(self, token: str) -> Look:
        """Raises UnknownToken when it is too old, of another encoder, or was never there."""
        kept = tables.uploads.c
        query = select(kept.look).where(kept.token == token, kept.encoder == self._encoder, kept.created > _now() - KEPT)
        async with self._database.read() as connection:
            blob = (await connection.execute(query)).scalar() if _TOKEN.fullmatch(token) else None
        if blob is None:
            raise UnknownToken
        return unpack(blob)

    async def keep(self, sent: Sent) -> None:
        """From now on its token is answered."""
        kept, row = tables.uploads, {"encoder": self._encoder, "look": sent.blob, "created": _now()}
        statement = insert(kept).values(token=sent.token, **row).on_conflict_do_update(index_elements=["token"], set_=row)
        async with self._database.write() as connection:
            await connection.execute(statement)
            if time.monotonic() >= self._sweep_at:
                await connection.execute(delete(kept).where(kept.c.created < _now() - KEPT))
                self._sweep_at = time.monotonic() + SWEEP_SECONDS


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
