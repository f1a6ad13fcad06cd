"""The composition root: Settings in, a running product out. The only file that knows everybody.

What starts first stops last; jobs drain before the database closes.
"""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web

from bot import metrics, records, terminal
from bot.config import LOOPBACK, Settings, read_settings
from bot.demo import client_api, slack_api
from bot.demo.objects import APP_ID, BOT_ID, BOT_USER_ID, TEAM_ID, TEAM_NAME
from bot.demo.workspace import Workspace
from bot.errors import ConfigurationError, Error, UserError
from bot.fetch import Fetcher
from bot.insights import bing
from bot.insights.client import HttpInsightsClient
from bot.insights.model import WHOLE, Crop, InsightsClient, Picture, Token, Upload, Url
from bot.insights.server import error_middleware
from bot.insights.server import routes as insights_routes
from bot.insights.service import InsightsService
from bot.installations import Installation
from bot.logs import configure
from bot.pixels import Pixels
from bot.slack import errands, operator
from bot.slack.manifest import manifest_for
from bot.slack.running import Bot, running_bot
from bot.sources import opening
from bot.sources.ladder import Ladder
from bot.storage import Database
from bot.web import Check, address, bind, health, listening, until_stopped

DEMO_CATALOGUE = Path(__file__).parent / "demo" / "catalogue"
DEMO_MAX_BODY = 64 * 2**20  # ten phone photos in one message; the engine and the bot have their own, smaller limits


@dataclass(frozen=True)
class Engine:
    """What every command shares: storage, pictures, the network, and whoever answers about pictures."""

    database: Database
    pixels: Pixels
    fetcher: Fetcher
    client: InsightsClient
    service: InsightsService | None


