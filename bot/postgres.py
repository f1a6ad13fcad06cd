"""Postgres, where one machine is not enough: how it is reached, and locks that go with the process that holds them."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 5
WRITING, IMPORTING, SEATS = 0x1145, 0x1146, 0x1147
"""The first half of an advisory lock's key: who writes, who imports, and which seat a worker has (the second half)."""
_SERVER = {
    "timezone": "UTC",  # our times are UTC without saying so
    "synchronous_commit": "on",  # off loses acknowledged commits at a power cut (threats.md R1)
    "idle_in_transaction_session_timeout": "60s",
    # who vanished with his machine loses his locks within 20 seconds
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


def address(text: str) -> str:
    """DATABASE_URL as SQLAlchemy wants it; Heroku's postgres:// too. Raises ConfigurationError."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = URL.create("none")
    if url.get_backend_name() not in {"postgres", "postgresql"} or not url.database:
        raise ConfigurationError(
            "DATABASE_URL must look like sqlite:///path/to/bot.db or postgres://user:password@host/database, or be empty."
        )
    return _shown(url.set(drivername="postgresql+psycopg"))


def arguments(*, lock_seconds: float = 0.0) -> dict[str, Any]:
    """What a connection of ours is opened with. lock_seconds: how long a lock is waited for; 0 waits as long as it takes."""
    return {
        "connect_timeout": CONNECT_SECONDS,
        "options": " ".join(f"-c {name}={value}" for name, value in (_SERVER | {"lock_timeout": f"{lock_seconds}s"}).items()),
        "keepalives_idle": 5,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }


def write_alone(connection: Connection) -> None:
    """One writer at a time over all processes, until the end of the transaction, as with a file.

    What is read in a transaction that writes is then never out of date, and the journal's numbers appear in their order.
    """
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITING}, 0)")


def wait_for_the_server(context: ExceptionContext) -> None:
    """No connection is as good as a lost one, whatever it is called: the queue waits for it then, and an import says so."""
    from psycopg import OperationalError  # noqa: PLC0415 (as below)

    if context.connection is None and isinstance(context.original_exception, OperationalError):
        context.is_disconnect = True


def explain(error: str) -> str:
    """A sentence for the operator; the address and what Postgres says of it hold no password."""
    said = next((line.strip() for line in error.splitlines() if line.strip()), "no answer")
    return f"The database of DATABASE_URL cannot be used ({said[:300]}). Check its address, and that it runs."


class Lock:
    """An advisory lock on a connection of its own: it is free again when this process ends, however it ends."""

    def __init__(self, url: str, kind: int) -> None:
        """`url` as `address` gives it."""
        self._url = _shown(make_url(url).set(drivername="postgresql"))
        self._kind = kind
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def take(self, *numbers: int) -> list[int]:
        """Those of the numbers that nobody else holds; they are held now. Raises Unavailable."""
        return self._ask("SELECT n FROM unnest(%s::int[]) n WHERE pg_try_advisory_lock(%s, n)", list(numbers))

    def leave(self, *numbers: int) -> None:
        """Raises Unavailable."""
        self._ask("SELECT n FROM unnest(%s::int[]) n WHERE pg_advisory_unlock(%s, n)", list(numbers))

    def server_seconds(self) -> float:
        """How long the server has been up. Raises Unavailable."""
        (seconds,) = self._ask("SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8")
        return float(seconds)

    @property
    def lost(self) -> bool:
        """Whether everything it held is gone, because the connection is. Known after the next question at the latest."""
        return self._connection is None or self._connection.closed

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _ask(self, question: str, numbers: list[int] | None = None) -> list[Any]:
        import psycopg  # noqa: PLC0415 (only where there is a Postgres)

        given = None if numbers is None else (numbers, self._kind)
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._url, autocommit=True, **arguments())
            return [row[0] for row in self._connection.execute(question.encode(), given).fetchall()]
        except psycopg.Error as error:
            raise Unavailable(explain(str(error))) from None


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)
