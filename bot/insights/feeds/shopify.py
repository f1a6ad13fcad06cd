"""Shopify's `products.json`: a product's variants are offers of one group. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from bot.insights.feeds import values
from bot.insights.feeds.columns import called
from bot.insights.feeds.records import BadField, Origin, Record

NO_CURRENCY = "The shop does not say its currency. Give it with --currency, like --currency EUR."
_ONLY_VARIANT = "Default Title"


def records(product: Mapping[str, Any], origin: Origin) -> Iterator[Record | BadField]:
    if not origin.is_remote:
        yield BadField("link", "The file does not say which shop it is of. Import the shop's https://…/products.json instead.")
        return
    parts = urlsplit(origin.base)
    page = f"{parts.scheme}://{parts.netloc}/products/{quote(values.text(product.get('handle')))}"
    options = [_option(one) for one in _dicts(product.get("options"))]
    images = _dicts(product.get("images"))
    variants = _dicts(product.get("variants"))
    if not variants:
        yield BadField("variants", "The product has no variant, so there is nothing to buy.")
    for variant in variants:
        if not origin.currency:
            yield BadField("currency", NO_CURRENCY)
            continue
        yield {
            "id": variant.get("id"),
            "item_group_id": values.text(product.get("id")),
            "title": product.get("title"),
            "description": product.get("body_html"),
            "brand": product.get("vendor"),
            "product_type": product.get("product_type"),
            "link": f"{page}?variant={quote(values.text(variant.get('id')))}",
            "image_link": _pictures(variant, images),
            "price": variant.get("price"),
            "currency": origin.currency,
            "gtin": variant.get("barcode"),
            "availability": _availability(variant.get("available")),
            **_choice(options, variant),
        }


def _availability(said: Any) -> str:
    return ("in stock" if said else "out of stock") if isinstance(said, bool) else ""


def _option(said: Mapping[str, Any]) -> str:
    """Our name of what an option decides, or none."""
    name = called(values.text(said.get("name")))[0]
    return name if name in {"color", "size", "material"} else ""


def _choice(options: list[str], variant: Mapping[str, Any]) -> dict[str, str]:
    chosen = {name: values.text(variant.get(f"option{place}")) for place, name in enumerate(options, 1) if name}
    return {name: value for name, value in chosen.items() if value != _ONLY_VARIANT}


def _pictures(variant: Mapping[str, Any], images: list[Mapping[str, Any]]) -> list[Any]:
    """The variant's own first, then those that show no other variant."""
    own = variant.get("featured_image")
    first = [own.get("src")] if isinstance(own, dict) else []
    mine = [one.get("src") for one in images if variant.get("id") in _list(one.get("variant_ids"))]
    shared = [one.get("src") for one in images if not _list(one.get("variant_ids"))]
    return [*first, *mine, *shared] or [one.get("src") for one in images]


def _list(said: Any) -> list[Any]:
    return said if isinstance(said, list) else []


def _dicts(said: Any) -> list[Mapping[str, Any]]:
    return [one for one in _list(said) if isinstance(one, dict)]
