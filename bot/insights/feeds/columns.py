"""What columns and fields are called, by Google, by Meta, by people with a spreadsheet, in four languages."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from bot.insights.feeds import values
from bot.insights.feeds.records import Record

_NAMES = {
    "id": "id product_id item_id offer_id variant_id retailer_id item_number article_number artikelnummer artikel_nr "
    "art_nr bestellnummer référence reference ref referencia código codigo guid",
    "sku": "sku",
    "title": "title name product product_name product_title item_name titel produkt produktname bezeichnung artikelname "
    "artikel nom titre produit désignation título titulo nombre producto",
    "description": "description beschreibung descripción descripcion body_html summary content text",
    "link": "link url product_url product_link page website canonical_link produktlink adresse lien enlace",
    "image_link": "image_link image image_url image_src main_image picture picture_url photo photo_url thumbnail bild bild_url "
    "bildlink foto image_principale photo_produit imagen imagen_url",
    "additional_image_link": "additional_image_link additional_image_links additional_images additional_image_url images "
    "pictures more_images other_images weitere_bilder bilder images_supplémentaires imágenes imagenes",
    "price": "price regular_price unit_price preis verkaufspreis bruttopreis vk prix precio",
    "sale_price": "sale_price special_price angebotspreis aktionspreis sonderpreis prix_promo prix_soldé precio_oferta",
    "sale_price_effective_date": "sale_price_effective_date",
    "currency": "currency price_currency currency_code währung waehrung devise monnaie moneda divisa",
    "availability": "availability stock_status in_stock verfügbarkeit verfuegbarkeit disponibilité disponibilite disponibilidad",
    "inventory": "inventory quantity quantity_to_sell_on_facebook stock qty bestand lagerbestand menge quantité existencias",
    "item_group_id": "item_group_id group_id parent_sku parent_id product_group_id",
    "gtin": "gtin ean ean13 upc barcode isbn gtin13 gtin14 strichcode code_barres código_de_barras codigo_de_barras",
    "mpn": "mpn part_number manufacturer_part_number herstellernummer hersteller_nr réf_fabricant",
    "brand": "brand manufacturer vendor maker marke hersteller marque fabricant marca fabricante",
    "product_type": "product_type product_category category categories type kategorie warengruppe catégorie categorie categoría "
    "categoria tipo",
    "google_product_category": "google_product_category fb_product_category",
    "color": "color colour farbe couleur",
    "material": "material matière matiere",
    "size": "size größe groesse grösse taille talla tamaño",
    "adult": "adult",
    "rating": "rating",
    "seller_name": "seller_name seller shop shop_name store händler verkäufer vendeur vendedor",
    "seller_logo": "seller_logo",
    "offers": "offers",
}
_CALLED = {word: (name, rank) for name, words in _NAMES.items() for rank, word in enumerate(words.split())}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_IN = re.compile(r"^(.+?)[\s_]*[(\[]?\s*([A-Z]{3}|[€£])\s*[)\]]?$")
"""A price column that names its currency: `Preis (EUR)`, `Price €`."""
MAX_NAME = 100
LIKELY = 2
"""So many known names make a line a header."""


@lru_cache(4096)
def called(written: str) -> tuple[str, int]:
    """Our name of a column and how far down it stands among the names for that; ("", 0) when it is none we use."""
    name = _CAMEL.sub("_", written.strip(" \t\ufeff*\"'#")).lower()
    name = name.removeprefix("g:").removeprefix("g_")
    return _CALLED.get(re.sub(r"[^\w]+|_+", "_", name).strip("_"), ("", 0))


def record(named: Iterable[tuple[str, Any]]) -> Record:
    """Fields under our names. Of two with one meaning the better known one counts, and then the first that says something."""
    said: dict[str, tuple[int, Any]] = {}
    for written, value in named:
        name, rank = called(written)
        if name and value not in (None, "", []) and (name not in said or rank < said[name][0]):
            said[name] = rank, value
    found = {name: value for name, (_, value) in said.items()}
    if "sku" in found:
        found.setdefault("id", found["sku"])
    offers = found.get("offers")
    if isinstance(offers, list):
        found["offers"] = [record(offer.items()) if isinstance(offer, dict) else offer for offer in offers]
    return found


class Header:
    """The first line of a table."""

    def __init__(self, cells: Sequence[str]) -> None:
        self._names = [cell[:MAX_NAME] for cell in cells]
        self._currency = ""
        for place, name in enumerate(self._names):
            split = _IN.match(name.strip())
            code = values.currency_of(split[2]) if split and called(split[1])[0] in {"price", "sale_price"} else ""
            if split and code:
                self._names[place], self._currency = split[1], code
        known = {called(name)[0] for name in self._names} - {""}
        self.score = len(known)
        self.is_one = bool({"id", "sku"} & known) and len(known) >= LIKELY

    def __len__(self) -> int:
        return len(self._names)

    def record(self, cells: Sequence[str]) -> Record:
        found = record(zip(self._names, (cell.strip() for cell in cells), strict=False))
        if self._currency:
            found.setdefault("currency", self._currency)
        return found


def from_json(said: Mapping[str, Any]) -> Record:
    """A JSON product; Google's own JSON has prices as objects."""
    found = record(said.items())
    for name in ("price", "sale_price"):
        if isinstance(money := found.get(name), dict):
            found[name] = " ".join(filter(None, (values.text(money.get("value")), values.text(money.get("currency")))))
    return found
