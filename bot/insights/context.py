"""All that the modules read to answer about one picture, gathered once; and how a catalogue picture is presented."""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qs, urlsplit

from bot.insights.encoder import Look
from bot.insights.matching import Matches
from bot.insights.model import AggregateOffer, ImageObject, Offer, SafeSearch, Seller
from bot.insights.shelf import Product, Shelf, ShopOffer, StoredPicture
from bot.insights.words import said_colours, same_colour, singular

THUMBNAIL_SIDE = 474
NEAREST = 5
"""So many of the nearest products are asked what kind, material and colour they are."""

LEAD = 0.04
"""A product whose score is this far above every other speaks alone."""

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
    """Addresses of our own pictures, below the service's address."""

    base_url: str

    def content(self, content: str) -> str:
        return f"{self.base_url}/th?id=OIP.{content}"

    def thumbnail(self, picture: StoredPicture) -> tuple[str, int, int]:
        """Address, width and height."""
        shrink = min(1.0, THUMBNAIL_SIDE / max(picture.width, picture.height))
        width, height = max(1, round(picture.width * shrink)), max(1, round(picture.height * shrink))
        return f"{self.content(picture.content)}&w={width}&h={height}", width, height

    def read(self, url: str) -> str | None:
        """The content named by an address of ours; None for any other address."""
        if not url.startswith(f"{self.base_url}/th?"):
            return None
        name = parse_qs(urlsplit(url).query).get("id", [""])[0]
        return name.removeprefix("OIP.")


