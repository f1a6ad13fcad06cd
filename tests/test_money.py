"""Prices as people write them."""

from datetime import date
from decimal import Decimal

import pytest

from bot import money


@pytest.mark.parametrize(
    ("price", "currency", "market", "text"),
    [
        ("9.99", "USD", "en-US", "$9.99"),
        ("1234.5", "USD", "en-US", "$1,234.50"),
        ("14.95", "EUR", "en-US", "€14.95"),
        ("14.95", "EUR", "de-DE", "14,95\xa0€"),
        ("8.95", "GBP", "en-GB", "£8.95"),
        ("1200", "JPY", "ja-JP", "￥1,200"),
        ("9.99", "USD", "xx-XX", "$9.99"),
        ("0", "USD", "en-US", "$0.00"),
    ],
)
def test_a_price_is_written_as_in_its_market(price: str, currency: str, market: str, text: str) -> None:
    assert money.fmt(Decimal(price), currency, market) == text


def test_a_price_with_its_code_has_no_sign() -> None:
    assert money.fmt(Decimal("14.95"), "EUR", "en-US", code=True) == "14.95 EUR"
    assert money.fmt(Decimal(1200), "JPY", "en-US", code=True) == "1,200 JPY"
    assert money.amount(Decimal("9.5"), "USD", "de-DE") == "9,50"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [("9.99", "18", "$9.99–$18.00"), ("9.99", "9.990", "$9.99"), ("7.25", None, "from $7.25"), ("7.25", "3", "from $7.25")],
)
def test_a_range_shows_what_is_known(low: str, high: str | None, text: str) -> None:
    assert money.span(Decimal(low), Decimal(high) if high else None, "USD", "en-US") == text


@pytest.mark.parametrize(
    ("price", "currency"), [("NaN", "USD"), ("-1", "USD"), ("1E+99", "USD"), ("5", ""), ("5", "ZZZZ"), ("5", "usd")]
)
def test_what_is_no_price_is_not_shown(price: str, currency: str) -> None:
    assert not money.priced(Decimal(price), currency)
    assert money.span(Decimal(price), None, currency, "en-US") == ""


def test_the_main_currency_is_the_markets_else_the_most_frequent() -> None:
    assert money.main_currency(["EUR", "EUR", "USD"], "en-US") == "USD"
    assert money.main_currency(["EUR", "GBP", "GBP"], "en-US") == "GBP"
    assert money.main_currency(["", "nonsense"], "en-US") == ""


@pytest.mark.parametrize(
    ("market", "currency"), [("en-US", "USD"), ("de-DE", "EUR"), ("en-GB", "GBP"), ("ja-JP", "JPY"), ("xx-XX", "")]
)
def test_every_market_has_a_currency(market: str, currency: str) -> None:
    assert money.currency_of(market) == currency


def test_a_day_is_short_and_has_its_year_only_where_it_differs() -> None:
    today = date(2025, 11, 24)
    assert money.day(date(2025, 11, 21), today, "en-US") == "Nov 21"
    assert money.day(date(2025, 11, 21), today, "de-DE") == "21 Nov"
    assert money.day(date(2024, 11, 2), today, "en-US") == "Nov 2, 2024"
    assert money.day(date(2025, 11, 21), today, "nonsense") == "Nov 21"
