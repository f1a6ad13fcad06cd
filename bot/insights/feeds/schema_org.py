"""schema.org: products, offers, groups of variants and recipes among nodes as JSON-LD writes them. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.insights.feeds import values
from bot.insights.feeds.records import BadField, Origin, Record, SubjectRow
from bot.insights.feeds.subjects import subject

MAX_NODES = 2000
"""Of one page."""
MAX_DEPTH = 12
_FORMER = re.compile("list|strikethrough|msrp|srp", re.IGNORECASE)
_PRODUCTS = frozenset({"Product", "ProductGroup", "ProductModel", "IndividualProduct", "Vehicle", "Book", "SomeProducts"})
_INTO = ("@graph", "mainEntity", "itemListElement", "item", "hasVariant")

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What a page says of itself, for products that do not say it."""

    url: str = ""
    title: str = ""
    pictures: tuple[str, ...] = ()


def records(nodes: Iterable[Any], about: About, number: int, origin: Origin) -> Iterator[Record | SubjectRow | BadField]:
    """Every product and recipe that is there for itself: not those a product is only similar or related to."""
    graph = _Graph(nodes)
    for node, group in graph.found:
        if "Recipe" in types(node):
            yield _recipe(graph, node, about, number, origin)
        else:
            yield from _offers(graph, node, group, about)


def types(node: Node) -> set[str]:
    said = node.get("@type")
    names = [values.text(one) for one in (said if isinstance(said, list) else [said])]
    return {name.rpartition("/")[2].rpartition("#")[2].rpartition(":")[2] for name in names}


class _Graph:
    """Nodes with their names known, walked once."""

    def __init__(self, nodes: Iterable[Any]) -> None:
        self._named: dict[str, Node] = {}
        self._left = MAX_NODES
        self._done: set[int] = set()
        self.found: list[tuple[Node, Node]] = []
        """Products and recipes, each with the group it is a variant of."""
        nodes = [_short_names(node) for node in nodes]
        for node in nodes:
            self._name(node, 0)
        self._left = MAX_NODES
        self._walk(nodes, {}, 0)

    def see(self, said: Any) -> Any:
        """What `{"@id": …}` stands for."""
        if isinstance(said, dict) and set(said) <= {"@id", "@type"}:
            return self._named.get(values.text(said.get("@id")), said)
        return said

    def all(self, said: Any) -> list[Node]:
        return [one for one in map(self.see, said if isinstance(said, list) else [said]) if isinstance(one, dict)]

    def images(self, said: Any) -> list[str]:
        """Addresses of an image: text, ImageObject, or several of them."""
        found = []
        for one in map(self.see, said if isinstance(said, list) else [said]):
            names = ("url", "contentUrl", "@id", "thumbnailUrl")
            text = next(filter(None, (word(one.get(name)) for name in names)), "") if isinstance(one, dict) else word(one)
            if text:
                found.append(text)
        return found[: values.MAX_PICTURES]

    def _name(self, said: Any, depth: int) -> None:
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            return
        if isinstance(said, list):
            for one in said:
                self._name(one, depth + 1)
        elif isinstance(said, dict):
            if (name := values.text(said.get("@id"))) and not set(said) <= {"@id", "@type"}:
                self._named.setdefault(name, said)
            for one in said.values():
                if isinstance(one, dict | list):
                    self._name(one, depth + 1)

    def _walk(self, said: Any, group: Node, depth: int) -> None:
        self._left -= 1
        node = self.see(said)
        if depth > MAX_DEPTH or self._left < 0 or id(node) in self._done:
            return
        if isinstance(node, list):
            for one in sorted(map(self.see, node), key=_is_no_group):  # first: a variant may also stand beside its group
                self._walk(one, group, depth + 1)
        elif isinstance(node, dict):
            self._done.add(id(node))
            of = types(node)
            variants = node.get("hasVariant") if "ProductGroup" in of else None
            if of & _PRODUCTS and not variants:
                self.found.append((node, group or next(iter(self.all(node.get("isVariantOf"))), {})))
            elif "Recipe" in of:
                self.found.append((node, {}))
            for name in _INTO:
                if name in node:
                    self._walk(node[name], node if variants else {}, depth + 1)


def _is_no_group(node: Any) -> bool:
    return not (isinstance(node, dict) and "ProductGroup" in types(node))


def _short_names(said: Any, depth: int = 0) -> Any:
    """Keys without `schema:` or the vocabulary's address; `{"@value": x}` is x."""
    if depth > 4 * MAX_DEPTH:
        return None
    if isinstance(said, list):
        return [_short_names(one, depth + 1) for one in said]
    if not isinstance(said, dict):
        return said
    if "@value" in said:
        return said["@value"]
    return {
        re.sub(r"^(?:schema:|https?://schema\.org/)", "", str(key)): _short_names(one, depth + 1) for key, one in said.items()
    }


