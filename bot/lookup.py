"""Doing a lookup: eyes on the photo, fetch, ask, card in the thread. The product on one screen."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot import errors
from bot.errors import Unavailable, UserError
from bot.insights.model import Caption, Crop, ImageObject, Insights, Module, Token, Upload
from bot.jobs import ImageRef, Lookup, ReplyTo, from_payload
from bot.language import marked, speaking
from bot.opinions import demoted
from bot.queue import Dead, Job
from bot.results import Result
from bot.slack import events
from bot.slack.blocks import Payload
from bot.slack.cards import insights as card
from bot.slack.cards import notices
from bot.slack.cards.notices import Kind
from bot.slack.desk import Desk
from bot.slack.replies import NOT_THERE, CannotPost, Style, outside_thread
from bot.slack.values import new_rid
from bot.teams import SHORT, Preferences

log = logging.getLogger(__name__)

MODULES = (
    Module.TAGS,
    Module.BRQ,
    Module.CAPTION,
    Module.SIMILAR_IMAGES,
    Module.SIMILAR_PRODUCTS,
    Module.PAGES_INCLUDING,
)
LOOK_SECONDS = 20.0  # threats.md R7
EYES = "eyes"
DAY_SECONDS = 24 * 3600.0
"""The same photo in the same channel gets no second card so soon, unless somebody asks (cards.md §6)."""
BURST, BURST_SECONDS = 5, 60.0
"""So many pictures in a channel get whole cards; the rest of a minute's get short ones (cards.md §6)."""


@dataclass(frozen=True, slots=True)
class Looking:
    """One lookup under way."""

    job: Job
    order: Lookup
    desk: Desk

    async def run(self) -> None:
        """One picture in, one card out. Every step may run twice; together they post once."""
        step = self.job.step
        if not await step("eyes", self.begin):
            return
        seen = await step("look", self.look)
        await step(f"answer {seen['end']}", lambda: self.answer(seen))
        await step("no eyes", lambda: self.eyes(on=False))

    async def begin(self) -> bool:
        """Show that we are looking; False in a channel that is switched off, where nobody asked."""
        to = self.order.reply_to
        if not self.order.asked and not await self.desk.results.answering(to.team, to.channel):
            return False
        await self.eyes(on=True)
        return True

    async def eyes(self, *, on: bool) -> None:
        if self.order.message_ts:
            await self.desk.replies.react(self.order.reply_to.channel, self.order.message_ts, EYES, on=on)

    async def look(self) -> dict[str, Any]:
        """What became of it, as JSON: {"end": "card" | "elsewhere" | "nothing" | "problem", "rid", "error", "text", "values"}."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                ref = await self._image()
                if ref is None:
                    return {"end": "elsewhere"}
                found = await self._see(ref)
        except TimeoutError:
            raise Unavailable("looking took too long") from None
        except UserError as error:
            kept = await self._keep(None)
            said = {"error": type(error).__name__, "text": error.text, "values": error.values}
            return {"end": "problem", "rid": kept.rid} | said
        if card.is_empty(found) or (self.order.image.alone and not found.similar_products):
            return {"end": "nothing"}
        to = self.order.reply_to
        if not self.order.asked and await self.desk.results.shown_lately(to.team, to.channel, found.token, DAY_SECONDS):
            return {"end": "known"}
        kept = await self._keep(found)
        return {"end": "card", "rid": kept.rid, "short": await self._in_short()}

    async def answer(self, seen: dict[str, Any]) -> None:
        match seen["end"]:
            case "card":
                await self._post(seen["rid"], small=bool(seen.get("short")))
            case "nothing" if self.order.image.alone:
                await self._tell(lambda: notices.nothing_for(self.order.image.words))
            case "nothing" if self.order.asked:
                await self._tell(lambda: notices.problem(Kind.NOTHING))
            case "problem" if self.order.asked:
                await self._tell(lambda: notices.explain(error_of(seen), seen["rid"]))
            case end:
                log.info("no card for %s: %s %s", self.job.reference, end, seen.get("error", ""))

    # --- seeing

    async def _image(self) -> ImageRef | None:
        """The picture meant; in a thread the one it hangs on. None where the request shows its own: those are orders already."""
        ref, to = self.order.image, self.order.reply_to
        if not ref.thread_ts:
            return ref
        for raw in await self.desk.images.in_thread(to.channel, ref.thread_ts, self.order.message_ts):
            said = events.message({"channel": to.channel} | raw)
            shown = events.pictures(said) if said else ()
            if shown and self.order.reaction:
                return None if await self._answered(shown[0]) else shown[0]
            if shown and said and said.ts == self.order.message_ts:
                for image in shown:
                    order = replace(self.order, image=image)
                    await self.desk.start(order, events.key(order))
                return None
            if shown:
                return shown[0]
        # under a message of our own: the address that somebody asked about with the command
        if first := await self.desk.results.first_in(to.team, to.channel, ref.thread_ts):
            return first.image
        raise UserError(marked("There is no picture in this thread. Post one and mention me."))

    async def _see(self, ref: ImageRef) -> Insights:
        if ref.alone:
            return await self._search(ref.words)
        picture = Token(ref.token) if ref.token else Upload(await self._bytes(ref))
        prefer, words = await self._preferences(), self.order.image.words
        found = await self.desk.insights.insights(
            picture, MODULES, query=words, market=prefer.market, safe_search=prefer.safe_search
        )
        return demoted(found, await self.desk.opinions.disliked(self.order.reply_to.team, found.token))

    async def _answered(self, image: ImageRef) -> bool:
        """Whether the picture has its card, or is about to."""
        to = self.order.reply_to
        under_way = await self.desk.jobs.get(events.key(replace(self.order, image=image, reaction=False)))
        if under_way and under_way.state in {"waiting", "running"}:
            return True
        return await self.desk.results.first_in(to.team, to.channel, to.thread_ts) is not None

    async def _bytes(self, ref: ImageRef) -> bytes:
        """The picture, or the part of it that somebody chose, which is a picture of its own from here on."""
        data = await self.desk.images.fetch(ref)
        return await self.desk.images.part(data, Crop(*ref.crop)) if ref.crop else data

    async def _search(self, words: str) -> Insights:
        """Words alone: what the catalogue has of them, each product once."""
        prefer = await self._preferences()
        found = await self.desk.insights.search(words, market=prefer.market, safe_search=prefer.safe_search)
        products: dict[str, ImageObject] = {}
        for image in found.page.value:
            if image.shopping_sources_count:
                products.setdefault(image.name, image)
        title = Caption(found.corrected or words)
        return Insights("", caption=title, similar_products=tuple(products.values()), related_searches=found.related)

    async def _preferences(self) -> Preferences:
        return await self.desk.preferences(self.order.reply_to.team, self.order.reply_to.channel)

    async def _in_short(self) -> bool:
        """Where the channel wants it so, and where many pictures come at once that nobody asked about."""
        to = self.order.reply_to
        if (await self._preferences()).size == SHORT:
            return True
        return not self.order.asked and await self.desk.results.lately(to.team, to.channel, BURST_SECONDS) > BURST

    async def _keep(self, found: Insights | None) -> Result:
        to = self.order.reply_to
        result = Result(
            rid=new_rid(),
            team=to.team,
            channel=to.channel,
            thread_ts=to.thread_ts,
            requester=to.user,
            owner=self.order.owner,
            image=self.order.image,
            market=(await self._preferences()).market,
            found=found,
        )
        return await self.desk.results.keep(self.job.key, result)

    # --- saying

    async def _post(self, rid: str, *, small: bool) -> None:
        """The card, in the thread of the photo. A command's hangs on a message of its own, or goes to the asker alone."""
        replies, to = self.desk.replies, self.order.reply_to
        result = await self.desk.results.get(rid, to.team)
        if result is None or result.found is None:
            raise Unavailable(f"result {rid} is gone")
        found, language = result.found, await self.desk.spoken_in(to.team, to.channel)
        await self.desk.prepare(result)
        try:
            if self.order.command:
                top = await replies.post_once(f"{self.job.key}:top", to, self._asked, language=language)
                to = replace(to, thread_ts=top)
                result = replace(result, thread_ts=to.thread_ts)
            ts = await replies.post_once(
                self.job.key,
                to,
                lambda style: card.card(found, self.desk.context(result, style), small=small),
                language=language,
            )
        except CannotPost as error:
            if error.code in NOT_THERE and to.response_url:
                with speaking(await self.desk.spoken_by(to.team, to.user)):
                    await replies.respond(to, lambda style: card.card(found, self.desk.context(result, style), small=small))
                return await _take_back(self.order, self.desk)
            log.warning("no card for %s: %s", self.job.reference, error)
            return (
                await self._tell(lambda: notices.problem(Kind.ACCESS)) if self.order.asked and error.code in NOT_THERE else None
            )
        await self.desk.results.posted(rid, to.channel, to.thread_ts, ts)
        return await _take_back(self.order, self.desk)

    def _asked(self, _: Style) -> Payload:
        return notices.asked(self.order.reply_to.user, self.order.image.url, words=self.order.image.words)

    async def _tell(self, draw: Callable[[], Payload]) -> None:
        await _tell(self.order, self.desk, draw)


