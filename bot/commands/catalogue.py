"""`catalogue import|list|stats|remove|export`."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bot import terminal
from bot.config import Settings
from bot.errors import UserError
from bot.fetch import Fetcher
from bot.insights.catalogue import Catalogue
from bot.insights.encoders import load_encoder
from bot.insights.feeds import Rejected
from bot.pixels import Pixels
from bot.storage import Database

REJECTED_SHOWN = 20
_STOPPED = "Stopped. What came in stays; run the import again to go on."


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
            terminal.say(f"Next time in {watch:g} minutes. Ctrl+C ends it.")
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
    terminal.say(
        f"{report.added} added, {report.updated} changed, {report.unchanged} unchanged, {report.removed} removed, "
        f"{report.refused} rejected"
    )
    if report.stopped:
        terminal.err.print(_STOPPED, markup=False)
        raise asyncio.CancelledError
    if report.without_picture:
        terminal.say(f"{report.without_picture} have no picture yet; the next import tries again.")
    if report.failed:
        raise UserError(f"{len(report.failed)} of {len(sources)} sources could not be read: {', '.join(report.failed)}.")
    if report.refused and not (report.added or report.updated or report.unchanged):
        raise UserError("Nothing was imported.")


async def run_list(settings: Settings) -> None:
    async with own_catalogue(settings) as catalogue:
        await catalogue.read_shelf()
        for product in catalogue.list_products():
            terminal.say(f"{product.id}\t{product.title}")


async def run_stats(settings: Settings) -> None:
    async with own_catalogue(settings) as catalogue:
        await catalogue.read_shelf()
        for name, count in catalogue.stats().items():
            terminal.say(f"{name:10} {count}")
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


async def run_remove(settings: Settings, source: str) -> None:
    async with own_catalogue(settings) as catalogue:
        removed = await catalogue.remove(source)
    terminal.say(f"{removed} removed")


async def run_export(settings: Settings, folder: Path | None) -> None:
    async with own_catalogue(settings) as catalogue:
        await catalogue.read_shelf()
        if folder:
            terminal.say(f"{await catalogue.export_to(folder)} products in {folder}")
            return
        for line in catalogue.export():
            terminal.say(json.dumps(line, ensure_ascii=False))