def _offers(graph: _Graph, node: Node, group: Node, about: About) -> Iterator[Record | BadField]:
    def said(*names: str) -> Any:
        return next((found for of in (node, group) for name in names if (found := of.get(name)) not in (None, "", [], {})), "")

    offers: list[Node] = []
    for offer in graph.all(node.get("offers"))[:MAX_NODES]:
        parts = graph.all(offer.get("offers")) if "offers" in offer else []
        offers += [{**offer, "offers": None, **part} for part in parts] or [offer]
    name = word(said("name")) or about.title
    if not offers and not (word(said("sku")) and said("image")):
        return  # a mention, not something on sale
    url = word(said("url")) or about.url
    own = word(node.get("sku")) or word(node.get("productID")) or _gtin(node) or word(node.get("mpn"))
    own = own or of_page(word(node.get("url")) or word(node.get("@id")) or url)
    family = word(group.get("productGroupID")) or word(node.get("inProductGroupWithID")) or word(group.get("@id"))
    product: Record = {
        "title": name,
        "description": said("description"),
        "brand": word(graph.see(said("brand")) or graph.see(said("manufacturer"))),
        "gtin": _gtin(node),
        "mpn": word(node.get("mpn")),
        "color": word(said("color")),
        "material": word(said("material")),
        "size": word(said("size")),
        "product_type": word(said("category")),
        "adult": "yes" if values.text(said("isFamilyFriendly")).lower() == "false" else "",
        "image_link": graph.images(said("image")) or list(about.pictures),
        "item_group_id": family or (own if len(offers) > 1 else ""),
        "rating": _rating(graph.see(said("aggregateRating"))),
    }
    taken: set[str] = set()
    for place, offer in enumerate(offers or [{}], 1):
        one = word(offer.get("sku")) or own
        one = one if one not in taken else f"{one}#{place}"
        taken.add(one)
        amount, currency = _money(graph, offer)
        yield product | {
            "id": _fitting(one),
            "link": word(offer.get("url")) or url,
            "price": amount,
            "currency": currency,
            "availability": word(offer.get("availability")).rpartition("/")[2],
            "seller_name": word(graph.see(offer.get("seller") or offer.get("offeredBy"))),
            "gtin": _gtin(offer) or product["gtin"],
            "mpn": word(offer.get("mpn")) or product["mpn"],
        }


def of_page(url: str) -> str:
    """The id of goods that have none but their page, whose own name the address is."""
    return f"{url}#product" if url else ""


def _fitting(name: str) -> str:
    """An address can be longer than an id may be; its end tells it from others."""
    return name[-values.MAX_ID :]


def _money(graph: _Graph, offer: Node) -> tuple[str, str]:
    """Price and currency of an offer, of its price specification, or the lowest of several."""
    said: list[Node] = [offer, *graph.all(offer.get("priceSpecification"))]
    said = [one for one in said if not _FORMER.search(word(one.get("priceType")))]
    amount = next((found for name in ("price", "lowPrice") for one in said if (found := word(one.get(name)))), "")
    currency = next((found for one in said if (found := word(one.get("priceCurrency")))), "")
    return amount, currency


def _gtin(node: Node) -> str:
    names = ("gtin13", "gtin", "gtin14", "gtin12", "gtin8", "isbn", "ean")
    return next((found for name in names if (found := word(node.get(name)))), "")


def _rating(said: Any) -> dict[str, Any]:
    """Stars of five, however many there were to give."""
    if not isinstance(said, dict):
        return {}
    try:
        value, best = (float(word(said.get(name)).replace(",", ".") or default) for name, default in _STARS)
        count = int(word(said.get("reviewCount") or said.get("ratingCount")) or 0)
    except (ValueError, OverflowError):
        return {}
    return {"value": round(value * values.MAX_STARS / best, 2), "count": count} if 0 < value <= best else {}


_STARS = (("ratingValue", "0"), ("bestRating", "5"))


def _recipe(graph: _Graph, node: Node, about: About, number: int, origin: Origin) -> SubjectRow | BadField:
    url = word(node.get("url")) or about.url
    times = {name: found for name in ("totalTime", "cookTime", "prepTime") if values.duration(found := word(node.get(name)))}
    record = {
        "id": _fitting(url or word(node.get("@id"))),
        "name": values.plain(word(node.get("name")) or about.title),
        "url": url,
        "description": word(node.get("description")),
        "images": graph.images(node.get("image")) or list(about.pictures),
        "creator": values.plain(word(graph.see(node.get("author") or node.get("creator")))),
        "rating": _rating(graph.see(node.get("aggregateRating"))),
    }
    try:
        return subject("recipe", number, record | times, origin)
    except BadField as bad:
        return bad


def word(said: Any, depth: int = 0) -> str:
    """A value as text: the first of several, the name of a thing, the value of a quantity."""
    if isinstance(said, list):
        return next((found for one in said if depth < MAX_DEPTH and (found := word(one, depth + 1))), "")
    if isinstance(said, dict):
        names = ("name", "value", "@value", "@id", "url")
        return next((found for name in names if depth < MAX_DEPTH and (found := word(said.get(name), depth + 1))), "")
    return values.text(said)
