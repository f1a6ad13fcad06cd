"""`/th` over HTTP: sizes, crops, what is remembered."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
import pytest_asyncio
from PIL import Image

from bot.insights.shelf import StoredPicture
from bot.insights.thumbnails import CACHE_BYTES, Fit, Thumbnails, Wanted, read_wanted
from tests.worlds import Engine

pytestmark = pytest.mark.asyncio(loop_scope="session")

GREY, RED = (200, 200, 200), (200, 30, 30)


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def a_picture(engine: Engine) -> StoredPicture:
    goods = engine.service.catalogue.serving.shelf
    return goods.pictures[goods.products[min(goods.products)].pictures[0]]


async def thumbnail(http: aiohttp.ClientSession, engine: Engine, **given: str) -> Image.Image:
    named = {"id": f"OIP.{a_picture(engine).content}"} | given
    async with http.get(f"{engine.url}/th", params=named) as answer:
        assert answer.status == 200
        assert answer.content_type == "image/jpeg"
        image = Image.open(io.BytesIO(await answer.read()))
    assert image.format == "JPEG"
    return image


@pytest.mark.parametrize(
    "given",
    [
        {"w": "120", "h": "80", "c": "4"},
        {"w": "120", "h": "80", "c": "7"},
        {"w": "80", "h": "120", "c": "7", "p": "0"},
        {"w": "120", "h": "80", "p": "1"},
        {"w": "120", "h": "80", "p": "1", "c": "7"},
    ],
)
async def test_a_crop_or_padding_has_exactly_the_size(
    http: aiohttp.ClientSession, engine: Engine, given: Mapping[str, str]
) -> None:
    image = await thumbnail(http, engine, **given)
    assert image.size == (int(given["w"]), int(given["h"]))


@pytest.mark.parametrize("given", [{"w": "100"}, {"h": "100"}, {"w": "100", "c": "7"}, {"w": "100", "h": "2000"}])
async def test_without_a_box_to_fill_the_shape_stays(
    http: aiohttp.ClientSession, engine: Engine, given: Mapping[str, str]
) -> None:
    picture = a_picture(engine)
    image = await thumbnail(http, engine, **given)
    assert 100 in image.size
    assert abs(image.width / image.height - picture.width / picture.height) < 0.02


async def test_without_a_size_it_is_the_picture_itself(http: aiohttp.ClientSession, engine: Engine) -> None:
    picture = a_picture(engine)
    assert (await thumbnail(http, engine)).size == (picture.width, picture.height)


async def test_what_else_bings_addresses_say_is_ignored(http: aiohttp.ClientSession, engine: Engine) -> None:
    assert (await thumbnail(http, engine, w="110", h="73", c="7", rs="1", qlt="80", cdv="1", pid="16.1")).size == (110, 73)


@pytest.mark.parametrize(
    "given",
    [
        {"c": "5"},
        {"c": "7x"},
        {"p": "2"},
        {"w": "0"},
        {"w": "-1"},
        {"w": "2001"},
        {"w": "1e2"},
        {"w": "١٢"},
        {"id": "OIP.../../etc/passwd"},
        {"id": ""},
        {"id": f"OIP.{'0' * 64}"},
    ],
)
async def test_h6_what_names_no_picture_of_ours_is_not_found(
    http: aiohttp.ClientSession, engine: Engine, given: Mapping[str, str]
) -> None:
    named = {"id": f"OIP.{a_picture(engine).content}", "w": "90"} | dict(given)
    async with http.get(f"{engine.url}/th", params=named) as answer:
        assert answer.status == 404
        assert await answer.text() == "No such picture."
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


async def test_who_has_it_already_is_told_so(http: aiohttp.ClientSession, engine: Engine) -> None:
    address = f"{engine.url}/th?id=OIP.{a_picture(engine).content}&w=90&h=90&c=7"
    async with http.get(address) as answer:
        etag = answer.headers["ETag"]
        assert "immutable" in answer.headers["Cache-Control"]
    async with http.get(address, headers={"If-None-Match": f'W/"x", {etag}'}) as again:
        assert again.status == 304
        assert await again.read() == b""
        assert again.headers["ETag"] == etag
    async with http.get(address.replace("c=7", "c=4")) as other:
        assert other.headers["ETag"] != etag
    async with http.head(address) as head:
        assert head.status == 200
        assert head.headers["ETag"] == etag
        assert int(head.headers["Content-Length"]) > 0


async def test_many_who_want_the_same_have_it_made_once(engine: Engine) -> None:
    thumbnails = Thumbnails(engine.service)
    wanted = Wanted(a_picture(engine).content, 64, 64, Fit.SUBJECT)
    impatient = asyncio.create_task(thumbnails.get(wanted))
    others = [asyncio.create_task(thumbnails.get(wanted)) for _ in range(5)]
    await asyncio.sleep(0)
    impatient.cancel()
    made = await asyncio.gather(*others)
    assert all(one is made[0] for one in made)
    assert await thumbnails.get(wanted) is made[0]


async def test_h5_what_is_remembered_is_bounded(engine: Engine) -> None:
    thumbnails = Thumbnails(engine.service)
    content = a_picture(engine).content
    size = len(await thumbnails.get(Wanted(content, 0, 0, Fit.INSIDE)))
    for number in range(CACHE_BYTES // size + 10):
        thumbnails._keep(Wanted(content, number + 1, 0, Fit.INSIDE), bytes(size))
    assert thumbnails._bytes == sum(map(len, thumbnails._kept.values())) <= CACHE_BYTES


def scene(width: int, height: int, box: tuple[int, int, int, int], **save: object) -> bytes:
    """A red thing on grey."""
    image = Image.new("RGB", (width, height), GREY)
    image.paste(RED, box)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, **save)
    return out.getvalue()


def red_share(data: bytes) -> float:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    raw = image.tobytes()
    return sum(raw[at] - raw[at + 1] > 80 for at in range(0, len(raw), 3)) / (image.width * image.height)


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((600, 200), (20, 60, 100, 140)),
        ((600, 200), (500, 60, 580, 140)),
        ((200, 600), (60, 500, 140, 580)),
        ((200, 600), (60, 20, 140, 100)),
    ],
)
async def test_the_subject_stays_where_the_blind_crop_cuts_it(
    engine: Engine, size: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    data = scene(*size, box)
    whole = 80 * 80 / (200 * 200)
    blind = await engine.pixels.jpeg(data, side=100, box=(100, 100))
    around = await engine.pixels.jpeg(data, side=100, box=(100, 100), smart=True)
    assert red_share(blind) == 0
    assert red_share(around) == pytest.approx(whole, rel=0.15)


async def test_the_subject_of_a_picture_that_lies_on_its_side(engine: Engine) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = scene(600, 200, (500, 60, 580, 140), exif=exif)
    around = await engine.pixels.jpeg(data, side=100, box=(100, 100), smart=True)
    assert red_share(around) == pytest.approx(0.16, rel=0.15)


async def test_a_picture_of_nothing_is_cut_in_its_middle(engine: Engine) -> None:
    data = scene(600, 200, (0, 0, 600, 200))
    blind = await engine.pixels.jpeg(data, side=100, box=(100, 100))
    assert await engine.pixels.jpeg(data, side=100, box=(100, 100), smart=True) == blind


async def test_a_padded_address_has_no_crop() -> None:
    named = {"id": f"OIP.{'a' * 64}", "w": "10", "h": "20"}
    assert read_wanted(named) == Wanted("a" * 64, 10, 20, Fit.INSIDE)
    assert read_wanted(named | {"p": "0"}) == Wanted("a" * 64, 10, 20, Fit.INSIDE)
    assert read_wanted(named | {"p": "1", "c": "4"}) == Wanted("a" * 64, 10, 20, Fit.PADDED)


async def test_our_addresses_are_known_whatever_else_they_say(engine: Engine) -> None:
    links, content = engine.service.links, a_picture(engine).content
    assert links.read(links.content(content)) == content
    assert links.read(links.thumbnail(a_picture(engine))[0]) == content
    assert links.read(f"{engine.url}/th?w=10&c=7&h=20&id=OIP.{content}&pid=Api") == content
    assert links.read(f"http://elsewhere.example/th?id=OIP.{content}") is None
