"""The engine: a picture and modules in, insights out. Decoded once, looked at once, matched once, however much is asked."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bot import metrics
from bot.config import Settings
from bot.errors import CannotFetch, Error, InvalidValue, NotAPicture, Unavailable, UnknownToken
from bot.fetch import Fetcher
from bot.insights import textsearch, visual_search
from bot.insights.addresses import spellings
from bot.insights.adult import ADULT, AdultScorer
from bot.insights.catalogue import Catalogue, Serving
from bot.insights.codes import with_codes
from bot.insights.context import Context
from bot.insights.copies import Query
from bot.insights.encoder import PHOTO_SIDE, Look
from bot.insights.encoders import load_encoder
from bot.insights.matching import CANDIDATES, DEEP, Hit, Matches
from bot.insights.model import (
    ANY,
    WHOLE,
    Category,
    Crop,
    Found,
    ImageFilter,
    Insights,
    Knowledge,
    Module,
    Outside,
    Picture,
    Reading,
    SafeSearch,
    ShopPage,
    Skill,
    Thing,
    Token,
    Upload,
    Url,
)
from bot.insights.modules import MODULES
from bot.insights.reading import READ_SIDE, Reader
from bot.insights.refining import Refinement, refine
from bot.insights.shelf import Shelf, StoredPicture
from bot.insights.stages import Stages, stages_for
from bot.insights.uploads import Remembered, SentPicture, Uploads, pack, unpack
from bot.insights.view import Links, MarketView, catalogue_picture, catalogue_token
from bot.insights.written import naming, with_text
from bot.pixels import Frame, Pixels
from bot.storage import Database

AT_ONCE = 16
MAX_WAITING = 64
LIKELY_COPY = 0.7
"""Score from which a picture is held against the catalogue's pixel by pixel: words over a copy bring it down that far."""
COPIES_TRIED = 3
SMALL = 256 * 1024


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture after it was looked at: whole, and the part that was asked about (the same look without a crop).

    known: what is remembered of it. own: the catalogue picture, when it is one. reading: what the stages read just now, with
    the codes that are remembered.
    """

    token: str
    known: Remembered
    part: Look
    crop: Crop
    own: StoredPicture | None
    reading: Reading
    matches: Matches | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """A picture's pixels, as far as they are needed: large ones to read in, small ones to look at."""

    large: Frame | None = None
    small: Frame | None = None


