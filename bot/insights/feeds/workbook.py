"""A spreadsheet as .xlsx, and pictures beside a table named by what they show."""

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from bot.insights.feeds import tables, values
from bot.insights.feeds.columns import Header
from bot.insights.feeds.records import BadField, Record

MAX_UNPACKED = 512 * 1024 * 1024
"""Bytes of all parts of a workbook."""
MAX_WORDS = 64 * 1024 * 1024
"""Bytes of its table of words, which is held in memory."""
MAX_COLUMNS = 200
MAX_PICTURE_FILES = 500_000
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic", ".avif", ".bmp", ".tif", ".tiff"})
_NOT_A_WORKBOOK = "This zip file is no spreadsheet. Unpack it and name what is in it."
_SUFFIX = re.compile(r"(.+?)(?:[-_ .]+\(?(?:[0-9]{1,2}|[a-z]{1,12}(?:[-_ ]?[0-9]{1,2})?)\)?|\([0-9]{1,2}\))")
"""`-2`, `_back`, ` (3)`: another picture of the same. Not `5` behind `MG`, which is other goods."""
_OF_A_NAME = re.compile(r'[\\/:*?"<>|]')


def read(stream: BinaryIO) -> Iterator[tuple[int, Record | BadField]]:
    """The first sheet with a header; sheets behind it are left alone."""
    try:
        with zipfile.ZipFile(stream) as packed:
            parts = {one.filename: one.file_size for one in packed.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        yield 1, BadField("file", "The spreadsheet is damaged. Save it again.")
        return
    if "[Content_Types].xml" not in parts:
        yield 1, BadField("file", _NOT_A_WORKBOOK)
        return
    if sum(parts.values()) > MAX_UNPACKED or parts.get("xl/sharedStrings.xml", 0) > MAX_WORDS:
        yield 1, BadField("file", "The spreadsheet is too large. Save it as .csv.")
        return
    try:
        yield from _sheets(stream)
    except Exception:  # noqa: BLE001 (openpyxl lets through whatever a broken part makes it stumble over)
        yield 1, BadField("file", "The spreadsheet is damaged. Save it again.")


def _sheets(stream: BinaryIO) -> Iterator[tuple[int, Record | BadField]]:
    from openpyxl import load_workbook  # noqa: PLC0415 (a quarter of a second, for those who have a spreadsheet)

    book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    try:
        for sheet in book.worksheets:
            header: Header | None = None
            seen = 0
            for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS), 1):
                cells = [_cell(value) for value in row]
                if not any(cells):
                    continue
                seen += 1
                if header is None:
                    found = Header(cells)
                    header = found if found.is_one else None
                    if header is None and seen >= tables.HEADER_WITHIN:
                        break
                else:
                    yield number, header.record(cells)
            if header is not None:
                return
    finally:
        book.close()
    yield 1, BadField("row", tables.NO_HEADER)


def _cell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return str(int(value))
    if isinstance(value, dt.date):
        return value.isoformat()
    return values.text(value)


class PicturesBeside:
    """Pictures in the folder of a table and the folders in it, found by the name of the goods: `SKU.jpg`, `SKU-2.jpg`."""

    def __init__(self, table: Path) -> None:
        self._folder = table.parent
        self._named: dict[str, list[tuple[int, str, str]]] | None = None

    def add(self, record: Record) -> None:
        """Give a record that names no picture those named like its id, its SKU, or its part or article number."""
        if record.get("image_link") or record.get("additional_image_link") or "offers" in record:
            return
        for name in ("id", "sku", "mpn", "gtin"):
            if (said := values.text(record.get(name))) and (found := self._of(said)):
                record["image_link"] = found
                return

    def _of(self, name: str) -> list[str]:
        if self._named is None:
            self._named = {}
            for stem, path in self._look():
                of = _SUFFIX.fullmatch(stem)
                for key in {stem, of[1] if of else stem}:
                    self._named.setdefault(key, []).append((len(stem), stem, path))
        found = self._named.get(_OF_A_NAME.sub("_", name).casefold(), [])
        return [path for _, _, path in sorted(found)[: values.MAX_PICTURES]]

    def _look(self) -> Iterator[tuple[str, str]]:
        left = MAX_PICTURE_FILES
        with suppress(OSError):
            folders = [one for one in self._folder.iterdir() if one.is_dir() and not one.is_symlink()]
            for folder in (self._folder, *sorted(folders)):
                for one in folder.iterdir():
                    left -= 1
                    if left < 0:
                        return
                    if one.suffix.lower() in PICTURES and not one.is_symlink() and one.is_file():
                        yield one.stem.casefold(), str(one.relative_to(self._folder))
