"""The catalogue as one market sees it: which of it is shown, in which currency, and how a picture is presented."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qs, urlencode, urlsplit

from bot.insights.model import AggregateOffer, ImageObject, Offer, Query, SafeSearch, Seller
from bot.insights.prices import this_moment
from bot.insights.shelf import Product, Shelf, ShopOffer, StoredPicture
from bot.money import currency_of

THUMBNAIL_SIDE = 474

_TOKEN = re.compile(r"ccid_([A-Z2-7]{8})\*mid_([0-9A-F]{32})")
_DISPLAY_URL = 60


def catalogue_token(picture_id: str) -> str:
    """The stable insights token of a catalogue picture."""
    return f"ccid_{_check(picture_id)}*mid_{picture_id}"


def catalogue_picture(token: str) -> str | None:
    """The picture id in a token of ours; None when it is another's."""
    found = _TOKEN.fullmatch(token)
    return found[2] if found and found[1] == _check(found[2]) else None


def _check(picture_id: str) -> str:
    return base64.b32encode(hashlib.sha256(picture_id.encode()).digest()[:5]).decode()


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of our own pictures and pages, below the service's address. secret: signs the pages anybody may open."""

    base_url: str
    secret: bytes = field(default=b"", repr=False)

    def search_api(self, words: str, market: str, language: str) -> str:
        """Bing's searchLink: the API's address of a search."""
        return f"{self.base_url}/bing/v7.0/images/search?{urlencode({'q': words, 'mkt': market, 'setLang': language})}"

    def search_page(self, words: str, market: str, language: str) -> str:
        """Bing's webSearchUrl: a page for people. Signed, so that nobody searches who was not given the link."""
        return f"{self.base_url}/search?{urlencode(self._signed({'q': words, 'mkt': market, 'setLang': language}))}"

    def image_page(self, picture_id: str, market: str, language: str) -> str:
        """Bing's webSearchUrl of a picture: its page for people."""
        return f"{self.base_url}/search?{urlencode(self._signed({'id': picture_id, 'mkt': market, 'setLang': language}))}"

    def is_signed(self, given: Mapping[str, str]) -> bool:
        """Whether the parameters of a page are those of a link of ours."""
        said = {name: given[name] for name in ("q", "id", "mkt", "setLang") if name in given}
        return hmac.compare_digest(self._signed(said)["s"].encode(), given.get("s", "").encode())

    def _signed(self, given: dict[str, str]) -> dict[str, str]:
        digest = hmac.digest(self.secret, b"page\0" + urlencode(given).encode(), "sha256")
        return given | {"s": base64.urlsafe_b64encode(digest[:15]).decode()}

    def content(self, content: str) -> str:
        return f"{self.base_url}/th?id=OIP.{content}"

    def thumbnail(self, picture: StoredPicture) -> tuple[str, int, int]:
        """Address, width and height."""
        shrink = min(1.0, THUMBNAIL_SIDE / max(picture.width, picture.height))
        width, height = max(1, round(picture.width * shrink)), max(1, round(picture.height * shrink))
        return f"{self.content(picture.content)}&w={width}&h={height}", width, height

    def read(self, url: str) -> str | None:
        """The content named by an address of ours, whatever else it says; None for any other address.

        Ours is what we give out: below another name of this machine it is fetched, like anybody's.
        """
        if not url.startswith(f"{self.base_url}/th?"):
            return None
        name = parse_qs(urlsplit(url).query).get("id", [""])[0]
        return name.removeprefix("OIP.")


