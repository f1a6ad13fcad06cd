"""What a client asks, read from its query string and its form (insights-api.md §3, §4, §8). Pure."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.errors import InvalidValue
from bot.insights.bing.markets import DEFAULT_MARKET, best_market
from bot.insights.model import EVERYTHING, Crop, Module, SafeSearch

MAX_IMAGE_BYTES = 1_048_576
UNNAMED = frozenset({Module.BRQ, Module.CAPTION})
"""What is answered when no module is named (§4.5)."""

_BY_NAME = {module.lower(): module for module in Module} | {"collection": Module.COLLECTIONS}
_EDGES = {"cal": "left", "cat": "top", "car": "right", "cab": "bottom"}
_FRACTION = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


class Missing(InvalidValue):
    """A required parameter did not come."""

    def __init__(self, parameter: str, text: str) -> None:
        super().__init__(parameter, "", text)


@dataclass(frozen=True, slots=True)
class Question:
    """The query string of a details request, read. `token` and `url` are empty when the picture is in the body."""

    token: str
    url: str
    query: str
    modules: frozenset[Module]
    crop: Crop
    market: str
    safe_search: SafeSearch


def read_question(
    parameters: Iterable[tuple[str, str]], *, accept_language: str = "", default_market: str = DEFAULT_MARKET
) -> Question:
    """Names and values without regard to case; the first of a repeated name counts (§1, §3). Raises InvalidValue."""
    given: dict[str, str] = {}
    for name, value in parameters:
        given.setdefault(name.lower(), value.strip())
    safe_search = {word.lower(): word for word in SafeSearch}.get(given.get("safesearch", "").lower() or "moderate")
    if safe_search is None:
        raise InvalidValue("safeSearch", given["safesearch"], "safeSearch is Off, Moderate or Strict.")
    return Question(
        token=given.get("insightstoken", ""),
        url=given.get("imgurl", ""),
        query=given.get("q", ""),
        modules=read_modules(given.get("modules", "")),
        crop=_crop(given),
        market=best_market(given.get("mkt", ""), given.get("cc", ""), accept_language, default_market),
        safe_search=safe_search,
    )


def read_modules(text: str) -> frozenset[Module]:
    """The comma list of §4; RecognizedEntities named with others is dropped silently. Raises InvalidValue."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        return UNNAMED
    found: set[Module] = set()
    for name in names:
        key = name.lower()
        if key == "all":
            found.update(EVERYTHING)
        elif key in _BY_NAME:
            found.add(_BY_NAME[key])
        else:
            raise InvalidValue("modules", name, f"Name modules from this list: All, {', '.join(Module)}.")
    return frozenset(found - {Module.RECOGNIZED_ENTITIES} or found)


def _crop(given: Mapping[str, str]) -> Crop:
    edges = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}
    for name, edge in _EDGES.items():
        text = given.get(name, "")
        if not text:
            continue
        number = float(text) if _FRACTION.fullmatch(text) else math.nan
        if not 0 <= number <= 1:
            raise InvalidValue(name, text, f"{name} is a fraction of the picture's size, between 0 and 1.")
        edges[edge] = number
    crop = Crop(**edges)
    for low, high, name in ((crop.left, crop.right, "car"), (crop.top, crop.bottom, "cab")):
        if low >= high:
            raise InvalidValue(name, given.get(name, ""), "The crop is empty: left must be less than right, top than bottom.")
    return crop
