"""A web page: the products and recipes it states in JSON-LD, microdata or OpenGraph, and the pictures it shows."""

import html
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import jstyleson
from lxml import etree
from lxml import html as lxml_html

from bot.insights.feeds import values
from bot.insights.feeds.opening import encoding
from bot.insights.feeds.records import BadField, Origin, Page, Record, SubjectRow, is_address
from bot.insights.feeds.schema_org import About, of_page, records

MAX_PAGE = 8 * 1024 * 1024
"""Bytes."""
MAX_SCRIPT = 2 * 1024 * 1024
MAX_PROPERTIES, MAX_NESTED, MAX_REFERENCES = 5000, 8, 20
"""Of microdata. Each property is copied out of the page with all it holds, and again for each that it is in or referred to by."""
MAX_OBJECTS = 200
MAX_MARKS = 4
"""Rounds of them around a script: `//<![CDATA[` is two."""
SMALL = 100
"""Pixels: what says it is smaller is an icon."""

_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,30})""", re.IGNORECASE)
_OF_THE_WEB = re.compile(
    r"utf-?8|iso-8859-\d{1,2}|latin-?1|(?:windows-|cp)125\d|koi8-[ru]|gb2312|gbk|gb18030|big5|euc-(?:jp|kr)|shift_jis",
    re.IGNORECASE,
)
"""Encodings that a page may name: Python knows others, some of them slow on purpose."""
_BEFORE, _AFTER = ("//", "/*", "*/", "<![CDATA[", "<!--"), ("//", "/*", "*/", "]]>", "-->", ";")
_BETWEEN = re.compile(r"[\s,;]*")
_ESCAPE = re.compile(r'\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})')

Said = tuple[int, Record | Page | SubjectRow | BadField]


def read(whole: io.BufferedReader, origin: Origin, *, is_feed: bool) -> Iterator[Said]:
    """`is_feed`: it was called a feed, so a page that states no product is somebody's mistake."""
    data = whole.read(MAX_PAGE + 1)
    if len(data) > MAX_PAGE:
        yield 1, BadField("file", f"The page is larger than {MAX_PAGE // 1024**2} MB.")
        return
    tree = _tree(data)
    if tree is None:
        yield 1, BadField("file", "The page is empty.")
        return
    about = _about(tree, origin)
    found = list(_stated(tree, about, origin))
    if is_feed and not any(isinstance(one, dict | SubjectRow) for one in found):
        yield 1, BadField("file", "This is a web page that states no product, not a feed. Does the address want a login?")
        return
    yield from enumerate(found, 1)
    try:
        url = values.link(about.url, origin.base)
        goods = [one for said in found if isinstance(said, dict) for one in said["image_link"]]
        shown = filter(None, (_usable(one, origin) for one in (*goods, *about.pictures)))
    except BadField as bad:
        yield 1, bad
        return
    if about.title and (pictures := tuple(dict.fromkeys(shown))[: values.MAX_PICTURES]):
        yield 1, Page(1, url, about.title, pictures)


def pictures_of(data: bytes, url: str) -> tuple[str, ...]:
    """Addresses of what a page shows of what it is about: the pictures of its products, then those it names for previews."""
    origin = Origin(url)
    tree = _tree(data)
    if tree is None:
        return ()
    about = _about(tree, origin)
    goods = [one for said in _stated(tree, about, origin) if isinstance(said, dict) for one in said.get("image_link") or ()]
    base = next(iter(tree.xpath("//base/@href")), "")
    found = [*goods, *(_from(base, one) for one in _named(_meta(tree)))]
    return tuple(address for one in dict.fromkeys(found) if is_address(address := _usable(one, origin) or ""))


def _named(meta: dict[str, list[str]]) -> list[str]:
    """What a page names for previews."""
    return [one for name in ("og:image:secure_url", "og:image", "twitter:image") for one in meta.get(name, [])]


def _tree(data: bytes) -> Any:
    """Read leniently, as browsers do; nothing is loaded."""
    name = encoding(data[:1000])
    said = _META.search(data[:4096])
    if name == "utf-8" and said and _OF_THE_WEB.fullmatch(said[1].decode()):
        name = said[1].decode()
    try:
        text = data.decode(name, "western" if name.lower() in {"utf-8", "utf8"} else "replace")
    except (LookupError, UnicodeError):
        text = data.decode("utf-8", "western")
    text = text.replace("\0", "").encode("utf-8", "replace").decode()
    try:
        parser = lxml_html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
        tree = lxml_html.document_fromstring(text.encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError):
        return None
    return tree if isinstance(tree.tag, str) else None


def _about(tree: Any, origin: Origin) -> About:
    meta = _meta(tree)
    base = next(iter(tree.xpath("//base/@href")), "")
    canonical = next(iter(tree.xpath("//link[translate(@rel,'CANOIL','canoil')='canonical']/@href")), "")
    url = origin.base if origin.is_remote else values.text(canonical) or meta.get("og:url", [""])[0]
    title = meta.get("og:title", [""])[0] or " ".join(tree.xpath("//title[1]//text()"))
    shown = _named(meta) + [one for image in tree.iter("img") if (one := _source(image))][: 5 * values.MAX_PICTURES]
    pictures = [_from(base, one) for one in shown]
    return About(values.text(url), values.plain(title), tuple(dict.fromkeys(pictures)))


def _from(base: str, address: str) -> str:
    """Resolved against the page's own `<base>`, when that is an address."""
    try:
        return values.link(address, base) if is_address(base) else address
    except BadField:
        return address


