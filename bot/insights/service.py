"""The engine: a picture and modules in, insights out. Decoded once, looked at once, matched once, however much is asked."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, Self

from bot.config import Settings
from bot.errors import InvalidValue, NotAPicture, Unavailable, UnknownToken
from bot.fetch import Fetcher
from bot.insights.catalogue import Catalogue
from bot.insights.context import Context, Links, catalogue_picture, catalogue_token
from bot.insights.encoder import PHOTO_SIDE, Encoder, Look
from bot.insights.model import WHOLE, Crop, Insights, Module, Picture, SafeSearch, Token, Upload, Url
from bot.insights.modules import MODULES
from bot.insights.shelf import StoredPicture
from bot.insights.uploads import Sent, Uploads
from bot.money import currency_of
from bot.pixels import Pixels
from bot.storage import Database

AT_ONCE = 4
MAX_WAITING = 64


class InsightsService:
    """InsightsClient over our own catalogue. Waiting lookups are bounded; what cannot wait is refused at once."""

    def __init__(
        self, *, catalogue: Catalogue, uploads: Uploads, encoder: Encoder, pixels: Pixels, fetcher: Fetcher, links: Links
    ) -> None:
        self.catalogue = catalogue
        self.links = links
        self.pixels = pixels
        self._uploads = uploads
        self._encoder = encoder
        self._fetcher = fetcher
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings, database: Database, pixels: Pixels, fetcher: Fetcher, *, base_url: str
    ) -> AsyncIterator[Self]:
        """`base_url`: where people and clients reach our pictures, without a slash at the end."""
        encoder = await asyncio.to_thread(Encoder.load, settings.insights_model)
        async with Catalogue.open(settings.data_dir, database, pixels, fetcher, encoder) as catalogue:
            yield cls(
                catalogue=catalogue,
                uploads=await Uploads.open(database, encoder.name),
                encoder=encoder,
                pixels=pixels,
                fetcher=fetcher,
                links=Links(base_url.rstrip("/")),
            )

    async def insights(
        self,
        picture: Picture,
        modules: Collection[Module],
        *,
        crop: Crop = WHOLE,
        query: str = "",
        market: str = "en-US",
        safe_search: SafeSearch = SafeSearch.MODERATE,
    ) -> Insights:
        """Answer the modules about the picture; raises what InsightsClient says.

        A crop is looked at as a picture of its own. The token of a sent picture names what was seen in it (in its crop,
        when it came with one) and cannot be cropped again: the picture is not kept.
        """
        own: StoredPicture | None = None
        look: Look | None = None
        data = b""
        match picture:
            case Upload(data):
                token = ""
            case Url(url) if name := self.links.read(url):
                own = self._own(self.catalogue.serving.shelf.by_content.get(name))
                token = catalogue_token(own.id)
            case Url(url):
                token, data = "", await self._fetcher.get(url)
            case Token(token) if key := catalogue_picture(token):
                own = self._own(key)
            case Token(token):
                look = await self._uploads.get(token)
                if crop != WHOLE:
                    text = "This picture is not kept, so it cannot be cropped now. Send the picture again with the crop."
                    raise InvalidValue("insightsToken", token, text)
        serving = self.catalogue.serving

        def answer(look: Look) -> dict[str, Any]:
            context = Context(
                look=look,
                matches=serving.matcher.match(look),
                shelf=serving.shelf,
                links=self.links,
                own=own,
                query=query,
                currency=currency_of(market),
                safe_search=safe_search,
            )
            return _answers(context, modules)

        async with self._turn():
            if look:
                return Insights(token, **await asyncio.to_thread(answer, look))
            if own:
                data = await self._read(own)
            if not data:
                raise NotAPicture
            frame = await self.pixels.load(data, side=PHOTO_SIDE, crop=crop)

            def see_and_answer() -> tuple[Sent, dict[str, Any]]:
                sent = self._uploads.seen(data, crop, self._encoder.look(frame.rgb))
                return sent, answer(sent.look)

            sent, found = await asyncio.to_thread(see_and_answer)
        if not own:
            await self._uploads.keep(sent)
        return Insights(token or sent.token, **found)

    async def fetched(self, url: str, max_bytes: int) -> Picture:
        """The picture behind an address, for whoever limits its size; our own addresses are not fetched.

        Raises CannotFetch, TooLarge.
        """
        return Url(url) if self.links.read(url) else Upload(await self._fetcher.get(url, max_bytes=max_bytes))

    def _own(self, key: str | None) -> StoredPicture:
        picture = self.catalogue.serving.shelf.pictures.get(key or "")
        if picture is None:
            raise UnknownToken
        return picture

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


def _answers(context: Context, modules: Collection[Module]) -> dict[str, Any]:
    """The fields of Insights that were asked for."""
    asked = [MODULES[module] for module in modules]
    return {name: find(context) for name, find in asked}
