"""The live sources that LIVE_SOURCES names, above the own engine."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import ClientSession, ClientTimeout

from bot.config import Settings
from bot.errors import ConfigurationError
from bot.insights.client import HttpInsightsClient
from bot.insights.model import InsightsClient
from bot.pixels import Pixels
from bot.sources import Source
from bot.sources.ladder import Ladder
from bot.sources.ledger import Ledger
from bot.sources.lending import lender
from bot.sources.lens import GoogleLens
from bot.sources.vision import GoogleVision
from bot.sources.wire import BingWire
from bot.storage import Database


def check(settings: Settings) -> None:
    """Raises ConfigurationError naming what a live source lacks."""
    needs = {
        "bing": (settings.insights_url, "INSIGHTS_URL, the address of the service"),
        "vision": (settings.google_vision_key.get_secret_value(), "GOOGLE_VISION_KEY, an API key of Google Cloud"),
        "lens": (settings.serpapi_key.get_secret_value(), "SERPAPI_KEY, an API key of SerpApi"),
    }
    for source in settings.live_sources:
        has, what = needs[source]
        if not has:
            raise ConfigurationError(f"LIVE_SOURCES names {source}; set {what}.")
    if "lens" in settings.live_sources and not settings.public_url:
        raise ConfigurationError("LIVE_SOURCES names lens, which opens the picture at PUBLIC_URL. Set it.")


@asynccontextmanager
async def ladder(own: InsightsClient, settings: Settings, database: Database, pixels: Pixels) -> AsyncIterator[Ladder]:
    """Raises ConfigurationError as check does."""
    check(settings)
    ledger = Ledger(database)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=30)))
        sources: list[Source] = []
        for name in settings.live_sources:
            match name:
                case "bing":
                    key = settings.insights_key.get_secret_value()
                    client = await stack.enter_async_context(HttpInsightsClient.open(settings.insights_url, key, pixels=pixels))
                    sources.append(BingWire(client, settings.insights_url))
                case "vision":
                    sources.append(GoogleVision(session, settings.google_vision_key.get_secret_value()))
                case "lens":
                    lend = lender(ledger, settings.public_url)
                    sources.append(GoogleLens(session, settings.serpapi_key.get_secret_value(), lend))
        yield Ladder(own, sources, ledger, pixels, settings.live_lookups_per_day)


def names(client: InsightsClient) -> Sequence[str]:
    """Who may be asked besides the own catalogue, as people read it."""
    return [source.name for source in client.sources] if isinstance(client, Ladder) else []
