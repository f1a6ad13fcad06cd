"""Google Merchant XML: RSS 2.0 with g: names, Atom, and lists of products that look like them."""

import html
import io
from collections.abc import Iterator
from typing import Any

from lxml import etree

from bot.insights.feeds.columns import record
from bot.insights.feeds.records import BadField, Record

ITEMS = frozenset({"item", "entry", "product"})
LONGEST_ENTITY = 2
"""Characters that an entity of HTML stands for, at most."""
MAX_PARTS = 2000
"""Elements of one item; one with more is left out."""
_HARMLESS = frozenset(
    f"ERR_{name}"
    for name in (
        *("UNDECLARED_ENTITY", "ENTITYREF_SEMICOL_MISSING", "NAME_REQUIRED", "INVALID_CHAR", "INVALID_CHARREF"),
        *("INVALID_ENCODING", "UNSUPPORTED_ENCODING", "ATTRIBUTE_REDEFINED"),
    )
) | {"NS_ERR_UNDEFINED_NAMESPACE", "NS_ERR_EMPTY", "WAR_UNDECLARED_ENTITY", "WAR_NS_URI", "WAR_NS_URI_RELATIVE"}
"""Errors that cost a character, not an item: `&nbsp;`, a bare `&`, a prefix nobody declared."""
_ATOM = "http://www.w3.org/2005/Atom"


def events(whole: io.BufferedReader) -> Any:
    """(start or end, element): leniently, without resolving entities or loading anything."""
    return etree.iterparse(
        whole, events=("start", "end"), recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )


def read(whole: io.BufferedReader) -> Iterator[tuple[int, Record | BadField]]:
    """Elements are cleared as they are read; entities are not resolved and nothing is loaded."""
    number, parts, item = 0, 0, None
    context = events(whole)
    try:
        for event, element in context:
            if not number and event == "start" and item is None and element.getroottree().docinfo.internalDTD is not None:
                yield 1, BadField("file", "The XML defines a document type. A feed needs none; leave it out.")
                return
            if event == "start":
                if item is None and local_name(element) in ITEMS:
                    item, parts = element, 0
            elif element is item:
                number += 1
                yield number, (record(_fields(element)) if parts <= MAX_PARTS else BadField("row", "This item is too large."))
                item = None
                forget(element)
            elif item is None:
                forget(element)
            else:
                parts += 1
                if parts > MAX_PARTS:
                    forget(element)
    except etree.XMLSyntaxError as error:
        yield number + 1, BadField("file", f"The XML is broken: {error.msg}. What came before that was read.")
        return
    broken = next((one for one in context.error_log if one.type_name not in _HARMLESS), None)
    if broken is not None:
        yield max(number, 1), BadField("file", f"The XML is broken in line {broken.line}: {broken.message}. The rest was read.")
    elif not number:
        yield 1, BadField("file", "The XML holds no item, entry or product. Is this the address of the feed?")


def forget(element: Any) -> None:
    """Drop what an element holds, and the elements before it."""
    tail = element.tail
    element.clear()
    element.tail = tail if element.getparent() is not None and len(tail or "") < MAX_PARTS else None
    while element.getprevious() is not None and (parent := element.getparent()) is not None:
        del parent[0]


def local_name(element: Any) -> str:
    """The local name, in lower case; a `g:` that nobody declared is taken off too."""
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""


def _fields(item: Any) -> list[tuple[str, Any]]:
    """What an item's own children say, shop names first. A child that comes several times is a list."""
    found: dict[str, list[Any]] = {}
    children = sorted(item, key=_is_atom)
    for child in children:
        name = local_name(child)
        if name == "link" and child.get("href"):
            if child.get("rel", "alternate") != "alternate":
                continue
            value = child.get("href")
        elif name == "enclosure":
            if not str(child.get("type", "image")).startswith("image"):
                continue
            name, value = "image_link", child.get("url", "")
        else:
            if _is_nested(child):
                continue
            value = _text(child)
        if name and value.strip() and not (found.get(name) and _is_atom(child)):
            found.setdefault(name, []).append(value)
    found.setdefault("id", [item.get("id")] if item.get("id") else [])
    return [(name, said[0] if len(said) == 1 else said) if said else (name, "") for name, said in found.items()]


def _text(element: Any) -> str:
    """All text in an element; the entities of HTML are what they are in HTML, others nothing."""
    parts = [element.text or ""]
    for child in element:
        if child.tag is etree.Entity:
            parts.append(said if len(said := html.unescape(child.text or "")) <= LONGEST_ENTITY else "")
        elif isinstance(child.tag, str):
            parts += [" ", _text(child)]
        parts.append(child.tail or "")
    return "".join(parts)


def _is_atom(child: Any) -> bool:
    """Plain RSS and Atom names stand behind shop names: an entry's id is no product's."""
    tag = child.tag
    return isinstance(tag, str) and (tag.startswith(f"{{{_ATOM}}}") or not ("{" in tag or ":" in tag))


def _is_nested(child: Any) -> bool:
    """`g:shipping` holds a price of its own; HTML that was not escaped holds text."""
    return any(isinstance(one.tag, str) and "}" in one.tag and _ATOM not in one.tag and "xhtml" not in one.tag for one in child)
