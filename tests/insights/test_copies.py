"""Full and partial copies of catalogue pictures, told apart by their pixels (insights-api.md §4, PagesIncluding)."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bot.insights.copies import SIDE, Query
from bot.insights.model import Module, Upload
from tests.insights.written import jpeg
from tests.worlds import CATALOGUE, Engine, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")

IMAGES = CATALOGUE / "images"
NAMES = ["mg01", "tp03", "lp02", "cu01", "ck03", "hp02", "bt01", "recipe-tomato-soup"]


def load(name: str) -> Image.Image:
    return Image.open(IMAGES / f"{name}.jpg").convert("RGB")


def recompressed(image: Image.Image) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=30)
    return Image.open(out).convert("RGB")


def middle(image: Image.Image) -> Image.Image:
    width, height = image.size
    return image.crop((width // 10, height // 10, width * 9 // 10, height * 9 // 10))


def on_a_screen(image: Image.Image) -> Image.Image:
    """A screenshot of a page that shows the picture."""
    sheet = Image.new("RGB", (900, 700), (245, 245, 245))
    sheet.paste(image.resize((400, 400)), (60, 180))
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((0, 0, 900, 60), fill=(60, 60, 90))
    draw.rectangle((500, 200, 860, 230), fill=(210, 210, 210))
    return sheet


def with_a_banner(image: Image.Image) -> Image.Image:
    copy = image.copy()
    ImageDraw.Draw(copy).rectangle((20, 380, 460, 450), fill="white")
    return copy


CHANGES: dict[str, tuple[Callable[[Image.Image], Image.Image], bool]] = {
    "resized": (lambda image: image.resize((200, 200)), False),
    "recompressed": (recompressed, False),
    "mirrored": (lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), False),
    "with a banner": (with_a_banner, False),
    "cut out": (middle, True),
    "on a screen": (on_a_screen, True),
}


def small(image: Image.Image) -> np.ndarray:
    copy = image.copy()
    copy.thumbnail((SIDE, SIDE))
    return np.asarray(copy)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", NAMES)
async def test_a_copy_is_known_and_whether_it_is_the_whole(name: str, change: str) -> None:
    how, partial = CHANGES[change]
    copy = Query(small(how(load(name)))).compare(small(load(name)))
    assert copy is not None
    assert copy.partial is partial
    assert copy.correlation >= 0.9


async def test_where_in_the_picture_the_copy_lies() -> None:
    copy = Query(small(on_a_screen(load("mg01")))).compare(small(load("mg01")))
    assert copy
    box = copy.box
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((60 / 900, 180 / 700, 460 / 900, 580 / 700), abs=0.03)
    assert copy.of_reference > 0.95
    assert copy.of_query == pytest.approx(400 * 400 / (900 * 700), abs=0.04)


@pytest.mark.parametrize(
    ("one", "other"), [("mg01", "mg01-b"), ("bt06", "bt01"), ("pl04", "pl04-b"), ("mg01", "mg06"), ("cu01", "cu02")]
)
async def test_another_view_or_colour_of_a_thing_is_no_copy(one: str, other: str) -> None:
    assert Query(small(load(one))).compare(small(load(other))) is None


async def test_flat_pictures_are_copies_of_nothing() -> None:
    flat = np.full((300, 300, 3), 200, np.uint8)
    assert Query(flat).compare(small(load("mg01"))) is None
    assert Query(small(load("mg01"))).compare(flat) is None
    assert Query(np.zeros((1, 1, 3), np.uint8)).compare(flat) is None


@pytest.mark.parametrize("change", CHANGES)
async def test_s4_pages_including_finds_full_and_partial_matches(engine: Engine, change: str) -> None:
    how, _ = CHANGES[change]
    found = await engine.service.insights(Upload(jpeg(how(load("mg01")))), [Module.PAGES_INCLUDING, Module.BRQ])
    assert found.pages_including[0].host_page_url == "https://slowtable.example/journal/mugs-for-every-shelf"
    assert found.best_query
    assert found.best_query.text == "Harbour Stripe Straight Mug"


async def test_s4_a_photo_of_a_product_is_no_copy_of_its_picture(engine: Engine) -> None:
    for number in range(1, 13):
        found = await engine.service.insights(Upload(photo(f"photo-{number:02}.jpg")), [Module.PAGES_INCLUDING])
        assert found.pages_including == ()