@dataclass(frozen=True)
class Context:
    """One picture's look and matches, the catalogue they point into, and who asks.

    own: the catalogue picture that was asked about, when it was one. currency: the one people of the market pay in.
    """

    look: Look
    matches: Matches
    shelf: Shelf
    links: Links
    own: StoredPicture | None
    query: str
    currency: str
    safe_search: SafeSearch

    @cached_property
    def near(self) -> tuple[Product, ...]:
        """The nearest products, best first; the asked picture's own leads."""
        ids = [self.own.product_id] if self.own else []
        ids += [hit.product_id for hit in self.matches.copies] + [hit.product_id for hit in self.matches.products]
        found = (self.shelf.products.get(key) for key in dict.fromkeys(ids))
        return tuple(product for product in found if product and self.shows(product))[:NEAREST]

    @cached_property
    def certain(self) -> Product | None:
        """The product of this very picture: asked about by name, or a copy of it."""
        copies = {hit.product_id for hit in self.matches.copies} | ({self.own.product_id} if self.own else set())
        return next((product for product in self.near if product.id in copies), None)

    def shows(self, product: Product | None) -> bool:
        return not (product and product.adult) or self.safe_search is SafeSearch.OFF

    @cached_property
    def leads(self) -> bool:
        """Whether the first of the nearest is known or so clearly the best that the others have no say."""
        scores = [hit.score for hit in self.matches.products]
        return self.certain is not None or (bool(scores) and scores[0] >= max(scores[1:], default=0.0) + LEAD)

    def agreed(self, read: Callable[[Product], str]) -> str:
        """What a leading product says, or else what most of the nearest say, the best of them among these."""
        said = [read(product) for product in ((self.certain,) if self.certain else self.near)]
        if not said or not said[0]:
            return ""
        count = Counter(said)[said[0]]
        return said[0] if self.leads or (count > 1 and count * 2 >= len(said)) else ""

    @cached_property
    def kind(self) -> str:
        """What it is: `espresso cup`; empty when the nearest disagree."""
        return singular(self.agreed(lambda product: product.kind))

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """What is in the picture: the kind, or where several things lie apart, the kinds of the first two."""
        if self.kind or self.matches.things < 2:  # noqa: PLR2004 (one thing, about which the nearest disagree)
            return (self.kind,) if self.kind else ()
        best = (singular(product.kind) for product in self.near[: self.matches.things] if product.kind)
        return tuple(dict.fromkeys(best))[:2]

    @cached_property
    def material(self) -> str:
        """The main one: `plastic` of `plastic, leatherette`."""
        main = self.agreed(lambda product: product.material.partition(",")[0].strip())
        return main if main.isupper() else main.lower()

    @cached_property
    def colour(self) -> str:
        """The maker's word where we know the product; else what we see, when the best neighbour says the same.

        A photo shows more than one thing: a colour that no neighbour confirms may be the table's.
        """
        if self.certain and self.certain.color:
            return " and ".join(said_colours(self.certain.color))
        if not self.near:
            return self.look.colour
        return next((said for said in said_colours(self.near[0].color) if same_colour(said, self.look.colour)), "")

    @cached_property
    def described(self) -> str:
        """Colour, material and kind in words: `blue stoneware mug`; of several things the kinds alone; empty without one."""
        if not self.kind:
            return " and ".join(self.kinds)
        words: list[str] = []
        for part in (self.colour, self.material, self.kind):
            words += [word for word in part.split() if word not in words or word == "and"]
        return " ".join(words)

    def offers(self, product: Product | None) -> tuple[ShopOffer, ...]:
        return product.offers_in(self.currency) if product else ()

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
        )

    def aggregate(self, product: Product) -> AggregateOffer | None:
        """Sums up exactly the offers that ShoppingSources lists; the prices are those of what can be bought, if any can."""
        offers = self.offers(product)
        prices = [offer.price for offer in offers if offer.price is not None and offer.can_be_bought]
        prices = prices or [offer.price for offer in offers if offer.price is not None]
        if not prices:
            return None
        return AggregateOffer(product.title, self.currency, min(prices), max(prices), len(offers), product.rating)

    def pages(self, picture: StoredPicture) -> Iterator[tuple[str, str]]:
        """Pages that show a picture, as (address, title): articles first, then shops of the market."""
        seen = set()
        for page in self.shelf.pages.get(picture.id, ()):
            if page.url not in seen:
                seen.add(page.url)
                yield page.url, page.title
        for offer in self.offers(self.shelf.products.get(picture.product_id)):
            if offer.link not in seen:
                seen.add(offer.link)
                yield offer.link, offer.title

    def home(self, product: Product) -> str:
        """Where a product is at home: its best shop in the market, else any."""
        return next((offer.link for offer in (*self.offers(product), *product.offers)), "")

    def image(self, picture: StoredPicture, *, page: tuple[str, str] | None = None, sums: bool = False) -> ImageObject:
        """How a catalogue picture is presented. `page`: the page it is found on; `sums`: with its product's prices."""
        product = self.shelf.products.get(picture.product_id)
        pages = list(self.pages(picture))
        url, title = page or (pages[0] if pages else (self.home(product) if product else "", ""))
        thumbnail, width, height = self.links.thumbnail(picture)
        return ImageObject(
            token=catalogue_token(picture.id),
            name=title if page or not product else product.title,
            content_url=self.links.content(picture.content),
            thumbnail_url=thumbnail,
            host_page_url=url,
            host_page_display_url=_display(url),
            date_published=f"{picture.published.isoformat()}.0000000Z",
            content_size=picture.bytes,
            encoding_format="jpeg",
            width=picture.width,
            height=picture.height,
            thumbnail_width=width,
            thumbnail_height=height,
            image_id=picture.id,
            accent_color=picture.accent,
            family_friendly=not (product and product.adult),
            shopping_sources_count=len(self.offers(product)),
            pages_including_count=len(pages),
            available_sizes_count=1,
            aggregate_offer=self.aggregate(product) if product and sums else None,
            rating=product.rating if product else None,
        )


def _display(url: str) -> str:
    short = re.sub(r"^https?://(www\.)?", "", url)
    return short if len(short) <= _DISPLAY_URL else f"{short[: _DISPLAY_URL - 3]}..."
