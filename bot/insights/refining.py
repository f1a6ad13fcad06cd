"""Conditions in words: `mug in blue under $20, in stock` as a colour, a price, stock, and the words that are left. Pure."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from bot.insights.colours import WORDS
from bot.insights.feeds.records import BadField
from bot.insights.feeds.values import price
from bot.insights.phrases import in_english
from bot.insights.shelf import Product
from bot.insights.words import said_colours, same_colour
from bot.money import currency_of

_SIGNS = {"$": "", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "zł": "PLN"}
"""A dollar is the market's own where it has one, else the American."""
_NAMES = {
    "dollar": "$",
    "dollars": "$",
    "bucks": "$",
    "euro": "EUR",
    "euros": "EUR",
    "pound": "GBP",
    "pounds": "GBP",
    "quid": "GBP",
    "yen": "JPY",
}
_DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN"})
_CODE = r"(?:usd|eur|gbp|jpy|cad|aud|nzd|chf|sek|nok|dkk|pln|inr)"
_UNIT = rf"(?:[$€£¥₹₩]|zł|{_CODE}\b|{'|'.join(_NAMES)})"
_MEASURES = "cm|mm|m|ml|cl|l|kg|g|oz|inch|inches|w|v|watts?|litres?|liters?|pieces?|people|years?"
_MONEY = (
    rf"(?:(?P<{{0}}a>{_UNIT})\s*)?(?P<{{0}}n>\d{{{{1,9}}}}(?:[.,]\d{{{{1,3}}}}){{{{0,3}}}})(?:\s*(?P<{{0}}b>{_UNIT}))?"
    rf"(?![\w%]|\s*(?:{_MEASURES})\b)"
)
_ONE, _TWO = _MONEY.format("x"), _MONEY.format("y")
_BETWEEN = re.compile(
    rf"\b(?:between|from)\s+{_ONE}\s+(?:and|to)\s+{_TWO}|{_ONE.replace('<x', '<p')}\s*[-–]\s*{_TWO.replace('<y', '<q')}"
)
_UNDER = re.compile(
    rf"(?:\b(?:under|below|less than|cheaper than|at most|no more than|not more than|up to|max(?:imum)?|within)\s+|<=?\s*){_ONE}"
)
_OVER = re.compile(rf"(?:\b(?:over|above|more than|at least|from|min(?:imum)?|starting at)\s+|>=?\s*){_ONE}")
_STOCK = re.compile(r"\b(?:in[ -]stock|available(?: now)?|that i can buy)\b")
_COLOURS = "|".join(sorted({*WORDS, "gray", "violet", "turquoise", "gold", "silver"}, key=len, reverse=True))
_NOT_COLOUR = re.compile(rf"\b(?:not|no|without|but not|except)\s+(?:in\s+)?(?P<colour>{_COLOURS})\b")
_COLOUR = re.compile(rf"\bin\s+(?P<colour>{_COLOURS})\b|\b(?P<other>{_COLOURS})\s+(?:ones?|colou?r|colou?red)\b")
_COLOURS_ONLY = re.compile(rf"(?:(?:{_COLOURS}|or|and)[\s,]*)+")
_SPOKEN = {"gray": "grey", "violet": "purple", "gold": "yellow", "silver": "grey", "turquoise": "teal"}
_ONLY = re.compile(r"\b(?:only|please|something|anything|ones?|show me|but|and|the same|like this|for)\b")


@dataclass(frozen=True, slots=True)
class Refinement:
    """What must hold, and `words`, what is left to look for.

    colours: one of them, or none said; without: none of them. least, most: of a price, inclusive, in `currency`, which is empty
    for the market's. in_stock: can be bought now.
    """

    words: str = ""
    colours: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    least: Decimal | None = None
    most: Decimal | None = None
    currency: str = ""
    in_stock: bool = False

    @property
    def conditions(self) -> bool:
        return bool(self.colours or self.without or self.least is not None or self.most is not None or self.in_stock)

    def allows(self, product: Product, market_currency: str) -> bool:
        """Whether a product is of the colours and has an offer as wanted. Prices are held against offers of their currency."""
        if self.colours and not any(_is(product, colour) for colour in self.colours):
            return False
        if any(_is(product, colour) for colour in self.without):
            return False
        if self.least is None and self.most is None and not self.in_stock:
            return True
        offers = (offer for offer in product.offers_in(self.currency_in(market_currency)) if offer.can_be_bought)
        return any(
            offer.price is not None
            and (self.least is None or offer.price >= self.least)
            and (self.most is None or offer.price <= self.most)
            for offer in offers
        )

    def currency_in(self, market_currency: str) -> str:
        """What the prices are in, in a market of that currency."""
        if self.currency == "$":
            return market_currency if market_currency in _DOLLARS else "USD"
        return self.currency or market_currency


