"""Text and codes in pictures, read in a child that may be killed (insights-api.md §8, TextRecognition)."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from bot.insights.gtin import gtin_of
from bot.insights.model import Line, Reading
from bot.insights.reading import MOST_CODES_WAITING, Reader, regions_of
from bot.insights.uris import uris
from tests.insights.written import centre, code_picture, pixels, text_picture
from tests.worlds import PHOTOS

pytestmark = pytest.mark.asyncio(loop_scope="session")

BLANK = np.full((300, 300, 3), 255, np.uint8)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reader() -> AsyncIterator[Reader]:
    async with Reader.open() as reader:
        yield reader


def lines_of(reading: Reading) -> list[str]:
    return [line.text for region in reading.text for line in region.lines]


async def test_s8_lines_words_and_boxes_of_text(reader: Reader) -> None:
    reading = await reader.read(pixels(text_picture("Kilnby Stoneware", "Call +49 30 1234567")))
    assert lines_of(reading) == ["Kilnby Stoneware", "Call +49 30 1234567"]
    (region,) = reading.text
    first = region.lines[0]
    assert [word.text for word in first.words] == ["Kilnby", "Stoneware"]
    left, right = (centre(word.box) for word in first.words)
    assert 0.05 < left[0] < right[0] < 0.45
    assert 0.08 < left[1] < 0.2
    assert reading.codes == ()


async def test_s8_text_far_apart_is_in_regions_of_its_own(reader: Reader) -> None:
    reading = await reader.read(pixels(text_picture("One line", "", "", "", "another place")))
    assert [[line.text for line in region.lines] for region in reading.text] == [["One line"], ["another place"]]


@pytest.mark.parametrize("turned", [0, 180])
async def test_s8_a_barcode_is_read_with_its_gtin(reader: Reader, turned: int) -> None:
    reading = await reader.read(pixels(code_picture("2100005001007").rotate(turned)))
    (code,) = reading.codes
    assert (code.text, code.kind, code.gtin) == ("2100005001007", "EAN-13", "02100005001007")
    x, y = centre(code.box)
    assert 0.4 < x < 0.6
    assert 0.3 < y < 0.7


async def test_s8_a_qr_code_says_its_words(reader: Reader) -> None:
    reading = await reader.read(pixels(code_picture("https://kilnby.example/x", "QRCode")))
    (code,) = reading.codes
    assert (code.text, code.gtin) == ("https://kilnby.example/x", "")


async def test_nothing_is_read_where_nothing_is_written(reader: Reader) -> None:
    assert await reader.read(BLANK) == Reading()
    assert await reader.read(np.zeros((1, 1, 3), np.uint8)) == Reading()


async def test_photos_of_goods_are_not_read_as_words(reader: Reader) -> None:
    from PIL import Image  # noqa: PLC0415

    said = [lines_of(await reader.read(pixels(Image.open(path)))) for path in sorted(PHOTOS.glob("*.jpg"))[:8]]
    assert sum(map(bool, said)) <= 1, said


async def test_p1_a_child_that_is_killed_is_replaced(reader: Reader) -> None:
    await reader.read(BLANK)
    assert reader._codes
    process = reader._codes.child._process
    assert process
    os.kill(process.pid, signal.SIGKILL)
    readings = [await reader.read(pixels(code_picture("2100005001007"))) for _ in range(2)]
    assert readings[-1].codes[0].gtin == "02100005001007"


async def test_it_is_an_extra_and_is_left_out_where_too_much_waits(reader: Reader) -> None:
    picture = pixels(code_picture("2100005001007"))
    readings = await asyncio.gather(*(reader.read(picture, text=False) for _ in range(MOST_CODES_WAITING + 3)))
    assert sum(bool(reading.codes) for reading in readings) == MOST_CODES_WAITING
    assert sum(reading.missed for reading in readings) == 3


async def test_a_child_that_has_nothing_to_do_ends() -> None:
    async with Reader.open(idle_seconds=0.1) as reader:
        await reader.read(BLANK, text=False)
        assert reader._codes
        process = reader._codes.child._process
        assert process
        await asyncio.wait_for(process.wait(), 10)
        assert (await reader.read(pixels(code_picture("2100005001007")))).codes


async def test_without_its_packages_it_reads_nothing() -> None:
    reader = Reader(text=False, codes=False)
    assert await reader.read(pixels(code_picture("2100005001007"))) == Reading()


@pytest.mark.parametrize(
    ("text", "kind", "gtin"),
    [
        ("2100005001007", "EAN-13", "02100005001007"),
        ("2100005001008", "EAN-13", ""),
        ("96385074", "EAN-8", "00000096385074"),
        ("012345678905", "UPC-A", "00012345678905"),
        ("hello", "QR Code", ""),
        ("2100005001007", "QR Code", ""),
        ("2100005001007", "Code 128", ""),
        ("0012345000065", "UPC-E", "00012345000065"),
        ("01234565", "UPC-E", "00012345000065"),
        ("04252614", "UPC-E", "00042100005264"),
        ("01278907", "UPC-E", "00012000007897"),
        ("01234133", "UPC-E", "00012300000413"),
        ("01234543", "UPC-E", "00012340000053"),
        ("01234566", "UPC-E", ""),
        ("21234565", "UPC-E", ""),
        ("10614141000415", "ITF", "10614141000415"),
        ("10614141000416", "ITF", ""),
        ("96385074", "ITF", ""),
        ("9780306406157", "EAN-13", "09780306406157"),
        ("978-0-306-40615-7", "ISBN", "09780306406157"),
        ("0-306-40615-2", "ISBN", "09780306406157"),
        ("080442957X", "ISBN", "09780804429573"),
        ("0306406153", "ISBN", ""),
        ("(01)02100005001007(10)AB", "Data Matrix", "02100005001007"),
        ("(17)271231(01)02100005001007", "Code 128", "02100005001007"),
        ("(01)02100005001008", "Data Matrix", ""),
        ("(10)01(21)02100005001007", "QR Code", ""),
        ("https://id.gs1.org/01/02100005001007/10/A?17=271231", "QR Code", "02100005001007"),
        ("https://shop.example/mugs/01/2100005001007", "QR Code", "02100005001007"),
        ("https://shop.example/gtin/012345678905/", "Data Matrix", "00012345678905"),
        ("https://shop.example/2024/01/12345678", "QR Code", ""),
        ("https://[bad/01/02100005001007", "QR Code", ""),
        ("ftp://shop.example/01/02100005001007", "QR Code", ""),
        ("00000000", "EAN-8", ""),
        ("²³⁴⁵⁶⁷⁸⁹", "EAN-8", ""),
    ],
)
async def test_a_gtin_has_fourteen_digits_and_the_right_check_digit(text: str, kind: str, gtin: str) -> None:
    assert gtin_of(text, kind) == gtin


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Call (555) 123-4567 now", ("tel:%28555%29%20123-4567",)),
        ("+1 888 555 1212", ("tel:+1%20888%20555%201212",)),
        ("someone@outlook.com", ("mailto:someone@outlook.com",)),
        ("see www.contoso.com/a, or http://x.example.", ("http://www.contoso.com/a", "http://x.example")),
        ("info@kilnby.example www.kilnby.example", ("http://www.kilnby.example", "mailto:info@kilnby.example")),
        ("2026-11-26 EAN 2100005001007 $1,299.00 350 ml", ()),
        ("javascript:alert(1) tel:1", ()),
    ],
)
async def test_s8_addresses_in_text(text: str, found: tuple[str, ...]) -> None:
    assert uris(text) == found


async def test_lines_side_by_side_are_two_regions() -> None:
    def line(text: str, left: float, top: float) -> Line:
        return Line(text, ((left, top), (left + 0.3, top), (left + 0.3, top + 0.05), (left, top + 0.05)))

    regions = regions_of([line("a", 0.0, 0.1), line("b", 0.6, 0.1), line("c", 0.0, 0.17), line("d", 0.6, 0.17)])
    assert [[one.text for one in region.lines] for region in regions] == [["a", "c"], ["b", "d"]]
