"""Doing a lookup: eyes on the photo, fetch, ask, card in the thread. The product on one screen."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from bot import errors, metrics
from bot.errors import Unavailable, UserError
from bot.insights.model import Caption, Crop, ImageObject, Insights, Module, Outside, Shortfall, Token, Upload
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
LOOK_SECONDS = 25.0  # cards.md §6; the own catalogue alone has 20 (threats.md R7)
PARTLY_SECONDS = 4.0
EYES = "eyes"
DAY_SECONDS = 24 * 3600.0
"""The same photo in the same channel gets no second card so soon, unless somebody asks (cards.md §6)."""
LATER = "later:"
TURN_SECONDS = 60.0
"""In so many a workspace, and each person in it, has its number of lookups; more wait for their turn (threats.md R9)."""
BURST, BURST_SECONDS = 5, 60.0
"""So many pictures in a channel get whole cards; the rest of a minute's get short ones (cards.md §6)."""


class Meanwhile:
    """What to do while others are still asked: after PARTLY_SECONDS show what the catalogue says (cards.md §6)."""

    def __init__(self, looking: "Looking | None") -> None:
        self._looking = looking
        self._since = time.monotonic()
        self._showing = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def known(self, found: Insights) -> None:
        """The catalogue has said all it knows."""
        if self._looking:
            self._task = asyncio.create_task(self._show(self._looking, found))

    async def _show(self, looking: "Looking", found: Insights) -> None:
        await asyncio.sleep(max(0.0, PARTLY_SECONDS - (time.monotonic() - self._since)))
        self._showing = True
        try:
            await looking.post_partly(found)
        except errors.Error as error:  # the whole card comes all the same
            log.info("no card in parts: %s", error)

    async def __aexit__(self, *_: object) -> None:
        """What is being posted is waited for, or the whole card could come before it."""
        if self._task is None:
            return
        if not self._showing:
            self._task.cancel()
        await asyncio.wait([self._task])


