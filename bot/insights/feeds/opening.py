"""A file as it is: unpacked, decoded, and known by its content, since names lie. Never more of it in memory than a piece."""

import codecs
import gzip
import io
import json
import re
import zlib
from collections import deque
from enum import Enum, auto
from typing import Any, BinaryIO, cast

from bot.insights.feeds.records import BadField

MAX_UNPACKED = 32 * 1024**3
"""Bytes of one feed, unpacked."""
MAX_LINE = 2 * 1024 * 1024
"""Characters of one line of a table or of JSON lines."""
HEAD = 64 * 1024

_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?([a-z][\w.-]*)", re.IGNORECASE)
_HTML = {"html", "head", "body", "div", "script", "meta", "title", "p", "span", "main", "article", "section", "link", "style"}
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_NOT_FEEDS = (
    (b"\xd0\xcf\x11\xe0", "This is an Excel file of the old kind. Save it as .xlsx or .csv."),
    (b"%PDF", "This is a PDF. Name a feed or a spreadsheet."),
    (b"\xff\xd8\xff", "This is a picture. Name a feed, or a folder with a spreadsheet beside its pictures."),
    (b"\x89PNG", "This is a picture. Name a feed, or a folder with a spreadsheet beside its pictures."),
)


class Kind(Enum):
    """What a file is, by its first 64 kB."""

    TABLE = auto()
    JSON_LINES = auto()
    JSON = auto()
    XML = auto()
    SITEMAP = auto()
    PAGE = auto()
    WORKBOOK = auto()


def _as_western(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 are Windows-1252, each for itself: feeds mix the two."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("western", _as_western)


class _Measured(io.RawIOBase):
    """A stream to its end or to our limit. Raises BadField when it is longer, or packed and broken."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._left = MAX_UNPACKED
        self._broken = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._broken:
            raise BadField("file", "The gzip file is cut off or broken; what came before that was read.")
        filled = 0
        while filled < len(buffer):  # whole heads, however small the pieces are
            try:
                data = self._stream.read(len(buffer) - filled)
            except (EOFError, zlib.error, gzip.BadGzipFile):
                self._broken = True
                if not filled:
                    return self.readinto(buffer)
                break
            if not data:
                break
            buffer[filled : filled + len(data)] = data
            filled += len(data)
        self._left -= filled
        if self._left < 0:
            raise BadField("file", f"The feed is larger than {MAX_UNPACKED // 1024**3} GB. Split it.")
        return filled


def unpacked(stream: BinaryIO) -> "io.BufferedReader[Any]":
    """What a file holds. Servers pack again what is packed already, so gzip may come twice."""
    whole: io.BufferedReader[Any] = io.BufferedReader(_Measured(stream), HEAD)
    for _ in range(2):
        if whole.peek(2)[:2] == b"\x1f\x8b":
            whole = io.BufferedReader(_Measured(cast("BinaryIO", gzip.GzipFile(fileobj=whole))), HEAD)
    return whole


def encoding(head: bytes) -> str:
    """By its mark, by its zeros, or UTF-8."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    sample = head[:1000]
    for name, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if len(sample) > 3 and zeros.count(0) * 10 > len(zeros) * 4:  # noqa: PLR2004 (four of ten: text of the West)
            return name
    return "utf-8"


def words(head: bytes) -> str:
    """The beginning of a file as text, without mark and space."""
    name = encoding(head)
    return head.decode(name, _errors(name)).replace("\0", "").lstrip("\ufeff \t\r\n")


def decoded(whole: io.BufferedReader) -> io.TextIOWrapper:
    name = encoding(whole.peek(HEAD))
    return io.TextIOWrapper(whole, name, errors=_errors(name))


def _errors(encoding: str) -> str:
    return "western" if encoding.startswith("utf-8") else "replace"


def kind(head: bytes, suffixes: tuple[str, ...] = ()) -> Kind:
    """What to read a file as. Raises BadField for what is no feed at all."""
    for mark, reason in _NOT_FEEDS:
        if head.startswith(mark):
            raise BadField("file", reason)
    if head.startswith(b"PK\x03\x04"):
        return Kind.WORKBOOK
    start = words(head)
    if not start:
        raise BadField("file", "The file is empty.")
    if start.startswith("<"):
        return _markup(start)
    if start.startswith(("{", "[")):
        return _json(start)
    return Kind.JSON_LINES if suffixes[-1:] == (".jsonl",) else Kind.TABLE


def _markup(start: str) -> Kind:
    prolog = _PROLOG.match(start)
    rest = start[prolog.end() if prolog else 0 :]
    if re.match(r"<!doctype\s+html", rest, re.IGNORECASE):
        return Kind.PAGE
    if rest[:2] == "<!":
        raise BadField("file", "The XML defines a document type. A feed needs none; leave it out.")
    element = _ELEMENT.match(rest)
    if not element:
        return Kind.TABLE
    name = element[1].lower()
    if name in _HTML:
        return Kind.PAGE
    return Kind.SITEMAP if name in {"urlset", "sitemapindex"} else Kind.XML


def _json(start: str) -> Kind:
    """JSON lines, unless the first line is not the whole of an object."""
    first, newline, rest = start.partition("\n")
    try:
        found = json.loads(first)
    except (ValueError, RecursionError):
        lines = newline and rest.lstrip().startswith("{") and not first.rstrip().endswith(("[", "{", ",", ":"))
        return Kind.JSON_LINES if lines else Kind.JSON
    lists = isinstance(found, dict) and any(isinstance(value, list) for name, value in found.items() if name in CONTAINERS)
    return Kind.JSON if isinstance(found, list) or (lists and "id" not in found) else Kind.JSON_LINES


CONTAINERS = frozenset({"products", "items", "resources", "@graph"})
"""Where a JSON document keeps its products: Shopify's, ours and others', Google's, JSON-LD's."""


class Lines:
    """Lines of text, none of them longer than MAX_LINE, numbered from 1; some can be given back."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self._stream = stream
        self._again: deque[str] = deque()
        self.number = 0
        """Of the line taken last."""
        self.taken: list[str] = []
        """Lines since `start`."""

    def start(self) -> None:
        self.taken = []

    def give_back(self) -> str:
        """All but the first of the lines taken since `start`; returns that one."""
        first, *rest = self.taken
        self._again.extendleft(reversed(rest))
        self.number -= len(rest)
        self.taken = [first]
        return first

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._stream.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == MAX_LINE and not line.endswith("\n"):
            while (more := self._stream.readline(MAX_LINE)) and not more.endswith("\n"):
                pass
            raise BadField("row", f"This line is longer than {MAX_LINE // 1024**2} million characters.")
        line = line.replace("\0", "")
        self.taken.append(line)
        return line