class InsightsService:
    """InsightsClient over our own catalogue. Waiting lookups are bounded; what cannot wait is refused at once."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        uploads: Uploads,
        pixels: Pixels,
        fetcher: Fetcher,
        reader: Reader,
        adult: AdultScorer | None,
        links: Links,
    ) -> None:
        self.catalogue = catalogue
        self.links = links
        self.pixels = pixels
        self._uploads = uploads
        self._fetcher = fetcher
        self._reader = reader
        self._adult = adult
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings, database: Database, pixels: Pixels, fetcher: Fetcher, *, base_url: str
    ) -> AsyncIterator[Self]:
        """`base_url`: where people and clients reach our pictures, without a slash at the end."""
        encoder = await asyncio.to_thread(load_encoder, settings.insights_model)
        async with (
            Reader.open() as reader,
            Catalogue.open(
                settings.data_dir,
                database,
                pixels,
                fetcher,
                encoder,
                model=settings.insights_model,
                blob_url=settings.blob_url,
            ) as catalogue,
        ):
            uploads = await Uploads.open(database)
            yield cls(
                catalogue=catalogue,
                uploads=uploads,
                pixels=pixels,
                fetcher=fetcher,
                reader=reader,
                adult=AdultScorer.find(),
                links=Links(base_url.rstrip("/"), uploads.secret),
            )

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
        fresh: bool = False,
        outside: Outside | None = None,
    ) -> Insights:
        """Answer the modules about the picture; raises what InsightsClient says."""
        del outside  # nobody else is asked from here
        serving = self.catalogue.serving
        view = self._view(serving, market, language, safe_search)

        def answer(seen: Seen) -> Insights:
            with metrics.stage("answer"):
                context = _context(serving, view, seen, query)
                return Insights(seen.token, **_answers(context, modules))

        async with self._turn():
            seen = await self._see(serving, picture, crop, stages_for(modules, safe_search), fresh=fresh)
            return await asyncio.to_thread(answer, seen)

    async def knowledge(
        self,
        picture: Picture,
        *,
        crop: Crop = WHOLE,
        query: str = "",
        site: str = "",
        skill: Skill | None = None,
        market: str = "en-US",
        language: str = "en",
        safe_search: SafeSearch = SafeSearch.MODERATE,
        fresh: bool = False,
    ) -> Knowledge:
        """Visual Search (insights-api.md §8). site: only pictures of this host; skill: one list from an offset.

        Raises what InsightsClient says.
        """
        serving = self.catalogue.serving
        view = self._view(serving, market, language, safe_search)
        async with self._turn():
            stages = Stages(codes=True, text=skill is None, adult=safe_search is SafeSearch.STRICT)
            seen = await self._see(serving, picture, crop, stages, fresh=fresh)
            return await asyncio.to_thread(
                lambda: visual_search.knowledge(
                    _context(serving, view, seen, query, neighbours=DEEP),
                    seen.token,
                    seen.known.source,
                    seen.reading,
                    site=site,
                    skill=skill,
                )
            )

    async def things(self, picture: Picture, *, market: str = "en-US") -> tuple[Thing, ...]:
        """What is seen apart in the picture, each with its place; raises what InsightsClient says."""
        serving = self.catalogue.serving
        view = self._view(serving, market, "en", SafeSearch.MODERATE)
        async with self._turn():
            seen = await self._see(serving, picture, WHOLE, Stages(), fresh=False)
            found = await asyncio.to_thread(lambda: tuple(visual_search.things(_context(serving, view, seen, ""))))
        return tuple(thing for thing in found if thing.box != WHOLE and thing.entity is None)

    async def search(
        self,
        words: str,
        *,
        count: int = 35,
        offset: int = 0,
        only: ImageFilter = ANY,
        first: str = "",
        market: str = "en-US",
        language: str = "en",
        safe_search: SafeSearch = SafeSearch.MODERATE,
    ) -> Found:
        """Pictures of the catalogue for words; `first`: the id of a picture that leads the list when it is found."""
        serving = self.catalogue.serving
        view = self._view(serving, market, language, safe_search)
        async with self._turn():
            return await asyncio.to_thread(
                lambda: textsearch.search(view, serving.words, words, count=count, offset=offset, only=only, first=first)
            )

    async def trending(
        self, *, market: str = "en-US", language: str = "en", safe_search: SafeSearch = SafeSearch.MODERATE
    ) -> tuple[Category, ...]:
        """What people look for, by category, with pictures."""
        serving = self.catalogue.serving
        view = self._view(serving, market, language, safe_search)
        async with self._turn():
            return await asyncio.to_thread(lambda: textsearch.trending(view, serving.words))

    def _view(self, serving: Serving, market: str, language: str, safe_search: SafeSearch) -> MarketView:
        return MarketView(serving.shelf, self.links, market, language, safe_search)

    async def _see(self, serving: Serving, picture: Picture, crop: Crop, stages: Stages, *, fresh: bool) -> Seen:
        """Look at a picture, or remember what was seen in it. Raises what InsightsClient says."""
        own: StoredPicture | None = None
        encoder = serving.encoder
        data = b""
        match picture:
            case Upload(data):
                token = await self._token(data)
            case Url(url) if name := self.links.read(url):
                own = _own(serving.shelf, serving.shelf.by_content.get(name))
                token = catalogue_token(own.id)
            case Url(url):
                data = await self._fetcher.get(url)
                token = await self._token(data)
            case Token(token) if key := catalogue_picture(token):
                own = _own(serving.shelf, key)
            case Token(token):
                known = await self._uploads.get(token, encoder.name)
                part = known.look if crop == WHOLE else known.look.part(crop)
                if part is None:
                    text = "This picture is not kept, so it cannot be cropped now. Send the picture again with the crop."
                    raise InvalidValue("insightsToken", token, text)
                return Seen(token, known, part, crop, None, Reading(codes=known.codes or ()))
        found = None
        if not fresh:  # sent bytes are looked up in memory only: most are new, and asking the database for them costs more
            found = await self._uploads.find(token, encoder.name) if own else self._uploads.recent(token, encoder.name)
        metrics.remembered.labels("miss" if found is None else "hit").inc()
        left = _left(stages, found, own)
        if own and (found is None or crop != WHOLE or left != Stages()):
            data = await self._read(own)
        if not data and not found:
            raise NotAPicture
        matches = None
        frames = await self._frames(data, left, look=found is None)
        reads = asyncio.gather(self._read_in(frames, left), self._score(frames, left))
        if found is None:
            (known, matches), (reading, adult) = await asyncio.gather(self._look(serving, frames, len(data)), reads)
        else:
            known, (reading, adult) = found, await reads
        codes = known.codes if reading.missed else reading.codes
        lines = known.lines
        if left.text and not reading.missed:
            lines = await asyncio.to_thread(naming, serving.words, reading.text)
        known = replace(known, codes=codes, lines=lines, adult=known.adult if adult is None else adult)
        if found is None or (found.codes is None) != (codes is None) or (found.lines, found.adult) != (lines, known.adult):
            await self._uploads.keep(token, encoder.name, await asyncio.to_thread(pack, known))
        part = known.look
        if crop != WHOLE:
            cut = await self.pixels.load(data, side=PHOTO_SIDE, crop=crop)
            part = await asyncio.to_thread(_look_at_part, serving, cut.rgb)
        reading = replace(reading, codes=codes or ())
        return Seen(token, known, part, crop, own, reading, matches)

    async def _token(self, data: bytes) -> str:
        """A small picture is hashed sooner than a thread can be asked to."""
        return self._uploads.token(data) if len(data) <= SMALL else await asyncio.to_thread(self._uploads.token, data)

    async def _frames(self, data: bytes, stages: Stages, *, look: bool) -> Frames:
        """The picture as the stages need it, for one decoding. Raises NotAPicture, TooLarge, Unavailable."""
        small, large = look or (stages.adult and self._adult is not None), stages.codes or stages.text
        if not data or not (small or large):
            return Frames()
        if not large:
            return Frames(small=await self.pixels.load(data, side=PHOTO_SIDE))
        if not small:
            return Frames(large=await self.pixels.load(data, side=READ_SIDE))
        return Frames(*await self.pixels.two(data, side=READ_SIDE, look=PHOTO_SIDE))

    async def _look(self, serving: Serving, frames: Frames, size: int) -> tuple[Remembered, Matches]:
        """Look at a picture for the first time; `size`: bytes of its file."""
        frame = frames.small
        assert frame
        source = SentPicture(frame.width, frame.height, frame.format, size)

        def remembered(look: Look) -> tuple[Remembered, Matches]:
            seen = unpack(pack(Remembered(look, source)))  # as it will be remembered
            return seen, serving.matcher.match(seen.look)

        def look_at() -> tuple[Remembered, Matches]:
            with metrics.stage("encode"):
                look = serving.encoder.look(frame.rgb)
            first = remembered(look)
            return remembered(serving.encoder.closer(frame.rgb, look)) if serving.matcher.doubts(first[1]) else first

        found, matches = await asyncio.to_thread(look_at)
        nearest = sorted(matches.pictures, key=lambda hit: -hit.score)[:COPIES_TRIED]
        likely = {hit.picture_id: hit for hit in (*matches.copies, *nearest) if hit.score >= LIKELY_COPY}
        if likely:
            copies = await self._copies(frame.rgb, [*likely.values()], matches.copies, serving.shelf)
            found = replace(found, copies=copies)
        return found, matches

    async def _copies(self, rgb: NDArray[np.uint8], likely: Sequence[Hit], alike: Sequence[Hit], shelf: Shelf) -> tuple[Hit, ...]:
        """Pictures of the catalogue that share pixels with this one, whole ones first.

        Only the likeliest are tried: the features of a copy are always among the nearest, those of a photo seldom so near.
        Where there is nothing to compare, those whose hash is `alike` count.
        """
        query = Query(rgb)
        found: list[Hit] = []
        for hit in likely:
            with contextlib.suppress(Error, OSError, KeyError):  # its file is gone or damaged: it is no copy that we can show
                data = await self.catalogue.files.read(shelf.pictures[hit.picture_id].content)
                frame = await self.pixels.load(data, side=PHOTO_SIDE)
                copy = await asyncio.to_thread(query.compare, frame.rgb)
                if copy:
                    found.append(replace(hit, box=copy.box, partial=copy.partial))
                elif hit in alike and await asyncio.to_thread(lambda: query.plain):
                    found.append(hit)
        return tuple(sorted(found, key=lambda hit: hit.partial))

    async def _read_in(self, frames: Frames, stages: Stages) -> Reading:
        """What is written in a file; `missed` when nobody asks."""
        if frames.large is None:
            return Reading(missed=True)
        return await self._reader.read(frames.large.rgb, text=stages.text)

    async def _score(self, frames: Frames, stages: Stages) -> float | None:
        """How likely a file is adult, 0 to 1; None when nobody asks or nobody can tell."""
        if frames.small is None or not stages.adult or self._adult is None:
            return None
        return await asyncio.to_thread(self._adult.score, frames.small.rgb)

    async def fetched(self, url: str, max_bytes: int) -> Picture:
        """The picture behind an address, for whoever limits its size; our own addresses are not fetched.

        Raises CannotFetch, TooLarge.
        """
        return Url(url) if self.links.read(url) else Upload(await self._fetcher.get(url, max_bytes=max_bytes))

    async def at(self, url: str, *, market: str = "en-US") -> ShopPage | None:
        """The product that a shop's page offers, by its address (Shop)."""
        known = await self.catalogue.linked(names := spellings(url))
        view = self._view(self.catalogue.serving, market, "en", SafeSearch.MODERATE)
        for link in names:
            product = view.shelf.products.get(known.get(link, ""))
            if product is None or not view.shows(product):
                continue
            picture = next((view.shelf.pictures[one] for one in product.pictures if one in view.shelf.pictures), None)
            own = next((one for one in product.offers if one.link == link), None)
            if picture and own:
                return ShopPage(view.image(picture, sums=True), view.offer(own))
        return None

    async def thumbnail(self, url: str, side: int) -> bytes:
        """The picture behind an address of ours, as JPEG. Raises CannotFetch for any other address, NotAPicture."""
        if not (content := self.links.read(url)):
            raise CannotFetch("That is no address of a picture of the catalogue.")
        try:
            data = await self.catalogue.files.read(content)
        except (OSError, ValueError):
            raise NotAPicture("The picture's file cannot be read.") from None
        return await self.pixels.jpeg(data, side=side)

    async def _read(self, picture: StoredPicture) -> bytes:
        try:
            return await self.catalogue.files.read(picture.content)
        except OSError:
            raise Unavailable(f"The picture {picture.id} is missing in DATA_DIR. Import its feed again.") from None

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many lookups are waiting. Try again in a moment.")
        self._waiting += 1
        try:
            await self._at_once.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._at_once.release()


