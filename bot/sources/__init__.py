"""Live sources: services of others that are asked about a picture when the own catalogue has nothing, where that is allowed.

Off unless LIVE_SOURCES names some. Each turns its service's answer into Insights; `ladder.py` asks them in turn.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Protocol

from bot.insights.model import Insights, SafeSearch


@dataclass(frozen=True, slots=True)
class Question:
    """jpeg: the picture, at most ladder.SIDE pixels, nothing but pixels in it. query: words said beside it."""

    jpeg: bytes = field(repr=False)
    query: str = ""
    market: str = "en-US"
    language: str = "en"
    safe_search: SafeSearch = SafeSearch.MODERATE

    def named(self, source: str) -> str:
        """The same picture, asked about in the same way, has the same name."""
        digest = hashlib.sha256(self.jpeg).hexdigest()
        parts = (source, digest, self.query, self.market, self.language, self.safe_search.value)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class Source(Protocol):
    """One service. `name` is what people read on the card."""

    name: str

    async def look(self, question: Question) -> Insights:
        """What it says about the picture.

        Raises Unavailable when it cannot answer now, or what it answers is not what it documents.
        """
        ...
