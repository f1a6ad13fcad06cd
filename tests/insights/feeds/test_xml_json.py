"""Feeds as XML and JSON, as shops' systems write them and as they break them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.insights.feeds.shops import SHOP, read

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0">
<channel>
 <title>Lindenhof</title><link>https://lindenhof.example</link><description>All goods</description>
 <item>
  <title>Plain title</title><guid>not-this</guid>
  <g:id>LH-1</g:id><g:title><![CDATA[Oak board & knife]]></g:title><g:description>&lt;b&gt;Solid&lt;/b&gt; oak</g:description>
  <link>https://lindenhof.example/p/1</link><g:image_link>https://lindenhof.example/i/1.jpg</g:image_link>
  <g:additional_image_link>https://lindenhof.example/i/1b.jpg</g:additional_image_link>
  <g:additional_image_link>https://lindenhof.example/i/1c.jpg</g:additional_image_link>
  <g:price>39.00 EUR</g:price><g:availability>in_stock</g:availability><g:mpn>OB-1</g:mpn>
  <g:shipping><g:country>DE</g:country><g:price>4.90 EUR</g:price></g:shipping>
 </item>
 <item><g:id>LH-2</g:id><title>Bowl &nbsp; blue</title><link>/p/2</link>
  <g:image_link>/i/2.jpg</g:image_link><g:price>9 EUR</g:price></item>
</channel></rss>"""
ATOM = """<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
 <title>Fern</title><id>tag:fern.example</id>
 <entry>
  <id>https://fern.example/p/1</id><g:id>F1</g:id><title>Tea towel</title><summary>Linen</summary>
  <link rel="self" href="https://fern.example/api/1"/><link href="https://fern.example/p/1"/>
  <g:image_link>https://fern.example/i/1.jpg</g:image_link><g:price>7.50 GBP</g:price>
 </entry>
</feed>"""


@pytest.mark.parametrize("pack", [0, 1])
@pytest.mark.parametrize("name", ["feed.xml", "feed.tsv", "export.php"])
def test_rss_is_read_whatever_it_is_called(tmp_path: Path, name: str, pack: int) -> None:
    found = read(tmp_path, RSS, name, pack=pack)
    assert found.rejected == []
    board, bowl = found.rows
    assert (board.id, board.title, board.description) == ("LH-1", "Oak board & knife", "Solid oak")
    assert (board.price, board.currency, board.availability, board.mpn) == ("39.00", "EUR", "InStock", "OB-1")
    assert board.pictures == tuple(f"{SHOP}/i/1{n}.jpg" for n in ("", "b", "c"))
    assert (bowl.title, bowl.link, bowl.pictures) == ("Bowl blue", f"{SHOP}/p/2", (f"{SHOP}/i/2.jpg",))


def test_an_atom_feed_gives_the_shops_own_id_and_the_page_of_the_goods(tmp_path: Path) -> None:
    row = read(tmp_path, ATOM, "feed.xml").row
    assert (row.id, row.title, row.description, row.link) == ("F1", "Tea towel", "Linen", "https://fern.example/p/1")


def test_prefixes_that_nobody_declared_are_understood(tmp_path: Path) -> None:
    xml = RSS.replace(' xmlns:g="http://base.google.com/ns/1.0"', "")
    assert [row.id for row in read(tmp_path, xml, "feed.xml").rows] == ["LH-1", "LH-2"]


@pytest.mark.parametrize("codec", ["iso-8859-1", "windows-1252", "utf-16"])
def test_xml_says_its_encoding(tmp_path: Path, codec: str) -> None:
    xml = RSS.replace("UTF-8", codec).replace("Bowl", "Schüssel")
    assert read(tmp_path, xml.encode(codec), "feed.xml").rows[1].title == "Schüssel blue"


def test_xml_that_is_cut_off_is_read_as_far_as_it_goes_and_that_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, RSS[: RSS.index("<g:id>LH-2")], "feed.xml")
    assert found.rows[0].id == "LH-1"
    assert found.rejected[-1].field == "file"


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE rss [<!ENTITY x "boom">]>',
        '<!DOCTYPE rss SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>',
    ],
)
def test_entities_are_never_expanded(tmp_path: Path, doctype: str) -> None:
    xml = RSS.replace("<rss", doctype + "<rss").replace("Plain title", "&x;&c;")
    for data in (xml, xml.replace("<!DOCTYPE", f"<!--{'x' * 70_000}--><!DOCTYPE")):
        found = read(tmp_path, data, "feed.xml")
        assert found.rows == []
        assert [one.field for one in found.rejected] == ["file"]


def test_huge_elements_are_refused(tmp_path: Path) -> None:
    many = RSS.replace("<g:shipping>", "<g:x>1</g:x>" * 5000 + "<g:shipping>")
    found = read(tmp_path, many, "feed.xml")
    assert [row.id for row in found.rows] == ["LH-2"]
    assert found.said == [(1, "row")]
    long = RSS.replace("Plain title", "x" * 11_000_000)
    assert read(tmp_path, long, "feed.xml").rejected[-1].field == "file"


@pytest.mark.parametrize(
    "html", ["<!doctype html><title>Log in</title>", "<html><body>Not found</body></html>", "\n<head></head>"]
)
@pytest.mark.parametrize("name", ["feed.xml", "feed.csv", "feed.tsv.gz"])
def test_a_page_in_place_of_a_feed_is_told(tmp_path: Path, html: str, name: str) -> None:
    (bad,) = read(tmp_path, html, name).rejected
    assert "web page" in bad.reason


def test_xml_without_goods_is_told(tmp_path: Path) -> None:
    assert "no item" in read(tmp_path, "<error>down</error>", "feed.xml").rejected[0].reason


