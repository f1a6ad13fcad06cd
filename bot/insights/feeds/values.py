"""Values of feeds, read: text, prices, availability, numbers of goods, links, pictures. Pure, but for files beside a feed."""

import html
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import html_text
from babel.numbers import get_currency_precision, list_currencies

from bot.insights.feeds.records import BadField, is_address
from bot.insights.model import Availability

MAX_PICTURES = 10
"""A product; more are ignored, as Google Merchant does."""
MAX_TEXT = 5000
"""Characters of a description, as Google Merchant has it; more are cut off."""
MAX_ADDRESS = 2000
"""Slack and browsers end about here."""
MAX_ID = 200
MAX_STARS = 5
MAX_DIGITS = 20
"""Of a price, separators included."""

_AVAILABILITY = {
    Availability.IN_STOCK: "instock available availablefororder yes true auflager vorrätig verfügbar lieferbar sofortlieferbar "
    "enstock disponible encemagasin",
    Availability.OUT_OF_STOCK: "outofstock unavailable notavailable no false nichtauflager nichtvorrätig nichtverfügbar "
    "nichtlieferbar ausverkauft rupturedestock horsstock épuisé indisponible agotado sinstock nodisponible",
    # Bing has no word for a backorder: ordered now, delivered later
    Availability.PRE_ORDER: "preorder backorder presale vorbestellbar vorbestellung précommande preventa",
    Availability.LIMITED: "limited limitedavailability",
    Availability.DISCONTINUED: "discontinued",
    Availability.SOLD_OUT: "soldout",
    Availability.ONLINE_ONLY: "onlineonly",
    Availability.IN_STORE_ONLY: "instoreonly",
}
_SAID = {word: said for said, words in _AVAILABILITY.items() for word in words.split()}
_MEANS = (
    "€ EUR £ GBP ₹ INR ₽ RUB ₩ KRW ₺ TRY ₴ UAH ₪ ILS ฿ THB ₫ VND ₱ PHP ₦ NGN ₸ KZT zł PLN Kč CZK Ft HUF R$ BRL US$ USD "
    "CA$ CAD C$ CAD A$ AUD AU$ AUD NZ$ NZD HK$ HKD NT$ TWD S$ SGD MX$ MXN"
)
_SYMBOLS = dict(zip(_MEANS.split()[::2], _MEANS.split()[1::2], strict=True))
"""Symbols that mean one currency. `$`, `¥` and `kr` do not."""
_SYMBOL = re.compile("|".join(re.escape(one) for one in sorted(_SYMBOLS, key=len, reverse=True)))
_SPACES = " \u00a0\u2009\u202f"
_AMOUNT = re.compile(rf"(?<![0-9.,])[0-9](?:[0-9.,'’{_SPACES}]*[0-9])?", re.ASCII)
_CODE = re.compile(r"(?<![A-Za-z])[A-Za-z]{3}(?![A-Za-z])")
_BLANK = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff]+")
_TAG = re.compile(r"</?[a-z][^<>]*>|<!--", re.IGNORECASE)
_DURATION = re.compile(r"P(?=.)(?:\d{1,4}D)?(?:T(?=.)(?:\d{1,4}H)?(?:\d{1,4}M)?(?:\d{1,4}S)?)?", re.ASCII)


def text(value: Any) -> str:
    """A cell or a JSON value as words on one line; what is neither text nor number is none."""
    if isinstance(value, str) and value.isascii() and value.isprintable() and "  " not in value:
        return value.strip()  # nearly all
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float | Decimal):
        return ""
    try:
        return _BLANK.sub(" ", str(value).encode("utf-8", "ignore").decode()).strip()
    except ValueError:  # a number of thousands of digits
        return "…"


def plain(value: Any) -> str:
    """The same without HTML: `&lt;p&gt;Two &amp;amp; two` says `Two & two`."""
    said = text(value)
    for _ in range(2):  # feeds escape twice
        if "&" in said:
            said = html.unescape(said)
    if _TAG.search(said):
        said = html_text.extract_text(_without_nul(said), guess_layout=False)
    return text(said)[:MAX_TEXT].rstrip()


def _without_nul(said: str) -> str:
    return said.replace("\0", " ")


def needed(record: Mapping[str, Any], name: str) -> str:
    if not (said := text(record.get(name))):
        raise BadField(name, f"{name} is missing.")
    return said


def identity(record: Mapping[str, Any], name: str = "id") -> str:
    said = needed(record, name)
    if len(said) > MAX_ID:
        raise BadField(name, f"{name} is longer than {MAX_ID} characters.")
    return said


def link(said: str, base: str = "") -> str:
    """An http address; a relative one is resolved where the feed has an address."""
    try:
        address = urljoin(base, said) if said and is_address(base) and not is_address(said) else said
        parts = urlsplit(address)
        fine = parts.scheme in {"http", "https"} and parts.hostname and not parts.username and len(address) <= MAX_ADDRESS
    except ValueError:
        fine = False
    if not fine:
        raise BadField("link", "link must be an http or https address.")
    return address


@cache
def currencies() -> frozenset[str]:
    return frozenset(list_currencies())


def currency_of(said: str) -> str:
    """The one currency that a text names by code or symbol, or none."""
    if found := next((one for code in _CODE.findall(said) if (one := code.upper()) in currencies()), ""):
        return found
    symbol = _SYMBOL.search(said)
    return _SYMBOLS[symbol[0]] if symbol else ""


