"""The real server with a key, and Microsoft's four Python clients pointed at it, unmodified."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from azure.cognitiveservices.search.imagesearch import ImageSearchClient as OldImages
from azure.cognitiveservices.search.visualsearch import VisualSearchClient as OldVisual  # type: ignore[import-untyped]
from azure.core.credentials import AzureKeyCredential
from image_search_client import ImageSearchClient as NewImages  # type: ignore[import-untyped]
from msrest.authentication import CognitiveServicesCredentials
from visual_search_client import VisualSearchClient as NewVisual  # type: ignore[import-untyped]

from bot.insights.model import Module, Upload
from tests.insights.clients import KEY, MUG, serving
from tests.worlds import Engine


@dataclass(frozen=True, slots=True)
class Sdk:
    """One generation of clients. They block, so each call runs in a thread beside the server."""

    generation: str
    images: Any
    visual: Any

    async def call(self, operation: Callable[..., Any], *values: Any, **named: Any) -> Any:
        return await asyncio.to_thread(operation, *values, **named)


@dataclass(frozen=True, slots=True)
class Service:
    url: str
    token: str


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def service(engine: Engine) -> AsyncIterator[Service]:
    """token: of the striped mug's picture in the catalogue."""
    found = await engine.service.insights(Upload(MUG), [Module.SIMILAR_PRODUCTS])
    async with serving(engine, [KEY]) as url:
        yield Service(url, found.similar_products[0].token)


def clients(generation: str, url: str, key: str = KEY) -> Sdk:
    if generation == "azure":
        credentials = CognitiveServicesCredentials(key)
        return Sdk("azure", OldImages(url, credentials).images, OldVisual(url, credentials).images)  # type: ignore[no-untyped-call]
    credential = AzureKeyCredential(key)
    base_url = f"{url}/v7.0"
    images: Any = NewImages
    visual: Any = NewVisual
    return Sdk("bing", images(credential, base_url).images, visual(credential, base_url).images)


@pytest.fixture(params=["azure", "bing"])
def sdk(request: pytest.FixtureRequest, service: Service) -> Sdk:
    return clients(request.param, service.url)
