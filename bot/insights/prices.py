"""Price memory: each change of an offer's price or availability is kept, and can be asked about."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.insights import tables
from bot.insights.feeds import Row
from bot.insights.model import Availability
from bot.storage import insert

KEPT = timedelta(days=400)
"""More than a year, so that this season can be held against the last."""


@dataclass(frozen=True, slots=True)
class Price:
    """What an offer has cost from a moment (UTC, naive as stored) on; price None when the feed said none, or left it out."""

    at: datetime
    price: Decimal | None
    currency: str
    availability: Availability | None


@dataclass(frozen=True, slots=True)
class Change:
    """Today's price against the past: what it cost so many days ago, and the least since then, today left out.

    lowest_in_days: for so many days it has cost more at all times until now; 0 when it went up, or never changed.
    """

    now: Decimal
    before: Decimal
    lowest: Decimal
    lowest_in_days: int = 0

    @property
    def lower(self) -> bool:
        """Lower than it was, and than it has been at any time since."""
        return self.now < min(self.before, self.lowest)


def change(history: Sequence[Price], now: datetime, *, days: int = 30) -> Change | None:
    """How the last price of a history (oldest first, one offer) stands to that of `days` ago.

    None when the offer is younger than that, has no price, or is in another currency now.
    """
    then = now - timedelta(days=days)
    if not history or history[-1].price is None:
        return None
    last = history[-1]
    past = [one for one in history[:-1] if one.price is not None and one.currency == last.currency]
    before = next((one for one in reversed([*past, last]) if one.at <= then), None)
    if before is None or before.price is None or last.price is None:
        return None
    since = [one.price for one in past if one.at > before.at and one.price is not None]
    return Change(last.price, before.price, min([before.price, *since]), _lowest_in_days(past, last.price, now))


def was(history: Sequence[Price], now: datetime, *, days: int = 30) -> Decimal | None:
    """What an offer cost before its price last changed, where it is cheaper now. history: oldest first, of one offer.

    None unless that was within so many days, and nothing it has cost in them was as low: a price that was put up
    only to come down again is no bargain. What it cost before it was gone for longer does not count either.
    """
    last = history[-1] if history else None
    if last is None or last.price is None:
        return None
    then = now - timedelta(days=days)
    in_force = max((at for at, one in enumerate(history) if one.at <= then), default=0)
    charged = [one.price for one in history[in_force:] if one.price is not None and one.currency == last.currency]
    while charged and charged[-1] == last.price:
        charged.pop()  # something else changed since
    return charged[-1] if charged and min(charged) > last.price else None


def _lowest_in_days(past: Sequence[Price], price: Decimal, now: datetime) -> int:
    """`past`: oldest first, each until the next; what cost the same just before belongs to the present."""
    higher: list[datetime] = []
    for one in reversed(past):
        if one.price == price and not higher:
            continue
        if one.price is None or one.price <= price:
            break
        higher.append(one.at)
    return (now - higher[-1]).days if higher else 0


def this_moment() -> datetime:
    """Now, as prices are kept: UTC, naive."""
    return datetime.now(UTC).replace(tzinfo=None)


async def note(connection: AsyncConnection, source: str, rows: Sequence[Row]) -> None:
    """Write down what differs from what the offers cost until now; called before they are stored."""
    kept = tables.offers.c
    query = select(kept.id, kept.price, kept.currency, kept.availability).where(kept.source == source)
    known = {
        row.id: (row.price or "", row.currency, row.availability)
        for row in await connection.execute(query.where(kept.id.in_([row.id for row in rows])))
    }
    at = this_moment()
    values = [
        {
            "source": source,
            "offer": row.id,
            "at": at,
            "price": row.price or None,
            "currency": row.currency,
            "availability": row.availability,
        }
        for row in rows
        if known.get(row.id) != (row.price, row.currency, row.availability)
    ]
    if values:
        await connection.execute(insert(tables.prices).on_conflict_do_nothing(), values)


async def gone(connection: AsyncConnection, source: str, offers: Sequence[str]) -> None:
    """Offers a feed no longer states are discontinued and cost nothing anybody knows, until they come back."""
    at = this_moment()
    values = [
        {"source": source, "offer": offer, "at": at, "price": None, "currency": "", "availability": Availability.DISCONTINUED}
        for offer in offers
    ]
    if values:
        await connection.execute(insert(tables.prices).on_conflict_do_nothing(), values)


async def history(connection: AsyncConnection, source: str, offer: str) -> list[Price]:
    """Of one offer, oldest first."""
    said = tables.prices.c
    query = select(tables.prices).where(said.source == source, said.offer == offer).order_by(said.at)
    return [_price(row) for row in await connection.execute(query)]


def of_rows(rows: Iterable[Any]) -> dict[tuple[str, str], tuple[Price, ...]]:
    """Histories by (source, offer id) of rows in order; those that tell of no change are left out."""
    found: defaultdict[tuple[str, str], list[Price]] = defaultdict(list)
    for row in rows:
        found[row.source, row.offer].append(_price(row))
    return {key: tuple(some) for key, some in found.items() if len(some) > 1}


def _price(row: Any) -> Price:
    price = Decimal(row.price) if row.price else None
    return Price(row.at, price, row.currency, Availability(row.availability) if row.availability else None)


async def sweep(connection: AsyncConnection) -> None:
    """Forget what is older than KEPT, but for the last word on each offer that is still there."""
    said, offers = tables.prices.c, tables.offers.c
    old = said.at < this_moment() - KEPT
    later = tables.prices.alias()
    superseded = select(later.c.at).where(later.c.source == said.source, later.c.offer == said.offer, later.c.at > said.at)
    there = select(offers.id).where(offers.source == said.source, offers.id == said.offer)
    await connection.execute(delete(tables.prices).where(old, superseded.exists() | ~there.exists()))
