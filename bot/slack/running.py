"""The bot as a whole: opened from what it needs, closed in the order that loses nothing."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import ClientSession, ClientTimeout, web
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from bot import lookup, metrics
from bot.config import Settings
from bot.errors import UserError
from bot.fetch import Fetcher
from bot.images import Images
from bot.insights.model import Goods, InsightsClient, Shop
from bot.installations import Installation, Installations
from bot.jobs import Click, Explain, ReplyTo, from_payload
from bot.language import ENGLISH, speaking
from bot.opinions import Opinions
from bot.pixels import Pixels
from bot.queue import PAUSES, Dead, Handler, Job, Jobs, Telling
from bot.results import Results
from bot.saved import Shelf
from bot.slack import adding, bolt, errands, linking, peeking, saving, socket
from bot.slack import settings as settings_form
from bot.slack import web as wire
from bot.slack.buttons import BUTTONS, SUBMISSIONS
from bot.slack.cards import notices
from bot.slack.clock import Clock
from bot.slack.desk import Desk
from bot.slack.gallery import Gallery, Thumbnails
from bot.slack.identity import Identity
from bot.slack.manifest import INSTALL, scopes
from bot.slack.oauth import Installing
from bot.slack.people import People
from bot.slack.press import Press
from bot.slack.replies import Replies
from bot.slack.workspaces import ManyWorkspaces, OneWorkspace, Workspaces, apps_page
from bot.sources import lending, opening
from bot.sources.ledger import Ledger
from bot.storage import Database
from bot.teams import Teams
from bot.vault import Vault

log = logging.getLogger(__name__)


FOR_EVERYBODY = frozenset({"lookup", "unfurl", "watch", "forget", "removed"})
"""Orders whose answer is not only for whoever asked: they say themselves in which language they speak."""


@dataclass(frozen=True, slots=True)
class Bot:
    """`routes` to serve for Slack; `workspaces` know who we are there; `desk` for what belongs to none; `clock` knows Slack's."""

    routes: Sequence[web.RouteDef]
    workspaces: Workspaces
    desk: Desk
    clock: Clock


@asynccontextmanager
async def running_bot(
    settings: Settings,
    database: Database,
    insights: InsightsClient,
    pixels: Pixels,
    fetcher: Fetcher,
    *,
    goods: Goods | None = None,
    shop: Shop | None = None,
    thumbnails: Thumbnails | None = None,
    worker: bool = True,
    web_process: bool = True,
    pauses: Sequence[float] = PAUSES,
) -> AsyncIterator[Bot]:
    """Everything between Slack and the engine.

    `goods`, `shop`, `thumbnails`: the catalogue, its pages and pictures, where they are kept here. `worker`: also run the jobs.
    `web_process`: also listen to Slack's socket. `pauses`: seconds before a failed job is tried again. At the end it stops
    listening first, lets running jobs finish (25 s), and hands back the rest.
    Raises ConfigurationError when the job queue cannot be opened.
    """
    clock = Clock()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            ClientSession(
                timeout=ClientTimeout(total=30),
                trace_configs=[metrics.slack_calling(settings.slack_api_url), clock.listening()],
            )
        )
        results = Results(database)
        jobs = await stack.enter_async_context(Jobs.open(settings.jobs))
        installations, ledger = Installations(database, Vault.of(settings)), Ledger(database)

        def built(client: AsyncWebClient) -> Desk:
            async def lost(files: Sequence[str]) -> None:
                await gallery.lost(files)

            replies = Replies(
                client, results, style=settings.card_style, hooks=session, install=_install_address(settings), lost=lost
            )
            gallery = Gallery(database, replies, thumbnails)
            return Desk(
                jobs=jobs,
                results=results,
                replies=replies,
                teams=Teams(database),
                opinions=Opinions(database),
                saved=Shelf(database),
                installations=installations,
                gallery=gallery,
                people=People(client),
                images=Images(client, fetcher, pixels, client.token or "", install=_install_address(settings)),
                insights=insights,
                goods=goods,
                shop=shop,
                ledger=ledger,
                elsewhere=opening.names(insights),
                market=settings.default_market,
                # thumbnails of our own engine are reachable only if somebody says where; another service's are its own affair
                pictures=bool(settings.public_url or settings.insights_url),
                per_team=settings.lookups_per_team,
                per_person=settings.lookups_per_person,
            )

        # no retries inside: a post whose answer is lost would be posted twice (slack-platform.md §0.13); jobs retry
        client = AsyncWebClient(base_url=settings.slack_api_url, session=session, retry_handlers=[])
        workspaces: Workspaces
        installing: Sequence[web.RouteDef] = ()
        if settings.slack_client_id:
            secret = settings.slack_client_secret.get_secret_value()
            many = ManyWorkspaces(installations, client, built, client_id=settings.slack_client_id, client_secret=secret)
            workspaces, desk = many, await many.desk("")

            async def installed(one: Installation, person: str) -> None:
                many.changed()
                if person and not one.whole_organisation:
                    await desk.start(Explain(ReplyTo(one.owner, "", "", person)), f"installed:{one.owner}:{one.installed:.0f}")

            flow = Installing(
                installations,
                client,
                client_id=settings.slack_client_id,
                client_secret=secret,
                scopes=",".join(settings.slack_scopes or scopes(settings.unfurl_domains)),
                public_url=settings.public_url,
                installed=installed,
            )
            installing = flow.routes()
            if worker:
                refreshing = asyncio.create_task(many.keep_fresh())
                stack.callback(refreshing.cancel)
        else:
            own = AsyncWebClient(
                token=settings.slack_bot_token.get_secret_value(),
                base_url=settings.slack_api_url,
                session=session,
                retry_handlers=[],
            )
            desk = built(own)
            workspaces = OneWorkspace(Identity(own), desk)
        if worker:
            await stack.enter_async_context(jobs.running(handlers(workspaces), telling(workspaces), pauses=pauses))
            sweeping = asyncio.create_task(_sweep(desk))
            stack.callback(sweeping.cancel)
        dispatch = bolt.build(client, workspaces)
        app_token = settings.slack_app_token.get_secret_value()
        if app_token and web_process:
            await stack.enter_async_context(socket.connected(dispatch, app_token, client))
        events = wire.routes(dispatch, settings.signing_secrets)
        lent = lending.routes(ledger) if settings.live_sources else []
        yield Bot([*events, *installing, *lent], workspaces, desk, clock)


