"""Pages of shops and magazines, as they are: JSON-LD that is broken, microdata, OpenGraph, and pictures."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.insights.feeds import Page, pages
from tests.insights.feeds.shops import SHOP, Read, read

LAMP: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "Product",
    "name": "Arc lamp",
    "sku": "AL-1",
    "gtin13": "2100005001007",
    "mpn": "ARC-1",
    "brand": {"@type": "Brand", "name": "Lumen"},
    "description": "Brass &amp; linen",
    "image": ["/i/arc.jpg", {"@type": "ImageObject", "url": "//cdn.example/arc2.jpg"}],
    "aggregateRating": {"@type": "AggregateRating", "ratingValue": "8,4", "bestRating": 10, "reviewCount": "12"},
    "offers": {
        "@type": "Offer",
        "price": "1.249,00",
        "priceCurrency": "EUR",
        "availability": "https://schema.org/InStock",
        "url": "/p/arc",
        "seller": {"@type": "Organization", "name": "Lindenhof"},
    },
}


def page(*scripts: str, head: str = "", body: str = "") -> str:
    blocks = "".join(f'<script type="application/ld+json">{script}</script>' for script in scripts)
    return f"<!DOCTYPE html><html><head><title>Arc lamp – Lindenhof</title>{head}{blocks}</head><body>{body}</body></html>"


def see(folder: Path, html: str | bytes, name: str = "p/arc?ref=1", **options: Any) -> Read:
    path = folder / "page"
    path.write_bytes(html.encode() if isinstance(html, str) else html)
    return read(folder, path.read_bytes(), name, **options)


def test_a_product_page_is_an_offer_and_a_page_that_shows_it(tmp_path: Path) -> None:
    found = see(tmp_path, page(json.dumps(LAMP)))
    row = found.row
    assert (row.id, row.title, row.brand, row.gtin, row.mpn) == ("AL-1", "Arc lamp", "Lumen", "2100005001007", "ARC-1")
    assert (row.price, row.currency, row.availability, row.seller) == ("1249.00", "EUR", "InStock", "Lindenhof")
    assert (row.rating, row.rating_count) == (4.2, 12)
    assert (row.link, row.description) == (f"{SHOP}/p/arc", "Brass & linen")
    assert row.pictures == (f"{SHOP}/i/arc.jpg", "https://cdn.example/arc2.jpg")
    assert found.pages == [Page(1, f"{SHOP}/p/arc?ref=1", "Arc lamp – Lindenhof", row.pictures)]


MINIMAL = (
    '"@type": "Product", "name": "Arc lamp", "sku": "AL-1", "image": "/a.jpg", "offers": {"price": 5, "priceCurrency": "EUR"}'
)


@pytest.mark.parametrize(
    "script",
    [
        "{" + MINIMAL + "}",
        "[{" + MINIMAL + "}]",
        '{"@graph": [{"@type": "WebSite", "name": "x"}, {' + MINIMAL + "}]}",
        "{" + MINIMAL + ",}",
        "/* shop */ {" + MINIMAL + "} // end",
        "// <![CDATA[\n{" + MINIMAL + "}\n// ]]>",
        "<!-- {" + MINIMAL + "} -->",
        "<![CDATA[{" + MINIMAL + "}]]>",
        "{" + MINIMAL + "};",
        '{"@type": "Organization", "name": "x"}\n{' + MINIMAL + "}",
        '{"@type": "Organization", "name": "x"}, {' + MINIMAL + "}",
        "{" + MINIMAL + ', "description": "two\nlines\tand \x0b more"}',
        "{" + MINIMAL + ', "description": "it\\\'s \\d"}',
        ("{" + MINIMAL + "}").replace('"', "&quot;"),
        "{" + MINIMAL.replace('"Product"', '["Product", "Lamp"]') + "}",
        "{" + MINIMAL.replace('"Product"', '"http://schema.org/Product"') + "}",
        '{"@context": {"schema": "http://schema.org/"},' + MINIMAL.replace('"name"', '"schema:name"') + "}",
        '{"@type": "WebPage", "mainEntity": {' + MINIMAL + "}}",
        '{"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "position": 1, "item": {' + MINIMAL + "}}]}",
        "{" + MINIMAL.replace('"price": 5', '"price": "5,00 €"') + "}",
        "{" + MINIMAL.replace('{"price": 5, "priceCurrency": "EUR"}', '[{"priceSpecification": [{"price": 9, "priceType": '
        '"https://schema.org/ListPrice", "priceCurrency": "EUR"}, {"price": "5.00", "priceCurrency": "EUR"}]}]') + "}",
        "{" + MINIMAL.replace('"price": 5', '"@type": "AggregateOffer", "lowPrice": 5, "highPrice": 9') + "}",
    ],
)  # fmt: skip
def test_json_ld_is_read_as_real_pages_write_it(tmp_path: Path, script: str) -> None:
    row = see(tmp_path, page(script)).row
    assert (row.id, row.title, float(row.price), row.currency) == ("AL-1", "Arc lamp", 5, "EUR")
    assert row.pictures == (f"{SHOP}/a.jpg",)
    assert row.link == f"{SHOP}/p/arc?ref=1"


def test_a_group_gives_its_variants_what_they_do_not_say(tmp_path: Path) -> None:
    group = {
        "@type": "ProductGroup",
        "@id": "#g",
        "productGroupID": "ARC",
        "name": "Arc lamp",
        "brand": {"@id": "#brand"},
        "image": "/arc.jpg",
        "hasVariant": [
            {"@type": "Product", "sku": "A-b", "color": "brass", "offers": {"price": "99", "priceCurrency": "EUR", "url": "/b"}},
            {"@id": "#steel"},
        ],
        "offers": {"@type": "AggregateOffer", "lowPrice": "1", "priceCurrency": "EUR"},
    }
    steel = {"@id": "#steel", "@type": "Product", "sku": "A-s", "color": "steel", "image": [{"@id": "#s"}],
             "offers": {"@type": "Offer", "price": "89", "priceCurrency": "EUR"}}  # fmt: skip
    brand = {"@id": "#brand", "@type": "Brand", "name": "Lumen"}
    picture = {"@id": "#s", "@type": "ImageObject", "url": "/s.jpg"}
    brass, other = see(tmp_path, page(json.dumps({"@graph": [brand, steel, picture, group]}))).rows
    assert (brass.id, brass.group, brass.title, brass.brand, brass.color) == ("A-b", "ARC", "Arc lamp", "Lumen", "brass")
    assert (brass.link, brass.pictures) == (f"{SHOP}/b", (f"{SHOP}/arc.jpg",))
    assert (other.id, other.group, other.price, other.pictures) == ("A-s", "ARC", "89", (f"{SHOP}/s.jpg",))


def test_several_offers_of_a_product_are_kept_apart_and_together(tmp_path: Path) -> None:
    shops = [{"@type": "Offer", "price": p, "priceCurrency": "EUR", "seller": {"name": s}} for p, s in ((9, "Ada"), (8, "Bo"))]
    lamp = LAMP | {"offers": {"@type": "AggregateOffer", "priceCurrency": "EUR", "lowPrice": 8, "offers": shops}}
    found = see(tmp_path, page(json.dumps(lamp)))
    assert [(row.id, row.group, row.price, row.seller) for row in found.rows] == [
        ("AL-1", "AL-1", "9", "Ada"),
        ("AL-1#2", "AL-1", "8", "Bo"),
    ]


def test_a_recipe_is_a_subject(tmp_path: Path) -> None:
    recipe = {
        "@type": ["Recipe", "NewsArticle"],
        "name": "Flat white",
        "image": {"@type": "ImageObject", "contentUrl": "/fw.jpg"},
        "author": [{"@type": "Person", "name": "Mia"}],
        "totalTime": "PT6M",
        "cookTime": "about five minutes",
        "aggregateRating": {"ratingValue": 4.5, "ratingCount": 80},
    }
    (one,) = see(tmp_path, page(json.dumps(recipe)), "r/flat-white").subjects
    assert (one.kind, one.id, one.name, one.url) == ("recipe", f"{SHOP}/r/flat-white", "Flat white", f"{SHOP}/r/flat-white")
    assert one.facts == {"totalTime": "PT6M", "creator": "Mia", "ratingValue": "4.5", "reviewCount": "80"}
    assert one.pictures == (f"{SHOP}/fw.jpg",)


MICRODATA = """<div itemscope itemtype="https://schema.org/Product"><h1 itemprop="name">Arc lamp</h1>
<img itemprop="image" src="/arc.jpg"><meta itemprop="sku" content="AL-1">
<span itemprop="brand" itemscope itemtype="https://schema.org/Brand"><b itemprop="name">Lumen</b></span>
<div itemprop="offers" itemscope itemtype="https://schema.org/Offer"><span itemprop="price" content="129.00">129 €</span>
<meta itemprop="priceCurrency" content="EUR"><link itemprop="availability" href="https://schema.org/OutOfStock"></div></div>"""
OPEN_GRAPH = """<meta property="og:type" content="product"><meta property="og:title" content="Arc lamp">
<meta name="og:image" content="/arc.jpg"><meta property="product:price:amount" content="129,00">
<meta property="product:price:currency" content="EUR"><meta property="product:availability" content="out of stock">
<meta property="product:retailer_item_id" content="AL-1">"""


@pytest.mark.parametrize("where", [{"body": MICRODATA}, {"head": OPEN_GRAPH}], ids=["microdata", "opengraph"])
def test_what_json_ld_does_not_say_is_read_elsewhere(tmp_path: Path, where: dict[str, str]) -> None:
    row = see(tmp_path, page(**where)).row
    assert (row.id, row.title, row.price, row.currency, row.availability) == ("AL-1", "Arc lamp", "129.00", "EUR", "OutOfStock")
    assert row.pictures == (f"{SHOP}/arc.jpg",)


def test_goods_said_in_every_syntax_are_one_offer(tmp_path: Path) -> None:
    assert see(tmp_path, page(json.dumps(LAMP), head=OPEN_GRAPH, body=MICRODATA)).row.price == "1249.00"


def test_json_ld_that_cannot_be_mended_is_reported(tmp_path: Path) -> None:
    (bad,) = see(tmp_path, page('{"@type": "Product", "name": ')).rejected
    assert bad.field == "json-ld"


def test_a_product_that_is_only_mentioned_is_not_on_sale(tmp_path: Path) -> None:
    related = LAMP | {"isRelatedTo": [{"@type": "Product", "name": "Shade"}], "review": {"itemReviewed": {"@type": "Product"}}}
    assert len(see(tmp_path, page(json.dumps(related))).rows) == 1


def test_a_product_without_a_picture_takes_the_pages(tmp_path: Path) -> None:
    lamp = {name: value for name, value in LAMP.items() if name != "image"}
    assert see(tmp_path, page(json.dumps(lamp), head=OPEN_GRAPH)).row.pictures == (f"{SHOP}/arc.jpg",)


def test_a_page_shows_pictures_not_icons(tmp_path: Path) -> None:
    body = """<base href="https://cdn.example/"><img src="a.jpg"><img src="data:image/png;base64,AA"><img src="logo.svg?v=1">
    <img src="dot.gif" width="1" height="1"><img src="blank.gif" data-src="b.jpg" width="800"><img src="a.jpg"><img>"""
    (shown,) = see(tmp_path, page(body=body, head='<meta property="og:image" content="https://x.example/og.jpg">')).pages
    assert shown == Page(
        1,
        f"{SHOP}/p/arc?ref=1",
        "Arc lamp – Lindenhof",
        ("https://x.example/og.jpg", "https://cdn.example/a.jpg", "https://cdn.example/b.jpg"),
    )


def test_a_page_in_another_encoding_is_read(tmp_path: Path) -> None:
    html = page(json.dumps(LAMP | {"name": "Müller"}, ensure_ascii=False), head='<meta charset="iso-8859-1">')
    assert see(tmp_path, html.replace("–", "-").encode("iso-8859-1")).row.title == "Müller"


def test_a_saved_page_says_where_it_is_from(tmp_path: Path) -> None:
    html = page(
        json.dumps(LAMP | {"image": "https://x.example/a.jpg"}), head='<link rel="Canonical" href="https://lumen.example/arc">'
    )
    lamp = html.replace('"/p/arc"', '"https://lumen.example/arc"')
    assert see(tmp_path, lamp, "arc.html", at=None).row.link == "https://lumen.example/arc"


@pytest.mark.parametrize(
    "html",
    [
        "<html>" + "<div>" * 50_000,
        "<html>" + "<div itemscope itemprop=x>" * 3000,
        "<html>" + "<p itemprop=name>x" * 20_000,
        '<html><div id=a itemprop=x itemscope itemref="a a a a a a"></div>',
        page('{"a":' * 100_000),
        page("[" * 100_000),
        page('{"@graph": [{"@id": "#a", "@type": "ProductGroup", "hasVariant": {"@id": "#a"}}]}'),
        page('{"@type": "Product", "name": {"name": {"name": []}}, "offers": [[[]]], "image": [{}]}'),
        "<html></html>",
        '<html><meta charset="punycode">' + "a-" * 100_000,
        "<!doctype html>",
    ],
)
def test_odd_pages_are_survived(tmp_path: Path, html: str) -> None:
    assert see(tmp_path, html).rows == []


def test_a_page_that_is_too_large_is_refused(tmp_path: Path) -> None:
    assert see(tmp_path, "<html>" + " " * pages.MAX_PAGE).said == [(1, "file")]


@pytest.mark.parametrize(
    "html",
    [
        page("{" + " " * 1_000_000 + "x"),
        page("/*" * 500_000),
        "<html><body itemscope>" + "<div itemprop=a>" * 200 + "<p>word</p>" * 300_000,
        "<html><body itemscope itemref='" + "a " * 20_000 + "'><p id=a itemprop=x>" + "<b>word</b>" * 300_000,
    ],
    ids=["spaces", "comments", "nested", "referred to"],
)
def test_pages_made_to_take_long_do_not(tmp_path: Path, html: str) -> None:
    """Quadratic reading would take hours here."""
    assert see(tmp_path, html).rows == []
