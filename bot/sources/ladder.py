"""The own catalogue first; others only when it has nothing, and only where the picture may leave."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from bot import metrics
from bot.errors import Error, Unavailable, UnknownToken
from bot.insights.model import (
    OWN,
    WHOLE,
    Crop,
    Found,
    Insights,
    InsightsClient,
    Module,
    Outside,
    Picture,
    SafeSearch,
    Shortfall,
    Thing,
    Upload,
)
from bot.pixels import Pixels
from bot.sources import Question, Source
from bot.sources.ledger import Ledger
from bot.sources.wire import BingWire

log = logging.getLogger(__name__)

SIDE, MAX_BYTES = 1024, 1_000_000
OTHERS_SECONDS = 16.0
"""All of them together; what the own catalogue says stands afterwards (threats.md R7)."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """An InsightsClient over several: `own` answers unless it finds no product, then `sources` in their order.

    a_day: how often each of them may be asked.
    """

    own: InsightsClient
    sources: Sequence[Source]
    ledger: Ledger
    pixels: Pixels
    a_day: int

    async def insights(
        self,
        picture: Picture,
        modules: Collection[Module],
        *,
        crop: Crop = WHOLE,
        query: str = "",
        market: str = "en-US",
        language: str = "en",
        safe_search: SafeSearch = SafeSearch.MODERATE,
        outside: Outside | None = None,
    ) -> Insights:
        """As InsightsClient says. Nothing but the pixels of an upload leaves, and nothing without `outside`."""

        async def ask(client: InsightsClient) -> Insights:
            return await client.insights(
                picture, modules, crop=crop, query=query, market=market, language=language, safe_search=safe_search
            )

        own, trouble = None, None
        try:
            own = replace(await ask(self.own), source=OWN)
        except UnknownToken:
            theirs = next((one for one in self.sources if isinstance(one, BingWire)), None)
            if theirs is None:
                raise
            return replace(await ask(theirs.client), source=theirs.name)
        except Unavailable as error:
            trouble = error
        enough = own is not None and (own.similar_products or Module.SIMILAR_PRODUCTS not in modules)
        if enough or outside is None or not isinstance(picture, Upload):
            return _or_raise(own, trouble)
        if own:
            await outside.early(own)
        jpeg = await self.pixels.jpeg(picture.data, side=SIDE, max_bytes=MAX_BYTES, crop=crop)
        question = Question(jpeg, query=query, market=market, language=language, safe_search=safe_search)
        try:
            async with asyncio.timeout(OTHERS_SECONDS):
                found, shortfall = await self._others(question, outside.team)
        except TimeoutError:
            log.warning("live sources took too long")
            found, shortfall = None, Shortfall.LATE
        return _together(own, found) if found else replace(_or_raise(own, trouble), shortfall=shortfall)

    async def _others(self, question: Question, team: str) -> tuple[Insights | None, Shortfall]:
        """The first that finds something."""
        shortfall = Shortfall.NONE
        for source in self.sources:
            name = question.named(source.name)
            found = await self.ledger.known(team, name)
            if found is not None:
                metrics.live_questions.labels(source.name, "known").inc()
            else:
                if not await self.ledger.may_ask(source.name, self.a_day):
                    log.warning("%s was asked %s times today; LIVE_LOOKUPS_PER_DAY allows no more", source.name, self.a_day)
                    metrics.live_questions.labels(source.name, "spent").inc()
                    shortfall = Shortfall.SPENT
                    continue
                try:
                    found = await source.look(question)
                except Error as error:
                    log.warning("a live source did not answer: %s", error)
                    metrics.live_questions.labels(source.name, "failed").inc()
                    continue
                metrics.live_questions.labels(source.name, "answered").inc()
                await self.ledger.note(team, name, found)
            if found.similar_products or found.similar_images or found.pages_including:
                return replace(found, source=source.name), shortfall
        return None, shortfall

    async def asked_today(self) -> str:
        """`Google Vision 3 of 100 today`, for operators."""
        asked = [f"{one.name} {await self.ledger.asked_today(one.name)} of {self.a_day} today" for one in self.sources]
        return ", ".join(asked)

    async def search(
        self,
        words: str,
        *,
        count: int = 35,
        market: str = "en-US",
        language: str = "en",
        safe_search: SafeSearch = SafeSearch.MODERATE,
    ) -> Found:
        """The own catalogue's."""
        return await self.own.search(words, count=count, market=market, language=language, safe_search=safe_search)

    async def things(self, picture: Picture, *, market: str = "en-US") -> Sequence[Thing]:
        """The own engine's."""
        return await self.own.things(picture, market=market)


def _or_raise(own: Insights | None, trouble: Unavailable | None) -> Insights:
    if own is None:
        raise trouble or Unavailable("Nobody could be asked.")
    return own


def _together(own: Insights | None, found: Insights) -> Insights:
    """What was found, under our token and our words where we have some: later questions about the picture come to us."""
    if own is None:
        return found
    return replace(
        found,
        token=own.token,
        caption=own.caption or found.caption,
        best_query=own.best_query or found.best_query,
        tags=own.tags or found.tags,
    )
