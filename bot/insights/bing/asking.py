"""What a client asks, read from its query string and its form (insights-api.md §3, §4, §8). Pure."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import InvalidValue
from bot.insights.bing.markets import DEFAULT_MARKET, best_market, interface_language
from bot.insights.model import EVERYTHING, WHOLE, Crop, ImageFilter, Module, SafeSearch, Skill

MAX_IMAGE_BYTES = 1_048_576
UNNAMED = frozenset({Module.BRQ, Module.CAPTION})
"""What is answered when no module is named (§4.5)."""

_COLOURS = "ColorOnly Monochrome Black Blue Brown Gray Green Orange Pink Purple Red Teal White Yellow"
CHOICES: Mapping[str, tuple[str, ...]] = {
    "aspect": ("All", "Square", "Wide", "Tall"),
    "color": tuple(_COLOURS.split()),
    "ct": ("0", "Rectangular"),
    "freshness": ("Day", "Week", "Month"),
    "imageContent": ("Face", "Portrait"),
    "imageType": ("AnimatedGif", "Clipart", "Line", "Photo", "Shopping", "Transparent"),
    "license": ("All", "Any", "Public", "Share", "ShareCommercially", "Modify", "ModifyCommercially"),
    "safeSearch": tuple(SafeSearch),
    "size": ("All", "Small", "Medium", "Large", "Wallpaper"),
}
"""Values of parameters that have a list of them; read without regard to case."""
WHOLE_NUMBERS = ("width", "height", "minWidth", "maxWidth", "minHeight", "maxHeight", "minFileSize", "maxFileSize")
MOST_AT_ONCE = 150
USUAL_COUNT = 35
MAX_OFFSET = 1_000_000
MAX_REQUEST_DEPTH = 32

_BY_NAME = {module.lower(): module for module in Module} | {"collection": Module.COLLECTIONS}
_EDGES = {"cal": "left", "cat": "top", "car": "right", "cab": "bottom"}
_FRACTION = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,10}", re.ASCII)
_SKILLS = {"similarimages": Module.SIMILAR_IMAGES, "similarproducts": Module.SIMILAR_PRODUCTS}


class Missing(InvalidValue):
    """A required parameter did not come."""

    def __init__(self, parameter: str, text: str) -> None:
        super().__init__(parameter, "", text)


@dataclass(frozen=True, slots=True)
class Audience:
    """Who asks: what every endpoint is told in the same way."""

    market: str
    language: str
    safe_search: SafeSearch


@dataclass(frozen=True, slots=True)
class Question:
    """The query string of a details request, read. `token` and `url` are empty when the picture is in the body."""

    token: str
    url: str
    query: str
    modules: frozenset[Module]
    crop: Crop


@dataclass(frozen=True, slots=True)
class KnowledgeRequest:
    """The knowledgeRequest of a Visual Search (§8); everything is optional."""

    token: str = ""
    url: str = ""
    crop: Crop = WHOLE
    site: str = ""
    entity_data: bool = False
    skill: Skill | None = None


@dataclass(frozen=True, slots=True)
class ImageSearch:
    """A request of images/search. `first` is the imageId that leads the list."""

    words: str
    count: int
    offset: int
    only: ImageFilter
    first: str


def read_names(parameters: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Names without regard to case; the first of a repeated name counts (§1)."""
    given: dict[str, str] = {}
    for name, value in parameters:
        given.setdefault(name.lower(), value.strip())
    return given


def read_audience(given: Mapping[str, str], *, accept_language: str = "", default_market: str = DEFAULT_MARKET) -> Audience:
    """Raises InvalidValue."""
    return Audience(
        market=best_market(given.get("mkt", ""), given.get("cc", ""), accept_language, default_market),
        language=interface_language(given.get("setlang", ""), accept_language),
        safe_search=SafeSearch((_choice(given, "safeSearch") or SafeSearch.MODERATE).capitalize()),
    )


def read_question(given: Mapping[str, str]) -> Question:
    """Raises InvalidValue."""
    _choice(given, "ct")
    return Question(
        token=given.get("insightstoken", ""),
        url=given.get("imgurl", ""),
        query=given.get("q", ""),
        modules=read_modules(given.get("modules", "")),
        crop=_crop(given),
    )


def read_search(given: Mapping[str, str]) -> ImageSearch:
    """Raises InvalidValue, Missing without words."""
    words = given.get("q", "")
    if not words:
        raise Missing("q", "Say what to look for in q.")
    chosen = {name: _choice(given, name) for name in CHOICES if name not in {"ct", "safeSearch"}}
    numbers = {name: _whole(given, name, 0) for name in WHOLE_NUMBERS}
    return ImageSearch(
        words=words,
        count=min(_whole(given, "count", USUAL_COUNT), MOST_AT_ONCE),
        offset=min(_whole(given, "offset", 0), MAX_OFFSET),
        only=ImageFilter(
            size=chosen["size"].removeprefix("all"),
            aspect=chosen["aspect"].removeprefix("all"),
            color=chosen["color"],
            image_type=chosen["imageType"],
            image_content=chosen["imageContent"],
            license=chosen["license"].removeprefix("all"),
            freshness=chosen["freshness"],
            width=numbers["width"],
            height=numbers["height"],
            min_width=numbers["minWidth"],
            max_width=numbers["maxWidth"],
            min_height=numbers["minHeight"],
            max_height=numbers["maxHeight"],
            min_file_size=numbers["minFileSize"],
            max_file_size=numbers["maxFileSize"],
        ),
        first=given.get("id", ""),
    )


