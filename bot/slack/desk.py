"""What listeners and buttons work with: where orders go, what is remembered, whom to ask, how to answer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bot.images import Images
from bot.insights.model import Goods, ImageObject, InsightsClient, Module, Offer, Token
from bot.insights.refining import refine
from bot.jobs import ImageRef, Order, kind, to_payload
from bot.queue import Jobs
from bot.results import Result, Results
from bot.slack.cards.context import CardContext
from bot.slack.people import People
from bot.slack.replies import Replies, Style
from bot.teams import Teams, source_of


@dataclass(frozen=True, slots=True)
class Desk:
    """One of them serves the whole process.

    goods: the catalogue, where it is ours to change. pictures: whether Slack can reach the engine's thumbnails.
    """

    jobs: Jobs
    results: Results
    replies: Replies
    teams: Teams
    people: People
    images: Images
    insights: InsightsClient
    goods: Goods | None
    market: str
    pictures: bool

    async def start(self, order: Order, key: str, *, urgent: bool = False) -> None:
        """Commit an order; the same key a second time changes nothing."""
        await self.jobs.start(key, team_of(order), kind(order), to_payload(order), urgent=urgent)

    async def forget(self, team: str) -> None:
        """Delete what belongs to a team: answers, settings, and what its people added to the catalogue."""
        await self.results.forget(team)
        await self.teams.forget(team)
        if self.goods:
            await self.goods.take_out(source_of(team))

    def context(self, result: Result, style: Style = "classic") -> CardContext:
        return CardContext(
            rid=result.rid,
            at=int(result.created or time.time()),
            requester=result.requester,
            market=result.market,
            rev=result.rev,
            style=style,
            origin=_origin(result.image, result.market),
            pictures=self.pictures,
            channel=result.channel,
            thread=result.thread_ts,
        )

    async def offers(self, product: ImageObject, market: str) -> Sequence[Offer]:
        """Raises UnknownToken for a product that has left the catalogue, Unavailable when the engine cannot answer now."""
        found = await self.insights.insights(Token(product.token), [Module.SHOPPING_SOURCES], market=market)
        return found.shopping_sources


def _origin(image: ImageRef, market: str) -> str:
    """The card's second line, where it is not plain which picture it speaks of, or what of it."""
    which = "From a similar image" if image.token else f"Photo {image.number} of {image.total}" if image.total else ""
    only = refine(image.words).described(market)
    return " · ".join(part for part in (which, f"Only {only}" if only else "") if part)


def team_of(order: Order) -> str:
    return order.team if not hasattr(order, "reply_to") else order.reply_to.team
