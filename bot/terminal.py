"""What the command line prints: tables and progress for people, plain lines when nobody looks."""

import csv
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

out = Console(highlight=False, width=1000)  # nothing is cut: tokens and links are there to be copied
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with rate and time left on a terminal, nothing elsewhere. Yields `show(done, total)`; (0, n): n were read so far."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            if done:
                bar.update(task, description=what, completed=done, total=total)
            else:
                bar.update(task, description=f"Reading, {total:,} so far")

        yield show


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
        return [price, one.seller.name, one.availability.value if one.availability else "", one.url]

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
    table("Where to buy", ("price", "seller", "availability", "link"), [offer(one) for one in found.shopping_sources])
    table("Similar images", ("name", "page"), [(one.name, one.host_page_url) for one in found.similar_images])
    table("Pages with this image", ("title", "page"), [(one.name, one.host_page_url) for one in found.pages_including])
    table("Related searches", ("words",), [(one.display_text,) for one in found.related_searches])
    if not (found.similar_products or found.similar_images):
        out.print("Nothing in the catalogue looks like this.")