def _choice(given: Mapping[str, str], name: str) -> str:
    """The value in lower case, empty when it did not come."""
    text = given.get(name.lower(), "")
    if text and text.lower() not in {choice.lower() for choice in CHOICES[name]}:
        raise InvalidValue(name, text, f"{name} is one of {', '.join(CHOICES[name])}.")
    return text.lower()


def _whole(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name.lower(), "")
    if text and not _WHOLE.fullmatch(text):
        raise InvalidValue(name, text, f"{name} is a whole number, 0 or more.")
    return int(text) if text else default


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


# ---------------------------------------------------------------- knowledgeRequest


def read_knowledge_request(text: str) -> KnowledgeRequest:
    """null, "" and unknown fields are as if they had not come (§8). Raises InvalidValue."""
    request = _json_object(text)
    image, asked = _object(request, "imageInfo"), _object(request, "knowledgeRequest")
    filters, data = _object(asked, "filters"), _object(asked, "invokedSkillsRequestData")
    return KnowledgeRequest(
        token=_string(image, "imageInsightsToken"),
        url=_string(image, "url"),
        crop=_crop_area(image.get("cropArea")),
        site=_string(filters, "site").lower().rstrip("."),
        entity_data=str(data.get("enableEntityData")).lower() == "true",
        skill=_skill(asked),
    )


def _json_object(text: str) -> Mapping[str, Any]:
    def no_constant(name: str) -> Any:
        raise ValueError(name)

    try:
        # integers are read as floats: one of 5,000 digits costs nothing and is out of every range (threats.md H6)
        found = json.loads(text, parse_int=float, parse_constant=no_constant) if text.strip() else {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or _depth(found) > MAX_REQUEST_DEPTH:
        raise InvalidValue("knowledgeRequest", text[:200], "knowledgeRequest is a JSON object, such as {}.")
    return found


def _depth(node: Any) -> int:
    """How deep lists and objects lie in each other, without recursion."""
    depth, level = 0, [node]
    while level and depth <= MAX_REQUEST_DEPTH:
        depth += 1
        children = (child.values() if isinstance(child, dict) else child for child in level if isinstance(child, dict | list))
        level = [grandchild for group in children for grandchild in group]
    return depth


def _object(node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = node.get(name)
    if found in (None, ""):
        return {}
    if not isinstance(found, dict):
        raise InvalidValue("knowledgeRequest", name, f"{name} is an object.")
    return found


def _string(node: Mapping[str, Any], name: str) -> str:
    found = node.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise InvalidValue(name, str(found)[:200], f"{name} is a string.")
    return found.strip()


def _crop_area(area: Any) -> Crop:
    """Four fractions; some write them as strings."""
    if area in (None, ""):
        return WHOLE
    edges = [_fraction(area.get(name)) for name in ("left", "top", "right", "bottom")] if isinstance(area, dict) else []
    if not edges or not all(0 <= edge <= 1 for edge in edges) or edges[0] >= edges[2] or edges[1] >= edges[3]:
        text = "cropArea has left, top, right and bottom, fractions from 0 to 1, left less than right and top than bottom."
        raise InvalidValue("cropArea", json.dumps(area)[:200], text)
    return Crop(*edges)


def _fraction(value: Any) -> float:
    if isinstance(value, str):
        return float(value) if _FRACTION.fullmatch(value.strip()) else math.nan
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _skill(asked: Mapping[str, Any]) -> Skill | None:
    names = asked.get("invokedSkills") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidValue("invokedSkills", str(names)[:200], "invokedSkills is a list of names.")
    if not names:
        return None
    module = _SKILLS.get(names[0].lower())
    if module is None or len(names) > 1:
        raise InvalidValue("invokedSkills", ", ".join(names)[:200], "Name one skill: SimilarImages or SimilarProducts.")
    return Skill(module, _paging(asked, "offset", 0, MAX_OFFSET), _paging(asked, "count", USUAL_COUNT, MOST_AT_ONCE))


def _paging(asked: Mapping[str, Any], name: str, default: int, most: int) -> int:
    value = asked.get(name)
    if value in (None, ""):
        return default
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = float(value)
    if not isinstance(value, float) or not value.is_integer() or value < 0:
        raise InvalidValue(name, str(value)[:200], f"{name} is a whole number, 0 or more.")
    return int(min(value, most))