@asynccontextmanager
async def engine(settings: Settings, *, base_url: str) -> AsyncIterator[Engine]:
    """Open the engine in this process, or the way to INSIGHTS_URL; above it the live sources, where there are some."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.open(settings.database))
        pixels = await stack.enter_async_context(Pixels.open())
        fetcher = await stack.enter_async_context(Fetcher.open(allow=settings.insights_fetch_allow))
        service: InsightsService | None = None
        client: InsightsClient
        if settings.insights_url and "bing" not in settings.live_sources:
            key = settings.insights_key.get_secret_value()
            client = await stack.enter_async_context(HttpInsightsClient.open(settings.insights_url, key, pixels=pixels))
        else:
            base_url = settings.public_url or base_url
            client = service = await stack.enter_async_context(
                InsightsService.open(settings, database, pixels, fetcher, base_url=base_url)
            )
        if settings.live_sources:
            client = await stack.enter_async_context(opening.ladder(client, settings, database, pixels))
        yield Engine(database, pixels, fetcher, client, service)


def engine_routes(service: InsightsService | None, settings: Settings) -> list[web.RouteDef]:
    keys = [key.get_secret_value() for key in settings.insights_keys]
    return insights_routes(service, keys=keys, rate=settings.insights_rate_per_key) if service else []


def checks(database: Database, bot: Bot | None, service: InsightsService | None) -> Mapping[str, Check]:
    """What /readyz asks."""

    async def catalogue() -> str:
        return service.catalogue.changing if service else ""

    async def slack() -> str:
        if not bot:
            return ""
        await bot.workspaces.check()
        return bot.clock.said

    return {"database": database.check, "catalogue": catalogue} | ({"slack": slack} if bot else {})


def measures(bot: Bot | None, service: InsightsService | None) -> Sequence[metrics.Measure]:
    """What /metrics asks for: the queue's length, the catalogue's size."""

    async def counts() -> None:
        if service:
            metrics.set_catalogue(service.catalogue.stats())

    return [counts, *([bot.desk.jobs.measure] if bot else [])]


def _watched(database: Database, bot: Bot | None, service: InsightsService | None) -> list[web.RouteDef]:
    return [*health(checks(database, bot, service)), *metrics.routes(measures(bot, service))]


async def run_serve(settings: Settings, *, worker: bool) -> None:
    _needs_slack(settings)
    sock = bind(settings.listen_host, settings.port)
    base_url = address(sock)
    async with engine(settings, base_url=base_url) as parts, _bot(settings, parts, worker=worker) as bot:
        routes = [*bot.routes, *engine_routes(parts.service, settings), *_watched(parts.database, bot, parts.service)]
        _warn_if_empty(parts.service)
        async with listening(sock, routes, middlewares=[error_middleware]):
            await until_stopped(lambda: terminal.say(f"Image Insights is at {base_url}"))


async def run_worker(settings: Settings) -> None:
    _needs_slack(settings)
    async with engine(settings, base_url=_own_address(settings)) as parts, _bot(settings, parts, web_process=False):
        await until_stopped(lambda: terminal.say("Image Insights is working on jobs."))


async def run_insights(settings: Settings) -> None:
    sock = bind(settings.listen_host, settings.port)
    if not settings.insights_keys and sock.getsockname()[0] not in LOOPBACK:
        sock.close()
        raise ConfigurationError("Without INSIGHTS_KEYS the API answers on loopback only. Set INSIGHTS_KEYS, or HOST=127.0.0.1.")
    base_url = address(sock)
    async with engine(settings.model_copy(update={"insights_url": "", "live_sources": ()}), base_url=base_url) as parts:
        routes = [
            *engine_routes(parts.service, settings),
            *health(checks(parts.database, None, parts.service)),
            *metrics.routes(measures(None, parts.service)),
        ]
        _warn_if_empty(parts.service)
        async with listening(sock, routes, middlewares=[error_middleware]):
            await until_stopped(lambda: terminal.say(f"The engine is at {base_url}/bing/v7.0/images/details"))


def _bot(settings: Settings, parts: Engine, *, worker: bool = True, web_process: bool = True) -> AbstractAsyncContextManager[Bot]:
    return running_bot(
        settings,
        parts.database,
        parts.client,
        parts.pixels,
        parts.fetcher,
        goods=parts.service.catalogue if parts.service else None,
        shop=parts.service,
        thumbnails=parts.service,
        worker=worker,
        web_process=web_process,
    )


def _warn_if_empty(service: InsightsService | None) -> None:
    """Nothing can be found then, and an operator should hear it before the first person does."""
    if service and not service.catalogue.stats()["pictures"]:
        terminal.err.print("The catalogue is empty. Fill it with: python -m bot catalogue import SOURCE")


def _needs_slack(settings: Settings) -> None:
    """Raises ConfigurationError naming what is missing."""
    if settings.slack_client_id:
        operator.can_be_installed(settings)
    elif not settings.slack_bot_token.get_secret_value():
        raise ConfigurationError(
            "SLACK_BOT_TOKEN is not set. It is on the app's page under OAuth & Permissions; or try: make demo"
        )
    if not (settings.slack_signing_secret.get_secret_value() or settings.slack_app_token.get_secret_value()):
        raise ConfigurationError(
            "Set SLACK_SIGNING_SECRET (the app's page, Basic Information), or SLACK_APP_TOKEN for Socket Mode."
        )


async def run_demo(host: str, port: int) -> None:
    """Local workspace, bot and engine in one process on one loopback port."""
    sock = bind(host, port)
    base_url = address(sock)
    async with Pixels.open() as pixels:
        workspace = Workspace(pixels=pixels, base_url=base_url, bot_url=base_url, unfurl_domains=_demo_shops())
        settings = demo_settings(workspace, base_url)
        configure(settings.log_level, settings.log_format)
        for left in settings.data_dir.glob("jobs.db*"):  # the workspace forgets when it ends, so its jobs have nowhere to go
            left.unlink()
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(Database.open(settings.database))
            fetcher = await stack.enter_async_context(Fetcher.open(allow=settings.insights_fetch_allow))
            service = await stack.enter_async_context(
                InsightsService.open(settings, database, pixels, fetcher, base_url=base_url)
            )
            await _import_demo(service)
            bot = await stack.enter_async_context(
                running_bot(settings, database, service, pixels, fetcher, goods=service.catalogue, shop=service)
            )
            await bot.desk.forget(TEAM_ID)
            await bot.desk.installations.keep(_installed(workspace))
            routes = [
                *client_api.routes(workspace),
                *slack_api.routes(workspace),
                *bot.routes,
                *engine_routes(service, settings),
                *_watched(database, bot, service),
            ]
            await stack.enter_async_context(
                listening(sock, routes, middlewares=[error_middleware], max_body=DEMO_MAX_BODY, drain_seconds=0.5)
            )
            await stack.enter_async_context(workspace.running())
            await until_stopped(lambda: terminal.say(f"Open {base_url}  (Ctrl+C ends it)"))


def demo_settings(workspace: Workspace, base_url: str) -> Settings:
    """The demo's own settings; of the environment only DATA_DIR, the market, the card style and the log settings count."""
    given = read_settings()
    return read_settings(
        database_url="",
        data_dir=given.data_dir / "demo",
        public_url=base_url,
        slack_bot_token="",
        slack_signing_secret=workspace.signing_secret,
        slack_app_token="",
        slack_client_id=workspace.client_id,
        slack_client_secret=workspace.client_secret,
        slack_scopes="",
        unfurl_domains=tuple(_demo_shops()),
        secret_keys="",
        slack_api_url=workspace.api_url,
        insights_url="",
        live_sources=(),
        insights_keys=(),
        insights_fetch_allow=("127.0.0.0/8", "::1/128"),  # the page's sample pictures; nothing here listens to strangers
    )


def _installed(workspace: Workspace) -> Installation:
    """The demo begins where the app is there already; it can be removed and installed again on the page."""
    return Installation(
        owner=TEAM_ID,
        name=TEAM_NAME,
        app=APP_ID,
        bot=BOT_ID,
        bot_user=BOT_USER_ID,
        scopes=",".join(sorted(workspace.scopes)),
        token=workspace.bot_token,
        installed=time.time(),
    )