def _own(shelf: Shelf, key: str | None) -> StoredPicture:
    picture = shelf.pictures.get(key or "")
    if picture is None:
        raise UnknownToken
    return picture


def _context(serving: Serving, view: MarketView, seen: Seen, query: str, *, neighbours: int = CANDIDATES) -> Context:
    matcher = serving.matcher
    known_matches = seen.matches if neighbours == CANDIDATES else None
    whole = known_matches or matcher.match(seen.known.look, neighbours=neighbours)
    whole = replace(whole, copies=tuple(hit for hit in seen.known.copies if hit.picture_id in view.shelf.pictures))
    refined = refine(query)
    allowed = (lambda key: _fits(view, refined, key)) if refined.conditions else None
    context = Context(
        shelf=view.shelf,
        links=view.links,
        market=view.market,
        language=view.language,
        safe_search=view.safe_search,
        look=seen.known.look,
        matches=whole,
        part=whole
        if seen.part is seen.known.look and allowed is None
        else matcher.match(seen.part, neighbours=neighbours, allowed=allowed, any_colour=bool(refined.colours)),
        crop=seen.crop,
        own=seen.own,
        query=query,
        hidden=view.safe_search is SafeSearch.STRICT and (seen.known.adult or 0.0) >= ADULT,
        named=serving.words.named(refined.words) if refined.words else frozenset(),
        alike=matcher.alike,
    )
    context = with_text(with_codes(context, seen.reading.codes), serving.words, seen.known.lines or ())
    return replace(context, part=_only(context.part, allowed)) if allowed else context