def price(said: str, currency: str = "") -> tuple[str, str]:
    """Decimal digits and ISO 4217 code of `14.95 USD`, `€ 1.299,00`, `USD 1,299.00`, or a number beside its `currency`."""
    if not said:
        return "", ""
    amounts = _AMOUNT.findall(said)
    if len(amounts) != 1 or len(amounts[0]) > MAX_DIGITS or re.match(r"\s*[-−]", said):
        raise BadField("price", f"{_short(said)!r} is not a price. Write it like 14.95 USD.")
    code = currency_of(said) or currency.strip().upper()
    if code not in currencies():
        raise BadField("price", f"{_short(said)!r} names no currency. Write it like 14.95 USD, or give --currency.")
    return f"{_amount(amounts[0], said, get_currency_precision(code)):f}", code


def _amount(written: str, said: str, places: int) -> Decimal:
    """`places`: decimals the currency has. Which of `.` and `,` is the decimal one is seen by where it stands."""
    digits = re.sub(rf"['’{_SPACES}]", "", written)
    marks = [mark for mark in digits if mark in ".,"]
    decimal = ""
    if len(set(marks)) > 1:
        decimal = marks[-1]
    elif len(marks) == 1:
        head, _, tail = digits.partition(marks[0])
        thousands = len(tail) == 3 and len(head) <= 3 and not head.startswith("0")  # noqa: PLR2004 (a group)
        if not thousands or (marks[0] == "." and places > 2):  # noqa: PLR2004 (dinars have three)
            decimal = marks[0]
        elif marks[0] == "." and places:
            raise BadField("price", f"{_short(said)!r} can be read in two ways. Write it like 1299.00 USD.")
    whole, _, rest = digits.rpartition(decimal) if decimal else (digits, "", "")
    groups = re.split(r"[.,]", whole)
    if decimal in groups or any(len(group) != 3 for group in groups[1:]):  # noqa: PLR2004 (a group)
        raise BadField("price", f"{_short(said)!r} is not a price. Write it like 14.95 USD.")
    try:
        return Decimal(f"{''.join(groups)}.{rest}" if rest else "".join(groups))
    except InvalidOperation:
        raise BadField("price", f"{_short(said)!r} is not a price. Write it like 14.95 USD.") from None


def on_sale(window: str, now: datetime) -> bool:
    """Whether `now` is in a `sale_price_effective_date` (two ISO 8601 times and a slash); no window is always open."""
    if not window:
        return True
    start, slash, end = window.partition("/")
    try:
        times = [datetime.fromisoformat(one.strip()) for one in (start, end)]
    except ValueError:
        times = []
    if not slash or not times:
        raise BadField("sale_price_effective_date", f"{_short(window)!r} is not two dates. Write 2026-11-20/2026-11-30.")
    begins, ends = (one if one.tzinfo else one.replace(tzinfo=UTC) for one in times)
    if "T" not in end.upper() and ":" not in end:
        ends = ends.replace(hour=23, minute=59, second=59)  # a day counts whole
    return begins <= now <= ends


def availability(said: str) -> str:
    """One of Bing's eight words."""
    word = re.sub(r"[^\w]|_", "", said.lower().rpartition("/")[2])
    if not word:
        return ""
    if word not in _SAID:
        raise BadField("availability", f"{_short(said)!r} is unknown. Use in_stock, out_of_stock, preorder or backorder.")
    return _SAID[word].value


def gtin(said: str) -> str:
    digits = re.sub(r"[ -]", "", said)
    return digits if digits.isascii() and digits.isdigit() and len(digits) in {8, 12, 13, 14} else ""


def rating(product: Mapping[str, Any]) -> tuple[float | None, int | None]:
    """Stars of five, and how many gave them."""
    said = product.get("rating")
    if not isinstance(said, dict):
        return None, None
    value, count = said.get("value"), said.get("count")
    if not isinstance(value, int | float) or not 0 < value <= MAX_STARS:
        return None, None
    return float(value), count if isinstance(count, int) and 0 <= count < 2**31 else 0


def duration(said: str) -> bool:
    """Whether this is a length of time as ISO 8601 writes it."""
    return bool(_DURATION.fullmatch(said))


def pictures(addresses: Iterable[Any], base: str) -> tuple[str, ...]:
    found = [picture(said, base) for address in addresses if (said := text(address))]
    if not found:
        beside = "" if is_address(base) else " Name a picture, or put one beside the file that is named like the id."
        raise BadField("image_link", f"image_link is missing.{beside}")
    return tuple(dict.fromkeys(found))[:MAX_PICTURES]


def picture(said: str, base: str) -> str:
    """An address, or a file beside the feed or one folder up; a feed names no other file of this machine."""
    try:
        if not is_address(said) and (is_address(base) or said.startswith("//")):
            said = urljoin(base if is_address(base) else "https:", said)
        if is_address(said):
            if len(said) <= MAX_ADDRESS and urlsplit(said).hostname:
                return said
        elif not is_address(base) and (path := _beside(said, base)):
            return path
    except (ValueError, OSError):
        pass
    where = "is not an http or https address" if is_address(base) else "is not beside the feed"
    raise BadField("image_link", f"{_short(said)!r} {where}.")


def _beside(name: str, base: str) -> str:
    folder = Path(base).parent
    for root in (folder, folder.parent):
        path = (root / name).resolve()
        if path.is_relative_to(root.resolve()) and path.is_file():
            return str(path)
    return ""


def _short(said: str) -> str:
    return said if len(said) <= 100 else f"{said[:99]}…"  # noqa: PLR2004 (a line of a terminal)