async def look_up(job: Job, desk: Desk) -> None:
    await Looking(job, from_payload(Lookup, job.payload), desk).run()


async def give_up(job: Job, desk: Desk, what: UserError | Dead) -> None:
    """Tell whoever asked that nothing will come of it; take the eyes off the photo."""
    order = from_payload(Lookup, job.payload)
    if order.message_ts:
        await desk.replies.react(order.reply_to.channel, order.message_ts, EYES, on=False)
    if order.asked:
        await _tell(order, desk, lambda: notices.ended(None if isinstance(what, Dead) else what, str(what)))


async def _tell(order: Lookup, desk: Desk, draw: Callable[[], Payload]) -> None:
    """Only to the person who asked, in their language."""
    await _take_back(order, desk)
    with speaking(await desk.spoken_by(order.reply_to.team, order.reply_to.user)):
        await desk.replies.tell(where_seen(order), lambda _: draw())


async def _take_back(order: Lookup, desk: Desk) -> None:
    """The answer is there; what a command or "Try again" left in its place goes."""
    if order.reply_to.response_url:
        try:
            await desk.replies.take_back(order.reply_to.response_url)
        except errors.Error as error:
            log.debug("an ephemeral message stays: %s", error)


def where_seen(order: Lookup) -> ReplyTo:
    """Where the asker sees an ephemeral message: in a thread only if the thread is there already."""
    to = order.reply_to
    return outside_thread(to) if to.thread_ts == order.message_ts else to


def error_of(seen: dict[str, Any]) -> UserError:
    """The error that `look` told of, as the notices know it."""
    known: dict[str, type[UserError]] = {
        kind.__name__: kind for kind in (errors.NotAPicture, errors.TooLarge, errors.CannotFetch)
    }
    return known.get(seen["error"], UserError)(seen["text"], **seen["values"])
