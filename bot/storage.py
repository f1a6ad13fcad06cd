"""The database, a SQLite file or Postgres: one set of tables, one writer, many readers. Knows neither Slack nor pictures."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, MetaData, event, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot import postgres
from bot.errors import ConfigurationError, Unavailable

__all__ = ["Database", "insert", "tables"]
"""`insert`: the only one there is, with ON CONFLICT; Postgres' own is understood by SQLite as well."""

BUSY_SECONDS = 5.0  # how long a locked file, or another writer, is waited for (threats.md R6)

tables = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of the project hangs on this; each is defined in the module that uses it."""


def _of_postgres(url: str, *, size: int, writes: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=True,  # a server that was restarted is not an error of whoever asks next
        isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
        hide_parameters=True,
        connect_args=postgres.arguments(lock_seconds=BUSY_SECONDS),
    )
    event.listen(engine.sync_engine, "handle_error", postgres.wait_for_the_server)
    if writes:
        event.listen(engine.sync_engine, "begin", postgres.write_alone)
    return engine


def _of_file(path: Path, *, size: int, begin: str) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,  # errors are logged, and what people asked about is not for the log
        connect_args={"timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins, not the driver
        cursor = connection.cursor()
        # FULL: NORMAL loses acknowledged commits at a power cut (threats.md R1)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


class Database:
    """`read()` never waits for `write()`; writes queue in this process before they queue for the file or the server."""

    def __init__(self, where: Path | str) -> None:
        self._where = where
        if isinstance(where, Path):
            self._reading = _of_file(where, size=4, begin="BEGIN")
            self._writing = _of_file(where, size=1, begin="BEGIN IMMEDIATE")
        else:
            self._reading = _of_postgres(where, size=4, writes=False)
            self._writing = _of_postgres(where, size=1, writes=True)
        self._one_writer = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls, where: Path | str) -> AsyncIterator[Self]:
        """Open a file, or the address of a Postgres (`postgres.address`), and bring the schema up to date.

        Raises ConfigurationError when it cannot be opened, is locked by somebody else or is not a database.
        """
        if isinstance(where, Path):
            try:
                where.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigurationError(f"{where.parent} cannot be created ({error.strerror}). Change DATA_DIR.") from None
        database = cls(where)
        try:
            try:
                await database._migrate()
            except (OperationalError, DatabaseError, sqlite3.Error) as error:
                raise ConfigurationError(_explain(where, error)) from None
            yield database
        finally:
            await database._reading.dispose()
            await database._writing.dispose()

    async def _migrate(self) -> None:
        async with self.write() as connection:
            await connection.run_sync(_upgrade)

    async def check(self) -> None:
        """Raises Unavailable while the database cannot be written to: locked, full, or gone."""
        try:
            async with asyncio.timeout(BUSY_SECONDS), self.write() as connection:
                await connection.execute(text("SELECT 1"))
        except (DatabaseError, TimeoutError, OSError) as error:
            raise Unavailable(f"the database does not answer ({type(error).__name__})") from None

    @asynccontextmanager
    async def importing(self) -> AsyncIterator[bool]:
        """Whether nobody else's machine imports into this Postgres; held until the end. A file has but one machine."""
        if isinstance(self._where, Path):
            yield True
            return
        lock = postgres.Lock(self._where, postgres.IMPORTING)
        try:
            yield bool(await asyncio.to_thread(lock.take, 0))
        finally:
            await asyncio.to_thread(lock.close)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view of the data; nothing written through it is kept."""
        async with self._reading.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end and durable then; rolled back by an exception."""
        async with self._one_writer, self._writing.begin() as connection:
            yield connection


def _upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, in the caller's transaction: all of them or none."""
    there = connection.dialect.has_table(connection, "alembic_version")
    if there and connection.scalar(text("SELECT version_num FROM alembic_version")) == newest():
        return
    from alembic import command  # noqa: PLC0415 (a third of a second that only a new schema needs)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "bot:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, newest())


def newest() -> str:
    """The number of the newest schema: files of migrations begin with it."""
    names = (path.name.partition("_")[0] for path in (files("bot.migrations") / "versions").iterdir())
    return max(name for name in names if name.isdigit())


def _explain(path: Path | str, failure: Exception) -> str:
    if isinstance(path, str):
        return postgres.explain(str(getattr(failure, "orig", failure)))
    error = str(failure)
    if "locked" in error:
        return f"The database {path} is locked by another program. Stop it, or set DATA_DIR to another folder."
    if "not a database" in error or "malformed" in error:
        return f"{path} is not a readable database. Restore it from a backup, or set DATA_DIR to another folder."
    return f"The database {path} cannot be opened. Check its permissions, or set DATA_DIR to another folder."
