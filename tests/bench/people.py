"""What people in the workspace wait for, with everything real but Slack: photo to card, acknowledgements meanwhile, the modal."""

import asyncio
import io
import json
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pillow_heif
from aiohttp import ClientSession
from PIL import Image

from bot import web
from bot.demo.objects import TEAM_ID
from bot.fetch import Fetcher
from bot.insights.model import Found, Insights, InsightsClient, Module, Picture, Thing
from bot.insights.server import routes as engine_routes
from bot.insights.service import InsightsService
from bot.pixels import Pixels
from bot.storage import Database
from tests.bench.acknowledging import signed
from tests.bench.measure import Figure
from tests.worlds import CATALOGUE, Engine, World, photo, settings_for, world_of

PHONE = (4032, 3024)
"""Pixels of a phone's photo."""
PHOTOS, A_SECOND = 40, 1.0
EVENTS_A_SECOND = 50
ENGINE_SECONDS, CLICKS = 10.0, 5
P50, P95, ACK, MODAL = 0.8, 1.5, 0.25, 0.3  # seconds
MOST_UPDATES = 2


class Slow:
    """The engine, ten seconds late with offers."""

    def __init__(self, engine: InsightsClient) -> None:
        self.engine = engine

    async def insights(self, picture: Picture, modules: Collection[Module], **how: Any) -> Insights:
        if Module.SHOPPING_SOURCES in modules:
            await asyncio.sleep(ENGINE_SECONDS)
        return await self.engine.insights(picture, modules, **how)

    async def search(self, words: str, **how: Any) -> Found:
        return await self.engine.search(words, **how)

    async def things(self, picture: Picture, **how: Any) -> Sequence[Thing]:
        return await self.engine.things(picture, **how)


@asynccontextmanager
async def engine_in(folder: Path) -> AsyncIterator[Engine]:
    settings, sock = settings_for(folder), web.bind("127.0.0.1", 0)
    async with (
        Database.open(settings.database) as database,
        Pixels.open() as pixels,
        Fetcher.open(allow=settings.insights_fetch_allow) as fetcher,
        InsightsService.open(settings, database, pixels, fetcher, base_url=web.address(sock)) as service,
    ):
        await service.catalogue.import_feeds([str(CATALOGUE)])
        async with web.listening(sock, engine_routes(service, keys=[])):
            yield Engine(service, pixels, fetcher, web.address(sock), folder)


@cache
def heic() -> bytes:
    """A photo of the demo as a phone would send it: 12 megapixels of HEIC."""
    out = io.BytesIO()
    picture = Image.open(io.BytesIO(photo("photo-01.jpg"))).resize(PHONE, Image.Resampling.LANCZOS)
    pillow_heif.from_pillow(picture).save(out, quality=80)
    return out.getvalue()


async def figures() -> Sequence[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with engine_in(Path(folder) / "engine") as engine:
            async with world_of(engine, Path(folder) / "bot") as world:
                first = await _photos(world, 5)  # warm
                cards = sorted(await _photos(world, PHOTOS))
                asking = asyncio.create_task(_photos(world, PHOTOS // 2))
                acks = sorted(await _events(world, seconds=PHOTOS // 2))
                await asking
                calls = [call.arguments for call in world.people.calls_of("chat.update")]
                updates = Counter((str(said.get("channel")), str(said.get("ts"))) for said in calls)
                most = max(updates.values(), default=0)
            async with world_of(engine, Path(folder) / "slow", insights=Slow(engine.service)) as world:
                modals = sorted([await _modal(world, number) for number in range(CLICKS)])
    assert first
    at = f"a phone photo {A_SECOND:g} s, {len(cards)} photos"
    return [
        Figure("phone photo to card, p50 / 0.8 s", _quantile(cards, 0.5) / P50, 1.0, f"{_quantile(cards, 0.5):.2f} s; {at}"),
        Figure("phone photo to card, p95 / 1.5 s", _quantile(cards, 0.95) / P95, 1.0, f"{_quantile(cards, 0.95):.2f} s; {at}"),
        Figure(
            "acknowledging with lookups running, p99 / 250 ms",
            _quantile(acks, 0.99) / ACK,
            1.0,
            f"{_quantile(acks, 0.99) * 1000:.0f} ms; {EVENTS_A_SECOND} events a second, {len(acks)} events",
        ),
        Figure(
            '"Where to buy" shows its modal / 300 ms',
            modals[-1] / MODAL,
            1.0,
            f"{modals[-1] * 1000:.0f} ms at most of {CLICKS}, the engine taking {ENGINE_SECONDS:g} s",
        ),
        Figure("updates of a message / 2", most / MOST_UPDATES, 1.0, f"{most} at most"),
    ]


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def _photos(world: World, count: int) -> list[float]:
    """Post photos at a steady pace, however long answers take; the seconds from each post to its card."""
    photos, data = world.people.channel("photos"), heic()

    async def one() -> float:
        # bytes at the end are no part of the picture, and make it another file
        post = await photos.upload("phone.heic", data + str(time.time_ns()).encode(), text="<@insights>")
        before = time.perf_counter()  # the workspace has received it, as Slack has to
        card = await photos.next_reply(to=post, timeout=60)
        assert "similar product" in card.text
        return time.perf_counter() - before

    tasks = []
    for _ in range(count):
        tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(A_SECOND)
    return list(await asyncio.gather(*tasks))


async def _events(world: World, *, seconds: int) -> list[float]:
    """Chatter at a steady pace; the seconds each message took to acknowledge."""
    room, url = world.people.channel("photos").id, world.people.bot_url

    async with ClientSession() as session:

        async def one(number: int) -> float:
            at = f"{time.time():.6f}"
            event = {"type": "message", "channel": room, "channel_type": "channel", "user": "U0ANA", "ts": at, "event_ts": at}
            said = {"type": "event_callback", "team_id": TEAM_ID, "api_app_id": "A1", "event_id": f"EvChat{number}{at}"}
            link = {"text": f"look <https://pictures.example/{number}.jpg>" if number % 10 == 0 else "lovely"}
            body = json.dumps(said | {"event": event | link, "event_time": int(time.time())})
            headers = signed(body)
            before = time.perf_counter()
            async with session.post(f"{url}/slack/events", data=body, headers=headers) as response:
                assert response.status == 200
            return time.perf_counter() - before

        tasks = []
        for number in range(seconds * EVENTS_A_SECOND):
            tasks.append(asyncio.create_task(one(number)))
            await asyncio.sleep(1 / EVENTS_A_SECOND)
        return list(await asyncio.gather(*tasks))


async def _modal(world: World, number: int) -> float:
    photos = world.people.channel("photos")
    post = await photos.upload("mug.jpg", photo("photo-02.jpg") + bytes([number]), text="<@insights>")
    card = await photos.next_reply(to=post)
    before = time.perf_counter()
    click = asyncio.create_task(world.people.click(card, "Where to buy", by="ben"))
    view = await world.people.next_view("ben")
    took = time.perf_counter() - before
    await click
    await world.people.close_view(view, by="ben", everything=True)
    return took
