"""A record becomes rows: what Google Merchant's attributes, and Meta's, mean to us. Pure, but for pictures beside a feed."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from bot.insights.feeds import values
from bot.insights.feeds.records import BadField, Origin, Record, Row


def rows(number: int, record: Record, origin: Origin) -> Iterator[Row | BadField]:
    """A line of a table is one offer; a product of ours may hold several, and a bad one does not spoil the others."""
    offers = record.get("offers", [record])
    if not isinstance(offers, list) or not all(isinstance(offer, dict) for offer in offers):
        yield BadField("offers", "offers must be a list of objects.")
        return
    for offer in offers:
        try:
            yield _row(number, record, offer, origin)
        except BadField as bad:
            yield bad


def _row(number: int, product: Record, offer: Record, origin: Origin) -> Row:
    group = product.get("item_group_id", "") or ("" if offer is product else product.get("id", ""))
    price, currency = _price(product, offer, origin)
    rating, count = values.rating(product)
    logo = values.text(offer.get("seller_logo"))
    link = values.link(values.needed(offer, "link"), origin.base)
    title = values.plain(product.get("title"))
    if not title:
        raise BadField("title", "title is missing.")
    return Row(
        number=number,
        id=values.identity(offer),
        title=title,
        link=link,
        pictures=values.pictures(_pictures(offer) or _pictures(product), origin.base),
        price=price,
        currency=currency,
        availability=_availability(product, offer),
        group=values.text(group),
        gtin=values.gtin(values.text(offer.get("gtin") or product.get("gtin"))),
        mpn=values.text(offer.get("mpn") or product.get("mpn")),
        description=values.plain(product.get("description")),
        brand=values.plain(product.get("brand")),
        product_type=_kind(product),
        color=values.plain(offer.get("color") or product.get("color")),
        material=values.plain(offer.get("material") or product.get("material")),
        size=values.plain(offer.get("size") or product.get("size")),
        seller=values.plain(offer.get("seller_name")) or origin.seller or (urlsplit(link).hostname or ""),
        logo=values.picture(logo, origin.base) if logo else "",
        adult=values.text(product.get("adult")).lower() in {"yes", "true", "1"},
        rating=rating,
        rating_count=count,
    )


def _pictures(said: Record) -> list[object]:
    first, more = said.get("image_link") or [], said.get("additional_image_link") or []
    return [*(first if isinstance(first, list) else [first]), *(_split(more) if isinstance(more, str) else more)]


def _split(said: str) -> list[str]:
    """Addresses or names of files, parted by commas, semicolons or bars; one inside an address stays there."""
    return re.split(r"[,;|\s]+(?=https?://)" if "://" in said else "[,;|]", said, flags=re.IGNORECASE)


def _price(product: Record, offer: Record, origin: Origin) -> tuple[str, str]:
    currency = values.text(offer.get("currency") or product.get("currency")) or origin.currency
    sale = values.text(offer.get("sale_price"))
    if sale and values.on_sale(values.text(offer.get("sale_price_effective_date")), origin.now):
        try:
            return values.price(sale, currency or values.currency_of(values.text(offer.get("price"))))
        except BadField as bad:
            raise BadField("sale_price", str(bad)) from None
    return values.price(values.text(offer.get("price")), currency)


def _availability(product: Record, offer: Record) -> str:
    if said := values.text(offer.get("availability")):
        return values.availability(said)
    stock = values.text(offer.get("inventory") or product.get("inventory"))
    if not stock:
        return ""
    try:
        return values.availability("in stock" if float(stock) > 0 else "out of stock")
    except ValueError:
        return values.availability(stock)


def _kind(product: Record) -> str:
    """A number of Google's taxonomy says nothing to a person."""
    said = values.plain(product.get("product_type"))
    google = values.plain(product.get("google_product_category"))
    return said or ("" if google.isdigit() else google)
