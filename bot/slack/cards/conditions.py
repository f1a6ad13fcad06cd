"""What somebody wants of the products, in words: `in blue, up to $50.00, in stock`."""

from bot import money
from bot.insights.refining import Refinement
from bot.language import listed, marked, tr

COLOURS = (
    marked("white"),
    marked("grey"),
    marked("black"),
    marked("red"),
    marked("orange"),
    marked("yellow"),
    marked("green"),
    marked("teal"),
    marked("blue"),
    marked("navy"),
    marked("purple"),
    marked("pink"),
    marked("brown"),
    marked("beige"),
)
"""Those that colours.py has a word for."""


def described(wanted: Refinement, market: str) -> str:
    """Nothing where there are no conditions. Currency signs are those of the market."""
    colours, without = (listed([tr(one) for one in some], "or") for some in (wanted.colours, wanted.without))
    said = (
        tr("in {colours}", colours=colours) if colours else "",
        tr("not {colours}", colours=without) if without else "",
        _price(wanted, market),
        tr("in stock") if wanted.in_stock else "",
    )
    return ", ".join(part for part in said if part)


def _price(wanted: Refinement, market: str) -> str:
    currency = wanted.currency_in(money.currency_of(market))
    least, most = (
        money.fmt(one, currency, market) if one is not None and currency else "" for one in (wanted.least, wanted.most)
    )
    if least and most:
        return tr("{least} to {most}", least=least, most=most)
    if most:
        return tr("up to {price}", price=most)
    return tr("from {price}", price=least) if least else ""