@dataclass(frozen=True, slots=True)
class Looking:
    """One lookup under way."""

    job: Job
    order: Lookup
    desk: Desk

    async def run(self) -> None:
        """One picture in, one card out. Every step may run twice; together they post once."""
        step = self.job.step
        if wait := await step("turn", self.turn):
            if self.order.asked and not self.job.key.startswith(LATER):
                await step("wait", lambda: self._tell(lambda: notices.problem(Kind.RATE)))
            return await step("later", lambda: self.desk.start(self.order, LATER + self.job.key, after=wait))
        if not await step("eyes", self.begin):
            return None
        seen = await step("look", lambda: self.look(partly=True))
        metrics.lookups.labels(seen["end"]).inc()
        await step(f"answer {seen['end']}", lambda: self.answer(seen))
        return await step("no eyes", lambda: self.eyes(on=False))

    async def turn(self) -> float:
        """Seconds until the workspace and the person may have another lookup; meanwhile it keeps no place from others."""
        desk, to = self.desk, self.order.reply_to
        team = await desk.results.turn(to.team, "", desk.per_team, TURN_SECONDS) if desk.per_team else 0.0
        own = await desk.results.turn(to.team, to.user, desk.per_person, TURN_SECONDS) if desk.per_person and to.user else 0.0
        return max(team, own)

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

    async def look(self, *, partly: bool = False) -> dict[str, Any]:
        """What became of it, as JSON: {"end": "card" | "elsewhere" | "nothing" | "problem", "rid", "error", "text", "values"}.

        partly: post what is known so far, if the rest takes its time.
        """
        try:
            async with asyncio.timeout(LOOK_SECONDS), Meanwhile(self if partly else None) as meanwhile:
                ref = await self._image()
                if ref is None:
                    return {"end": "elsewhere"}
                image, found = await self._first(ref, meanwhile)
        except TimeoutError:
            raise Unavailable("looking took too long") from None
        except UserError as error:
            kept = await self._keep(None)
            said = {"error": type(error).__name__, "text": error.text, "values": error.values}
            return {"end": "problem", "rid": kept.rid} | said
        if card.is_empty(found) or (self.order.image.alone and not found.similar_products):
            kept = await self._keep(None)  # a part of it can still be chosen
            return {"end": "spent" if found.shortfall is Shortfall.SPENT else "nothing", "rid": kept.rid}
        before = await self.desk.results.of_job(self.job.key)
        begun = before is not None and before.message_ts != ""
        if not begun and await self._known(found):
            return {"end": "known"}
        kept = await (self.desk.results.revise(before.rid, found) if before and begun else self._keep(found, image))
        return {"end": "card", "rid": kept.rid, "short": await self._in_short(), "shortfall": found.shortfall.value}

    async def post_partly(self, found: Insights) -> None:
        """The card without products; the whole one takes its place."""
        if not card.is_empty(found) and not await self._known(found) and not await self._in_short():
            await self._post((await self._keep(found)).rid, waiting=True)

    async def _known(self, found: Insights) -> bool:
        """Whether the picture has its card, and nobody asked for another."""
        to, results = self.order.reply_to, self.desk.results
        return not self.order.asked and await results.shown_lately(to.team, to.channel, found.token, DAY_SECONDS)

    async def answer(self, seen: dict[str, Any]) -> None:
        match seen["end"]:
            case "card":
                await self._post(seen["rid"], small=bool(seen.get("short")), shortfall=Shortfall(seen.get("shortfall", "")))
            case "spent" if self.order.asked:
                await self._tell(lambda: notices.problem(Kind.QUOTA))
            case "nothing" if self.order.image.alone:
                await self._tell(lambda: notices.nothing_for(self.order.image.words))
            case "nothing" if self.order.asked:
                part = self.order.image.crop or self.order.image.token
                await self._tell(lambda: notices.problem(Kind.NO_PART if part else Kind.NOTHING, seen["rid"]))
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
            shown = events.shown(said) if said else ()
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

    async def _first(self, ref: ImageRef, meanwhile: "Meanwhile") -> tuple[ImageRef, Insights]:
        """The picture, or of several the first that something new can be said of. Raises UserError when none can be read."""
        several = ref.album and not self.order.instead
        failed: UserError | None = None
        seen: list[tuple[ImageRef, Insights]] = []
        for image in [ref.of_album(number) for number in range(ref.number, len(ref.album) + 1)] if several else [ref]:
            try:
                found = await self._see(image, meanwhile)
            except UserError as error:
                failed = failed or error
                continue
            seen.append((image, found))
            if not (card.is_empty(found) or await self._known(found)):
                return seen[-1]
        if failed and not seen:
            raise failed
        return seen[0]

    async def _see(self, ref: ImageRef, meanwhile: "Meanwhile") -> Insights:
        if ref.alone:
            return await self._search(ref.words)
        picture = Token(ref.token) if ref.token else Upload(await self._bytes(ref))
        prefer, words = await self._preferences(), self.order.image.words
        outside = Outside(self.order.reply_to.team, meanwhile.known) if prefer.outside and self.desk.elsewhere else None
        found = await self.desk.insights.insights(
            picture,
            MODULES,
            query=words,
            market=prefer.market,
            language=prefer.speaks,
            safe_search=prefer.safe_search,
            outside=outside,
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
        with metrics.stage("fetch"):
            data = await self.desk.images.fetch(ref)
        return await self.desk.images.part(data, Crop(*ref.crop)) if ref.crop else data

    async def _search(self, words: str) -> Insights:
        """Words alone: what the catalogue has of them, each product once."""
        prefer = await self._preferences()
        found = await self.desk.insights.search(
            words, market=prefer.market, language=prefer.speaks, safe_search=prefer.safe_search
        )
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

    async def _keep(self, found: Insights | None, image: ImageRef | None = None) -> Result:
        """image: the one of several that it is about."""
        to = self.order.reply_to
        words = self.order.image.words
        result = Result(
            rid=new_rid(),
            team=to.team,
            channel=to.channel,
            thread_ts=to.thread_ts,
            requester=to.user,
            owner=self.order.owner,
            image=replace(image, words=words) if image and image.album else self.order.image,
            market=(await self._preferences()).market,
            found=found,
        )
        if found and self.order.instead and (before := await self.desk.results.get(self.order.instead, to.team)):
            result = replace(result, requester=before.requester, owner=before.owner, message_ts=before.message_ts)
        return await self.desk.results.keep(self.job.key, result)

    # --- saying

    async def _post(self, rid: str, *, small: bool = False, waiting: bool = False, shortfall: Shortfall = Shortfall.NONE) -> None:
        """The card, in the thread of the photo. A command's hangs on a message of its own, or goes to the asker alone.

        Where it is there already, without its products, it is drawn anew.
        """
        replies, to = self.desk.replies, self.order.reply_to
        result = await self.desk.results.get(rid, to.team)
        if result is None or result.found is None:
            raise Unavailable(f"result {rid} is gone")
        kept, found, language = result, result.found, await self.desk.spoken_in(to.team, to.channel)
        await self.desk.prepare(kept)

        def draw(style: Style) -> Payload:
            ctx = replace(self.desk.context(kept, style), thread=to.thread_ts, waiting=waiting, shortfall=shortfall)
            return card.card(found, ctx, small=small)

        try:
            if kept.message_ts:
                to = replace(to, channel=kept.channel, thread_ts=kept.thread_ts)
                return await replies.update(to, kept.message_ts, draw, language=language)
            if self.order.command:
                to = replace(to, thread_ts=await replies.post_once(f"{self.job.key}:top", to, self._asked, language=language))
            ts = await replies.post_once(self.job.key, to, draw, language=language)
        except CannotPost as error:
            if waiting:
                return None  # said once, when all is known
            if error.code in NOT_THERE and to.response_url:
                with speaking(await self.desk.spoken_by(to.team, to.user)):
                    await replies.respond(to, draw)
                return await _take_back(self.order, self.desk)
            log.warning("no card for %s: %s", self.job.reference, error)
            if self.order.asked and error.code in NOT_THERE:
                await self._tell(lambda: notices.problem(Kind.ACCESS))
            return None
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
