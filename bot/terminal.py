"""What the command line prints: tables and progress for people, plain lines when nobody looks."""

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from bot.errors import UserError
from bot.insights.model import ImageObject, Insights, Offer
from bot.money import fmt

LINE_SECONDS = 10.0
out = Console(highlight=False, width=1000)  # nothing is cut: tokens and links are there to be copied
err = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """To the terminal at once, also when it is a file."""
    print(text, flush=True)  # noqa: T201 (what a command is for)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with rate and time left on a terminal, now and then a line elsewhere.

    Yields `show(done, total)`; (0, n): n were read so far.
    """
    if not err.is_terminal:
        yield _Lines(what).show
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            if done:
                bar.update(task, description=what, completed=done, total=total)
            else:
                bar.update(task, description=f"Reading, {total:,} so far")

        yield show


class _Lines:
    """For a log: how far it is, how fast it goes, how long it will take."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began: tuple[float, int] | None = None
        self._next = time.monotonic() + LINE_SECONDS

    def show(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done and self._began is None:
            self._began = now, done
        if now < self._next:
            return
        self._next = now + LINE_SECONDS
        if not done or self._began is None:
            err.print(f"Reading, {total:,} so far", markup=False)
            return
        rate = (done - self._began[1]) / max(now - self._began[0], 1e-3)
        left = f", about {max(1, round((total - done) / rate / 60))} min left" if rate else ""
        err.print(f"{self._what}: {done:,} of {total:,}, {rate:,.0f}/s{left}", markup=False)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


@contextmanager
def table_file(path: Path | None, columns: Sequence[str]) -> Iterator[Callable[[Sequence[object]], None]]:
    """A CSV file that rows are written to as they come; nothing without a path. Raises UserError when it cannot be written."""
    if path is None:
        yield lambda _row: None
        return
    try:
        file = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}). Name another file.") from None
    with file:
        writer = csv.writer(file)
        writer.writerow(columns)
        yield writer.writerow


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    drawn = Table(*columns, title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for row in rows:
        drawn.add_row(*row)
    out.print(drawn)
    out.print()


def show(found: Insights, market: str) -> None:
    """Insights as a person reads them: caption and tags, then one table per list."""

    def product(one: ImageObject) -> Sequence[str]:
        sum_ = one.aggregate_offer
        price = f"from {fmt(sum_.low_price, sum_.currency, market)}" if sum_ else ""
        return [one.name, price, f"{sum_.offer_count}" if sum_ else "", one.token]

    def offer(one: Offer) -> Sequence[str]:
        price = fmt(one.price, one.currency, market) if one.price is not None else ""
        was = fmt(one.was, one.currency, market) if one.was is not None else ""
        return [price, was, one.seller.name, one.availability.value if one.availability else "", one.url]

    for label, value in (
        ("Caption", found.caption.caption if found.caption else ""),
        ("Search for", found.best_query.display_text if found.best_query else ""),
        ("Tags", ", ".join(tag.name for tag in found.tags)),
        ("Token", found.token),
    ):
        if value:
            out.print(f"{label}: {value}", markup=False)
    out.print()
    table("Similar products", ("product", "price", "offers", "token"), [product(one) for one in found.similar_products])
    table("Where to buy", ("price", "was", "seller", "availability", "link"), [offer(one) for one in found.shopping_sources])
    table("Similar images", ("name", "page"), [(one.name, one.host_page_url) for one in found.similar_images])
    table("Pages with this image", ("title", "page"), [(one.name, one.host_page_url) for one in found.pages_including])
    table("Related searches", ("words",), [(one.display_text,) for one in found.related_searches])
    if not (found.similar_products or found.similar_images):
        out.print("Nothing in the catalogue looks like this.")
