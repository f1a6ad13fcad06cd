"""A workspace with the bot in it, for tests: everything real, on loopback."""

import asyncio
import io
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web as aio
from PIL import Image
from pydantic import SecretStr

from bot import web
from bot.config import Settings
from bot.demo.driver import Driver, running_workspace
from bot.fetch import Fetcher
from bot.insights.model import Goods, InsightsClient
from bot.insights.service import InsightsService
from bot.pixels import Pixels
from bot.queue import PAUSES
from bot.slack.gallery import Thumbnails
from bot.slack.running import Bot, running_bot
from bot.storage import Database
from tests import databases

CATALOGUE = Path(__file__).parent.parent / "bot" / "demo" / "catalogue"
SHARED = Path(__file__).parents[2] / "shared"
"""Real photographs and answers, where they are kept beside the project."""
PHOTOS = CATALOGUE / "photos"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN, APP_TOKEN = "xoxb-1111-2222-workspace", "xapp-1-A1-1111-socket"


def settings_for(data_dir: Path, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "data_dir": data_dir,
        "database_url": SecretStr(databases.of(data_dir) if databases.ON_POSTGRES else ""),
        "secret_keys": (SecretStr(databases.KEY),) if databases.ON_POSTGRES else (),
        "slack_signing_secret": SecretStr(SECRET),
        "slack_bot_token": SecretStr(TOKEN),
        "insights_fetch_allow": ("127.0.0.1",),
        "lookups_per_team": 0,
        "lookups_per_person": 0,
    }
    return Settings(_env_file=None, **(values | changes))


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine with what it was opened from; `url` is where its pictures are served."""

    service: InsightsService
    pixels: Pixels
    fetcher: Fetcher
    url: str
    data_dir: Path


@dataclass(frozen=True, slots=True)
class World:
    """A workspace and the bot that lives in it."""

    people: Driver
    bot: Bot
    settings: Settings

    async def finished(self) -> None:
        """Wait until Slack has nothing to deliver and the bot nothing to do."""
        await self.people.settled()
        async with asyncio.timeout(20):
            while any(one.state in {"waiting", "running"} for one in await self.bot.desk.jobs.list()):  # noqa: ASYNC110 (it tells nobody)
                await asyncio.sleep(0.05)


@asynccontextmanager
async def world_of(
    engine: Engine,
    data_dir: Path,
    *,
    insights: InsightsClient | None = None,
    goods: Goods | None = None,
    thumbnails: Thumbnails | None = None,
    shops: Collection[str] = (),
    pauses: Sequence[float] = PAUSES,
    **changes: Any,
) -> AsyncIterator[World]:
    """A fresh workspace with a bot in it, over the shared engine or another one."""
    sock = web.bind("127.0.0.1", 0)
    async with AsyncExitStack() as stack:
        people = await stack.enter_async_context(
            running_workspace(
                bot_url=web.address(sock),
                signing_secret=SECRET,
                bot_token=TOKEN,
                app_token=APP_TOKEN,
                pixels=engine.pixels,
                unfurl_domains=shops,
            )
        )
        settings = settings_for(data_dir, **({"slack_api_url": people.api_url, "public_url": engine.url} | changes))
        database = await stack.enter_async_context(Database.open(settings.database))
        bot = await stack.enter_async_context(
            running_bot(
                settings,
                database,
                insights or engine.service,
                engine.pixels,
                engine.fetcher,
                goods=goods,
                shop=engine.service,
                thumbnails=thumbnails,
                pauses=pauses,
            )
        )
        await stack.enter_async_context(web.listening(sock, bot.routes))
        yield World(people, bot, settings)


def photo(name: str) -> bytes:
    return (PHOTOS / name).read_bytes()


def beside(left: str, right: str) -> bytes:
    """Two catalogue pictures on one sheet: the first on its left half, the second on its right."""
    sheet = Image.new("RGB", (960, 480), "white")
    for x, name in ((0, left), (480, right)):
        sheet.paste(Image.open(CATALOGUE / "images" / name).convert("RGB").resize((480, 480)), (x, 0))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=92)
    return out.getvalue()


@asynccontextmanager
async def picture_host() -> AsyncIterator[str]:
    """Somebody else's web server, with a picture and a page."""

    async def picture(_: aio.Request) -> aio.Response:
        return aio.Response(body=photo("photo-02.jpg"), content_type="image/jpeg")

    async def page(_: aio.Request) -> aio.Response:
        logo = '<img src="/vase.jpg" width="400">'
        return aio.Response(text=f"<!doctype html><title>Log in</title>{logo}", content_type="text/html")

    async def product(_: aio.Request) -> aio.Response:
        said = '{"@type": "Product", "name": "Vase", "image": "/vase.jpg", "offers": {"price": "9", "priceCurrency": "USD"}}'
        ld = f'<script type="application/ld+json">{said}</script>'
        return aio.Response(text=f"<!doctype html><title>Vase</title>{ld}", content_type="text/html")

    async def article(_: aio.Request) -> aio.Response:
        head = '<meta property="og:image" content="/nothing.jpg"><meta property="og:image" content="/vase.jpg">'
        return aio.Response(text=f"<!doctype html><title>Vases</title>{head}", content_type="text/html")

    sock = web.bind("127.0.0.1", 0)
    pages = (("/page", page), ("/product", product), ("/article", article))
    async with web.listening(sock, [aio.get("/vase.jpg", picture), *(aio.get(path, show) for path, show in pages)]):
        yield web.address(sock)
