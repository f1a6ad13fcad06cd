"""Pictures are hostile (threats.md §4): what is read, what is refused, and that nothing survives but pixels."""

import io
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from bot.decode import jpeg_scans
from bot.errors import NotAPicture, TooLarge, Unavailable
from bot.insights.model import Crop
from bot.pixels import MAX_BYTES, Pixels
from tests.worlds import PHOTOS

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED, BLUE, GREEN, YELLOW = (220, 30, 30), (30, 30, 220), (30, 180, 30), (230, 220, 40)
ORIENTATION = 0x0112


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pixels() -> AsyncIterator[Pixels]:
    async with Pixels.open(workers=2) as pixels:
        yield pixels


def quarters(width: int = 400, height: int = 300) -> Image.Image:
    """Red, blue over green, yellow: every turn and mirror of it looks different."""
    image = Image.new("RGB", (width, height))
    for index, colour in enumerate((RED, BLUE, GREEN, YELLOW)):
        image.paste(colour, (index % 2 * width // 2, index // 2 * height // 2, width, height))
    image.paste(BLUE, (width // 2, 0, width, height // 2))
    image.paste(GREEN, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def corners(rgb: np.ndarray) -> list[tuple[int, ...]]:
    height, width = rgb.shape[:2]
    spots = [(height // 4, width // 4), (height // 4, -width // 4), (-height // 4, width // 4), (-height // 4, -width // 4)]
    return [tuple(int(value) for value in rgb[spot]) for spot in spots]


def near(found: tuple[int, ...], wanted: tuple[int, ...], slack: int = 24) -> bool:
    return all(abs(a - b) <= slack for a, b in zip(found, wanted, strict=True))


def upright(rgb: np.ndarray) -> bool:
    return all(near(found, wanted) for found, wanted in zip(corners(rgb), (RED, BLUE, GREEN, YELLOW), strict=True))


def chunk(name: bytes, data: bytes, *, crc: int | None = None) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) if crc is None else crc)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
async def test_p3_the_formats_people_use_are_read(pixels: Pixels, kind: str) -> None:
    frame = await pixels.load(saved(quarters(), kind), side=512)
    assert (frame.width, frame.height, frame.format) == (400, 300, kind.lower())
    assert frame.rgb.shape == (300, 400, 3)
    assert upright(frame.rgb)


async def test_p3_a_heic_of_a_phone_is_read(pixels: Pixels) -> None:
    heif = pytest.importorskip("pillow_heif", reason="only the tests' encoder can make a HEIC")
    heif.register_heif_opener()
    frame = await pixels.load(saved(quarters(), "HEIF"), side=512)
    assert frame.format == "heif"
    assert upright(frame.rgb)


@pytest.mark.parametrize("data", [b"", b"<html>Sign in</html>", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"%PDF-1.4\n", b"\x00" * 4096])
async def test_p3_what_is_no_picture_is_refused(pixels: Pixels, data: bytes) -> None:
    with pytest.raises(NotAPicture):
        await pixels.load(data)


@pytest.mark.parametrize("kind", ["PPM", "ICO", "PCX", "TGA"])
async def test_p3_formats_off_the_list_are_refused(pixels: Pixels, kind: str) -> None:
    with pytest.raises(NotAPicture):
        await pixels.load(saved(quarters(64, 64), kind))


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_p6_every_orientation_comes_out_upright(pixels: Pixels, orientation: int) -> None:
    undo = [None, None, 0, 3, 1, 5, 2, 6, 4][orientation]  # how a camera held like this stores the scene
    stored = quarters() if undo is None else quarters().transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    frame = await pixels.load(saved(stored, "JPEG", exif=exif), side=200)
    assert (frame.width, frame.height) == (400, 300)
    assert frame.rgb.shape == (150, 200, 3)
    assert upright(frame.rgb)


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_crop_means_the_upright_picture(pixels: Pixels, orientation: int) -> None:
    undo = [None, None, 0, 3, 1, 5, 2, 6, 4][orientation]
    stored = quarters() if undo is None else quarters().transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    frame = await pixels.load(saved(stored, "JPEG", exif=exif), crop=Crop(0.5, 0.0, 1.0, 0.5))
    assert (frame.width, frame.height) == (400, 300)
    assert frame.rgb.shape == (150, 200, 3)
    assert near(tuple(frame.rgb.reshape(-1, 3).mean(axis=0).astype(int)), BLUE)


async def test_p6_nonsense_orientation_is_ignored(pixels: Pixels) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 77
    assert upright((await pixels.load(saved(quarters(), "JPEG", exif=exif))).rgb)


async def test_p6_cmyk_is_read(pixels: Pixels) -> None:
    frame = await pixels.load(saved(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG"))
    assert near(tuple(frame.rgb[32, 32]), (255, 0, 0))


async def test_p6_sixteen_bits_are_scaled_not_clipped(pixels: Pixels) -> None:
    grey = Image.fromarray(np.full((64, 64), 0x8000, np.uint16))
    for kind in ("PNG", "TIFF"):
        assert near(tuple((await pixels.load(saved(grey, kind))).rgb[32, 32]), (128, 128, 128), 2), kind


async def test_p6_transparency_lies_on_white(pixels: Pixels) -> None:
    half = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    half.paste((0, 0, 255, 255), (32, 0, 64, 64))
    for kind in ("PNG", "WEBP", "GIF"):
        rgb = (await pixels.load(saved(half, kind))).rgb
        assert near(tuple(rgb[32, 8]), (255, 255, 255), 8), kind
        assert near(tuple(rgb[32, 56]), (0, 0, 255), 8), kind


async def test_p6_damaged_metadata_does_not_fail_a_good_picture(pixels: Pixels) -> None:
    png = saved(quarters(), "PNG")
    head = png[: 8 + 25]
    damaged = head + chunk(b"tEXt", b"comment\0x", crc=1) + chunk(b"iCCP", b"broken") + png[8 + 25 :]
    assert upright((await pixels.load(damaged)).rgb)
    jpeg = saved(quarters(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff broken", icc_profile=b"no profile")
    assert upright((await pixels.load(jpeg)).rgb)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
async def test_p5_truncated_is_refused(pixels: Pixels, kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8))
    data = saved(noise, kind)
    with pytest.raises(NotAPicture):
        await pixels.load(data[: len(data) // 2])


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (30_001, 10), (8_000, 6_251)])
async def test_p2_a_bomb_is_refused_by_its_header(pixels: Pixels, width: int, height: int) -> None:
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    with pytest.raises(TooLarge):
        await pixels.load(bomb)


async def test_p4_only_the_first_frame_of_an_animation_is_seen(pixels: Pixels) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in (RED, BLUE, GREEN)]
    for kind in ("GIF", "WEBP", "PNG"):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        assert near(tuple((await pixels.load(data)).rgb[32, 32]), RED), kind


async def test_p4_a_jpeg_of_many_scans_is_refused(pixels: Pixels) -> None:
    data = saved(quarters(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    end = data.rindex(b"\xff\xd9")
    with pytest.raises(NotAPicture):
        await pixels.load(data[:end] + data[last:end] * 200 + data[end:])


async def test_p4_scans_of_thumbnails_and_of_what_follows_the_picture_do_not_count() -> None:
    plain = saved(quarters(), "JPEG")
    hidden = b"\xff\xe1" + struct.pack(">H", 2 + 400) + b"\xff\xda" * 200
    assert jpeg_scans(plain) == 1
    assert jpeg_scans(plain[:2] + hidden + plain[2:] + b"\xff\xda" * 500) == 1
    assert jpeg_scans(saved(quarters(), "JPEG", progressive=True)) > 1


async def test_p1_a_worker_that_dies_is_replaced(pixels: Pixels) -> None:
    """A JPEG may keep the decoder busy with few bytes; the kernel ends it, and the next picture is read."""
    out = io.BytesIO()
    Image.new("L", (7000, 7000)).save(out, "JPEG", progressive=True, quality=1)
    data = out.getvalue()
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    slow = data[:end] + data[last:end] * 80 + data[end:]
    order = {"as": "rgb", "side": 512, "crop": (0.0, 0.0, 1.0, 1.0), "cpu_seconds": 0.2}  # a fifth of what it takes, or less
    with pytest.raises(NotAPicture):
        await pixels._ask(slow, order)
    for _ in range(3):
        assert upright((await pixels.load(saved(quarters(), "PNG"))).rgb)


async def test_too_many_bytes_are_refused_before_a_worker_sees_them(pixels: Pixels) -> None:
    with pytest.raises(TooLarge):
        await pixels.load(b"\xff\xd8" + bytes(MAX_BYTES))


async def test_p7_nothing_but_pixels_is_passed_on(pixels: Pixels) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[0x010E] = "the kitchen of Ana"
    data = saved(quarters(), "JPEG", exif=exif, comment=b"secret place", icc_profile=b"some profile")
    out = await pixels.jpeg(data, side=1024)
    assert b"Ana" in data
    for word in (b"Ana", b"secret", b"Exif", b"profile"):
        assert word not in out
    assert Image.open(io.BytesIO(out)).size == (300, 400)


async def test_p8_a_picture_is_shrunk_until_it_fits(pixels: Pixels) -> None:
    noise = Image.fromarray(np.random.default_rng(2).integers(0, 255, (1500, 1500, 3), np.uint8))
    out = await pixels.jpeg(saved(noise, "PNG"), side=1500, max_bytes=200_000)
    assert len(out) <= 200_000
    with pytest.raises(TooLarge):
        await pixels.jpeg(saved(noise, "PNG"), side=1500, max_bytes=100)


async def test_a_padded_picture_is_whole_and_its_ground_goes_on(pixels: Pixels) -> None:
    tall = Image.new("RGB", (200, 400), BLUE)
    tall.paste(RED, (20, 0, 180, 400))
    out = Image.open(io.BytesIO(await pixels.jpeg(saved(tall, "PNG"), side=400, pad=(160, 100))))
    assert out.size == (160, 100)
    rgb = np.asarray(out)
    assert near(tuple(rgb[50, 80]), RED)
    assert near(tuple(rgb[2, 80]), RED)  # nothing is cut off
    assert near(tuple(rgb[50, 5]), BLUE)
    assert near(tuple(rgb[50, 155]), BLUE)


async def test_a_box_is_filled_from_the_middle(pixels: Pixels) -> None:
    wide = Image.new("RGB", (600, 200), RED)
    wide.paste(BLUE, (200, 0, 400, 200))
    out = Image.open(io.BytesIO(await pixels.jpeg(saved(wide, "PNG"), side=100, box=(80, 80))))
    assert out.size == (80, 80)
    rgb = np.asarray(out)
    assert near(tuple(rgb[40, 4]), BLUE)
    assert near(tuple(rgb[40, 75]), BLUE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_two_sizes_for_one_decoding_are_what_each_would_be_alone(pixels: Pixels, kind: str) -> None:
    data = saved(Image.open(PHOTOS / "photo-01.jpg").resize((1600, 900)), kind)
    large, small = await pixels.two(data, side=1024, look=384)
    for frame, side in ((large, 1024), (small, 384)):
        alone = await pixels.load(data, side=side)
        assert (frame.width, frame.height, frame.format) == (1600, 900, kind.lower())
        assert np.array_equal(frame.rgb, alone.rgb)


async def test_too_many_pictures_at_once_are_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.pixels.WAIT_SECONDS", 0.1)
    async with Pixels.open(workers=1) as busy:
        async with busy._worker():
            with pytest.raises(Unavailable, match="Too many pictures"):
                await busy.load(saved(quarters(), "PNG"))
            monkeypatch.setattr("bot.pixels.MAX_WAITING", 0)
            with pytest.raises(Unavailable, match="Too many pictures"):
                await busy.load(saved(quarters(), "PNG"))
        monkeypatch.undo()
        assert upright((await busy.load(saved(quarters(), "PNG"))).rgb)