def _demo_shops() -> list[str]:
    merchants = json.loads((DEMO_CATALOGUE / "merchants.json").read_text("utf-8"))
    return [one["host"] for one in merchants][:5]  # as many as Slack lets an app have


async def _import_demo(service: InsightsService) -> None:
    """The demo's catalogue; an unchanged one costs no decoding and no encoding."""
    with terminal.progress("Reading the demo catalogue") as show:
        await service.catalogue.import_feeds([str(DEMO_CATALOGUE)], progress=show)


# --- the engine from the terminal ------------------------------------------------------------------------------------


async def run_lookup(settings: Settings, picture: str, *, modules: str, crop: str, market: str, as_json: bool) -> None:
    asked = _picture(picture)
    wanted = bing.read_modules(modules)
    part = _crop(crop)
    market = bing.best_market(market or settings.default_market)
    async with engine(settings, base_url=_own_address(settings)) as parts:
        _warn_if_empty(parts.service)
        found = await parts.client.insights(asked, wanted, crop=part, market=market)
    if as_json:
        terminal.say(json.dumps(bing.to_wire(found), ensure_ascii=False, indent=2))
    else:
        terminal.show(found, market)


def _picture(text: str) -> Picture:
    """A file, an address or a token. Raises UserError for a file that is not there."""
    if text.startswith(("http://", "https://")):
        return Url(text)
    path = Path(text)
    if path.is_file():
        try:
            return Upload(path.read_bytes())
        except OSError as error:
            raise UserError(f"{text} cannot be read: {error.strerror}.") from None
    if path.suffix or len(path.parts) > 1:
        raise UserError(f"There is no file {text}.")
    return Token(text)


def _crop(text: str) -> Crop:
    """`left,top,right,bottom`. Raises UserError."""
    if not text:
        return WHOLE
    try:
        left, top, right, bottom = (float(part) for part in text.split(","))
    except ValueError:
        left = right = top = bottom = 0.0
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise UserError("--crop takes four fractions from 0 to 1, such as 0.1,0.2,0.8,0.9: left, top, right, bottom.")
    return Crop(left, top, right, bottom)


def _own_address(settings: Settings) -> str:
    return settings.public_url or f"http://127.0.0.1:{settings.port}"


# --- what is kept about teams and people -----------------------------------------------------------------------------


async def run_forget(settings: Settings, *, team: str, user: str) -> None:
    async with engine(settings, base_url=_own_address(settings)) as parts:
        if user:
            terminal.say(f"{await records.forget_person(parts.database, user)} records of {user} deleted")
        if team:
            async with _bot(settings, parts, worker=False, web_process=False) as bot:
                await errands.forget_team(bot.desk, team)
            terminal.say(f"Everything of {team} is deleted")


# --- operators' tools ------------------------------------------------------------------------------------------------


def manifest(settings: Settings) -> str:
    return manifest_for(settings.public_url, settings.unfurl_domains)


async def run_check(settings: Settings) -> bool:
    """Print one line a part, ok or what to do. True when all are ok."""
    good = True

    async def line(part: str, look: Callable[[], Awaitable[str]]) -> None:
        nonlocal good
        try:
            text = await look()
        except Error as error:
            good = False
            terminal.say(f"{part:12} not ok: {error}")
        else:
            terminal.say(f"{part:12} ok: {text}")

    async def read() -> str:
        return f"DATA_DIR {settings.data_dir}, market {settings.default_market}"

    async def ask_engine() -> str:
        async with engine(settings, base_url=_own_address(settings)) as parts:
            if isinstance(parts.client, Ladder):
                terminal.say(f"{'live sources':12} ok: {await parts.client.asked_today()}")
            if parts.service is None:
                return f"asks {settings.insights_url}"
            counts = parts.service.catalogue.stats()
            if not counts["pictures"]:
                raise UserError("the catalogue is empty. Fill it with: python -m bot catalogue import SOURCE")
            changing = parts.service.catalogue.changing
            said = f"{counts['products']} products, {counts['pictures']} pictures, {counts['offers']} offers"
            return f"{said}; {changing}" if changing else said

    async def open_database() -> str:
        async with Database.open(settings.database) as database:
            await database.check()
        return str(settings.database) if isinstance(settings.database, Path) else "Postgres"

    await line("settings", read)
    await line("database", open_database)
    await line("engine", ask_engine)
    await line("slack", lambda: operator.ask_slack(settings))
    await line("public url", lambda: operator.ask_ourselves(settings))
    return good


async def run_receive(settings: Settings, recorded: Any, *, to: str) -> None:
    status, answer = await operator.deliver(recorded, to=to, secret=next(iter(settings.signing_secrets), ""))
    terminal.say(f"{status} {answer}".rstrip())
    if status != HTTPStatus.OK:
        raise UserError(f"{to} refused the request.")
