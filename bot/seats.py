"""The names that processes claim jobs under, so that what a dead one has left can be told from what a living one does.

A seat is locked while its process lives, however that ends, and whoever sits there next takes up what was left. Unlike a
host's name it is the same for the container that replaces another one.
"""

import fcntl
import itertools
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Protocol, Self

from bot import postgres
from bot.errors import ConfigurationError, Error

Recover = Callable[[list[str]], object]
"""Puts back into the queue what is claimed under these names."""

MOST = 64
"""Seats around one Postgres: as many processes that run jobs."""
GRACE_SECONDS = 6.0
"""A seat of Postgres must stay free for so long: when the server restarts, everybody loses his and takes it again."""
TRIES = 20


class SeatLost(Error):
    """Somebody else works under our name: this process must not go on."""


class Seat(Protocol):
    """Where this process sits."""

    @property
    def name(self) -> str: ...

    def take_over(self, recover: Recover) -> None:
        """Give back what processes that are no more have claimed; it counts as one of their crashes. Raises SeatLost."""

    def leave(self) -> None: ...


class FileSeat:
    """Of processes of one machine: a locked file.

    The lock is the kernel's, so there is no clock to be wrong and no heartbeat to miss. POSIX locks: a child that outlives
    us does not keep it.
    """

    def __init__(self, path: Path, file: IO[str]) -> None:
        self._path = path
        self._file = file
        self.name = path.name

    @classmethod
    def take(cls, folder: Path) -> Self:
        """The first free one."""
        folder.mkdir(exist_ok=True)
        for number in itertools.count():
            path = folder / f"{number}"
            if file := _locked(path):
                return cls(path, file)
        raise AssertionError("there is always another number")

    def leave(self) -> None:
        self._file.close()

    def take_over(self, recover: Recover) -> None:
        for path in self._path.parent.iterdir():
            if path != self._path and (file := _locked(path)):
                with file:  # nobody sits down there meanwhile and takes up the same
                    recover([path.name])


class PostgresSeat:
    """Of processes of many machines: an advisory lock of the database they share, gone with the connection that holds it."""

    def __init__(self, lock: postgres.Lock, number: int) -> None:
        self._lock = lock
        self._number = number
        self._free_since: dict[int, float] = {}
        self.name = f"{number}"

    @classmethod
    def take(cls, url: str) -> Self:
        """The first free one. Raises ConfigurationError when all are taken, Unavailable."""
        lock = postgres.Lock(url, postgres.SEATS)
        with ExitStack() as unless_taken:
            unless_taken.callback(lock.close)
            # Whoever a restart took his seat from comes first. The server reckons by its wall clock, which may be set back.
            time.sleep(min(max(GRACE_SECONDS - lock.server_seconds(), 0), GRACE_SECONDS))
            for _ in range(TRIES):
                for number in range(MOST):
                    if lock.take(number):
                        unless_taken.pop_all()
                        return cls(lock, number)
                time.sleep(0.05)  # somebody may hold the free ones for a moment, to see what was left there
        raise ConfigurationError(f"{MOST} processes run jobs on this database already. Stop one of them.")

    def leave(self) -> None:
        self._lock.close()

    def take_over(self, recover: Recover) -> None:
        if self._lock.lost:
            self._free_since.clear()
            if not self._lock.take(self._number):
                raise SeatLost(f"seat {self._number} is another process's since the database was away")
        now = time.monotonic()
        free = self._lock.take(*(number for number in range(MOST) if number != self._number))
        try:
            self._free_since = {number: self._free_since.get(number, now) for number in free}
            if left := [number for number, since in self._free_since.items() if now - since >= GRACE_SECONDS]:
                recover([f"{number}" for number in left])
        finally:
            self._lock.leave(*free)


def _locked(path: Path) -> IO[str] | None:
    """The file, locked; None if another process holds it."""
    file = path.open("a")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
