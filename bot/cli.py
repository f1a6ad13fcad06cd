"""The command line: `python -m bot COMMAND`. Exit codes: 0 done, 1 failed, 2 wrong usage; errors are one line on stderr.

Each command imports what it needs when it runs: nobody waits for a web server to be told a wrong option.
"""

import asyncio
import atexit
import json
import sys
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TextIO

import click

from bot.config import LOOPBACK, Settings, read_settings
from bot.errors import Error, UserError
from bot.logs import configure

if TYPE_CHECKING:
    from bot.queue import State

P = ParamSpec("P")


def command(work: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a coroutine as a command; an error becomes one line that says what to change."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            asyncio.run(work(*args, **kwargs))
        except Error as error:
            raise click.ClickException(str(error)) from None
        except (KeyboardInterrupt, asyncio.CancelledError):
            sys.exit(130)

    return run


def settings(**overrides: Any) -> Settings:
    read = read_settings(**overrides)
    configure(read.log_level, read.log_format)
    if dsn := read.sentry_dsn.get_secret_value():
        from bot import sentry

        sentry.report(dsn)
        atexit.register(sentry.flush)
    if read.otel_exporter_otlp_endpoint:
        from bot import tracing

        tracing.report(read.otel_exporter_otlp_endpoint, f"{Path(sys.argv[0]).name} {' '.join(sys.argv[1:2])}")
        atexit.register(tracing.flush)
    return read


def listening(host: str | None, port: int | None) -> Settings:
    """Settings with the command line's address. A --port opens no door that HOST and PORT leave closed."""
    read = settings()
    return read.model_copy(update={"host": host or read.listen_host, "port": read.port if port is None else port})


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="image-insights", prog_name="image-insights", message="%(prog)s %(version)s")
def main() -> None:
    """Image Insights: what a picture shows and where to buy it, in Slack."""


@main.command()
@click.option("--port", default=3000, show_default=True, type=click.IntRange(0, 65535), help="Port of the page.")
@click.option("--host", default="127.0.0.1", hidden=True)
@command
async def demo(port: int, host: str) -> None:
    """The whole product on this machine, no account.

    A local workspace with a page, the bot, and the engine with the demo catalogue; prints one address.
    """
    if host not in LOOPBACK:
        raise click.UsageError("The demo answers on this machine only. To serve others, use `serve`.")
    from bot.app import run_demo

    await run_demo(host, port)


@main.command()
@click.option("--host", help="Address to listen on (HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (PORT).")
@click.option("--no-worker", is_flag=True, help="Only accept work; a `worker` process does it.")
@command
async def serve(host: str | None, port: int | None, no_worker: bool) -> None:
    """The web process: Slack over HTTP, or Socket Mode."""
    from bot.app import run_serve

    await run_serve(listening(host, port), worker=not no_worker)


@main.command()
@command
async def worker() -> None:
    """Do the jobs that `serve --no-worker` accepts."""
    from bot.app import run_worker

    await run_worker(settings())


@main.command()
@click.option("--host", help="Address to listen on (HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (PORT).")
@command
async def insights(host: str | None, port: int | None) -> None:
    """The engine's HTTP API alone (Bing's wire)."""
    from bot.app import run_insights

    await run_insights(listening(host, port))


@main.command()
@click.argument("picture", metavar="IMAGE|URL|TOKEN")
@click.option(
    "--modules", default="All", show_default=True, help="Comma list: Tags, BRQ, Caption, SimilarImages, SimilarProducts …"
)
@click.option("--crop", default="", help="left,top,right,bottom as fractions from 0 to 1.")
@click.option("--mkt", default="", help="Market, such as en-US (DEFAULT_MARKET).")
@click.option("--json", "as_json", is_flag=True, help="Print the wire's JSON instead of a table.")
@command
async def lookup(picture: str, modules: str, crop: str, mkt: str, as_json: bool) -> None:
    """Ask the engine (or INSIGHTS_URL) about a picture.

    IMAGE|URL|TOKEN is a file, an address, or an insights token.
    """
    from bot.app import run_lookup

    await run_lookup(settings(), picture, modules=modules, crop=crop, market=mkt, as_json=as_json)


@main.group()
def catalogue() -> None:
    """Feeds in and out."""


@catalogue.command("import")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE…")
@click.option("--seller", default="", help="Seller of rows that name none.")
@click.option("--currency", default="", help="Currency of prices that name none, such as EUR.")
@click.option("--refresh-pictures", "refresh", is_flag=True, help="Fetch pictures again whose address is the same as before.")
@click.option("--rejected", type=click.Path(dir_okay=False, path_type=Path), help="Write what is not taken to this CSV file.")
@click.option(
    "--watch",
    is_flag=False,
    flag_value=60.0,
    type=click.FloatRange(0.01, 10080),
    metavar="[MINUTES]",
    help="Import again every so many minutes (60).",
)
@command
async def catalogue_import(
    sources: tuple[str, ...], seller: str, currency: str, *, refresh: bool, rejected: Path | None, watch: float | None
) -> None:
    """Import feeds: files, folders or addresses. Importing again changes only what changed.

    Google Merchant and Meta feeds (TSV, CSV, XML, JSON), Shopify's products.json, pages and sitemaps with schema.org data,
    spreadsheets with a folder of pictures named by SKU; packed with gzip or not.
    """
    from bot.commands.catalogue import run_import

    await run_import(settings(), sources, seller=seller, currency=currency, refresh=refresh, rejected=rejected, watch=watch)


