"""What listeners and buttons work with: where orders go, what is remembered, whom to ask, how to answer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import UserError
from bot.images import Images
from bot.insights.model import Goods, ImageObject, Insights, InsightsClient, Module, Offer, Query, Shop, Token
from bot.installations import Installations
from bot.jobs import Order, kind, to_payload
from bot.opinions import Opinions
from bot.queue import Jobs
from bot.results import Result, Results
from bot.saved import Shelf
from bot.slack.cards.context import CardContext
from bot.slack.gallery import Gallery
from bot.slack.people import People
from bot.slack.replies import Replies, Style
from bot.sources.ledger import Ledger
from bot.teams import Preferences, Teams, source_of

PICTURED = 5
"""Products of a card that get pictures where each has to be uploaded."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One of them serves a workspace: replies, people, images and gallery speak with its token.

    goods, shop: the catalogue, where it is ours to change, and its pages.
    elsewhere: who may be asked besides the catalogue, by name.
    pictures: whether Slack can reach the engine's thumbnails.
    per_team, per_person: how many lookups they may have a minute, 0 for as many as they like.
    """

    jobs: Jobs
    results: Results
    replies: Replies
    teams: Teams
    opinions: Opinions
    saved: Shelf
    installations: Installations
    gallery: Gallery
    people: People
    images: Images
    insights: InsightsClient
    goods: Goods | None
    shop: Shop | None
    ledger: Ledger
    elsewhere: Sequence[str]
    market: str
    pictures: bool
    per_team: int
    per_person: int

    async def start(self, order: Order, key: str, *, urgent: bool = False, after: float = 0.0) -> None:
        """Commit an order, to be run `after` so many seconds; the same key a second time changes nothing."""
        await self.jobs.start(key, team_of(order), kind(order), to_payload(order), urgent=urgent, after=after)

    async def preferences(self, team: str, channel: str) -> Preferences:
        return await self.teams.preferences(team, channel, Preferences(self.market))

    async def spoken_in(self, team: str, channel: str) -> str:
        """The language of what everybody in a channel reads (cards.md §7)."""
        return (await self.preferences(team, channel)).speaks

    async def spoken_by(self, team: str, person: str) -> str:
        """The language of what one person reads: that of their Slack, or the workspace's where it is not known."""
        return await self.people.language(team, person) or await self.spoken_in(team, "")

    async def forget(self, owner: str, *, before: float = 0.0) -> list[str]:
        """Delete what belongs to a workspace, or to all of an organisation; returns whose data is gone.

        Its token, answers, settings, and what its people added to the catalogue. `before`: no installation made later.
        """
        teams = [owner, *await self.installations.owned(owner)]
        await self.installations.forget(owner, before=before)
        for team in teams:
            await self.results.forget(team)
            await self.teams.forget(team)
            await self.opinions.forget(team)
            await self.saved.forget(team)
            await self.gallery.forget(team)
            await self.ledger.forget(team)
            if self.goods:
                await self.goods.take_out(source_of(team))
        return teams

    def context(self, result: Result, style: Style = "classic") -> CardContext:
        return CardContext(
            rid=result.rid,
            at=int(result.created or time.time()),
            requester=result.requester,
            owner=result.owner,
            market=result.market,
            rev=result.rev,
            style=style,
            image=result.image,
            pictures=self.pictures,
            files={} if self.pictures else self.gallery.known(result.team),
            channel=result.channel,
            thread=result.thread_ts,
        )

    async def result(self, rid: str, team: str, *, old: bool = False) -> Result | None:
        """What a button or a modal belongs to: a lookup, or something that somebody saved."""
        if found := await self.results.get(rid, team, old=old):
            return found
        saved = await self.saved.get(rid, team)
        return saved.as_result() if saved else None

    async def offers(self, product: ImageObject, market: str) -> Sequence[Offer]:
        """Raises UnknownToken for a product that has left the catalogue, Unavailable when the engine cannot answer now."""
        found = await self.insights.insights(Token(product.token), [Module.SHOPPING_SOURCES], market=market)
        return found.shopping_sources

    async def prepare(self, result: Result) -> None:
        """Have the pictures of a card where Slack can show them."""
        if not self.pictures and result.found:
            await self.gallery.prepare(result.team, [one.thumbnail_url for one in result.found.similar_products[:PICTURED]])

    async def related(self, found: Insights, market: str) -> Sequence[Query]:
        """What people look for beside a picture that was answered about. Raises Unavailable; nothing where it is forgotten."""
        words = found.best_query.text if found.best_query else ""
        if not words or not found.token:
            return ()
        try:
            answer = await self.insights.insights(Token(found.token), [Module.RELATED_SEARCHES], query=words, market=market)
        except UserError:
            return ()
        return answer.related_searches


def team_of(order: Order) -> str:
    return order.team if not hasattr(order, "reply_to") else order.reply_to.team