@dataclass(frozen=True)
class MarketView:
    """What somebody in a market gets to see. language: of interface words and links, a two- or four-letter code."""

    shelf: Shelf
    links: Links
    market: str
    language: str
    safe_search: SafeSearch

    @cached_property
    def currency(self) -> str:
        """The one people of the market pay in."""
        return currency_of(self.market)

    def search_for(self, words: str, *, thumbnail_url: str = "") -> Query:
        """Words as something to search for, with where."""
        return Query(
            text=words,
            display_text=words[:1].upper() + words[1:],
            web_search_url=self.links.search_page(words, self.market, self.language),
            search_link=self.links.search_api(words, self.market, self.language),
            thumbnail_url=thumbnail_url,
        )

    def shows(self, product: Product | None) -> bool:
        return not (product and product.adult) or self.safe_search is SafeSearch.OFF

    @cached_property
    def _offers(self) -> dict[str, tuple[ShopOffer, ...]]:
        return {}

    def offers(self, product: Product | None) -> tuple[ShopOffer, ...]:
        if product is None:
            return ()
        found = self._offers.get(product.id)
        if found is None:  # asked several times for every picture of an answer
            found = self._offers[product.id] = product.offers_in(self.currency, self.more_offers(product))
        return found

    def more_offers(self, _product: Product) -> Sequence[ShopOffer]:
        """Offers that are not known to be of the product and seem to be."""
        return ()

    def name(self, product: Product) -> str:
        """As the shops of the market call it; the catalogue's own name where these do not differ or there are none."""
        titles = [offer.title for offer in self.offers(product)]
        return product.title if not titles or product.title in titles else titles[0]

    def offer(self, offer: ShopOffer) -> Offer:
        logo = self.shelf.logos.get(offer.seller, "")
        return Offer(
            name=offer.title,
            url=offer.link,
            seller=Seller(offer.seller, self.links.content(logo) if logo else ""),
            price=offer.price,
            currency=offer.currency,
            availability=offer.availability,
            last_updated=offer.last_seen,
            was=offer.was(this_moment()),
            inferred=offer.inferred,
        )

    def aggregate(self, product: Product) -> AggregateOffer | None:
        """Sums up exactly the offers that ShoppingSources lists; the prices are those of what can be bought, if any can."""
        offers = self.offers(product)
        prices = [offer.price for offer in offers if offer.price is not None and offer.can_be_bought]
        prices = prices or [offer.price for offer in offers if offer.price is not None]
        if not prices:
            return None
        return AggregateOffer(self.name(product), self.currency, min(prices), max(prices), len(offers), product.rating)

    def pages(self, picture: StoredPicture) -> Iterator[tuple[str, str]]:
        """Pages that show a picture, as (address, title): articles first, then what it is about, then shops of the market."""
        found = [(page.url, page.title) for page in self.shelf.pages.get(picture.id, ())]
        found += [(subject.url, subject.name) for subject in self.shelf.subjects_of_picture.get(picture.id, ())]
        found += [(offer.link, offer.title) for offer in self.offers(self.shelf.products.get(picture.product_id))]
        seen: set[str] = set()
        for url, title in found:
            if url not in seen:
                seen.add(url)
                yield url, title

    def home(self, product: Product) -> str:
        """Where a product is at home: its best shop in the market, else any."""
        return next((offer.link for offer in (*self.offers(product), *product.offers)), "")

    def image(self, picture: StoredPicture, *, page: tuple[str, str] | None = None, sums: bool = False) -> ImageObject:
        """How a catalogue picture is presented. `page`: the page it is found on; `sums`: with its product's prices."""
        product = self.shelf.products.get(picture.product_id)
        pages = list(self.pages(picture))
        url, title = page or (pages[0] if pages else (self.home(product) if product else "", ""))
        shown = self.shelf.subjects_of_picture.get(picture.id, ())
        thumbnail, width, height = self.links.thumbnail(picture)
        subjects = (*shown, *self.shelf.subjects_of_product.get(picture.product_id, ()))
        return ImageObject(
            token=catalogue_token(picture.id),
            name=title if page or not product else self.name(product),
            content_url=self.links.content(picture.content),
            thumbnail_url=thumbnail,
            host_page_url=url,
            host_page_display_url=_display(url),
            host_name=next((offer.seller for offer in self.offers(product) if offer.link == url), ""),
            date_published=f"{picture.published.isoformat()}.0000000Z",
            content_size=picture.bytes,
            encoding_format="jpeg",
            width=picture.width,
            height=picture.height,
            thumbnail_width=width,
            thumbnail_height=height,
            image_id=picture.id,
            web_search_url=self.links.image_page(picture.id, self.market, self.language),
            accent_color=picture.accent,
            family_friendly=not (product and product.adult),
            shopping_sources_count=len(self.offers(product)),
            recipe_sources_count=sum(one.kind == "recipe" for one in subjects),
            pages_including_count=len(pages),
            available_sizes_count=self.shelf.pictures_like(picture.id),
            aggregate_offer=self.aggregate(product) if product and sums else None,
            rating=product.rating if product else None,
        )


def _display(url: str) -> str:
    short = re.sub(r"^https?://(www\.)?", "", url)
    return short if len(short) <= _DISPLAY_URL else f"{short[: _DISPLAY_URL - 3]}..."
