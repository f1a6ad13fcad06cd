"""INSIGHTS_MODEL changes while people ask: the old index serves until the new one is whole (design.md §3)."""

import asyncio
import os
import shutil
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot import web
from bot.app import checks
from bot.fetch import Fetcher
from bot.insights.catalogue import Catalogue
from bot.insights.colours import Palette
from bot.insights.encoder import Encoder, Look, Pixels, Vector
from bot.insights.encoders import ImageEncoder, load_encoder
from bot.insights.model import Module, Token, Upload
from bot.insights.reencoding import BATCH
from bot.insights.service import InsightsService
from bot.pixels import Pixels as Decoding
from bot.storage import Database
from tests import databases
from tests.insights.test_encoders import LITE0
from tests.worlds import CATALOGUE, Engine, photo, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="session")

OLD, NEW = Encoder.load(None).name, load_encoder(LITE0).name


class Gate:
    """An encoder that looks at catalogue pictures only while it is open, and counts them."""

    def __init__(self, inner: ImageEncoder, *, before: int = 0) -> None:
        self.name, self.dim, self._inner = inner.name, inner.dim, inner
        self._tickets = threading.Semaphore(before)
        self.seen = 0

    def open(self) -> None:
        self._tickets.release(1_000_000)

    def reference(self, rgb: Pixels, palette: Palette | None = None) -> Vector:
        self._tickets.acquire()
        self.seen += 1
        return self._inner.reference(rgb, palette)

    def closer(self, rgb: Pixels, look: Look) -> Look:
        return self._inner.closer(rgb, look)

    def look(self, rgb: Pixels) -> Look:
        return self._inner.look(rgb)


def encoders_of(data_dir: Path) -> set[str]:
    """Which encoders the pictures of the catalogue were seen with."""
    return {name for (name,) in databases.ask(data_dir, "SELECT DISTINCT encoder FROM catalogue_pictures")}


def waiting(data_dir: Path) -> int:
    ((count,),) = databases.ask(data_dir, "SELECT count(*) FROM catalogue_vectors")
    return int(count)


@asynccontextmanager
async def catalogue(engine: Engine, data_dir: Path, encoder: ImageEncoder, model: Path | None) -> AsyncIterator[Catalogue]:
    async with (
        Database.open(databases.where(data_dir)) as database,
        Catalogue.open(data_dir, database, engine.pixels, engine.fetcher, encoder, model=model) as found,
    ):
        yield found


@asynccontextmanager
async def service(data_dir: Path, model: Path | None) -> AsyncIterator[InsightsService]:
    settings = settings_for(data_dir, insights_model=model)
    async with (
        Database.open(settings.database) as database,
        Decoding.open(workers=1) as pixels,
        Fetcher.open(allow=()) as fetcher,
        InsightsService.open(settings, database, pixels, fetcher, base_url="http://127.0.0.1:3000") as found,
    ):
        yield found


async def changed(found: Catalogue) -> None:
    async with asyncio.timeout(60):
        while found.changing:  # noqa: ASYNC110 (it tells nobody)
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data with some of the demo's goods, as the packaged encoder sees them."""
    data_dir, shop = tmp_path_factory.mktemp("imported"), tmp_path_factory.mktemp("shop")
    for folder in ("images", "logos"):
        shutil.copytree(CATALOGUE / folder, shop / folder)
    goods = (CATALOGUE / "products.jsonl").read_text("utf-8").splitlines()[:40]
    (shop / "products.jsonl").write_text("\n".join(goods))

    async def fill() -> None:
        async with service(data_dir, None) as found:
            await found.catalogue.import_feeds([str(shop)])
            assert found.catalogue.stats()["pictures"] > BATCH

    thread = threading.Thread(target=lambda: asyncio.run(fill()))
    thread.start()
    thread.join()
    return data_dir


@pytest.fixture
def data_dir(imported: Path, tmp_path: Path) -> Path:
    return databases.copy(imported, tmp_path / "data")


async def test_the_old_index_answers_until_the_new_one_is_whole(data_dir: Path) -> None:
    picture = Upload(photo("photo-02.jpg"))
    asked = [Module.SIMILAR_PRODUCTS, Module.TAGS]
    async with service(data_dir, None) as before:
        old = await before.insights(picture, asked)
    async with service(data_dir, LITE0) as found:
        answers = 0
        while found.catalogue.changing:
            now = await found.insights(picture, asked, fresh=True)
            if found.catalogue.serving.encoder.name == OLD:
                assert now == old
                assert await found.insights(Token(old.token), asked) == old
                answers += 1
        assert answers
        assert found.catalogue.serving.encoder.name == NEW
        assert found.catalogue.serving.matcher.count == found.catalogue.stats()["pictures"]
        now = await found.insights(picture, asked)
        assert now.token == old.token
        assert now.similar_products[0].name == old.similar_products[0].name
        assert await found.insights(Token(now.token), asked) == now
    assert (encoders_of(data_dir), waiting(data_dir)) == ({NEW}, 0)