# ---------------------------------------------------------------- JSON

CUP: dict[str, Any] = {"id": "c1", "title": "Cup", "link": "/c1", "image_link": "/c1.jpg", "price": "9.50 EUR"}
GOOGLES: dict[str, Any] = {
    "offerId": "c1",
    "title": "Cup",
    "link": "/c1",
    "imageLink": "/c1.jpg",
    "additionalImageLinks": ["/c2.jpg"],
    "price": {"value": "9.50", "currency": "EUR"},
    "itemGroupId": "cups",
}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(CUP),
        json.dumps(CUP) + "\n\n",
        json.dumps([CUP]),
        json.dumps([CUP], indent=1),
        json.dumps({"products": [CUP]}),
        json.dumps({"shop": {"name": "x", "products": [1]}, "items": [CUP], "next": None}, indent=2),
        json.dumps(CUP, indent=2),
        json.dumps({"kind": "content", "resources": [GOOGLES]}),
        json.dumps(CUP | {"price": 9.5, "currency": "EUR"}),
        "\ufeff" + json.dumps(CUP),
    ],
)
@pytest.mark.parametrize("name", ["feed.jsonl", "feed.json", "feed.csv"])
def test_json_is_read_line_by_line_or_as_a_document(tmp_path: Path, text: str, name: str) -> None:
    row = read(tmp_path, text, name).row
    assert (row.id, row.title, float(row.price), row.currency) == ("c1", "Cup", 9.5, "EUR")
    assert row.pictures[0] == f"{SHOP}/c1.jpg"


def test_a_broken_line_spoils_no_other(tmp_path: Path) -> None:
    found = read(tmp_path, "{broken\n" + json.dumps(CUP) + "\n[1]\n" + "{" * 5000 + "\n", "feed.jsonl")
    assert [row.number for row in found.rows] == [2]
    assert found.said == [(1, "row"), (3, "row"), (4, "row")]


def test_a_document_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    text = json.dumps({"products": [CUP, CUP | {"id": "c2"}, 7, [1], CUP | {"id": "c3"}]})
    found = read(tmp_path, text[:-30], "products.json")
    assert [row.id for row in found.rows] == ["c1", "c2"]
    assert found.said == [(3, "row"), (4, "row"), (5, "file")]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, '{"products": ' + "[" * 100_000, '[{"id": "' + "x" * 9_000_000 + '"}]']
)
def test_deep_and_long_json_is_refused(tmp_path: Path, text: str) -> None:
    assert [one.field for one in read(tmp_path, text, "a.json").rejected] == ["file"]


def test_numbers_no_price_can_be_are_refused(tmp_path: Path) -> None:
    for number in ("1E+999999999", "1E+99999999999999999999", "1e400", "9" * 5000, "NaN", "-3"):
        text = json.dumps([CUP | {"price": 0, "currency": "EUR"}]).replace('"price": 0', f'"price": {number}')
        assert read(tmp_path, text, "a.json").rows == []


# ---------------------------------------------------------------- Shopify

SHIRT: dict[str, Any] = {
    "id": 8001,
    "title": "Linen Shirt",
    "handle": "linen-shirt",
    "body_html": "<p>Washed&nbsp;linen.</p>\n<ul><li>Relaxed fit</li></ul>",
    "vendor": "Fern & Co",
    "product_type": "Shirts",
    "tags": ["summer"],
    "options": [{"name": "Colour", "position": 1}, {"name": "Size", "position": 2}],
    "variants": [
        {
            "id": 91,
            "title": "Sand / M",
            "option1": "Sand",
            "option2": "M",
            "sku": "LS-SM",
            "price": "79.00",
            "compare_at_price": "99.00",
            "available": True,
            "featured_image": {"src": "https://cdn.example/sand.jpg", "variant_ids": [91]},
        },
        {
            "id": 92,
            "title": "Navy / L",
            "option1": "Navy",
            "option2": "L",
            "price": "79.00",
            "available": False,
            "featured_image": None,
        },
    ],
    "images": [
        {"src": "https://cdn.example/sand.jpg", "variant_ids": [91]},
        {"src": "https://cdn.example/back.jpg", "variant_ids": []},
    ],
}


def test_each_variant_of_a_shopify_product_is_an_offer_of_its_group(tmp_path: Path) -> None:
    found = read(tmp_path, json.dumps({"products": [SHIRT]}), "products.json", currency="EUR")
    sand, navy = found.rows
    assert (sand.id, sand.group, sand.title, sand.brand) == ("91", "8001", "Linen Shirt", "Fern & Co")
    assert (sand.description, sand.product_type) == ("Washed linen. Relaxed fit", "Shirts")
    assert (sand.price, sand.currency, sand.availability, sand.color, sand.size) == ("79.00", "EUR", "InStock", "Sand", "M")
    assert sand.link == f"{SHOP}/products/linen-shirt?variant=91"
    assert sand.pictures == ("https://cdn.example/sand.jpg", "https://cdn.example/back.jpg")
    assert (navy.availability, navy.color, navy.pictures) == ("OutOfStock", "Navy", ("https://cdn.example/back.jpg",))


def test_without_a_currency_the_setting_is_named(tmp_path: Path) -> None:
    found = read(tmp_path, json.dumps({"products": [SHIRT]}), "products.json")
    assert found.rows == []
    assert {one.reason for one in found.rejected} == {
        "The shop does not say its currency. Give it with --currency, like --currency EUR."
    }


def test_a_saved_shopify_file_does_not_say_its_shop(tmp_path: Path) -> None:
    assert read(tmp_path, json.dumps({"products": [SHIRT]}), "products.json", at=None).said == [(1, "link")]