def _install_address(settings: Settings) -> str:
    """Where an admin gives the app what it lacks."""
    return settings.public_url.rstrip("/") + INSTALL if settings.slack_client_id else apps_page(settings.slack_api_url)


async def _sweep(desk: Desk) -> None:
    """Once an hour: delete what is older than its time, look at watched prices."""
    while True:
        try:
            await desk.results.sweep()
            await desk.teams.sweep()
            await desk.opinions.sweep()
            await desk.ledger.sweep()
            await saving.look_at_prices(desk, f"{datetime.now(UTC):%Y-%m-%d}")
        except SQLAlchemyError:
            log.exception("what is done once an hour could not be done; the next hour tries again")
        await asyncio.sleep(3600.0)


def handlers(workspaces: Workspaces) -> Mapping[str, Handler]:
    """Who does what, by kind of order (jobs.py)."""
    doing = {
        "lookup": lookup.look_up,
        "click": press,
        "peek": peeking.peek,
        "add": adding.ask,
        "adding": adding.switch,
        "settings": settings_form.asked,
        "switch": errands.switch,
        "welcome": errands.welcome,
        "explain": errands.explain,
        "home": errands.publish_home,
        "watch": saving.watch,
        "unfurl": linking.unfurl,
        "removed": errands.removed,
        "forget": errands.forget,
    }
    return {kind: _at(workspaces, run) for kind, run in doing.items()}


def _at(workspaces: Workspaces, run: Callable[[Job, Desk], Awaitable[None]]) -> Handler:
    async def handle(job: Job) -> None:
        desk = await workspaces.desk(job.tenant)
        with speaking(await _readers(job, desk)):
            await run(job, desk)

    return handle


async def _readers(job: Job, desk: Desk) -> str:
    """The language of whoever asked; what everybody reads is drawn in the channel's (Replies.post_once)."""
    to = job.payload.get("reply_to") or {}
    asker = str(to.get("user") or job.payload.get("user") or "")
    return await desk.spoken_by(job.tenant, asker) if asker and job.kind not in FOR_EVERYBODY else ENGLISH


async def press(job: Job, desk: Desk) -> None:
    """Do what the button's file says, unless the same person pressed it twice (cards.md §5)."""
    click = from_payload(Click, job.payload)
    if click.name in SUBMISSIONS:
        await SUBMISSIONS[click.name].submitted(Press(job, desk, click))
        return
    to = click.reply_to
    what = f"{to.team}:{to.user}:{click.name}:{click.value}:{click.view_id or click.message_ts}"
    if await job.step("take", lambda: desk.results.take(what, to.team, job.key, _seconds(click.action_ts))):
        await BUTTONS[click.name].clicked(Press(job, desk, click))


def telling(workspaces: Workspaces) -> Telling:
    """Say how a job ended to whoever waits for it."""

    async def tell(job: Job, what: UserError | Dead) -> None:
        desk = await workspaces.desk(job.tenant)
        if job.kind == "lookup":
            return await lookup.give_up(job, desk, what)
        to = job.payload.get("reply_to")
        if not to:
            return None
        with speaking(await desk.spoken_by(job.tenant, to["user"])):
            return await desk.replies.tell(
                ReplyTo(**to), lambda _: notices.ended(None if isinstance(what, Dead) else what, str(what))
            )

    return tell


def _seconds(action_ts: str) -> float:
    """Slack's clock; ours where it says nothing."""
    try:
        return float(action_ts)
    except ValueError:
        return time.time()
