"""Tables as text: Google's TSV, Meta's CSV, what a spreadsheet saves. Delimiter and header are found, broken quotes survived."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import suppress

from bot.insights.feeds.columns import Header
from bot.insights.feeds.opening import HEAD, Lines, decoded, words
from bot.insights.feeds.records import BadField, Record

NO_HEADER = "The first row must name the columns, and one of them must be id."
HEADER_WITHIN = 10
"""Lines that may stand above the header: titles, Meta's explanations."""

csv.field_size_limit(128 * 1024)  # Python's own default, said: it is what bounds a quote that never ends


def read(whole: io.BufferedReader) -> Iterator[tuple[int, Record | BadField]]:
    delimiter, score = _delimiter(words(whole.peek(HEAD)))
    header: Header | None = None
    for tries, (number, cells) in enumerate(_cells(Lines(decoded(whole)), delimiter), 1):
        if header is None:
            found = Header([] if isinstance(cells, BadField) else cells[0])
            if found.is_one and found.score == score:
                header = found
            elif tries >= HEADER_WITHIN:
                break
        elif isinstance(cells, BadField):
            yield number, cells
        else:
            yield number, row(header, cells)
    if header is None:
        yield 1, BadField("row", NO_HEADER)


def row(header: Header, ways: Sequence[Sequence[str]]) -> Record | BadField:
    """`ways`: the cells as a line can be read, the best way first."""
    for cells in ways:
        if not any(cell.strip() for cell in cells[len(header) :]):
            return header.record(cells)
    return BadField(
        "row", f"This row has {len(ways[0])} cells and the header {len(header)}. Put cells that hold commas in quotes."
    )


def _delimiter(head: str) -> tuple[str, int]:
    """The one that makes the best header of one of the first lines, and how good it is."""
    lines = [line for line in head.splitlines() if line.strip()][:HEADER_WITHIN]
    best = ("\t", 0)
    for delimiter in "\t,;|":
        for line in lines:
            with suppress(csv.Error, StopIteration):
                header = Header(next(csv.reader([line], delimiter=delimiter)))
                if header.is_one and header.score > best[1]:
                    best = delimiter, header.score
    return best


def _cells(lines: Lines, delimiter: str) -> Iterator[tuple[int, list[list[str]] | BadField]]:
    """The cells of each row, in the ways it can be read; the number is that of the line it starts on.

    A quote that breaks the rules spoils its own line only: the lines it swallowed are read again.
    """
    while True:
        lines.start()
        number = lines.number + 1
        try:
            ways = [next(csv.reader(lines, delimiter=delimiter, strict=True))]
        except StopIteration:
            return
        except (csv.Error, BadField) as error:
            if isinstance(error, BadField):
                yield lines.number or 1, error
                if error.name == "file":
                    return
            if not lines.taken:
                continue
            ways = _leniently(lines.give_back(), delimiter)
            if not ways:
                yield number, BadField("row", "This row cannot be read: a quote is missing or a cell is too long.")
                continue
        if any(cell.strip() for cell in ways[0]):
            yield number, ways


def _leniently(line: str, delimiter: str) -> list[list[str]]:
    ways = []
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        with suppress(csv.Error):
            ways.append(next(csv.reader([line], delimiter=delimiter, quoting=quoting)))
    if len(ways) > 1:
        plain = [cell.strip().strip('"').replace('""', '"') for cell in ways[1]]
        # a quote that is never closed takes the cells after it along: then there are fewer than without quotes
        ways = [plain, ways[0]] if '"' in ways[0][-1] or ways[0][-1].endswith("\n") else [ways[0], plain]
    return ways
