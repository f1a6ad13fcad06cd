"""The bot as an operator runs it: web, workers and engine, each a real `python -m bot` that may be killed at any moment."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
END_SECONDS = 30.0  # hosts send SIGKILL then (threats.md R4)


@dataclass(slots=True)
class Member:
    """A process that is started again whenever it ends."""

    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    lives: int = 0

    @property
    def ended(self) -> bool:
        return self.process is None or self.process.returncode is not None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                *self.words,
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        self.lives += 1

    async def ready(self) -> None:
        """It prints a line when it is."""
        assert self.process
        assert self.process.stdout
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        assert line, f"{self.name} ended before it was ready; see {self.log}"

    async def kill(self) -> None:
        """Without a word, and start it again."""
        assert self.process
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self.start()

    async def end(self) -> tuple[int, float]:
        """Ask it to end; returns its exit code and how long that took."""
        assert self.process
        since = time.monotonic()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(self.process.wait(), END_SECONDS)
        return code, time.monotonic() - since


@dataclass(slots=True)
class Household:
    members: list[Member] = field(default_factory=list)

    async def keep_up(self) -> None:
        """Start again who has ended by himself, for want of a database."""
        for member in self.members:
            if member.ended:
                await member.start()

    async def ended(self) -> list[tuple[str, int, float]]:
        """All are asked to end at the same time."""
        outcomes = await asyncio.gather(*(member.end() for member in self.members))
        return [(member.name, code, seconds) for member, (code, seconds) in zip(self.members, outcomes, strict=True)]


@asynccontextmanager
async def household(members: Sequence[Member]) -> AsyncIterator[Household]:
    house = Household(list(members))
    try:
        for member in house.members:
            await member.start()
        for member in house.members:
            await member.ready()
        yield house
    finally:
        for member in house.members:
            if member.process and member.process.returncode is None:
                member.process.kill()
                await member.process.wait()


async def run(*words: str, environment: Mapping[str, str]) -> str:
    """A command that ends by itself; what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words, cwd=ROOT, env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()
