"""Sitemaps: which pages and which other sitemaps one lists. Streams; nothing is resolved or loaded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from lxml import etree

from bot.insights.feeds import values
from bot.insights.feeds.opening import HEAD, Kind, kind, unpacked
from bot.insights.feeds.records import BadField
from bot.insights.feeds.xml_feed import events, forget, local_name

Listed = tuple[Literal["page", "sitemap"], str]


def is_sitemap(path: Path) -> bool:
    with path.open("rb") as stream:
        try:
            return kind(unpacked(stream).peek(HEAD)) is Kind.SITEMAP
        except BadField:
            return False


def listed(path: Path) -> Iterator[Listed]:
    """In their order, as far as the file can be read."""
    with path.open("rb") as stream:
        try:
            for event, element in events(unpacked(stream)):
                if event == "end":
                    parent = element.getparent()
                    of = local_name(parent) if parent is not None else ""
                    if local_name(element) == "loc" and of in {"url", "sitemap"} and (said := values.text(element.text)):
                        yield "page" if of == "url" else "sitemap", said
                    forget(element)
        except (BadField, etree.XMLSyntaxError):
            return
