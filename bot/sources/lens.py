"""Google Lens through SerpApi: pictures that look alike, many of them with a shop, a price and whether it is in stock.

Documented at serpapi.com/google-lens-api. It wants an address of the picture: the picture is lent at an address of ours that
nobody can guess, until the answer is there (lending.py).
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from urllib.parse import urlsplit

from aiohttp import ClientSession

from bot import money
from bot.errors import Unavailable
from bot.insights.model import AggregateOffer, Caption, ImageObject, Insights, Query, Rating, SafeSearch
from bot.insights.refining import price_of
from bot.sources import Question
from bot.sources.asking import Asking, Shape

ADDRESS = "https://serpapi.com"
NOTHING = "hasn't returned any results"
MOST = 60
STARS = 5.0

Lend = Callable[[bytes], AbstractAsyncContextManager[str]]
"""A picture at an address that the whole world can open, as long as the context lasts."""


class Snake(Shape):
    model_config = Shape.model_config | {"alias_generator": None}


class Price(Snake):
    value: str = ""
    extracted_value: float | None = None
    currency: str = ""


class Seen(Snake):
    title: str = ""
    link: str = ""
    source: str = ""
    price: Price | None = None
    in_stock: bool | None = None
    rating: float | None = None
    reviews: int | None = None
    thumbnail: str = ""
    image: str = ""
    image_width: int = 0
    image_height: int = 0


class Related(Snake):
    query: str = ""
    link: str = ""


class Answer(Snake):
    visual_matches: Sequence[Seen] = ()
    related_content: Sequence[Related] = ()
    error: str = ""


class GoogleLens:
    name = "Google Lens"

    def __init__(self, session: ClientSession, key: str, lend: Lend, *, address: str = ADDRESS) -> None:
        self._asking = Asking(session, self.name, "SERPAPI_KEY")
        self._url = f"{address.rstrip('/')}/search.json"
        self._key = key
        self._lend = lend

    async def look(self, question: Question) -> Insights:
        """As Source says. Prices are in what the sign stands for in the market; one that cannot be told is left out."""
        parameters = {
            "engine": "google_lens",
            "hl": question.language,
            "country": question.market.partition("-")[2].lower(),
            "safe": "off" if question.safe_search is SafeSearch.OFF else "active",
            "q": question.query,
            "api_key": self._key,
        }
        async with self._lend(question.jpeg) as url:
            params = {name: value for name, value in (parameters | {"url": url}).items() if value}
            answer = await self._asking.ask(Answer, self._url, params=params)
        if answer.error and NOTHING not in answer.error:
            raise Unavailable(f"{self.name} could not look at the picture.")
        return _insights(answer, question.market)


def _insights(answer: Answer, market: str) -> Insights:
    images = [_image(one, market) for one in answer.visual_matches[:MOST] if one.title and one.link]
    queries = tuple(Query(one.query, one.query, one.link) for one in answer.related_content if one.query)
    return Insights(
        token="",
        best_query=queries[0] if queries else None,
        caption=Caption(queries[0].text) if queries else None,
        similar_images=tuple(images),
        similar_products=tuple(image for image in images if image.aggregate_offer),
        related_searches=queries,
    )


def _image(seen: Seen, market: str) -> ImageObject:
    rating = Rating(seen.rating, seen.reviews or 0, STARS) if seen.rating and seen.reviews else None
    host = urlsplit(seen.link).netloc
    return ImageObject(
        token="",
        name=seen.title,
        content_url=seen.image or seen.thumbnail,
        thumbnail_url=seen.thumbnail or seen.image,
        host_page_url=seen.link,
        host_page_display_url=host,
        host_name=seen.source or host,
        width=seen.image_width,
        height=seen.image_height,
        aggregate_offer=_offer(seen, market, rating),
        rating=rating,
    )


def _offer(seen: Seen, market: str, rating: Rating | None) -> AggregateOffer | None:
    price = seen.price
    if price is None or price.extracted_value is None:
        return None
    amount = Decimal(str(price.extracted_value))
    try:
        _, currency = price_of(f"{price.currency} {amount}", market)
    except ValueError:
        return None
    if not money.priced(amount, currency):
        return None
    return AggregateOffer(seen.title, currency, amount, amount, 0, rating)
