"""What tests of feeds share: a file is written as a shop would publish it, and read."""

import gzip
from pathlib import Path
from typing import Any

from bot.insights.feeds import Page, Rejected, Row, Said, SubjectRow, rows

SHOP = "https://lindenhof.example"


class Read:
    """All that a file says, by what it is."""

    def __init__(self, found: list[Said]) -> None:
        self.all = found
        self.rows = [one for one in found if isinstance(one, Row)]
        self.pages = [one for one in found if isinstance(one, Page)]
        self.subjects = [one for one in found if isinstance(one, SubjectRow)]
        self.rejected = [one for one in found if isinstance(one, Rejected)]

    @property
    def row(self) -> Row:
        """The only one; nothing was rejected."""
        assert self.rejected == []
        (row,) = self.rows
        return row

    @property
    def said(self) -> list[tuple[int, str]]:
        return [(one.row, one.field) for one in self.rejected]


def read(
    folder: Path, content: str | bytes, name: str = "feed.tsv", *, pack: int = 0, at: str | None = SHOP, **options: Any
) -> Read:
    """`at`: the address of the folder the file is from; none: the file is one of this machine. `pack`: gzip so often."""
    data = content.encode() if isinstance(content, str) else content
    for _ in range(pack):
        data = gzip.compress(data)
    path = folder / (name if at is None else "downloaded")
    path.write_bytes(data)
    return Read(list(rows(path, source=f"{at}/{name}" if at else str(path), **options)))
