"""What a source says, on disk until it has been worked on: a feed may be longer than the memory.

Offers are grouped into products and held against what is in the catalogue here, before anything is fetched or encoded.
"""

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from bot.insights.feeds import Page, Rejected, Row, Said, SubjectRow

UNSEEN = "?"
"""At the end of a digest, once for each import that could not have all pictures: the next tries again, changed or not."""
MOST_TRIES = 10
MAX_SUBJECTS = 100_000
_ROW = tuple(one.name for one in fields(Row))
_SCHEMA = """
CREATE TABLE said (n INTEGER PRIMARY KEY, id TEXT UNIQUE, gtin TEXT, maker TEXT, grp TEXT, digest TEXT, product TEXT, row TEXT);
CREATE TABLE known (id TEXT PRIMARY KEY, digest TEXT) WITHOUT ROWID;
CREATE TABLE pages (n INTEGER PRIMARY KEY, url TEXT UNIQUE, digest TEXT, page TEXT);
CREATE TABLE known_pages (url TEXT PRIMARY KEY, digest TEXT) WITHOUT ROWID;
"""
_GROUP = """
CREATE INDEX by_maker ON said (maker, gtin);
CREATE INDEX by_group ON said (grp, gtin);
CREATE TEMP TABLE makers AS
    SELECT maker, MIN(gtin) AS gtin FROM said WHERE maker <> '' AND gtin <> '' GROUP BY maker HAVING COUNT(DISTINCT gtin) = 1;
CREATE TEMP TABLE groups AS
    SELECT grp, MIN(gtin) AS gtin FROM said WHERE grp <> '' AND gtin <> '' GROUP BY grp HAVING COUNT(DISTINCT gtin) = 1;
CREATE INDEX temp.by_maker ON makers (maker);
CREATE INDEX temp.by_group ON groups (grp);
"""
_PRODUCTS = """
UPDATE said SET product = CASE
    WHEN gtin <> '' THEN 'gtin:' || gtin
    WHEN maker <> '' THEN COALESCE((SELECT 'gtin:' || makers.gtin FROM makers WHERE makers.maker = said.maker), 'mpn:' || maker)
    WHEN grp <> '' THEN COALESCE(
        (SELECT 'gtin:' || groups.gtin FROM groups WHERE groups.grp = said.grp), 'group:' || :source || ':' || grp)
    ELSE 'row:' || :source || ':' || id END
"""
_FRESH = """
SELECT said.n, said.row, said.product, said.product || ' ' || said.digest, known.digest,
    said.n = (SELECT MIN(first.n) FROM said AS first WHERE first.product = said.product)
FROM said LEFT JOIN known ON known.id = said.id
WHERE said.n > ? AND (? OR known.digest IS NULL OR known.digest <> said.product || ' ' || said.digest) ORDER BY said.n LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Fresh:
    """An offer to be stored. digest: with the product it belongs to; speaks: the first that tells what the product is.

    same: it says what it said before; tries: so many imports since then could not have all of its pictures.
    """

    row: Row
    product_id: str
    digest: str
    known: bool
    speaks: bool
    same: bool
    tries: int


class Staging:
    """One source. Blocks: called on threads, one call at a time. Its file has no name and is gone with the process."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.rows = 0
        self.pages = 0
        self.subjects: list[SubjectRow] = []
        self.logos: dict[str, str] = {}
        self.rejected: list[Rejected] = []
        self._last = 0

    @classmethod
    def open(cls, folder: Path) -> Self:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="import-", suffix=".db", dir=folder)
        os.close(handle)
        database = sqlite3.connect(name, check_same_thread=False, isolation_level=None)
        try:
            database.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE; {_SCHEMA}")
        finally:
            Path(name).unlink()
        return cls(database)

    def close(self) -> None:
        self._database.close()

    def take(self, found: Iterator[Said], most: int) -> bool:
        """Note up to so much of what is said; False at the end. An id counts once, a rejected row is for the caller to fetch."""
        done = 0
        self._database.execute("BEGIN")
        for done, one in enumerate(found, 1):
            match one:
                case Row():
                    self._row(one)
                case Page():
                    self._page(one)
                case SubjectRow():
                    if len(self.subjects) < MAX_SUBJECTS:
                        self.subjects.append(one)
                case Rejected():
                    self.rejected.append(one)
            if done == most:
                break
        self._database.execute("COMMIT")
        return done == most

    def _row(self, row: Row) -> None:
        maker = f"{row.brand.casefold()}:{row.mpn.casefold()}" if row.brand and row.mpn else ""
        gtin = row.gtin.zfill(14) if row.gtin else ""
        values = (row.id, gtin, maker, row.group, row.digest(), json.dumps([getattr(row, name) for name in _ROW]))
        statement = "INSERT OR IGNORE INTO said (id, gtin, maker, grp, digest, row) VALUES (?, ?, ?, ?, ?, ?)"
        self.rows += self._database.execute(statement, values).rowcount
        if row.logo:
            self.logos.setdefault(row.seller, row.logo)

    def _page(self, page: Page) -> None:
        text = json.dumps([page.number, page.url, page.title, page.pictures])
        statement = "INSERT OR IGNORE INTO pages (url, digest, page) VALUES (?, ?, ?)"
        self.pages += self._database.execute(statement, (page.url, page.digest(), text)).rowcount

    def group(self, source: str) -> None:
        """Say which product each offer is of: the same GTIN, else brand and MPN, else item group, else the offer alone.

        An offer without a GTIN takes the one that its brand and MPN, or else its group, agree on. A GTIN stands before the
        group, because a group holds the colours of one model, and these do not look alike.
        """
        self._database.executescript(_GROUP)
        self._database.execute(_PRODUCTS, {"source": source})
        self._database.execute("CREATE INDEX by_product ON said (product, n)")

    def know(self, offers: Sequence[tuple[str, str]]) -> None:
        """Note some of what the catalogue has of this source: ids and digests."""
        self._note("INSERT INTO known VALUES (?, ?)", [(key, digest.removesuffix(UNSEEN * MOST_TRIES)) for key, digest in offers])

    def know_pages(self, pages: Sequence[tuple[str, str]]) -> None:
        """The same of pages: addresses and digests."""
        self._note("INSERT INTO known_pages VALUES (?, ?)", pages)

    def _note(self, statement: str, values: Sequence[tuple[str, str]]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(statement, values)
        self._database.execute("COMMIT")

    def unchanged(self) -> int:
        """Offers that say what they said."""
        return self._one(
            "SELECT COUNT(*) FROM said JOIN known ON known.id = said.id WHERE known.digest = said.product || ' ' || said.digest"
        )

    def fresh(self, most: int, *, all_of_it: bool = False) -> list[Fresh]:
        """The next offers that are new or say something else, or all of them, in the feed's order."""
        found = self._database.execute(_FRESH, (self._last, all_of_it, most)).fetchall()
        self._last = found[-1][0] if found else self._last
        return [
            Fresh(
                row=_read(row),
                product_id=product,
                digest=digest,
                known=known is not None,
                speaks=bool(first),
                same=(same := known is not None and known.rstrip(UNSEEN) == digest),
                tries=len(known) - len(digest) if same else 0,
            )
            for _, row, product, digest, known, first in found
        ]

    def fresh_pages(self) -> list[tuple[Page, str]]:
        """Pages that are new or say something else, with their digests."""
        query = """SELECT pages.page, pages.digest FROM pages LEFT JOIN known_pages ON known_pages.url = pages.url
            WHERE known_pages.digest IS NULL OR known_pages.digest <> pages.digest ORDER BY n"""
        found = ((json.loads(page), digest) for page, digest in self._database.execute(query))
        return [(Page(number, url, title, tuple(pictures)), digest) for (number, url, title, pictures), digest in found]

    def gone(self) -> list[str]:
        """Ids of offers that the source no longer states."""
        return self._list("SELECT id FROM known WHERE NOT EXISTS (SELECT 1 FROM said WHERE said.id = known.id)")

    def gone_pages(self) -> list[str]:
        return self._list("SELECT url FROM known_pages WHERE NOT EXISTS (SELECT 1 FROM pages WHERE pages.url = known_pages.url)")

    def products_named(self, names: Iterable[str]) -> list[str]:
        """Product ids by the feed's own names of items and groups, in that order."""
        query = "SELECT product FROM (SELECT n, product FROM said WHERE id = ?1 UNION SELECT n, product FROM said WHERE grp = ?1)"
        found = (product for name in names for (product,) in self._database.execute(f"{query} ORDER BY n", (name,)))
        return list(dict.fromkeys(found))

    def _one(self, query: str) -> int:
        return int(self._database.execute(query).fetchone()[0])

    def _list(self, query: str) -> list[str]:
        return [text for (text,) in self._database.execute(query)]


def _read(text: str) -> Row:
    values: dict[str, Any] = dict(zip(_ROW, json.loads(text), strict=True))
    return Row(**(values | {"pictures": tuple(values["pictures"])}))