def _source(image: Any) -> str:
    sizes = [values.text(image.get(name)).removesuffix("px") for name in ("width", "height")]
    if any(size.isdecimal() and int(size[:6]) < SMALL for size in sizes):
        return ""
    address = values.text(image.get("data-src")) or values.text(image.get("src"))
    return "" if address.startswith("data:") or re.search(r"\.svg(?:$|\?)", address, re.IGNORECASE) else address


def _usable(address: str, origin: Origin) -> str:
    try:
        return values.picture(address, origin.base)
    except BadField:
        return ""


def _meta(tree: Any) -> dict[str, list[str]]:
    """OpenGraph and its like: pages write the name as `property` or as `name`."""
    found: dict[str, list[str]] = {}
    for one in tree.iter("meta"):
        name, content = values.text(one.get("property") or one.get("name")).lower(), values.text(one.get("content"))
        if name and content:
            found.setdefault(name, []).append(content)
    return found


def _stated(tree: Any, about: About, origin: Origin) -> Iterator[Record | SubjectRow | BadField]:
    """The same goods are often said in each syntax: the first that says any is believed."""
    nodes: list[Any] = []
    broken: list[BadField] = []
    for place, script in enumerate(_scripts(tree), 1):
        try:
            nodes += objects(script)
        except ValueError:
            if re.search("Product|Recipe|Offer", script):
                broken.append(BadField("json-ld", f"The page's JSON-LD block {place} is broken and could not be mended."))
    found = list(records(nodes, about, 1, origin)) or list(records(_microdata(tree, origin), about, 1, origin))
    if not found and (said := _open_graph(_meta(tree), about)):
        found = [said]
    yield from found or broken


def _scripts(tree: Any) -> list[str]:
    kinds = "contains(translate(@type, 'ADJLNOPCTI', 'adjlnopcti'), 'application/ld+json')"
    return [text for one in tree.xpath(f"//script[{kinds}]") if len(text := str(one.xpath("string()"))) <= MAX_SCRIPT]


def objects(script: str) -> list[Any]:
    """The JSON values of a script, as real pages write them. Raises ValueError when they cannot be made out."""
    bare = _bare(script)
    mended = _ESCAPE.sub(r"\\\\", bare)
    for text in (f"{script}\n", bare, mended, html.unescape(mended)):
        for clean in (lambda said: said, jstyleson.dispose):  # comments and trailing commas
            try:
                return _several(clean(text))
            except (ValueError, IndexError, RecursionError):
                continue
    raise ValueError("not JSON")


def _bare(script: str) -> str:
    """Without the comment marks that once hid scripts from old browsers."""
    for _ in range(MAX_MARKS):
        for mark in _BEFORE:
            script = script.strip().removeprefix(mark)
        for mark in _AFTER:
            script = script.strip().removesuffix(mark)
    return script


def _several(text: str) -> list[Any]:
    decoder, found, at = json.JSONDecoder(strict=False), list[Any](), 0
    while (at := _BETWEEN.match(text, at).end()) < len(text):  # type: ignore[union-attr]  # it matches nothing, too
        one, at = decoder.raw_decode(text, at)
        found.append(one)
        if len(found) > MAX_OBJECTS:
            break
    return found


def _microdata(tree: Any, origin: Origin) -> list[Any]:
    if not tree.xpath("boolean(//*[@itemscope])"):
        return []
    refs = sum(len(said.split()) for said in tree.xpath("//@itemref"))
    nested = f"boolean(//*[@itemprop][count(ancestor::*[@itemprop]) > {MAX_NESTED}])"
    if tree.xpath("count(//@itemprop)") > MAX_PROPERTIES or refs > MAX_REFERENCES or tree.xpath(nested):
        return []
    # with it come parsers of syntaxes we do not read; a bot that reads no page does without them
    from extruct.w3cmicrodata import MicrodataExtractor  # noqa: PLC0415

    try:
        items = MicrodataExtractor().extract_items(tree, origin.base if origin.is_remote else "")
    except (ValueError, RecursionError, etree.LxmlError):
        return []
    return [_node(item) for item in items]


def _node(item: Any, depth: int = 0) -> Any:
    """Microdata as JSON-LD would say it."""
    if isinstance(item, list):
        return [_node(one, depth + 1) for one in item]
    if not isinstance(item, dict) or depth > MAX_OBJECTS:
        return item if isinstance(item, str) else None
    properties = item.get("properties", {})
    return {name: _node(value, depth + 1) for name, value in properties.items()} | {
        "@type": item.get("type"),
        "@id": item.get("id"),
    }


def _open_graph(meta: dict[str, list[str]], about: About) -> Record | None:
    def said(*names: str) -> str:
        return next((meta[name][0] for name in names if name in meta), "")

    amount = said("product:sale_price:amount", "product:price:amount", "og:price:amount")
    if not amount and not said("og:type").startswith(("product", "og:product")):
        return None
    url = about.url or said("og:url")
    return {
        "id": (said("product:retailer_item_id", "product:sku") or of_page(url))[-values.MAX_ID :],
        "title": about.title,
        "description": said("og:description", "description"),
        "link": url,
        "image_link": meta.get("og:image:secure_url") or meta.get("og:image") or list(about.pictures),
        "price": amount,
        "currency": said("product:sale_price:currency", "product:price:currency", "og:price:currency"),
        "availability": said("product:availability", "og:availability"),
        "brand": said("product:brand", "og:brand"),
        "gtin": said("product:ean", "product:gtin", "product:upc"),
        "mpn": said("product:mfr_part_no"),
        "color": said("product:color"),
        "material": said("product:material"),
        "size": said("product:size"),
        "product_type": said("product:category"),
        "item_group_id": said("product:item_group_id"),
    }
