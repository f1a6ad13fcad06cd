"""Feeds of other people: what goes in, and what is said about what does not."""

import json
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.insights.feeds import Feed, read_feed, read_source

HEAD = "id\titem_group_id\ttitle\tlink\timage_link\tprice\tsale_price\tavailability\tgtin\n"
SOURCE = "https://shop.example/feed.tsv"


def read(*rows: str, head: str = HEAD, source: str = SOURCE) -> Feed:
    feed = Feed()
    read_feed(feed, (head + "".join(f"{row}\n" for row in rows)).encode(), source)
    return feed


def row(**cells: str) -> str:
    usual = {
        "id": "1",
        "item_group_id": "",
        "title": "Mug",
        "link": "https://shop.example/1",
        "image_link": "1.jpg",
        "price": "9.50 USD",
    }
    return "\t".join((usual | cells).get(name, "") for name in HEAD.strip().split("\t"))


def test_a_google_merchant_row_is_read() -> None:
    (found,) = read(row(sale_price="7.95 USD", availability="in stock", gtin="2100005001007")).rows
    assert (found.price, found.currency, found.availability, found.gtin) == ("7.95", "USD", "InStock", "2100005001007")
    assert found.pictures == ("https://shop.example/1.jpg",)
    assert found.seller == "shop.example"


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("14.95 USD", ("14.95", "USD")),
        ("USD 14.95", ("14.95", "USD")),
        ("1,299.00 USD", ("1299.00", "USD")),
        ("14,95 EUR", ("14.95", "EUR")),
        ("1.299,00 EUR", ("1299.00", "EUR")),
        ("1500 JPY", ("1500", "JPY")),
        ("", ("", "")),
    ],
)
def test_prices_are_decimal_with_their_currency(text: str, price: tuple[str, str]) -> None:
    (found,) = read(row(price=text)).rows
    assert (found.price, found.currency) == price


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("in_stock", "InStock"),
        ("out of stock", "OutOfStock"),
        ("preorder", "PreOrder"),
        ("backorder", "PreOrder"),
        ("https://schema.org/LimitedAvailability", "LimitedAvailability"),
        ("InStoreOnly", "InStoreOnly"),
        ("discontinued", "Discontinued"),
    ],
)
def test_availability_becomes_one_of_bings_words(words: str, said: str) -> None:
    assert read(row(availability=words)).rows[0].availability == said


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"id": ""}, "id"),
        ({"title": " "}, "title"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"image_link": ""}, "image_link"),
        ({"price": "cheap"}, "price"),
        ({"price": "9.50"}, "price"),
        ({"price": "-1 USD"}, "price"),
        ({"price": "9 XQX"}, "price"),
        ({"availability": "maybe"}, "availability"),
    ],
)
def test_a_bad_row_is_reported_with_its_number_and_field_and_the_others_go_in(cells: dict[str, str], field: str) -> None:
    feed = read(row(), row(**({"id": "2"} | cells)), row(id="3"))
    assert [found.id for found in feed.rows] == ["1", "3"]
    (bad,) = feed.rejected
    assert (bad.source, bad.row, bad.field) == (SOURCE, 3, field)
    assert bad.reason


def test_an_id_counts_once() -> None:
    feed = read(row(), row(title="Other"))
    assert len(feed.rows) == 1
    assert feed.rejected[0].field == "id"


def test_a_table_without_an_id_column_says_so() -> None:
    assert read(head="name\tprice\n").rejected[0].field == "row"


def test_a_feed_names_no_file_elsewhere_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "feed").mkdir()
    for picture in ("/etc/passwd", "../../secret.jpg"):
        feed = read(row(image_link=picture), source=str(tmp_path / "feed" / "a.tsv"))
        assert feed.rows == []
        assert feed.rejected[0].field == "image_link"


def test_lines_that_are_no_json_are_reported() -> None:
    feed = Feed()
    good = json.dumps({"id": "1", "title": "Mug", "link": "https://a.example/1", "image_link": "https://a.example/1.jpg"})
    read_feed(feed, f"{good}\n[1]\n{{broken\n".encode(), "https://a.example/feed.jsonl")
    assert [bad.row for bad in feed.rejected] == [2, 3]
    assert len(feed.rows) == 1


def test_a_source_that_is_not_there_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not there"):
        read_source(tmp_path / "none.tsv")
    with pytest.raises(UserError, match="no feed"):
        read_source(tmp_path)