async def test_back_and_forth(data_dir: Path, engine: Engine) -> None:
    for model in (LITE0, None):
        async with catalogue(engine, data_dir, load_encoder(model), model) as found:
            assert found.changing
            await changed(found)
            assert found.serving.encoder.name == load_encoder(model).name
    async with catalogue(engine, data_dir, load_encoder(None), None) as found:
        assert found.changing == ""
    assert encoders_of(data_dir) == {OLD}


async def test_a_killed_process_goes_on_where_it_was(data_dir: Path, engine: Engine) -> None:
    ((total,),) = databases.ask(data_dir, "SELECT count(DISTINCT content) FROM catalogue_pictures")
    environment = databases.environment(data_dir) | {"INSIGHTS_MODEL": str(LITE0), "PATH": os.environ["PATH"]}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "insights", "--port", "0", env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(60):
        while not (kept := waiting(data_dir)):  # noqa: ASYNC110 (the other process tells nobody)
            await asyncio.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    kept = waiting(data_dir)
    assert 0 < kept < total
    assert encoders_of(data_dir) == {OLD}
    encoder = Gate(load_encoder(LITE0))
    async with catalogue(engine, data_dir, encoder, LITE0) as found:
        assert found.serving.encoder.name == OLD
        assert found.serving.matcher.count == len(found.serving.shelf.pictures)
        encoder.open()
        await changed(found)
        assert encoder.seen == total - kept
        assert found.serving.matcher.count == len(found.serving.shelf.pictures)


async def test_what_is_imported_meanwhile_is_found_before_and_after(data_dir: Path, engine: Engine, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    (shop / "images").mkdir(parents=True)
    shutil.copy(CATALOGUE / "photos" / "photo-01.jpg", shop / "images" / "new.jpg")
    (shop / "products.jsonl").write_text(
        '{"id": "NEW", "title": "New mug", "image": "images/new.jpg", "offers": '
        '[{"id": "a-1", "link": "https://a.example/1", "price": "9.00 USD", "seller_name": "A"}]}'
    )
    encoder = Gate(load_encoder(LITE0), before=10)
    async with catalogue(engine, data_dir, encoder, LITE0) as found:
        await found.import_feeds([str(shop)])
        assert found.serving.encoder.name == OLD
        assert found.serving.matcher.count == len(found.serving.shelf.pictures)
        encoder.open()
        await changed(found)
        assert found.serving.encoder.name == NEW
        assert any(product.title == "New mug" for product in found.serving.shelf.products.values())
        assert found.serving.matcher.count == len(found.serving.shelf.pictures)
    assert encoders_of(data_dir) == {NEW}


async def test_another_process_follows(data_dir: Path, engine: Engine) -> None:
    still = Gate(load_encoder(LITE0))
    async with catalogue(engine, data_dir, still, LITE0) as slow:
        async with catalogue(engine, data_dir, load_encoder(LITE0), LITE0) as fast:
            await changed(fast)
        await changed(slow)
        assert slow.serving.encoder.name == NEW
        assert slow.serving.matcher.count == len(slow.serving.shelf.pictures)
        still.open()


async def test_a_process_with_another_model_keeps_what_it_has(data_dir: Path, engine: Engine) -> None:
    async with catalogue(engine, data_dir, load_encoder(None), None) as found:
        async with catalogue(engine, data_dir, load_encoder(LITE0), LITE0) as other:
            await changed(other)
        await found._reload()
        assert found.serving.encoder.name == OLD
        assert found.serving.matcher.count == len(found.serving.shelf.pictures)


async def test_without_the_old_file_pictures_are_looked_at_first(data_dir: Path, engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "gone.onnx"
    for suffix in (".onnx", ".json"):
        shutil.copy(LITE0.with_suffix(suffix), path.with_suffix(suffix))
    async with catalogue(engine, data_dir, load_encoder(path), path) as found:
        await changed(found)
    path.unlink()
    async with catalogue(engine, data_dir, load_encoder(None), None) as found:
        assert found.changing == ""
        assert found.serving.encoder.name == OLD
        assert found.serving.matcher.count == len(found.serving.shelf.pictures)


async def test_a_picture_whose_file_is_gone_does_not_hold_up_the_others(data_dir: Path, engine: Engine) -> None:
    picture = min((data_dir / "pictures").rglob("*.jpg"))
    picture.write_bytes(b"damaged")
    async with catalogue(engine, data_dir, load_encoder(LITE0), LITE0) as found:
        await changed(found)
        lost = [one for one in found.serving.shelf.pictures.values() if one.content == picture.stem]
        assert found.serving.matcher.count == len(found.serving.shelf.pictures) - len(lost)


async def test_readyz_tells_how_far_it_is(data_dir: Path) -> None:
    async with (
        service(data_dir, LITE0) as found,
        Database.open(databases.where(data_dir)) as database,
        ClientSession() as session,
    ):
        sock = web.bind("127.0.0.1", 0)
        async with web.listening(sock, web.health(checks(database, None, found))):
            async with session.get(f"{web.address(sock)}/readyz") as response:
                told = await response.json()
                assert response.status == 200
            await changed(found.catalogue)
            async with session.get(f"{web.address(sock)}/readyz") as response:
                assert await response.json() == {"status": "ok"}
    assert told["status"] == "ok"
    assert "pictures looked at with efficientnet-lite0-160-int8" in told["catalogue"]