def _fits(view: MarketView, refined: Refinement, picture_id: str) -> bool:
    product = view.shelf.product_of(picture_id)
    return product is not None and refined.allows(product, view.currency)


def _only(matches: Matches, allowed: Callable[[str], bool]) -> Matches:
    """Known things too must be as they were asked for."""
    products = tuple(hit for hit in matches.products if allowed(hit.picture_id))
    return replace(matches, products=products, pictures=tuple(hit for hit in matches.pictures if allowed(hit.picture_id)))


def _look_at_part(serving: Serving, rgb: NDArray[np.uint8]) -> Look:
    look = serving.encoder.look(rgb)
    return serving.encoder.closer(rgb, look) if serving.matcher.doubts(serving.matcher.match(look)) else look


def _left(stages: Stages, found: Remembered | None, own: StoredPicture | None) -> Stages:
    """What is not known yet: a product's own picture needs no code to be exact; what is remembered is not read again."""
    codes = bool(own and own.product_id) or bool(found and found.codes is not None)
    adult = bool(found and found.adult is not None)
    return Stages(codes=stages.codes and not codes, text=stages.text, adult=stages.adult and not adult)


def _answers(context: Context, modules: Collection[Module]) -> dict[str, Any]:
    """The fields of Insights that were asked for."""
    asked = [MODULES[module] for module in modules]
    return {name: find(context) for name, find in asked}