def refine(text: str) -> Refinement:
    """Read conditions out of words; what is none of them stays in `words`, in its order.

    A colour is a condition where it is said as one, `in blue`, `the blue one`, or where nothing else is said; that of
    `black pepper mill` is only a word.
    """
    rest = " ".join(in_english(" ".join(text.lower().split())).split())
    least = most = None
    currency = ""
    found = _BETWEEN.search(rest)
    one, other = ("x", "y") if found and found["xn"] else ("p", "q")
    if found and (one == "x" or _unit(found, one) or _unit(found, other)):  # 7-10 may be inches
        least, most = sorted((_number(found[f"{one}n"]), _number(found[f"{other}n"])))
        currency = _unit(found, one) or _unit(found, other)
        rest = _without(rest, found)
    else:
        if found := _UNDER.search(rest):
            most, currency, rest = _number(found["xn"]), _unit(found, "x"), _without(rest, found)
        if found := _OVER.search(rest):
            least, currency, rest = _number(found["xn"]), _unit(found, "x") or currency, _without(rest, found)
    in_stock = bool(found := _STOCK.search(rest))
    rest = _without(rest, found) if found else rest
    without, rest = _all(_NOT_COLOUR, rest)
    colours, rest = _all(_COLOUR, rest)
    rest = " ".join(_ONLY.sub(" ", rest).split()).strip(" ,.;!?")
    if _COLOURS_ONLY.fullmatch(rest):
        more, _ = _all(re.compile(rf"\b(?P<colour>{_COLOURS})\b"), rest)
        colours, rest = tuple(dict.fromkeys([*colours, *more])), ""
    rest = re.sub(r"\s+([,.;!?])", r"\1", rest)
    rest = re.sub(r"^(?:in|with|or)\b\s*|\s*\b(?:in|or|with)$", "", rest).strip(" ,.;!?")
    return Refinement(rest, colours, without, least, most, currency, in_stock)


def price_of(said: str, market: str) -> tuple[Decimal | None, str]:
    """`$40`, `39,95 EUR` or `40` as an amount with its currency, that of the market where none is named; None for no words.

    Raises ValueError for what is no price.
    """
    named = re.sub(r"[a-z]+", lambda found: _NAMES.get(found[0].lower(), found[0]), said.strip(), flags=re.IGNORECASE)
    here = currency_of(market) or "USD"
    if "$" in named and here not in _DOLLARS:
        here = "USD"
    try:
        amount, currency = price(named, here)
    except BadField as error:
        raise ValueError(str(error)) from None
    return (Decimal(amount), currency) if amount else (None, "")


def _all(pattern: re.Pattern[str], text: str) -> tuple[tuple[str, ...], str]:
    words = ("".join(filter(None, one.groups())) for one in pattern.finditer(text))
    return tuple(dict.fromkeys(_SPOKEN.get(word, word) for word in words)), pattern.sub(" ", text)


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}"


def _unit(found: re.Match[str], group: str) -> str:
    """A currency code, `$` for some dollar, or nothing."""
    said = (found[f"{group}a"] or found[f"{group}b"] or "").strip()
    if said in {"$", "dollar", "dollars", "bucks"}:
        return "$"
    return _SIGNS.get(said) or _NAMES.get(said) or said.upper()


def _number(text: str) -> Decimal:
    """`1,299.50`, `12,50` and `1.299` as people mean them: three digits after a mark are thousands."""
    marks = [mark for mark in text if mark in ".,"]
    if marks and len(text) - 1 - text.rfind(marks[-1]) != 3:  # noqa: PLR2004 (thousands)
        whole, _, part = text.rpartition(marks[-1])
        text = f"{re.sub('[.,]', '', whole)}.{part}"
    else:
        text = re.sub("[.,]", "", text)
    try:
        return Decimal(text)
    except InvalidOperation:  # \d takes digits that Decimal takes as well; only an empty part is left
        return Decimal(0)


def _is(product: Product, colour: str) -> bool:
    return any(same_colour(said, colour) for said in said_colours(product.color))
