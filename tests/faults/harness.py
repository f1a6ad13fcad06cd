"""A workspace that posts photos and words while everything goes wrong, and the reckoning afterwards.

acknowledged = answered + told + given up, and nothing is answered twice.
"""

import asyncio
import io
import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from aiohttp import web as aio
from PIL import Image, ImageDraw

from bot import web
from bot.demo.driver import Driver, Room, running_workspace
from bot.demo.objects import Message, Timing
from bot.postgres import address
from bot.queue import Jobs
from tests.databases import KEY, Server
from tests.faults.household import Household, Member, household, run
from tests.faults.trouble import Between, Trouble
from tests.worlds import CATALOGUE, SECRET, TOKEN, photo

SLACK_RETRIES = (0.0, 2.0, 5.0)
"""Slack's own pauses are a minute and five; a test cannot wait so long for what nobody took."""
WORDS = ("mug", "vase", "teapot", "bottle", "espresso cup")
PHOTOS = ("photo-01.jpg", "photo-02.jpg", "photo-05.jpg", "photo-09.jpg")
SIDE = 320


@dataclass(frozen=True, slots=True)
class Plan:
    """seconds of posting at `rate` a second, a kill every `pause` (from, to) seconds; `patience` in seconds to finish after."""

    seconds: float
    rate: float
    pause: tuple[float, float]
    patience: float
    seed: int = 1
    engine_share: float = 0.1


@dataclass(slots=True)
class Reckoning:
    """What became of what was posted. `lost` names what was acknowledged and came to nothing."""

    posted: int = 0
    acknowledged: int = 0
    answered: int = 0
    told: int = 0
    dead: int = 0
    doubled: int = 0
    lost: list[str] = field(default_factory=list)
    troubles: dict[str, int] = field(default_factory=dict)
    engine_troubles: dict[str, int] = field(default_factory=dict)
    ends: list[tuple[str, int, float]] = field(default_factory=list)
    seconds: float = 0.0

    def lines(self) -> list[str]:
        kills = sum(times for what, times in self.troubles.items() if what.startswith("killed"))
        others, engines = sum(self.troubles.values()) - kills, sum(self.engine_troubles.values())
        ends = ", ".join(f"{name} with {code} after {seconds:.1f} s" for name, code, seconds in self.ends)
        became = f"answered {self.answered}, told {self.told}, given up {self.dead}, lost {len(self.lost)}"
        return [
            f"posted {self.posted}, acknowledged {self.acknowledged}: {became}, doubled {self.doubled}",
            f"{kills} kills, {others} troubles of Slack and the database, {engines} of the engine, in {self.seconds:.0f} s",
            f"ended: {ends}",
        ]


def small(name: str) -> Image.Image:
    picture = Image.open(io.BytesIO(photo(name)))
    picture.thumbnail((SIDE, SIDE))
    return picture


def numbered(picture: Image.Image, number: int) -> bytes:
    """The picture with its number as a row of squares: the same picture would get no second card."""
    picture = picture.copy()
    draw = ImageDraw.Draw(picture)
    for bit in range(14):
        draw.rectangle([bit * 8, 0, bit * 8 + 7, 7], fill="white" if number >> bit & 1 else "black")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@dataclass(slots=True)
class Posting:
    """What was posted, and which of it the bot acknowledged."""

    people: Driver
    chance: random.Random
    pictures: list[Image.Image] = field(default_factory=lambda: [small(name) for name in PHOTOS])
    photos: list[Message] = field(default_factory=list)
    searches: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    count: int = 0

    @property
    def room(self) -> Room:
        return self.people.channel("photos")

    async def one(self) -> None:
        self.count += 1
        number = self.count
        if self.chance.random() < 0.25:
            words = f"{self.chance.choice(WORDS)} {number}"
            if (await self.people.command("/insights", words)).ok:
                self.searches.append(words)
            return
        data = numbered(self.chance.choice(self.pictures), number)
        text = "<@insights>" if self.chance.random() < 0.3 else ""
        self.photos.append(await self.room.upload(f"{number}.jpg", data, text=text))

    def look(self) -> None:
        """Note whose events were taken; the log keeps the latest only."""
        for delivered in self.people.deliveries:
            event = delivered.payload.get("event") or {}
            taken = any(attempt.status == HTTPStatus.OK for attempt in delivered.attempts)
            if taken and event.get("type") in {"message", "app_mention"} and event.get("ts"):
                self.taken.add(str(event["ts"]))


