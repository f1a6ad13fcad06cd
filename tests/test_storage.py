"""The database file: its schema, and what bad files get."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select

from bot import migrations
from bot.errors import ConfigurationError, Unavailable
from bot.insights.tables import sellers
from bot.results import Results
from bot.storage import Database, tables
from tests import databases

assert Results.__module__  # importing it brings its tables along


def difference(connection: Connection) -> list[object]:
    """Between the tables that there are and those in the code."""
    return list(compare_metadata(MigrationContext.configure(connection), tables))


async def test_migrations_lead_to_the_tables_in_the_code(tmp_path: Path) -> None:
    async with Database.open(databases.where(tmp_path)) as database, database.read() as connection:
        assert await connection.run_sync(difference) == []


EARLIER = sorted(path.name[:4] for path in (Path(migrations.__file__).parent / "versions").glob("0*.py"))[:-1]


@pytest.mark.parametrize("revision", EARLIER)
async def test_each_earlier_schema_is_brought_up_to_date(tmp_path: Path, revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where = databases.where(tmp_path)
    with monkeypatch.context() as earlier:
        earlier.setattr("bot.storage.newest", lambda: revision)
        async with Database.open(where) as database, database.read() as connection:
            assert await connection.run_sync(difference) != []
    async with Database.open(where) as database, database.read() as connection:
        assert await connection.run_sync(difference) == []


async def test_what_is_written_is_there_after_opening_again(tmp_path: Path) -> None:
    where = databases.where(tmp_path)
    async with Database.open(where) as database, database.write() as connection:
        await connection.execute(insert(sellers).values(source="feed", name="Contoso", logo="", digest=""))
    async with Database.open(where) as database, database.read() as connection:
        assert (await connection.execute(select(sellers.c.name))).scalars().all() == ["Contoso"]


async def test_a_failed_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    async with Database.open(databases.where(tmp_path)) as database:
        with pytest.raises(ZeroDivisionError):
            async with database.write() as connection:
                await connection.execute(insert(sellers).values(source="feed", name="Contoso", logo="", digest=""))
                raise ZeroDivisionError
        async with database.read() as connection:
            assert (await connection.execute(select(sellers))).all() == []


@databases.of_files
async def test_a_commit_survives_a_power_cut(tmp_path: Path) -> None:
    async with Database.open(tmp_path / "bot.db") as database, database.write() as connection:
        mode = (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar()
        full = (await connection.exec_driver_sql("PRAGMA synchronous")).scalar()
    assert (mode, full) == ("wal", 2)


@databases.of_files
async def test_a_file_that_is_no_database_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(ConfigurationError, match=r"bot\.db is not a readable database.*DATA_DIR"):
        async with Database.open(path):
            pass


@databases.of_files
async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    with pytest.raises(ConfigurationError, match="DATA_DIR"):
        async with Database.open(tmp_path / "data" / "bot.db"):
            pass


@databases.of_files
async def test_a_locked_database_is_said_to_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.storage.BUSY_SECONDS", 0.2)
    path = tmp_path / "bot.db"
    async with Database.open(path) as database:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable, match="does not answer"):
            await database.check()
        with pytest.raises(ConfigurationError, match="locked by another program"):
            async with Database.open(path):
                pass
        other.execute("ROLLBACK")
        other.close()
        await database.check()
