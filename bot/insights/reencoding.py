"""Another encoder for the catalogue: it looks at all pictures in the background while the old one serves, then takes over.

What it has seen waits in a table of its own, so that a process that is killed goes on where it was.
"""

import asyncio
import contextlib
import json
import logging
import time
from pathlib import Path

import numpy as np
from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import ConfigurationError, Unavailable, UserError
from bot.insights import tables
from bot.insights.encoders import ImageEncoder, load_encoder
from bot.insights.pictures import Pictures
from bot.storage import Database, insert

log = logging.getLogger(__name__)

STATE = "catalogue_encoder"
BATCH = 32
"""Pictures that are written down together: as many are looked at again after a kill."""
SAY_SECONDS = 10.0
REST_SECONDS = 2.0
"""Before trying again where the database is locked or too many pictures wait."""


async def serving_encoder(database: Database, wanted: ImageEncoder) -> ImageEncoder:
    """Who can ask the index as it is: the wanted encoder, or the one that has made it while its file is still there."""
    kept = tables.pictures.c
    async with database.read() as connection:
        seen_by = set((await connection.execute(select(kept.encoder).distinct())).scalars())
        known = await _state(connection)
    name = known.get("name", "")
    if not seen_by - {wanted.name} or name == wanted.name or (not name and wanted.name in seen_by):
        return wanted
    path = Path(known["path"]) if known.get("path") else None
    with contextlib.suppress(ConfigurationError):
        older = await asyncio.to_thread(load_encoder, path)
        if older.name in seen_by:
            return older
    log.warning(
        "the encoder that has looked at the catalogue is gone: its pictures are looked at again before the service starts"
    )
    return wanted


async def serves(connection: AsyncConnection) -> str:
    """The name of the encoder that the index is of; empty before anybody has said so."""
    return (await _state(connection)).get("name", "")


async def remember(connection: AsyncConnection, encoder: ImageEncoder, path: Path | None) -> None:
    """From now on the index is of this encoder, which is in this file (None: the packaged one)."""
    row = {"value": _said(encoder, path)}
    statement = insert(tables.engine_state).values(key=STATE, **row)
    await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=row))


def _said(encoder: ImageEncoder, path: Path | None) -> bytes:
    return json.dumps({"name": encoder.name, "path": str(path.resolve()) if path else ""}).encode()


async def _state(connection: AsyncConnection) -> dict[str, str]:
    state = tables.engine_state.c
    value = (await connection.execute(select(state.value).where(state.key == STATE))).scalar()
    known: dict[str, str] = json.loads(value) if value else {}
    return known


class Reencoding:
    """One change of encoder. `pictures` sees with the wanted one, which is in the file `path`."""

    def __init__(self, database: Database, pictures: Pictures, wanted: ImageEncoder, path: Path | None) -> None:
        self.wanted = wanted
        self.pictures = pictures
        self._database = database
        self._path = path
        self._unseen: set[str] = set()
        self._total = self._left = 0
        self._say_at = 0.0

    def __str__(self) -> str:
        return f"{self._total - self._left} of {self._total} pictures looked at with {self.wanted.name}; the old index serves"

    async def run(self) -> None:
        """Look at every picture that the wanted encoder has not seen; returns when none is left.

        One at a time: whoever asks something now goes first. Pictures whose file is gone or damaged stay out of the index.
        """
        while left := await self._find_left():
            for start in range(0, len(left), BATCH):
                await self._see(left[start : start + BATCH])

    async def _find_left(self) -> list[str]:
        kept, fresh = tables.pictures.c, tables.vectors.c
        seen = select(fresh.content).where(fresh.encoder == self.wanted.name)
        everything = select(kept.content).distinct().where(kept.encoder != self.wanted.name)
        while True:
            with contextlib.suppress(SQLAlchemyError):
                async with self._database.read() as connection:
                    done = set((await connection.execute(seen)).scalars())
                    known = set((await connection.execute(everything)).scalars())
                left = sorted(known - done - self._unseen)
                self._total, self._left = len(known), len(left)
                return left
            await asyncio.sleep(REST_SECONDS)

    async def _see(self, contents: list[str]) -> None:
        rows = []
        for content in contents:
            vector = await self._vector(content)
            if vector is None:
                self._unseen.add(content)
            else:
                rows.append({"content": content, "encoder": self.wanted.name, "vector": vector})
            self._left -= 1
            self._say()
        while rows:
            try:
                async with self._database.write() as connection:
                    await connection.execute(insert(tables.vectors).on_conflict_do_nothing(), rows)
                rows = []
            except SQLAlchemyError as error:  # locked or full for a moment
                log.warning("what was seen cannot be written down yet: %s", error)
                await asyncio.sleep(REST_SECONDS)

    async def _vector(self, content: str) -> bytes | None:
        while True:
            try:
                return (await self.pictures.see_again(content)).astype(np.float16).tobytes()
            except Unavailable:
                await asyncio.sleep(REST_SECONDS)
            except (UserError, OSError):
                return None

    def _say(self) -> None:
        if time.monotonic() >= self._say_at:
            self._say_at = time.monotonic() + SAY_SECONDS
            log.info("changing the encoder: %s", self)

    async def swap(self, connection: AsyncConnection) -> None:
        """Make the new vectors the catalogue's, all in the caller's transaction."""
        kept, fresh = tables.pictures.c, tables.vectors.c
        mine = fresh.encoder == self.wanted.name
        vector = select(fresh.vector).where(fresh.content == kept.content, mine).scalar_subquery()
        seen = kept.content.in_(select(fresh.content).where(mine))
        changed = update(tables.pictures).where(kept.encoder != self.wanted.name, seen)
        await connection.execute(changed.values(vector=vector, encoder=self.wanted.name))
        await connection.execute(delete(tables.vectors))
        await remember(connection, self.wanted, self._path)
