"""A folder of ours: products, feeds and spreadsheets, pages, recipes, collections, entities, sellers' logos, related searches."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.errors import UserError
from bot.insights.feeds import values
from bot.insights.feeds.opening import Lines, decoded
from bot.insights.feeds.records import BadField, Feed, Origin, Page, Rejected, SubjectRow, suffixes
from bot.insights.feeds.subjects import subject

MAX_LIST = 64 * 1024 * 1024
"""Bytes of recipes.json and its like, which are read whole."""
_SUBJECTS = {"recipes.json": "recipe", "collections.json": "collection", "entities.json": "entity"}
_IN_FEEDS = {".jsonl", ".json", ".tsv", ".csv", ".txt", ".xml", ".rss", ".atom", ".xlsx", ".html", ".htm"}
_IN_FOLDER = {".tsv", ".csv", ".xml", ".rss", ".atom", ".xlsx"}

Said = Iterator[tuple[int, Page | SubjectRow | BadField]]


def files_of(folder: Path) -> list[Path]:
    """The files of a folder that `rows` reads, products first. Raises UserError when there is none."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not there. Name a feed file (.tsv, .csv, .jsonl), a folder of them, or an http address.")
    feeds = sorted((folder / "feeds").iterdir()) if (folder / "feeds").is_dir() else []
    here = sorted(folder.iterdir())
    products = [one for one in here if one.name.startswith("products") and suffixes(one.name)[-1:] in {(".json",), (".jsonl",)}]
    tables = [one for one in here if suffixes(one.name)[-1:] and suffixes(one.name)[-1] in _IN_FOLDER]
    found = [*products, *(one for one in feeds if suffixes(one.name)[-1:] and suffixes(one.name)[-1] in _IN_FEEDS), *tables]
    found = [one for one in found if one.is_file() and not one.name.startswith((".", "~$"))]
    if not found:
        raise UserError(f"{folder} holds no feed. Put products.jsonl, .tsv, .csv, .xml or .xlsx files there.")
    return [*found, *(path for name in ("pages.jsonl", *_SUBJECTS) if (path := folder / name).is_file())]


def listed(path: Path) -> Callable[[io.BufferedReader, Origin], Said] | None:
    """How a file is read that goes by its name in a folder of ours."""
    if path.name == "pages.jsonl":
        return _pages
    return _subjects if path.name in _SUBJECTS else None


def company(folder: Path) -> Feed:
    """What a folder says beside its files: logos of sellers and related searches (in `logos`, `related`, `rejected`)."""
    feed = Feed()
    merchants = folder / "merchants.json"
    for seller in _list_of(merchants):
        try:
            feed.logos[values.needed(seller, "name")] = values.picture(values.text(seller.get("logo")), str(merchants))
        except BadField as bad:
            feed.rejected.append(Rejected(str(merchants), 0, bad.name, str(bad)))
    for group in _list_of(folder / "related_searches.json"):
        if isinstance(queries := group.get("queries"), list):
            kind = values.text(group.get("product_type"))
            feed.related[kind] = [said for query in queries if (said := values.text(query))]
    return feed


def _pages(whole: io.BufferedReader, origin: Origin) -> Said:
    lines = Lines(decoded(whole))
    for line in lines:
        lines.start()
        if not line.strip():
            continue
        try:
            yield lines.number, _page(lines.number, json.loads(line), origin)
        except BadField as bad:
            yield lines.number, bad
        except (ValueError, RecursionError):
            yield lines.number, BadField("row", "This line is not JSON.")


def _page(number: int, record: Any, origin: Origin) -> Page:
    if not isinstance(record, dict):
        raise BadField("row", "This line is not a JSON object.")
    images = record.get("images")
    pictures = values.pictures(images if isinstance(images, list) else [], origin.base)
    return Page(number, values.link(values.needed(record, "url")), values.plain(record.get("title")), pictures)


def _subjects(whole: io.BufferedReader, origin: Origin) -> Said:
    kind = _SUBJECTS[Path(origin.base).name]
    for number, record in enumerate(_objects(whole.read(MAX_LIST + 1), origin.base), 1):
        try:
            yield number, subject(kind, number, record, origin)
        except BadField as bad:
            yield number, bad


def _list_of(path: Path) -> list[Mapping[str, Any]]:
    if not path.is_file():
        return []
    with path.open("rb") as file:
        return _objects(file.read(MAX_LIST + 1), str(path))


def _objects(data: bytes, name: str) -> list[Mapping[str, Any]]:
    try:
        records = json.loads(data.decode("utf-8-sig")) if len(data) <= MAX_LIST else None
    except (ValueError, RecursionError):
        records = None
    if records is None:
        raise UserError(f"{name} is not JSON.")
    return [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []
