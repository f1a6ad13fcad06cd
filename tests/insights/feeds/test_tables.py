"""Tables of shops as they come: delimiters, encodings, quotes, headers of four languages, and what is wrong with them."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.insights.feeds import values
from bot.insights.feeds.opening import MAX_LINE
from bot.insights.feeds.records import BadField
from tests.insights.feeds.shops import SHOP, read

GOOGLE = (
    "id\ttitle\tdescription\tlink\timage link\tadditional image link\tprice\tavailability\tbrand\tgtin\tmpn"
    "\tgoogle product category\n"
    "LH-7\tBiscuit tin\t<p>Holds &frac12; kg.<br>Tin &amp; lid.</p>\t/p/7\t/i/7.jpg\t/i/7b.jpg,/i/7c.jpg\t24.90 EUR\tin stock"
    "\tLindenhof\t2100005001007\tBT-7\t632\n"
)
META = """id,title,description,availability,condition,price,link,image_link,brand,google_product_category,fb_product_category,\
quantity_to_sell_on_facebook,sale_price,item_group_id,additional_image_link
m1,"Tea towel, striped","Linen, ""washed"", soft",in stock,new,9.99 USD,https://shop.example/m1,https://shop.example/m1.jpg,Fern,\
Home & Garden > Linens,home > linens,40,7.49 USD,towels,"https://shop.example/a.jpg,https://shop.example/b,c.jpg"
"""


def test_a_google_feed_is_read_with_its_links_resolved_and_its_html_taken_off(tmp_path: Path) -> None:
    row = read(tmp_path, GOOGLE).row
    assert (row.id, row.title, row.link) == ("LH-7", "Biscuit tin", f"{SHOP}/p/7")
    assert row.description == "Holds ½ kg. Tin & lid."
    assert row.pictures == (f"{SHOP}/i/7.jpg", f"{SHOP}/i/7b.jpg", f"{SHOP}/i/7c.jpg")
    assert (row.price, row.currency, row.availability) == ("24.90", "EUR", "InStock")
    assert (row.brand, row.gtin, row.mpn, row.product_type) == ("Lindenhof", "2100005001007", "BT-7", "")


def test_metas_catalogue_is_read(tmp_path: Path) -> None:
    row = read(tmp_path, META, "catalogue.csv").row
    assert (row.title, row.description) == ("Tea towel, striped", 'Linen, "washed", soft')
    assert (row.price, row.currency, row.group) == ("7.49", "USD", "towels")
    assert row.product_type == "Home & Garden > Linens"
    assert row.pictures == tuple(f"https://shop.example/{name}.jpg" for name in ("m1", "a", "b,c"))


def test_stock_counts_when_availability_is_not_said(tmp_path: Path) -> None:
    table = "id,title,link,image_link,inventory\n" + "".join(
        f"{n},Cup,/{n},/{n}.jpg,{stock}\n" for n, stock in enumerate((3, 0, ""))
    )
    assert [row.availability for row in read(tmp_path, table, "a.csv").rows] == ["InStock", "OutOfStock", ""]


@pytest.mark.parametrize("pack", [0, 1, 2])
@pytest.mark.parametrize("name", ["feed.tsv", "feed.csv", "feed.xml", "feed", "feed.json.gz"])
def test_the_name_of_a_table_and_how_often_it_is_packed_change_nothing(tmp_path: Path, name: str, pack: int) -> None:
    assert read(tmp_path, GOOGLE, name, pack=pack).row.id == "LH-7"


@pytest.mark.parametrize("delimiter", "\t,;|")
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    table = "sep=;\n" * (delimiter == ";") + delimiter.join(["id", "title", "link", "image_link", "price"]) + "\n"
    table += delimiter.join(["1", "Cup", "/1", "/1.jpg", "9.50 EUR"]) + "\n"
    assert read(tmp_path, table, "feed.csv").row.price == "9.50"


@pytest.mark.parametrize(
    ("codec", "mark"),
    [
        ("utf-8", ""),
        ("utf-8", "\ufeff"),
        ("utf-16-le", "\ufeff"),
        ("utf-16-be", "\ufeff"),
        ("utf-16-le", ""),
        ("utf-16-be", ""),
        ("cp1252", ""),
    ],
)
def test_encodings_are_found(tmp_path: Path, codec: str, mark: str) -> None:
    table = f"{mark}id;Name;Link;Bild;Preis\n1;Süßer Krug – 5 €;/1;/1.jpg;24,90 €\n"
    row = read(tmp_path, table.encode(codec), "feed.csv").row
    assert (row.title, row.price, row.currency) == ("Süßer Krug – 5 €", "24.90", "EUR")


def test_a_line_in_another_encoding_spoils_no_other(tmp_path: Path) -> None:
    head = b"id\ttitle\tlink\timage_link\n"
    table = head + "1\tSüß\t/1\t/1.jpg\n".encode() + "2\tSüß\t/2\t/2.jpg\n".encode("cp1252")
    assert [row.title for row in read(tmp_path, table).rows] == ["Süß", "Süß"]


@pytest.mark.parametrize(
    "header",
    [
        "SKU,Name,URL,Image,Price,Currency,EAN,Colour",
        "Artikelnummer,Bezeichnung,Produktlink,Bild-URL,Preis,Währung,EAN,Farbe",
        "Référence,Désignation,Lien,Image principale,Prix,Devise,Code-barres,Couleur",
        "Código,Nombre,Enlace,Imagen,Precio,Moneda,EAN,Color",
        "g:id,g:title,g:link,g:image_link,g:price,currency,g:gtin,g:color",
        '"Product ID"," Product Title ",Product URL,Image Src,Unit price,CURRENCY CODE,Barcode,color',
    ],
)
def test_columns_may_be_called_as_people_call_them(tmp_path: Path, header: str) -> None:
    row = read(tmp_path, f"{header}\n7,Jug,/7,/7.jpg,12.50,EUR,2100005001007,blue\n", "shop.csv").row
    assert (row.id, row.title, row.link, row.price, row.currency) == ("7", "Jug", f"{SHOP}/7", "12.50", "EUR")
    assert (row.gtin, row.color) == ("2100005001007", "blue")


def test_a_price_column_may_name_the_currency_and_the_caller_too(tmp_path: Path) -> None:
    table = "SKU;Name;Link;Bild;Preis{}\n7;Krug;/7;/7.jpg;1.299,50\n"
    for unit in (" (EUR)", " €", " EUR"):
        assert read(tmp_path, table.format(unit), "a.csv").row.currency == "EUR"
    assert read(tmp_path, table.format(""), "a.csv", currency="CHF").row.currency == "CHF"
    assert read(tmp_path, table.format(""), "a.csv").said == [(2, "price")]


def test_lines_above_the_header_and_empty_ones_are_stepped_over(tmp_path: Path) -> None:
    table = "# Required | one,# Optional | two\n\nOur goods 2026,\nid,title,link,image_link\n\n1,Cup,/1,/1.jpg\n,,,\n"
    assert read(tmp_path, table, "meta.csv").row.number == 6


def test_a_quote_that_is_never_closed_spoils_no_line(tmp_path: Path) -> None:
    table = 'id\ttitle\tlink\timage_link\n1\t"Big cup\t/1\t/1.jpg\n2\t15" tray\t/2\t/2.jpg\n3\t"Tray"  wide\t/3\t/3.jpg\n'
    found = read(tmp_path, table)
    assert found.rejected == []
    assert [row.title for row in found.rows] == ["Big cup", '15" tray', "Tray wide"]


def test_a_cell_may_hold_lines_and_the_rows_keep_their_numbers(tmp_path: Path) -> None:
    table = 'id,title,description,link,image_link\n1,Cup,"Two\nlines",/1,/1.jpg\n2,,x,/2,/2.jpg\n'
    found = read(tmp_path, table, "a.csv")
    assert found.rows[0].description == "Two lines"
    assert found.said == [(4, "title")]


def test_a_row_with_more_cells_than_the_header_is_refused(tmp_path: Path) -> None:
    found = read(tmp_path, "id,title,link,image_link\n1,Cup, blue,/1,/1.jpg\n2,Cup,/2,/2.jpg\n", "a.csv")
    assert [row.id for row in found.rows] == ["2"]
    assert "quotes" in found.rejected[0].reason


@pytest.mark.parametrize("size", [200_000, 10_000_000, MAX_LINE])
def test_huge_cells_are_refused_and_the_next_row_is_read(tmp_path: Path, size: int) -> None:
    table = "id\ttitle\tlink\timage_link\n1\t" + "x" * size + "\t/1\t/1.jpg\n2\tCup\t/2\t/2.jpg\n"
    found = read(tmp_path, table, pack=1)
    assert [row.id for row in found.rows] == ["2"]
    assert found.said == [(2, "row")]


def test_zero_bytes_and_odd_spaces_are_taken_out(tmp_path: Path) -> None:
    row = read(tmp_path, "id\ttitle\tlink\timage_link\n1\t Cup\0 \u00a0 of\u2028tea \t/1\t /1.jpg \r\n").row
    assert (row.title, row.pictures) == ("Cup of tea", (f"{SHOP}/1.jpg",))


def test_an_id_counts_once_among_many(tmp_path: Path) -> None:
    lines = "".join(f"{n}\tCup\t/{n}\t/{n}.jpg\n" for n in (*range(5000), 4321))
    found = read(tmp_path, "id\ttitle\tlink\timage_link\n" + lines)
    assert len(found.rows) == 5000
    assert [(one.row, one.field, "4321" in one.reason) for one in found.rejected] == [(5002, "id", True)]


def test_a_packed_file_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    lines = "".join(f"{n}\tCup {n * 7919 % 10007}\t/{n}\t/{n}.jpg\n" for n in range(20_000))
    packed = gzip.compress(("id\ttitle\tlink\timage_link\n" + lines).encode())
    found = read(tmp_path, packed[: len(packed) // 2])
    assert 1000 < len(found.rows) < 20_000
    assert found.rejected[-1].field == "file"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"name\tprice\nCup\t1\n", "columns"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xlsx"),
        (b"%PDF-1.7", "PDF"),
        (b"\xff\xd8\xff\xe0", "picture"),
        (b"PK\x03\x04 nothing", "damaged"),
    ],
)
def test_what_is_no_feed_is_told_in_a_sentence(tmp_path: Path, data: bytes, word: str) -> None:
    (bad,) = read(tmp_path, data).all
    assert word in getattr(bad, "reason", "")


def test_a_file_of_nothing_but_bad_rows_is_not_read_to_its_end(tmp_path: Path) -> None:
    found = read(tmp_path, "id\ttitle\n" + "1\tCup\n" * 20_000)
    assert found.rows == []
    assert len(found.rejected) == 10_001
    assert found.rejected[-1].field == "file"


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("€ 1.299,00", ("1299.00", "EUR")),
        ("1 299,00 €", ("1299.00", "EUR")),
        ("1\u202f299,00\u00a0€", ("1299.00", "EUR")),
        ("CHF 1'299.50", ("1299.50", "CHF")),
        ("£12", ("12", "GBP")),
        ("From 10 usd", ("10", "USD")),
        ("1,299 USD", ("1299", "USD")),
        ("1.234.567 EUR", ("1234567", "EUR")),
        ("1,234,567.89 USD", ("1234567.89", "USD")),
        ("15.000 VND", ("15000", "VND")),
        ("1.299 KWD", ("1.299", "KWD")),
        ("0.999 EUR", ("0.999", "EUR")),
        ("1234.500 EUR", ("1234.500", "EUR")),
        ("12.5000 EUR", ("12.5000", "EUR")),
        ("249,- zł", ("249", "PLN")),
        ("R$ 5,50", ("5.50", "BRL")),
    ],
)
def test_prices_are_read_as_people_write_them(said: str, means: tuple[str, str]) -> None:
    assert values.price(said) == means


@pytest.mark.parametrize(
    "said", ["$5", "¥500", "5 kr", "5", "1.299 EUR", "1,29,9 EUR", "1.2,3,4 EUR", "5-10 EUR", "-5 EUR", "EUR", "5 / 6 EUR"]
)
def test_a_price_that_could_mean_two_things_is_refused(said: str) -> None:
    with pytest.raises(BadField):
        values.price(said)


def test_a_symbol_of_many_currencies_takes_the_one_beside_it() -> None:
    assert values.price("$5", "CAD") == ("5", "CAD")


NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "on"),
    [
        ("", True),
        ("2026-11-20T00:00+0100/2026-11-30T23:59+0100", True),
        ("2026-11-20T00:00-08:00 / 2026-11-26T11:59Z", False),
        ("2026-11-26T13:00+0100/2026-11-30", True),
        ("2026-11-01/2026-11-26", True),
        ("2026-11-27/2026-11-30", False),
    ],
)
def test_a_sale_is_on_inside_its_window_only(window: str, on: bool) -> None:
    assert values.on_sale(window, NOW) is on


def test_the_sale_price_counts_while_it_is_on(tmp_path: Path) -> None:
    table = "id\ttitle\tlink\timage_link\tprice\tsale_price\tsale_price_effective_date\n"
    for n, window in enumerate(("2020-01-01/2020-02-01", "2020-01-01/2999-01-01", "", "soon")):
        table += f"{n}\tCup\t/{n}\t/{n}.jpg\t9.00 EUR\t7.00\t{window}\n"
    found = read(tmp_path, table)
    assert [row.price for row in found.rows] == ["9.00", "7.00", "7.00"]
    assert found.said == [(5, "sale_price_effective_date")]


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("A &amp;amp; B &lt;3", "A & B <3"),
        ("&lt;p&gt;Soft&lt;/p&gt;&lt;ul&gt;&lt;li&gt;one&lt;li&gt;two&lt;/ul&gt;", "Soft one two"),
        ("<style>p{}</style>Blue<script>alert(1)</script> cup", "Blue cup"),
        ("5 < 6 > 4", "5 < 6 > 4"),
        ("<!-- x -->", ""),
        ("<b>" * 100_000 + "deep", ""),
    ],
)
def test_html_becomes_plain_text(said: str, means: str) -> None:
    assert values.plain(said) == means
