"""What tests share: a closed network, the engine over the demo catalogue, a workspace with the bot in it."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import pytest_asyncio

from bot import web
from bot.fetch import Fetcher
from bot.insights.server import routes as engine_routes
from bot.insights.service import InsightsService
from bot.pixels import Pixels
from bot.storage import Database
from tests import databases
from tests.worlds import CATALOGUE, Engine, World, settings_for, world_of

hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")  # a busy machine must not decide a test

_connect = socket.socket.connect


def _loopback_only(sock: socket.socket, address: Any) -> None:
    host = address[0] if isinstance(address, tuple) else ""
    if host and host not in {"127.0.0.1", "::1", "localhost"}:
        raise OSError(f"tests do not leave this machine: {host}")
    _connect(sock, address)


@pytest.fixture(autouse=True, scope="session")
def network_closed() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _loopback_only)
        yield


@pytest.fixture(autouse=True, scope="session")
def database_server() -> None:
    """Before any process is started that uses it too."""
    if databases.ON_POSTGRES:
        databases.server()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    """Our engine over the demo catalogue, imported once."""
    settings = settings_for(tmp_path_factory.mktemp("engine"))
    sock = web.bind("127.0.0.1", 0)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.open(settings.database))
        pixels = await stack.enter_async_context(Pixels.open(workers=2))
        fetcher = await stack.enter_async_context(Fetcher.open(allow=settings.insights_fetch_allow))
        service = await stack.enter_async_context(
            InsightsService.open(settings, database, pixels, fetcher, base_url=web.address(sock))
        )
        report = await service.catalogue.import_feeds([str(CATALOGUE)])
        assert report.rejected == []
        await stack.enter_async_context(web.listening(sock, engine_routes(service, keys=[])))
        yield Engine(service, pixels, fetcher, web.address(sock), settings.data_dir)


@pytest_asyncio.fixture(loop_scope="session")
async def world(engine: Engine, tmp_path: Path) -> AsyncIterator[World]:
    async with world_of(engine, tmp_path) as world:
        yield world
        assert world.people.problems == []
