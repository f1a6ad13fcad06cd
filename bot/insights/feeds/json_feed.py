"""JSON: one product a line, or a document that lists them; each is Google's or ours, Shopify's, or schema.org's."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ijson
from ijson.common import ObjectBuilder

from bot.insights.feeds import columns, schema_org, shopify
from bot.insights.feeds.opening import CONTAINERS, Lines, decoded, unpacked
from bot.insights.feeds.records import BadField, Origin, Record, SubjectRow

MAX_PRODUCT = 8 * 1024 * 1024
"""Characters of one product of a document."""
MAX_DEPTH = 64
_ENDLESS = re.compile("[0-9]{400,}")
"""No price and no id; Python refuses to read numbers of thousands of digits, and the parser falls over that."""

Said = tuple[int, Record | SubjectRow | BadField]


def read_lines(whole: io.BufferedReader, origin: Origin) -> Iterator[Said]:
    lines = Lines(decoded(whole))
    while True:
        try:
            line = next(lines, None)
        except BadField as bad:
            yield max(lines.number, 1), bad
            if bad.name == "file":
                return
            continue
        lines.start()
        if line is None:
            return
        if line := line.strip("\ufeff \t\r\n"):
            try:
                found = json.loads(line, strict=False)
            except (ValueError, RecursionError):
                found = None
            yield from _records(lines.number, found, origin)


def read_document(whole: io.BufferedReader, origin: Origin) -> Iterator[Said]:
    number = 0
    try:
        for item in _items(_Watched(decoded(whole))):
            number += 1
            yield from _records(number, item, origin)
    except BadField as bad:
        yield number + 1, bad
    except (ijson.JSONError, ValueError, ArithmeticError):
        yield number + 1, BadField("file", f"The JSON is broken after product {number}. What came before that was read.")
    else:
        if not number:
            yield 1, BadField("file", "The JSON lists no products.")


def lists_nothing(path: Path) -> bool:
    """Whether this is a document with an empty list of products."""
    with path.open("rb") as stream:
        try:
            return next(_items(_Watched(decoded(unpacked(stream)))), None) is None
        except (BadField, ijson.JSONError, ValueError, ArithmeticError):
            return False


def _records(number: int, item: Any, origin: Origin) -> Iterator[Said]:
    if isinstance(item, BadField):
        yield number, item
    elif not isinstance(item, dict):
        yield number, BadField("row", "This line is not a JSON object.")
    elif isinstance(item.get("variants"), list) and ("handle" in item or "body_html" in item):
        for said in shopify.records(item, origin):
            yield number, said
    elif item.keys() & {"@type", "@graph", "@context"}:
        for one in schema_org.records([item], schema_org.About(), number, origin):
            yield number, one
    else:
        yield number, columns.from_json(item)


class _Watched:
    """Text as the bytes of UTF-8 for the parser; `since` counts what came since the last product."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self._stream = stream
        self.since = 0

    def read(self, count: int = -1) -> bytes:
        data = _ENDLESS.sub("9" * 30, self._stream.read(count).replace("\0", ""))
        self.since += len(data)
        if self.since > MAX_PRODUCT:
            raise BadField("file", f"A product is longer than {MAX_PRODUCT // 1024**2} million characters. Reading ends there.")
        return data.encode("utf-8", "replace")


def _items(stream: _Watched) -> Iterator[Any]:
    """The members of a list at the top, or in a top object under a name of CONTAINERS; else the top objects themselves.

    Events without paths: a path grows with the depth, and the depth is the sender's choice.
    """
    depth, wanted, key, listed = 0, 0, "", False  # wanted: the depth at which members begin, 0 while there is no list
    member: ObjectBuilder | None = None
    document: ObjectBuilder | None = None
    for event, value in ijson.basic_parse(stream, multiple_values=True):
        opens, closes = event in {"start_map", "start_array"}, event in {"end_map", "end_array"}
        depth -= closes
        if depth > MAX_DEPTH:
            raise BadField("file", "The JSON is nested too deeply.")
        if member is not None:
            member.event(event, value)
            if closes and depth == wanted:
                stream.since = 0
                yield member.value
                member = None
        elif wanted and depth == wanted and opens:
            member = ObjectBuilder()
            member.event(event, value)
        elif wanted and depth == wanted:
            yield value
        elif wanted:
            wanted = 0
        elif depth == 0 and event == "start_array":
            wanted = 1
        elif depth == 1 and event == "start_array" and key in CONTAINERS and document is not None:
            wanted, listed = 2, True
            document.event("null", None)
        elif depth == 0 and event == "start_map":
            document, listed = ObjectBuilder(), False
            document.event(event, value)
        elif document is not None:
            key = value if depth == 1 and event == "map_key" else key
            document.event(event, value)
            if closes and depth == 0:
                stream.since = 0
                if not listed:
                    yield document.value
                document = None
        else:
            yield value
        depth += opens
