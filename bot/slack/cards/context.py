"""What a card needs to know beside the engine's answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Literal, Self

from bot.insights.model import Shortfall
from bot.jobs import ImageRef


class Sort(StrEnum):
    """The orders that offers can be shown in."""

    PRICE = "price"
    STOCK = "stock"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class CardContext:
    """`at` in unix seconds; `owner` posted the picture, `channel` and `thread` are where it is.

    image: what was looked at. waiting: products are still looked for. shortfall: why some were not. `pictures` off shows the same
    card without any image but those that are Slack files: `files` has their ids by address.
    """

    rid: str
    at: int
    requester: str = ""
    owner: str = ""
    market: str = "en-US"
    rev: int = 1
    style: Literal["carousel", "classic"] = "carousel"
    image: ImageRef = field(default_factory=ImageRef)
    pictures: bool = True
    files: Mapping[str, str] = field(default_factory=dict)
    channel: str = ""
    thread: str = ""
    waiting: bool = False
    shortfall: Shortfall = Shortfall.NONE

    @property
    def today(self) -> date:
        return datetime.fromtimestamp(self.at, UTC).date()


@dataclass(frozen=True, slots=True)
class ViewState:
    """What a modal remembers, in its private_metadata (cards.md §5).

    `product` counts from 1, 0 is none; `start` and `until` are the rows it shows.
    """

    rid: str
    channel: str = ""
    thread: str = ""
    product: int = 0
    sort: Sort = Sort.PRICE
    start: int = 0
    until: int = 0

    def dump(self) -> str:
        """Compact JSON."""
        fields: dict[str, object] = {"v": 1, "rid": self.rid, "c": self.channel, "t": self.thread}
        if self.product:
            fields |= {"pid": f"p{self.product}", "sort": self.sort.value}
        if self.until:
            fields["o"] = [self.start, self.until]
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def read(cls, private_metadata: str) -> Self | None:
        """None for anything `dump` did not write."""
        try:
            fields = json.loads(private_metadata)
            if fields["v"] != 1:
                return None
            start, until = fields.get("o", (0, 0))
            return cls(
                rid=str(fields["rid"]),
                channel=str(fields["c"]),
                thread=str(fields["t"]),
                product=int(str(fields.get("pid", "p0")).removeprefix("p")),
                sort=Sort(fields.get("sort", Sort.PRICE)),
                start=int(start),
                until=int(until),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
