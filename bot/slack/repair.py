"""When Slack refuses a message: which part, and the same message without the pictures at fault (cards.md §4.3, §9.2)."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.slack.blocks import Payload

_POINTER = re.compile(r"\[json-pointer:\s*(/?[^\]]*)\]")
_PICTURES = ("downloading image failed", "invalid slack file", "image_url", "slack_file")
_CAROUSEL = re.compile(r"\b(carousel|card|context_actions|feedback_buttons|icon_button)\b")
_GONE = object()

Path = tuple[str, ...]


def messages(response: Mapping[str, Any]) -> list[str]:
    """Everything Slack said is wrong, each once. `response` is what it answered."""
    metadata = response.get("response_metadata")
    said = metadata.get("messages") if isinstance(metadata, Mapping) else None
    texts = [
        text for source in (response.get("errors"), said) if isinstance(source, list) for text in source if isinstance(text, str)
    ]
    return list(dict.fromkeys(text.removeprefix("[ERROR] ") for text in texts))


def pointers(texts: Iterable[str]) -> list[Path]:
    """The paths that the messages name, from the payload's top, without the `/view` that views have in front."""
    found = (
        tuple(_unescape(part) for part in match[1].strip("/").split("/")) for text in texts for match in _POINTER.finditer(text)
    )
    return list(dict.fromkeys(path[1:] if path[:1] == ("view",) else path for path in found))


def without_refused_pictures(payload: Payload, texts: Iterable[str]) -> tuple[Payload, list[str]]:
    """The payload without the pictures that the messages complain about, and the pointers removed.

    No pointers: the messages are about something else, and sending the same again will not help.
    """
    refused = pointers(text for text in texts if any(word in text for word in _PICTURES))
    taken: list[str] = []

    def refused_here(path: Path) -> bool:
        hit = any(path[: len(other)] == other[: len(path)] for other in refused)
        if hit:
            taken.append("/" + "/".join(path))
        return hit

    return _without(payload, refused_here), taken


def files(payload: Payload, taken: Iterable[str]) -> list[str]:
    """The Slack files among pictures that `without_refused_pictures` took."""
    found = []
    for pointer in taken:
        part: Any = payload
        for step in pointer.strip("/").split("/"):
            part = part[int(step)] if isinstance(part, list) else part[step]
        if file := part.get("slack_file", {}).get("id"):
            found.append(str(file))
    return found


def without_pictures(payload: Payload) -> Payload:
    """The payload without any picture. What a picture stood alone in goes with it."""
    return _without(payload, lambda _: True)


def names_carousel(texts: Iterable[str], payload: Payload | None = None) -> bool:
    """Whether Slack refused carousels, cards or thumbs as such, so that classic rows (cards.md §9.2) are the answer.

    By the word, or, given the payload, by a pointer to one as a whole. A complaint about a part of one does not count.
    """
    said = list(texts)
    if any(_CAROUSEL.search(_POINTER.sub("", text)) for text in said):
        return True
    blocks = payload.get("blocks", []) if payload else []
    whole = {
        ("blocks", str(at)) for at, block in enumerate(blocks) if block.get("type") in {"carousel", "card", "context_actions"}
    }
    return not whole.isdisjoint(path[:-1] if path[-1] == "type" else path for path in pointers(said))


def _without(payload: Payload, refused: Callable[[Path], bool]) -> Payload:
    kept = _strip(payload, (), refused)
    return kept if isinstance(kept, dict) else {}


def _strip(value: Any, path: Path, refused: Callable[[Path], bool]) -> Any:
    """A copy without the pictures refused; _GONE for a picture, and for a block whose only elements were pictures."""
    if isinstance(value, list):
        return [kept for at, part in enumerate(value) if (kept := _strip(part, (*path, str(at)), refused)) is not _GONE]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "image" and refused(path):
        return _GONE
    kept = {key: part for key, old in value.items() if (part := _strip(old, (*path, key), refused)) is not _GONE}
    emptied = value.get("elements") and not kept.get("elements")
    return _GONE if emptied else kept


def _unescape(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
