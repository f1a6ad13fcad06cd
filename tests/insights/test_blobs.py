"""The catalogue's pictures in object storage, held by a server of the S3 API."""

import asyncio
import io
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import boto3
import pytest
from aiohttp import ClientSession
from moto.server import ThreadedMotoServer
from PIL import Image

from bot import web
from bot.errors import ConfigurationError, Unavailable
from bot.insights.blobs import PictureBlobs
from bot.insights.model import Band, Module, Reason, Upload
from bot.insights.server import routes
from bot.insights.service import InsightsService
from bot.storage import Database
from tests.worlds import CATALOGUE, Engine, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="session")

BUCKET = "shop-pictures"
NAME = "ab" * 32


class S3:
    """A server of the S3 API, as long as it is told to be there."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", 0)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"

    def stop(self) -> None:
        self._server.stop()

    def names(self) -> list[str]:
        listed = boto3.client("s3", endpoint_url=self.url).list_objects_v2(Bucket=BUCKET)
        return [one["Key"] for one in listed.get("Contents", [])]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    server = S3()
    for name, value in (
        ("AWS_ENDPOINT_URL", server.url),
        ("AWS_ACCESS_KEY_ID", "ours"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    urlopen(Request(f"{server.url}/moto-api/reset", method="POST")).close()
    boto3.client("s3", endpoint_url=server.url).create_bucket(Bucket=BUCKET)
    yield server
    server.stop()


@asynccontextmanager
async def shop(engine: Engine, data_dir: Path) -> AsyncIterator[InsightsService]:
    """An engine of its own, whose pictures are in the bucket."""
    settings = settings_for(data_dir, blob_url=f"s3://{BUCKET}/catalogue")
    sock = web.bind("127.0.0.1", 0)
    async with (
        Database.open(settings.database) as database,
        InsightsService.open(settings, database, engine.pixels, engine.fetcher, base_url=web.address(sock)) as service,
        web.listening(sock, routes(service, keys=[])),
    ):
        yield service


def feed(folder: Path, *articles: str) -> str:
    lines = ["id\ttitle\tlink\timage_link\tprice"]
    lines += [f"{one}\t{one} mug\thttps://shop.example/{one}\t{one}.jpg\t9.50 USD" for one in articles]
    for one in articles:
        shutil.copy(CATALOGUE / "images" / f"{one}.jpg", folder)
    (folder / "feed.tsv").write_text("\n".join(lines))
    return str(folder / "feed.tsv")


async def test_pictures_are_kept_there_and_served_from_there(engine: Engine, s3: S3, tmp_path: Path) -> None:
    async with shop(engine, tmp_path) as service:
        await service.catalogue.import_feeds([feed(tmp_path, "mg01", "vs01")])
        assert len(s3.names()) == 2
        assert all(name.startswith("catalogue/") for name in s3.names())
        assert not (tmp_path / "pictures").exists()
        found = await service.insights(Upload((CATALOGUE / "images" / "mg01.jpg").read_bytes()), [Module.SIMILAR_PRODUCTS])
        best = found.similar_products[0]
        assert best.match
        assert (best.match.band, best.match.reasons[0]) == (Band.SAME_ITEM, Reason.COPY)
        async with ClientSession() as session, session.get(best.thumbnail_url) as answer:
            assert Image.open(io.BytesIO(await answer.read())).format == "JPEG"


async def test_two_machines_share_them(engine: Engine, s3: S3, tmp_path: Path) -> None:
    async with shop(engine, tmp_path) as first:
        await first.catalogue.import_feeds([feed(tmp_path, "mg01")])
        async with shop(engine, tmp_path) as second:
            picture = next(iter(second.catalogue.serving.shelf.pictures.values()))
            assert await second.catalogue.files.read(picture.content) == await first.catalogue.files.read(picture.content)


async def test_what_is_removed_is_gone_there_too(engine: Engine, s3: S3, tmp_path: Path) -> None:
    async with shop(engine, tmp_path) as service:
        await service.catalogue.import_feeds([source := feed(tmp_path, "mg01", "vs01")])
        await service.catalogue.import_feeds([feed(tmp_path, "mg01")])
        assert len(s3.names()) == 1
        await service.catalogue.remove(source)
        assert s3.names() == []


async def test_an_export_brings_them_along(engine: Engine, s3: S3, tmp_path: Path) -> None:
    async with shop(engine, tmp_path) as service:
        await service.catalogue.import_feeds([feed(tmp_path, "mg01")])
        assert await service.catalogue.export_to(tmp_path / "out") == 1
        assert len(list((tmp_path / "out").rglob("*.jpg"))) == 1


async def test_while_the_storage_is_away_products_are_found_all_the_same(engine: Engine, s3: S3, tmp_path: Path) -> None:
    async with shop(engine, tmp_path) as service:
        await service.catalogue.import_feeds([feed(tmp_path, "mg01", "vs01")])
        name = next(iter(service.catalogue.serving.shelf.pictures.values())).content
        await asyncio.to_thread(s3.stop)
        found = await service.insights(Upload((CATALOGUE / "images" / "mg01.jpg").read_bytes()), [Module.SIMILAR_PRODUCTS])
        assert found.similar_products[0].name == "mg01 mug"
        with pytest.raises(Unavailable, match="BLOB_URL"):
            await PictureBlobs.at(f"s3://{BUCKET}/catalogue").read(name)


async def test_only_names_of_ours_are_asked_for(s3: S3) -> None:
    store = PictureBlobs.at(f"s3://{BUCKET}/catalogue")
    for name in ("../../etc/passwd", "", "AB" * 32, f"{NAME}.jpg"):
        with pytest.raises(ValueError, match="not a name"):
            await store.read(name)
    with pytest.raises(FileNotFoundError):
        await store.read(NAME)
    await store.delete(NAME)
    assert s3.names() == []


@pytest.mark.parametrize("url", ["nonsense://bucket", "gs-typo:/x://"])
async def test_an_address_that_nobody_can_open_is_named(url: str) -> None:
    with pytest.raises(ConfigurationError, match="BLOB_URL"):
        PictureBlobs.at(url)
