"""Whatever a file holds, reading it gives rows and reasons, never an exception."""

import gzip
import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.insights.feeds import Page, Rejected, Row, SubjectRow, pages, values
from bot.insights.feeds.reading import from_stream
from bot.insights.feeds.records import BadField, Origin
from tests.insights.feeds.test_pages import LAMP, MICRODATA, page
from tests.insights.feeds.test_tables import GOOGLE, META
from tests.insights.feeds.test_workbook import JUG, book
from tests.insights.feeds.test_xml_json import ATOM, CUP, RSS, SHIRT

REAL = [
    GOOGLE.encode(),
    META.encode(),
    GOOGLE.encode("utf-16"),
    RSS.encode(),
    ATOM.encode(),
    json.dumps({"products": [SHIRT]}).encode(),
    (json.dumps(CUP) + "\n" + json.dumps(CUP | {"id": "2"})).encode(),
    page(json.dumps(LAMP), body=MICRODATA).encode(),
    book(JUG),
    gzip.compress(GOOGLE.encode()),
]
ORIGINS = [
    Origin("https://shop.example/feed"),
    Origin("https://shop.example/feed.jsonl", "Shop", "EUR"),
    Origin("/nowhere/goods.xlsx"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *CUP,
                    *SHIRT,
                    *LAMP,
                    "variants",
                    "offers",
                    "hasVariant",
                    "@id",
                    "@graph",
                    "id",
                    "rating",
                    "value",
                    "src",
                    "url",
                    "name",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


def survives(data: bytes) -> None:
    for origin in ORIGINS:
        for one in from_stream(io.BytesIO(data), "a feed", origin):
            assert isinstance(one, Row | Page | SubjectRow | Rejected)
            if isinstance(one, Rejected):
                assert one.row >= 1
                assert one.field
                assert one.reason
            if isinstance(one, Row):
                assert one.id
                assert one.title
                assert one.pictures
                assert one.link.startswith("http")
                assert bool(one.price) == bool(one.currency)
                assert one.digest()


@settings(deadline=None)
@given(st.binary(max_size=300))
@example(b"PK\x03\x04")
@example(b"\x1f\x8b\x08\x00")
@example(b"\xff\xfe<\x00")
def test_any_bytes(data: bytes) -> None:
    survives(data)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(REAL), st.data())
def test_real_files_with_something_broken(whole: bytes, data: st.DataObject) -> None:
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(broken) - 1, 0)))
        broken[at : at + data.draw(st.integers(0, 30))] = data.draw(
            st.binary(max_size=6)
            | st.sampled_from([b"<", b"&x;", b'"', b"\n", b"\t", b"{", b"]", b"\0", b"<!DOCTYPE x [", b"9" * 5000])
        )
    survives(bytes(broken))


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json(said: object) -> None:
    text = json.dumps(said)
    for data in (text, f"[{text}]", json.dumps(CUP) + "\n" + text + "\n" + text, page(text)):
        survives(data.encode())


@settings(deadline=None)
@given(st.lists(st.lists(st.text(max_size=12), max_size=9), max_size=6), st.sampled_from("\t,;|"))
def test_any_table(lines: list[list[str]], delimiter: str) -> None:
    head = delimiter.join(["id", "title", "link", "image_link", "price", "availability", "rating", "offers", "inventory"])
    survives("\n".join([head, *map(delimiter.join, lines)]).encode("utf-8", "replace"))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["g:id", "title", "link", "g:image_link", "g:price", "x"]), st.text(max_size=12))))
def test_any_xml(parts: list[tuple[str, str]]) -> None:
    body = "".join(f"<{name}>{text}</{name}>" for name, text in parts)
    survives(f"<rss><channel><item>{body}</item><item/></channel></rss>".encode("utf-8", "replace"))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from('<>/="itemscope prop ref class meta a div script {}[]@:,')))
def test_any_html(body: str) -> None:
    survives(f"<html itemscope itemtype='https://schema.org/Product'><p itemprop=name>x</p>{body}".encode())


@settings(max_examples=30, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from(["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "[Content_Types].xml"]),
)
def test_any_workbook(part: bytes, name: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(REAL[8])) as real, zipfile.ZipFile(out, "w") as packed:
        for one in real.namelist():
            packed.writestr(one, part if one == name else real.read(one))
    survives(out.getvalue())


@settings(deadline=None)
@given(st.text())
def test_any_script(text: str) -> None:
    try:
        found = pages.objects(text)
    except ValueError:
        return  # said, not fallen over
    assert isinstance(found, list)


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("0123456789., '€$EURUSD-\u00a0")), st.sampled_from(["", "EUR", "JPY", "KWD"]))
def test_any_price(text: str, currency: str) -> None:
    try:
        amount, code = values.price(text, currency)
    except BadField:
        return
    if text:
        assert code.isalpha()
        assert amount.replace(".", "", 1).isdigit()


@settings(deadline=None)
@given(st.decimals(0, 10_000_000, places=2), st.sampled_from([("{:,.2f}", "", ""), ("{:,.2f}", ".", ","), ("{:,.2f}", " ", ",")]))
def test_a_price_written_in_any_land_is_the_same(amount: object, how: tuple[str, str, str]) -> None:
    form, thousands, decimal = how
    text = form.format(amount)
    if decimal:
        text = text.translate({ord(","): thousands, ord("."): decimal})
    assert values.price(f"{text} EUR")[0] == f"{amount:.2f}"


@settings(deadline=None)
@given(st.text(), st.just(datetime(2026, 11, 26, tzinfo=UTC)))
def test_any_window_and_word(text: str, now: datetime) -> None:
    for read in (
        lambda: values.on_sale(text, now),
        lambda: values.availability(text),
        lambda: values.link(text, "https://a.example/"),
    ):
        with suppress(BadField):
            read()
    assert "\n" not in values.plain(text)


class Endless(io.RawIOBase):
    """A file that is made while it is read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while len(self._left) < len(buffer) and (more := next(self._pieces, b"")):
            self._left += more
        part, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def long_feed(kind: str) -> Iterator[bytes]:
    """Twenty megabytes."""
    start, piece, end = {
        "table": ("id\ttitle\tlink\timage_link\tdescription\n", "{n}\tCup\t/{n}\t/{n}.jpg\t{d}\n", ""),
        "lines": ("", '{{"id": "{n}", "title": "Cup", "link": "/{n}", "image_link": "/{n}.jpg", "description": "{d}"}}\n', ""),
        "json": (
            '{"products": [',
            '{{"id": "{n}", "title": "Cup", "link": "/{n}", "image": "/{n}.jpg", "x": "{d}"}},',
            '{"id": 0}]}',
        ),
        "xml": (
            "<rss><channel>",
            "<item><id>{n}</id><title>Cup</title><link>/{n}</link><image_link>/{n}.jpg</image_link><x>{d}</x></item><y>{d}</y>",
            "</channel></rss>",
        ),
    }[kind]
    yield start.encode()
    for n in range(1, LONG + 1):
        yield piece.format(n=n, d="x" * 4000).encode()
    yield end.encode()


LONG = 5000


@pytest.mark.parametrize("kind", ["table", "lines", "json", "xml"])
def test_a_long_feed_is_never_held(kind: str) -> None:
    tracemalloc.start()
    try:
        found = 0
        for one in from_stream(io.BufferedReader(Endless(long_feed(kind))), "feed", ORIGINS[0]):
            found += isinstance(one, Row)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == LONG
    assert peak < 5_000_000
