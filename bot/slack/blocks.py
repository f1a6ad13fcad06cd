"""Block Kit's objects as plain dicts: the few shapes our cards are made of."""

from collections.abc import Iterable
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from bot.slack import mrkdwn

Block = dict[str, Any]
Payload = dict[str, Any]

LABEL_LIMIT = 75
ALT_LIMIT = 150
HINT_LIMIT = 150  # under an input there is room for two lines; Slack takes 2,000


def plain(text: str, most: int = LABEL_LIMIT) -> Block:
    """A plain_text object. Colons in it stay text."""
    return {"type": "plain_text", "text": mrkdwn.cut(text, most), "emoji": False}


def below(text: str) -> Block:
    """What stands under an input, as part of its block."""
    return {"hint": plain(text, HINT_LIMIT)} if text else {}


def markup(text: str) -> Block:
    """A mrkdwn object of text that is already escaped. Bare addresses and names in it stay text."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def button(
    label: str, action_id: str, value: str = "", *, about: str = "", url: str = "", style: Literal["", "primary", "danger"] = ""
) -> Block:
    """`about` tells repeated buttons apart for screen readers, after the visible label (cards.md §8)."""
    element: Block = {"type": "button", "text": plain(label), "action_id": action_id}
    if value:
        element["value"] = value
    if about := mrkdwn.clean(about):
        element["accessibility_label"] = mrkdwn.cut(f"{label}: {about}", LABEL_LIMIT)
    if url:
        element["url"] = url
    if style:
        element["style"] = style
    return element


def option(label: str, value: str) -> Block:
    return {"text": plain(label), "value": value}


def image(url: str, alt: str) -> Block | None:
    """A picture, if its address is one that Slack can fetch and its type one that Slack shows."""
    address = mrkdwn.web_url(url)
    if not address or address.partition("?")[0].lower().endswith((".svg", ".webp", ".avif")):
        return None
    return {"type": "image", "image_url": address, "alt_text": mrkdwn.cut(alt, ALT_LIMIT)}


def thumbnail(url: str, alt: str, width: int, height: int) -> Block | None:
    """A picture, all of it within the box if a thumbnail service of Bing's kind (`…/th?id=…`) serves it."""
    parts = urlsplit(mrkdwn.web_url(url))
    query = dict(parse_qsl(parts.query))
    if parts.path.endswith("/th") and "id" in query:
        url = parts._replace(query=urlencode(query | {"w": str(width), "h": str(height), "p": "1"})).geturl()
    return image(url, alt)


def section(text: str, *, accessory: Block | None = None, block_id: str = "") -> Block:
    return _block({"type": "section", "text": markup(text)}, block_id, accessory=accessory)


def context(*elements: Block | str | None, block_id: str = "") -> Block:
    """Small print: pictures and texts (already escaped). Nothing is left out but None."""
    return _block(
        {"type": "context", "elements": [markup(e) if isinstance(e, str) else e for e in elements if e is not None]}, block_id
    )


def actions(elements: Iterable[Block | None], *, block_id: str = "") -> list[Block]:
    """One actions block of the buttons there are; none without buttons."""
    shown = [element for element in elements if element is not None]
    return [_block({"type": "actions", "elements": shown}, block_id)] if shown else []


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, 60)}


def divider() -> Block:
    return {"type": "divider"}


def alert(text: str, level: Literal["success", "error"]) -> Block:
    """Works in modals only."""
    return {"type": "alert", "level": level, "text": markup(text)}


def _block(block: Block, block_id: str, *, accessory: Block | None = None) -> Block:
    if accessory is not None:
        block["accessory"] = accessory
    if block_id:
        block["block_id"] = block_id
    return block