@catalogue.command("list")
@command
async def catalogue_list() -> None:
    """Every product, a line each."""
    from bot.commands.catalogue import run_list

    await run_list(settings())


@catalogue.command("stats")
@command
async def catalogue_stats() -> None:
    """How much of what is in the catalogue."""
    from bot.commands.catalogue import run_stats

    await run_stats(settings())


@catalogue.command("remove")
@click.argument("source")
@command
async def catalogue_remove(source: str) -> None:
    """Remove everything that came from a source."""
    from bot.commands.catalogue import run_remove

    await run_remove(settings(), source)


@catalogue.command("export")
@click.option(
    "--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="A folder for products.jsonl and the pictures."
)
@command
async def catalogue_export(folder: Path | None) -> None:
    """Print the catalogue as JSONL, one product a line, or write it with its pictures, ready to be imported again."""
    from bot.commands.catalogue import run_export

    await run_export(settings(), folder)


@main.command()
@click.option("--url", help="Public address of this installation (PUBLIC_URL).")
@command
async def manifest(url: str | None) -> None:
    """Print the Slack app manifest for this installation."""
    from bot.app import manifest as written

    click.echo(written(settings(**({"public_url": url} if url else {}))), nl=False)


@main.command()
@command
async def check() -> None:
    """What is ready and what to do: settings, database, engine, Slack, address."""
    from bot.app import run_check

    if not await run_check(settings()):
        sys.exit(1)


@main.command()
@click.option("--team", default="", help="A workspace or organisation: T0123ABC.")
@click.option("--user", default="", help="A person, in every workspace: U0123ABC.")
@command
async def forget(team: str, user: str) -> None:
    """Delete everything of a workspace or a person, as when a workspace removes the app."""
    if not (team or user):
        raise click.UsageError("Say of whom: --team T0123ABC or --user U0123ABC.")
    from bot.app import run_forget

    await run_forget(settings(), team=team, user=user)


@main.command()
@click.option("--team", required=True, help="A workspace: T0123ABC.")
@command
async def export(team: str) -> None:
    """Print what is kept about a workspace as JSONL, one record a line; tokens are left out."""
    from bot.commands.teams import run_export

    await run_export(settings(), team)


@main.group()
def jobs() -> None:
    """What the bot has to do, is doing, and has given up. NAME is the reference that people were told."""


@jobs.command("list")
@click.option("--state", type=click.Choice(["waiting", "running", "done", "dead", "cancelled"]), help="Only these.")
@command
async def jobs_list(state: "State | None") -> None:
    """The newest first: reference, state, kind, team, when it came."""
    from bot.commands.jobs import run_list

    await run_list(settings(), state)


@jobs.command("show")
@click.argument("name")
@command
async def jobs_show(name: str) -> None:
    """All about one, but for addresses that give permission to write."""
    from bot.commands.jobs import run_show

    await run_show(settings(), name)


@jobs.command("retry")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@command
async def jobs_retry(names: tuple[str, ...]) -> None:
    """Start jobs anew that were given up; what they have posted already is not posted again."""
    from bot.commands.jobs import run_retry

    await run_retry(settings(), names)


@jobs.command("drop")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@command
async def jobs_drop(names: tuple[str, ...]) -> None:
    """Forget jobs, whatever state they are in."""
    from bot.commands.jobs import run_drop

    await run_drop(settings(), names)


@main.group()
def keys() -> None:
    """The keys that seal workspaces' tokens."""


@keys.command("new")
def keys_new() -> None:
    """Print a new key for SECRET_KEYS."""
    from bot.vault import new_key

    click.echo(new_key())


@keys.command("rotate")
@command
async def keys_rotate() -> None:
    """Seal every token with the newest key, while the bot runs.

    That is the first of SECRET_KEYS, or a new one where they are kept in DATA_DIR.
    """
    from bot.commands.teams import run_keys_rotate

    await run_keys_rotate(settings())


@main.command()
@click.argument("payload", type=click.File(encoding="utf-8"))
@click.option("--to", default="http://127.0.0.1:3000", show_default=True, help="Address of the running bot.")
@command
async def receive(payload: TextIO, to: str) -> None:
    """Replay a recorded Slack request.

    Signs it with SLACK_SIGNING_SECRET, sends it to a running bot and prints what that answers.
    """
    try:
        recorded = json.load(payload)
    except ValueError:
        raise UserError(f"{payload.name} is not JSON.") from None
    from bot.app import run_receive

    await run_receive(settings(), recorded, to=to)
