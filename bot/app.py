"""The composition root: Settings in, a running product out. The only file that knows everybody.

What starts first stops last; jobs drain before the database closes.
"""

import asyncio
import json
import signal
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
from bot.demo.objects import TEAM_ID
from bot.demo.workspace import Workspace
from bot.errors import ConfigurationError, Error, UserError
from bot.fetch import Fetcher
from bot.insights import bing
from bot.insights.catalogue import Catalogue
from bot.insights.client import HttpInsightsClient
from bot.insights.encoders import load_encoder
from bot.insights.feeds import Rejected
from bot.insights.model import WHOLE, Crop, InsightsClient, Picture, Token, Upload, Url
from bot.insights.server import error_middleware
from bot.insights.server import routes as insights_routes
from bot.insights.service import InsightsService
from bot.installations import Installations
from bot.logs import configure
from bot.pixels import Pixels
from bot.queue import Jobs, JobStatus, State
from bot.slack import errands, operator
from bot.slack.manifest import manifest_for
from bot.slack.running import Bot, running_bot
from bot.sources import opening
from bot.sources.ladder import Ladder
from bot.storage import Database
from bot.vault import Vault
from bot.web import Check, address, bind, health, listening, until_stopped

DEMO_CATALOGUE = Path(__file__).parent / "demo" / "catalogue"
REJECTED_SHOWN = 20
MOST_JOBS = 1000
_STOPPED = "Stopped. What came in stays; run the import again to go on."
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
            await until_stopped(lambda: _say(f"Image Insights is at {base_url}"))


async def run_worker(settings: Settings) -> None:
    _needs_slack(settings)
    async with engine(settings, base_url=_own_address(settings)) as parts, _bot(settings, parts, web_process=False):
        await until_stopped(lambda: _say("Image Insights is working on jobs."))


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
            await until_stopped(lambda: _say(f"The engine is at {base_url}/bing/v7.0/images/details"))


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
            await until_stopped(lambda: _say(f"Open {base_url}  (Ctrl+C ends it)"))


def demo_settings(workspace: Workspace, base_url: str) -> Settings:
    """The demo's own settings; of the environment only DATA_DIR, the market, the card style and the log settings count."""
    given = read_settings()
    return read_settings(
        database_url="",
        data_dir=given.data_dir / "demo",
        public_url=base_url,
        slack_bot_token=workspace.bot_token,
        slack_signing_secret=workspace.signing_secret,
        slack_app_token="",
        slack_client_id="",
        slack_api_url=workspace.api_url,
        insights_url="",
        live_sources=(),
        insights_keys=(),
        insights_fetch_allow=("127.0.0.0/8", "::1/128"),  # the page's sample pictures; nothing here listens to strangers
    )


def _demo_shops() -> list[str]:
    merchants = json.loads((DEMO_CATALOGUE / "merchants.json").read_text("utf-8"))
    return [one["host"] for one in merchants][:5]  # as many as Slack lets an app have


async def _import_demo(service: InsightsService) -> None:
    """The demo's catalogue; an unchanged one costs no decoding and no encoding."""
    with terminal.progress("Reading the demo catalogue") as show:
        await service.catalogue.import_feeds([str(DEMO_CATALOGUE)], progress=show)


def _say(text: str) -> None:
    """To the terminal at once, also when it is a file."""
    print(text, flush=True)  # noqa: T201 (what the command is for)


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
        _say(json.dumps(bing.to_wire(found), ensure_ascii=False, indent=2))
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


@asynccontextmanager
async def own_catalogue(settings: Settings) -> AsyncIterator[Catalogue]:
    """The catalogue of this installation to work on, whoever answers lookups from it."""
    encoder = await asyncio.to_thread(load_encoder, settings.insights_model)
    async with (
        Database.open(settings.database) as database,
        Pixels.open() as pixels,
        Fetcher.open(allow=settings.insights_fetch_allow) as fetcher,
        Catalogue.open(
            settings.data_dir,
            database,
            pixels,
            fetcher,
            encoder,
            model=settings.insights_model,
            blob_url=settings.blob_url,
            serves=False,
        ) as catalogue,
    ):
        yield catalogue