async def go_through(
    plan: Plan, folder: Path, *, postgres: Server | None = None, say: Callable[[str], object] = lambda _: None
) -> Reckoning:
    """Post, break, wait, count. With a Postgres everything is there, and it crashes too."""
    chance, since = random.Random(plan.seed), time.monotonic()
    engine_port, between_socket = free_port(), web.bind("127.0.0.1", 0)
    with web.bind("127.0.0.1", 0) as sock:
        bot_url = web.address(sock)
    jobs_at = address(postgres.address) if postgres else folder / "bot" / "jobs.db"
    between = Between(f"http://127.0.0.1:{engine_port}", chance)
    shop = {"DATA_DIR": str(folder / "engine"), "INSIGHTS_KEYS": "", "INSIGHTS_URL": "", "PORT": str(engine_port)}
    shop["HOST"] = "127.0.0.1"
    shared = {"DATABASE_URL": postgres.address, "SECRET_KEYS": KEY} if postgres else {}
    shop |= shared
    await run("catalogue", "import", str(CATALOGUE), environment=shop)
    async with (
        running_workspace(
            bot_url=bot_url, signing_secret=SECRET, bot_token=TOKEN, timing=Timing(retries=SLACK_RETRIES)
        ) as people,
        web.listening(between_socket, [aio.route("*", "/{path:.*}", between.pass_on)], max_body=8 * 2**20),
    ):
        common = {
            "DATA_DIR": str(folder / "bot"),
            "SLACK_API_URL": people.api_url,
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_APP_TOKEN": "",
            "PUBLIC_URL": web.address(between_socket),
            "INSIGHTS_URL": web.address(between_socket),
            "INSIGHTS_FETCH_ALLOW": "127.0.0.1",
            "HOST": "127.0.0.1",
            "LOG_FORMAT": "json",
            "LOOKUPS_PER_TEAM": "0",
            "LOOKUPS_PER_PERSON": "0",
        } | shared
        members = [
            Member("engine", ["insights"], shop, folder / "engine.log"),
            Member("web", ["serve", "--no-worker"], common | {"PORT": bot_url.rsplit(":", 1)[1]}, folder / "web.log"),
            Member("worker 1", ["worker"], common, folder / "worker1.log"),
            Member("worker 2", ["worker"], common, folder / "worker2.log"),
        ]
        async with household(members) as house:
            posting = Posting(people, chance)
            trouble = Trouble(people, members, postgres or folder / "bot" / "bot.db", chance, plan.pause)
            between.share = plan.engine_share
            making = asyncio.create_task(trouble.make())
            await _post(posting, plan, say)
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)
            if postgres:
                await asyncio.to_thread(postgres.start)
            between.share = 0.0
            people.faults.clear()
            say("no more trouble; waiting for what is left")
            found = await _reckoning(posting, plan.patience, jobs_at, house)
            found.troubles, found.engine_troubles = dict(trouble.happened), dict(Counter(between.happened))
            found.ends = await house.ended()
            found.seconds = time.monotonic() - since
            return found


async def _post(posting: Posting, plan: Plan, say: Callable[[str], object]) -> None:
    """At a steady pace, however long each takes."""
    under_way: set[asyncio.Task[None]] = set()
    begun = time.monotonic()
    for number in range(int(plan.seconds * plan.rate)):
        await asyncio.sleep(max(0.0, begun + number / plan.rate - time.monotonic()))
        task = asyncio.create_task(posting.one())
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        if number % max(1, int(plan.rate)) == 0:
            posting.look()
        if number and number % int(plan.rate * 30) == 0:
            say(f"{number} posted")
    await asyncio.gather(*under_way)


async def _reckoning(posting: Posting, patience: float, where: Path | str, house: Household) -> Reckoning:
    """When everything is answered or given up, or nobody waits any longer."""
    until = time.monotonic() + patience
    async with Jobs.open(where) as jobs:
        while time.monotonic() < until:
            await asyncio.sleep(1.0)
            await house.keep_up()
            posting.look()
            busy = await jobs.list(state="waiting", limit=1) or await jobs.list(state="running", limit=1)
            if not busy and posting.people.workspace.delivery.idle:
                break
        await asyncio.sleep(2.0)  # what would be doubled is doubled by now
        found = _count(posting)
        given_up = " ".join(one.key + json.dumps(one.payload) for one in await jobs.list(state="dead", limit=10_000))
    found.dead = len([name for name in found.lost if name in given_up])
    found.lost = [name for name in found.lost if name not in given_up]
    return found


def _count(posting: Posting) -> Reckoning:
    """As things stand."""
    found, room = Reckoning(posting.count), posting.room
    replies: Counter[str] = Counter(m.thread_ts for m in room.messages() if m.bot_id and m.thread_ts and not m.deleted)
    private = " ".join(str(m.text) + str(m.blocks) for m in posting.people.workspace.ephemerals)
    for message in posting.photos:
        if message.ts not in posting.taken:
            continue
        found.acknowledged += 1
        cards = replies[message.ts]
        found.answered += bool(cards)
        found.doubled += max(0, cards - 1)
        if not cards:
            found.lost.append(message.ts)
    tops = Counter(words for m in room.messages() if m.bot_id for words in posting.searches if f"“{words}”" in m.text)
    for words in posting.searches:
        found.acknowledged += 1
        found.answered += bool(tops[words])
        found.doubled += max(0, tops[words] - 1)
        if not tops[words]:
            told = f"“{words}”" in private
            found.told += told
            if not told:
                found.lost.append(words)
    return found
