"""One file in, rows out, one after another: nothing but the row at hand is held."""

import hashlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bot.errors import UserError
from bot.insights.feeds import json_feed, merchant, pages, tables, workbook, xml_feed
from bot.insights.feeds.folder import listed
from bot.insights.feeds.opening import HEAD, Kind, kind, unpacked
from bot.insights.feeds.records import BadField, Origin, Page, Record, Rejected, Row, SubjectRow, is_address, suffixes

MAX_REJECTED_RUNNING = 10_000
"""So many bad rows and no good one between them: this is no feed, and its reader need not hear of every line."""
_FEED_NAMES = {".tsv", ".csv", ".txt", ".xml", ".json", ".jsonl", ".rss", ".atom", ".xlsx"}

Said = Row | Page | SubjectRow | Rejected


def rows(path: Path, *, source: str, seller: str = "", currency: str = "") -> Iterator[Said]:
    """All that one local file says, however large it is.

    source: names the file in what is rejected; when it is an http address, links and pictures are relative to that, else
    to `path`. seller, currency: what holds where the feed says nothing. Raises UserError when the file cannot be opened.
    """
    origin = Origin(source if is_address(source) else str(path), seller, currency)
    try:
        with path.open("rb") as stream:
            yield from from_stream(stream, source, origin)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from None


def from_stream(stream: BinaryIO, source: str, origin: Origin) -> Iterator[Said]:
    """`stream`: a file opened to read bytes, at its start."""
    seen, running = _Seen(), 0
    for number, said in _said(stream, origin):
        found: Iterator[Row | Page | SubjectRow | BadField]
        found = merchant.rows(number, said, origin) if isinstance(said, dict) else iter([said])
        for one in found:
            key = f"{type(one).__name__} {_key(one)}"
            if isinstance(one, BadField):
                running += 1
                yield Rejected(source, number, one.name, str(one))
            elif not seen.add(key):
                running += 1
                yield Rejected(source, number, "id", f"{_key(one)!r} is used twice in this feed.")
            else:
                running = 0
                yield one
        if running >= MAX_REJECTED_RUNNING:
            yield Rejected(source, number, "file", f"{running} rows one after another could not be read. Reading ends here.")
            return


def _key(one: Row | Page | SubjectRow | BadField) -> str:
    return one.url if isinstance(one, Page) else one.key if isinstance(one, SubjectRow) else getattr(one, "id", "")


def _said(stream: BinaryIO, origin: Origin) -> Iterator[tuple[int, Record | Page | SubjectRow | BadField]]:
    """By what the file is. Whatever is wrong with it as a whole is said in the end."""
    try:
        whole = unpacked(stream)
        if not origin.is_remote and (found := listed(Path(origin.base))):
            yield from found(whole, origin)
            return
        name = suffixes(origin.base)
        match kind(whole.peek(HEAD)[:HEAD], name):
            case Kind.TABLE:
                yield from _with_pictures(tables.read(whole), origin)
            case Kind.WORKBOOK:
                stream.seek(0)
                yield from _with_pictures(workbook.read(stream), origin)
            case Kind.JSON_LINES:
                yield from json_feed.read_lines(whole, origin)
            case Kind.JSON:
                yield from json_feed.read_document(whole, origin)
            case Kind.XML:
                yield from xml_feed.read(whole)
            case Kind.PAGE:
                yield from pages.read(whole, origin, is_feed=name[-1:] != () and name[-1] in _FEED_NAMES)
            case Kind.SITEMAP:
                yield 1, BadField("file", "This is a sitemap. Import it by its address, so that its pages can be read.")
    except BadField as bad:
        yield 1, bad


def _with_pictures(found: Iterator[tuple[int, Record | BadField]], origin: Origin) -> Iterator[tuple[int, Record | BadField]]:
    """A table on this machine may have its pictures beside it."""
    beside = None if origin.is_remote else workbook.PicturesBeside(Path(origin.base))
    for number, said in found:
        if beside and isinstance(said, dict):
            beside.add(said)
        yield number, said


class _Seen:
    """Which names have been there: 8 bytes each in a table of hashes, so that millions of them fit.

    Beyond MOST names it takes every new one for new; two of ten million are mistaken for one with a chance of 3 in a million.
    """

    MOST = 12_000_000

    def __init__(self) -> None:
        self._places = array("Q", bytes(8 * 1024))
        self._count = 0

    def add(self, name: str) -> bool:
        """Whether the name is new."""
        number = int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).digest(), "big") or 1
        place = self._place(number)
        if self._places[place] == number:
            return False
        if self._count < self.MOST:
            self._places[place] = number
            self._count += 1
            if 3 * self._count > 2 * len(self._places):
                self._grow()
        return True

    def _place(self, number: int) -> int:
        places, last = self._places, len(self._places) - 1  # a power of two, less one
        place = number & last
        while places[place] not in (0, number):
            place = (place + 1) & last
        return place

    def _grow(self) -> None:
        before, self._places = self._places, array("Q", bytes(2 * 8 * len(self._places)))
        for number in before:
            if number:
                self._places[self._place(number)] = number