async def run_import(
    settings: Settings,
    sources: Sequence[str],
    *,
    seller: str,
    currency: str = "",
    refresh: bool = False,
    rejected: Path | None = None,
    watch: float | None = None,
) -> None:
    """Import once, or every `watch` minutes until somebody stops it. `rejected`: a CSV of what was not taken."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task
    async with own_catalogue(settings) as catalogue:

        def stop() -> None:
            """The first time a batch on its way is stored still."""
            if not catalogue.finish_batch():
                task.cancel()

        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop)
        while True:
            try:
                await _import(catalogue, sources, seller=seller, currency=currency, refresh=refresh, rejected=rejected)
            except UserError as error:
                if watch is None:
                    raise
                terminal.err.print(f"{error}", markup=False)
            if watch is None:
                return
            _say(f"Next time in {watch:g} minutes. Ctrl+C ends it.")
            await asyncio.sleep(watch * 60)


async def _import(
    catalogue: Catalogue, sources: Sequence[str], *, seller: str, currency: str, refresh: bool, rejected: Path | None
) -> None:
    with terminal.progress("Importing") as show, terminal.table_file(rejected, ("source", "row", "field", "reason")) as write:

        def refuse(one: Rejected) -> None:
            write((one.source, one.row, one.field, one.reason))

        try:
            report = await catalogue.import_feeds(
                sources, seller=seller, currency=currency, refresh=refresh, progress=show, rejected=refuse
            )
        except asyncio.CancelledError:
            terminal.err.print(_STOPPED, markup=False)
            raise
    for one in report.rejected[:REJECTED_SHOWN]:
        terminal.err.print(f"{one.source}, row {one.row}: {one.field}: {one.reason}", markup=False)
    if (more := report.refused - REJECTED_SHOWN) > 0:
        where = f"all are in {rejected}" if rejected else "--rejected FILE.csv writes them all"
        terminal.err.print(f"… and {more} more: {where}.", markup=False)
    _say(
        f"{report.added} added, {report.updated} changed, {report.unchanged} unchanged, {report.removed} removed, "
        f"{report.refused} rejected"
    )
    if report.stopped:
        terminal.err.print(_STOPPED, markup=False)
        raise asyncio.CancelledError
    if report.without_picture:
        _say(f"{report.without_picture} have no picture yet; the next import tries again.")
    if report.failed:
        raise UserError(f"{len(report.failed)} of {len(sources)} sources could not be read: {', '.join(report.failed)}.")
    if report.refused and not (report.added or report.updated or report.unchanged):
        raise UserError("Nothing was imported.")


async def run_catalogue_list(settings: Settings) -> None:
    async with own_catalogue(settings) as catalogue:
        await catalogue.read_shelf()
        for product in catalogue.list_products():
            _say(f"{product.id}\t{product.title}")


async def run_catalogue_stats(settings: Settings) -> None:
    async with own_catalogue(settings) as catalogue:
        await catalogue.read_shelf()
        for name, count in catalogue.stats().items():
            _say(f"{name:10} {count}")
        found = await catalogue.sources()
    terminal.table(
        "Sources",
        ("source", "offers", "products", "pictures", "without picture", "rejected", "imported"),
        [
            (
                *(one.name, f"{one.offers}", f"{one.products}", f"{one.pictures}", f"{one.without}", f"{one.rejected}"),
                one.imported.strftime("%Y-%m-%d %H:%M UTC") if one.imported else "",
            )
            for one in found
        ],
    )


async def run_catalogue_remove(settings: Settings, source: str) -> None:
    async with own_catalogue(settings) as catalogue:
        removed = await catalogue.remove(source)
    _say(f"{removed} removed")


async def run_catalogue_export(settings: Settings, folder: Path | None) -> None:
    async with own_catalogue(settings) as catalogue:
        await catalogue.read_shelf()
        if folder:
            _say(f"{await catalogue.export_to(folder)} products in {folder}")
            return
        for line in catalogue.export():
            _say(json.dumps(line, ensure_ascii=False))


# --- what is kept about teams and people -----------------------------------------------------------------------------


async def run_forget(settings: Settings, *, team: str, user: str) -> None:
    async with engine(settings, base_url=_own_address(settings)) as parts:
        if user:
            _say(f"{await records.forget_person(parts.database, user)} records of {user} deleted")
        if team:
            async with _bot(settings, parts, worker=False, web_process=False) as bot:
                await errands.forget_team(bot.desk, team)
            _say(f"Everything of {team} is deleted")


async def run_export(settings: Settings, team: str) -> None:
    async with Database.open(settings.database) as database:
        async for record in records.of_team(database, team):
            _say(json.dumps(record, ensure_ascii=False, default=str))


async def run_jobs_list(settings: Settings, state: State | None) -> None:
    async with Jobs.open(settings.jobs) as jobs:
        found = await jobs.list(state=state, limit=MOST_JOBS)
    for one in found:
        _say(f"{one.reference}\t{one.state}\t{one.kind}\t{one.tenant}\t{one.created:%Y-%m-%d %H:%M:%S} UTC")


async def run_jobs_show(settings: Settings, name: str) -> None:
    async with Jobs.open(settings.jobs) as jobs:
        one = await _job(jobs, name)
    shown = {"reference": one.reference, "state": one.state, "kind": one.kind, "team": one.tenant, "created": f"{one.created}"}
    _say(json.dumps(shown | {"key": one.key, "order": _without_secrets(one.payload)}, ensure_ascii=False, indent=2))


async def run_jobs_retry(settings: Settings, names: Sequence[str]) -> None:
    """Of jobs that were given up; the others go on by themselves."""
    async with Jobs.open(settings.jobs) as jobs:
        for one in [await _job(jobs, name) for name in names]:
            if one.state != "dead":
                raise UserError(f"{one.reference} was not given up: it is {one.state}.")
            await jobs.again(one)
            _say(f"{one.reference} starts again")


async def run_jobs_drop(settings: Settings, names: Sequence[str]) -> None:
    async with Jobs.open(settings.jobs) as jobs:
        for one in [await _job(jobs, name) for name in names]:
            if one.state in {"waiting", "running"}:
                await jobs.cancel(one.key)
            await jobs.delete([one.key])
            _say(f"{one.reference} is dropped")


async def _job(jobs: Jobs, name: str) -> JobStatus:
    """By the reference that people were told, or its whole key. Raises UserError."""
    found = await jobs.get(name)
    if found is None:
        every = await jobs.list(limit=100_000)
        found = next((one for one in every if one.reference == name.upper()), None)
    if found is None:
        raise UserError(f"There is no job {name}. `jobs list` shows those there are.")
    return found


def _without_secrets(payload: Any) -> Any:
    """A response_url is a permission to write (threats.md O3)."""
    if isinstance(payload, dict):
        hidden = ("response_url", "trigger_id")
        return {name: "…" if name in hidden and value else _without_secrets(value) for name, value in payload.items()}
    return payload


async def run_keys_rotate(settings: Settings) -> None:
    vault = Vault.of(settings)
    made = vault.renew()
    async with Database.open(settings.database) as database:
        count = await Installations(database, vault).reseal()
    _say(f"{count} tokens sealed again with {'a new key' if made else 'the first of SECRET_KEYS'}")


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
            _say(f"{part:12} not ok: {error}")
        else:
            _say(f"{part:12} ok: {text}")

    async def read() -> str:
        return f"DATA_DIR {settings.data_dir}, market {settings.default_market}"

    async def ask_engine() -> str:
        async with engine(settings, base_url=_own_address(settings)) as parts:
            if isinstance(parts.client, Ladder):
                _say(f"{'live sources':12} ok: {await parts.client.asked_today()}")
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
    _say(f"{status} {answer}".rstrip())
    if status != HTTPStatus.OK:
        raise UserError(f"{to} refused the request.")
