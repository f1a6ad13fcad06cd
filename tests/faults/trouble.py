"""What goes wrong, and when: kills, refusals, lost answers, an engine that talks nonsense, a locked database."""

import asyncio
import random
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from bot.demo.driver import Driver
from tests.databases import Server
from tests.faults.household import Member

ENGINE_TROUBLES = ("503", "html", "nonsense", "hang", "cut")
SLACK_TROUBLES = ("429", "503", "lost", "slow", "twice", "retry", "reversed")
WRITES = ("chat.postMessage", "chat.postEphemeral", "reactions.add", "files.info", "chat.update")


@dataclass(slots=True)
class Between:
    """Stands between bot and engine, and does to some of the answers what networks and proxies do."""

    engine: str
    chance: random.Random
    share: float = 0.0
    happened: list[str] = field(default_factory=list)

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        if self.chance.random() < self.share:
            trouble = self.chance.choice(ENGINE_TROUBLES)
            self.happened.append(trouble)
            match trouble:
                case "503":
                    return web.Response(status=503)
                case "html":
                    return web.Response(text="<!doctype html><title>Sign in</title>", content_type="text/html")
                case "nonsense":
                    return web.json_response({"_type": "ImageInsights", "imageTags": "none"})
                case "hang":
                    await asyncio.sleep(3.0)
                case "cut":
                    assert request.transport
                    request.transport.close()
                    return web.Response()
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=20)) as session,
                session.request(
                    request.method,
                    self.engine + request.path_qs,
                    data=await request.read(),
                    headers={name: request.headers[name] for name in ("Content-Type",) if name in request.headers},
                ) as answer,
            ):
                return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)
        except (ClientError, OSError, TimeoutError):
            return web.Response(status=502)  # it was killed


@dataclass(slots=True)
class Trouble:
    """Makes it, until told to stop. `happened` counts what it did."""

    people: Driver
    members: Sequence[Member]
    database: Path | Server
    chance: random.Random
    pause: tuple[float, float]
    happened: dict[str, int] = field(default_factory=dict)

    async def make(self) -> None:
        while True:
            await asyncio.sleep(self.chance.uniform(*self.pause))
            member = self.chance.choice(self.members)
            self._count(f"killed {member.name}")
            await member.kill()
            self._slack()
            if self.chance.random() < (0.2 if isinstance(self.database, Path) else 0.5):
                await self._database(self.chance.uniform(0.2, 2.0))
            for each in self.members:
                if each.ended:  # it found no database when it started
                    await each.start()

    async def _database(self, seconds: float) -> None:
        if isinstance(self.database, Path):
            self._count("database locked")
            await asyncio.to_thread(lock, self.database, seconds)
            return
        self._count("Postgres crashed")
        await asyncio.to_thread(self.database.crash)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self.database.start)

    def _slack(self) -> None:
        trouble, method, faults = self.chance.choice(SLACK_TROUBLES), self.chance.choice(WRITES), self.people.faults
        self._count(f"Slack: {trouble}")
        match trouble:
            case "429":
                faults.rate_limit(method, retry_after=1, times=2)
            case "503":
                faults.fail(method, times=2)
            case "lost":
                faults.lose_answer("chat.postMessage")
            case "slow":
                faults.delay(method, 1.5)
            case "twice":
                faults.deliver_twice(times=3, same_event_id=self.chance.random() < 0.5)
            case "retry":
                faults.deliver_as_retry(times=2)
            case "reversed":
                faults.deliver_reversed(3)

    def _count(self, what: str) -> None:
        self.happened[what] = self.happened.get(what, 0) + 1


def lock(path: Path, seconds: float) -> None:
    """Hold the database's write lock, as a backup or a careless shell does."""
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        pass  # it was locked already
    finally:
        connection.close()
