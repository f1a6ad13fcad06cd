"""Feeds of shops, read as they are published: tables, XML, JSON, Shopify, web pages, spreadsheets.

`rows` reads one local file as a stream; `files_of` names the files of a folder and `company` what it says beside them;
`remote` brings what is behind an address into files.
"""

import io
from collections.abc import Iterable
from pathlib import Path

from bot.insights.feeds.folder import company, files_of
from bot.insights.feeds.pages import pictures_of
from bot.insights.feeds.reading import Said, from_stream, rows
from bot.insights.feeds.records import Feed, Origin, Page, Rejected, Row, SubjectRow, stamp_of
from bot.insights.feeds.remote import LOCAL, Part, remote

__all__ = [
    "LOCAL",
    "Feed",
    "Page",
    "Part",
    "Rejected",
    "Row",
    "Said",
    "SubjectRow",
    "company",
    "files_of",
    "pictures_of",
    "read_feed",
    "read_source",
    "remote",
    "rows",
    "stamp_of",
]


def read_source(path: Path, *, seller: str = "", currency: str = "") -> Feed:
    """A file or a folder, whole. Raises UserError when there is nothing to read.

    Within one source an offer's id counts once: a folder may hold the same goods as JSON lines and as tables.
    """
    feed = Feed()
    files = [path]
    if not path.is_file():
        files, feed = files_of(path), company(path)
    for file in files:
        _add(feed, rows(file, source=str(file), seller=seller, currency=currency))
    return feed


def read_feed(feed: Feed, data: bytes, source: str, *, seller: str = "", currency: str = "") -> None:
    """Add what one feed says to `feed`. `source` (a path or URL) names it, and its pictures are relative to it."""
    _add(feed, from_stream(io.BytesIO(data), source, Origin(source, seller, currency)))


def _add(feed: Feed, found: Iterable[Said]) -> None:
    known = {row.id for row in feed.rows}
    for one in found:
        match one:
            case Row():
                if one.id not in known:
                    feed.rows.append(one)
            case Page():
                feed.pages.append(one)
            case SubjectRow():
                feed.subjects.append(one)
            case Rejected():
                feed.rejected.append(one)
