"""Prices as people of a market write them; never converted (cards.md §3, §7)."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton
from babel.numbers import format_currency, format_decimal, get_currency_precision, get_territory_currencies, list_currencies

from bot.language import spoken, tr

_DEFAULT = "en-US"
_TOO_MUCH = 10**12  # no price; and a number of a million digits is never written out


@lru_cache(maxsize=256)
def locale_of(market: str) -> Locale:
    """The locale that a market such as `de-AT` writes numbers in; en-US where nobody knows it."""
    for name in (market, market.partition("-")[0], _DEFAULT):
        try:
            return Locale.parse(name, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    raise AssertionError("Babel knows en-US")


@lru_cache(maxsize=256)
def currency_of(market: str) -> str:
    """The currency people of a market pay in; "" where nobody knows it."""
    codes = get_territory_currencies(market.partition("-")[2])
    return str(codes[0]) if codes else ""


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    return frozenset(list_currencies())


def priced(price: Decimal | None, currency: str) -> bool:
    """Whether this can be shown as a price: an amount that is one, in a currency there is."""
    return price is not None and price.is_finite() and 0 <= price < _TOO_MUCH and currency in _codes()


def fmt(price: Decimal, currency: str, market: str, *, code: bool = False) -> str:
    """`$9.99`; with `code` `9.99 USD`, for lists of several currencies."""
    if code:
        return f"{amount(price, currency, market)} {currency}"
    return str(format_currency(price, currency, locale=locale_of(market)))


def amount(price: Decimal, currency: str, market: str) -> str:
    """The number alone, for a column with the currency in its header: `9.99`."""
    digits = "0" * get_currency_precision(currency)
    return str(format_decimal(price, format=f"#,##0.{digits}" if digits else "#,##0", locale=locale_of(market)))


def span(low: Decimal, high: Decimal | None, currency: str, market: str, *, code: bool = False) -> str:
    """`$9.99–$18.00`, `$9.99` where both are the same, `from $9.99` where the top is unknown; "" without a currency."""
    if not priced(low, currency):
        return ""
    bottom = fmt(low, currency, market, code=code)
    if high is None or not priced(high, currency) or high < low:
        return tr("from {price}", price=bottom)
    return bottom if high == low else f"{bottom}–{fmt(high, currency, market, code=code)}"


def main_currency(currencies: Iterable[str], market: str) -> str:
    """The one to sum up in: the market's where it occurs, else the most frequent, else ""."""
    known = [code for code in currencies if code in _codes()]
    local = currency_of(market)
    return local if local in known else max(dict.fromkeys(known), key=known.count, default="")


def day(when: date, today: date, market: str) -> str:
    """`Nov 21`, in the language of the sentence around it, in the market's order; with the year where it is another one."""
    try:
        locale = Locale(spoken(), market.partition("-")[2] or None)
    except (ValueError, UnknownLocaleError):
        locale = Locale(spoken())
    return str(format_skeleton("MMMd" if when.year == today.year else "yMMMd", when, locale=locale))
