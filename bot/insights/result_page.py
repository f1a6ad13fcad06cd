"""Where Bing's webSearchUrl leads: a page for people with the pictures that words find, or one picture."""

import asyncio
import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from bot.errors import Error
from bot.insights.model import Availability, Found, SafeSearch
from bot.insights.service import InsightsService
from bot.insights.shelf import Product, ShopOffer, StoredPicture
from bot.insights.textsearch import MOST_RELATED
from bot.insights.view import MarketView
from bot.insights.words import singular
from bot.money import fmt, priced, span

AT_ONCE = 36
ANSWER_SECONDS = 10.0
_OFFSET = re.compile(r"[0-9]{1,6}", re.ASCII)
_NOT_OURS = "This link is not complete. Open it again from where you found it."
_NO_PICTURE = "This picture is no longer in the catalogue."
_BUSY = "Too much is asked at once. Load this page again in a moment."
_AVAILABLE = {
    Availability.DISCONTINUED: "Discontinued",
    Availability.IN_STOCK: "In stock",
    Availability.IN_STORE_ONLY: "In the shop only",
    Availability.LIMITED: "Few left",
    Availability.ONLINE_ONLY: "Online only",
    Availability.OUT_OF_STOCK: "Out of stock",
    Availability.PRE_ORDER: "Can be ordered ahead",
    Availability.SOLD_OUT: "Sold out",
}

STYLE = """
:root { color-scheme: light dark; --ground: #fafaf8; --card: #fff; --text: #1b1c1e; --soft: #5c5f66; --line: #e2e2de;
  --link: #0b57b0; --shade: #f0f0ec; }
@media (prefers-color-scheme: dark) { :root { --ground: #17181a; --card: #212225; --text: #ececea; --soft: #a8abb2;
  --line: #36383c; --link: #8ab8f5; --shade: #2a2c30; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 72rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .35rem; text-wrap: balance; }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
p { margin: 0 0 1rem; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 3px; border-radius: 4px; }
.soft { color: var(--soft); }
ul { list-style: none; margin: 0; padding: 0; }
.pictures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); margin-top: 1.5rem; }
.pictures li { display: flex; flex-direction: column; background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  overflow: hidden; }
.pictures img { display: block; width: 100%; height: auto; aspect-ratio: 1; background: var(--shade); }
.pictures div { display: flex; flex-direction: column; flex: 1; gap: .15rem; padding: .75rem .9rem .9rem; }
.pictures .name { color: inherit; font-weight: 600; line-height: 1.3; text-decoration: none; }
.pictures .name:hover { text-decoration: underline; }
.pictures .shop { margin-top: auto; padding-top: .35rem; font-size: .9rem; }
.words { display: flex; flex-wrap: wrap; gap: .5rem; }
.words a { display: block; padding: .35rem .9rem; border: 1px solid var(--line); border-radius: 99px; background: var(--card);
  text-decoration: none; }
.words a:hover { text-decoration: underline; }
.more { display: inline-block; margin-top: 1.5rem; font-weight: 600; }
.one { display: grid; gap: 2rem; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); align-items: start; }
.one > img { display: block; width: 100%; height: auto; border: 1px solid var(--line); border-radius: 12px; }
.one h2:first-of-type { margin-top: 1rem; }
.offers li { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; padding: .65rem 0; border-top: 1px solid var(--line); }
.offers .price { font-weight: 600; font-variant-numeric: tabular-nums; text-align: right; }
.offers .state { grid-column: 1 / -1; font-size: .9rem; }
.pages li { padding: .35rem 0; }
.pages span { display: block; font-size: .9rem; }
@media (max-width: 46rem) { main { padding-top: 1.25rem; } .one { grid-template-columns: 1fr; gap: 1rem; }
  .pictures { grid-template-columns: 1fr 1fr; gap: .75rem; } h1 { font-size: 1.4rem; } }
"""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def routes(service: InsightsService) -> list[web.RouteDef]:
    """`/search`, for whoever has a signed link (Links.search_page, Links.image_page)."""

    async def page(request: web.Request) -> web.StreamResponse:
        given = dict(request.query)
        if not service.links.is_signed(given) or not given.keys() & {"q", "id"}:
            return _page(403, _sentence(_NOT_OURS))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer(given)
        except (TimeoutError, Error):
            return _page(503, _sentence(_BUSY))

    async def answer(given: Mapping[str, str]) -> web.Response:
        market, language = given.get("mkt", ""), given.get("setLang", "")
        # its own addresses without a host: the page works below every name of the service, and its pictures are its own
        links = replace(service.links, base_url=urlsplit(service.links.base_url).path)
        view = MarketView(service.catalogue.serving.shelf, links, market, language, SafeSearch.MODERATE)
        if "id" in given:
            picture = view.shelf.pictures.get(given["id"])
            if picture is None or not view.shows(view.shelf.products.get(picture.product_id)):
                return _page(404, _sentence(_NO_PICTURE))
            return _page(200, await asyncio.to_thread(_one_picture, view, picture))
        offset = int(given["offset"]) if _OFFSET.fullmatch(given.get("offset", "")) else 0
        found = await service.search(given["q"], count=AT_ONCE, offset=offset, market=market, language=language)
        return _page(200, await asyncio.to_thread(_pictures, view, given, found))

    return [web.get("/search", page)]


@dataclass(frozen=True, slots=True)
class Html:
    """Markup that is safe as it stands: made of literals and of escaped text."""

    title: str
    body: str


def _page(status: int, html: Html) -> web.Response:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(html.title)}</title><style>{STYLE}</style></head><body><main>{html.body}</main></body></html>"
    )
    cache = "private, max-age=60" if status == 200 else "no-store"  # noqa: PLR2004 (HTTP)
    return web.Response(status=status, text=text, content_type="text/html", headers=HEADERS | {"Cache-Control": cache})


def _sentence(text: str) -> Html:
    return Html(text, f"<h1>{escape(text)}</h1>")


# ---------------------------------------------------------------- pictures for words


def _pictures(view: MarketView, given: Mapping[str, str], found: Found) -> Html:
    words, page = given["q"], found.page
    if not page.total:
        nothing = "<p>The catalogue has no picture for these words. Try fewer or more common ones.</p>"
        return Html(words, f"<h1>{escape(words)}</h1>{nothing}{_words(view, (query.text for query in found.related))}")
    understood = f"<p>Showing what was found for <strong>{escape(found.corrected)}</strong>.</p>" if found.corrected else ""
    shown = [view.shelf.pictures[image.image_id] for image in page.value if image.image_id in view.shelf.pictures]
    cards = "".join(_card(view, picture) for picture in shown)
    more = ""
    if page.next_offset < page.total:
        signed = {name: given[name] for name in ("q", "mkt", "setLang", "s") if name in given}
        more = f'<a class="more" href="{escape("?" + urlencode(signed | {"offset": str(page.next_offset)}))}">More pictures</a>'
    return Html(
        words,
        f'<h1>{escape(words)}</h1>{understood}<p class="soft">{_count(page.total, "picture")}</p>'
        f'<ul class="pictures">{cards}</ul>{more}{_words(view, (query.text for query in found.related))}',
    )


def _card(view: MarketView, picture: StoredPicture) -> str:
    image = view.image(picture, sums=True)
    product = view.shelf.products.get(picture.product_id)
    sums = image.aggregate_offer
    price = span(sums.low_price, sums.high_price, sums.currency, view.market) if sums else ""
    offers = view.offers(product)
    shop = f'<span class="shop">{_link(offers[0].link, offers[0].seller)}</span>' if offers else ""
    return (
        f'<li><a href="{escape(image.web_search_url)}" tabindex="-1" aria-hidden="true">'
        f'<img src="{escape(f"{image.content_url}&w=416&h=416&c=7")}" width="416" height="416" alt="" loading="lazy"></a>'
        f'<div><a class="name" href="{escape(image.web_search_url)}">{escape(image.name or "Picture")}</a>'
        f"{f'<span>{escape(price)}</span>' if price else ''}{shop}</div></li>"
    )


# ---------------------------------------------------------------- one picture


def _one_picture(view: MarketView, picture: StoredPicture) -> Html:
    image = view.image(picture)
    product = view.shelf.products.get(picture.product_id)
    name = image.name or "Picture"
    offers = view.offers(product)
    shops = {offer.link for offer in offers}
    pages = [(url, title) for url, title in view.pages(picture) if url not in shops]
    listed = "".join(
        f'<li>{_link(url, title or url)}<span class="soft">{escape(urlsplit(url).hostname or "")}</span></li>'
        for url, title in pages
        if _opens(url)
    )
    return Html(
        name,
        f'<div class="one"><img src="{escape(image.content_url)}" width="{image.width}" height="{image.height}" '
        f'alt="{escape(name)}"><div><h1>{escape(name)}</h1>{_facts(product)}{_offers(view, offers)}'
        f"{f'<h2>Pages with this picture</h2><ul class=pages>{listed}</ul>' if listed else ''}</div></div>"
        f"{_words(view, _similar(view, product))}",
    )


def _facts(product: Product | None) -> str:
    if product is None:
        return ""
    facts = " · ".join(fact for fact in (product.brand, product.color, product.material, product.size) if fact)
    said = f"<p>{escape(product.description)}</p>" if product.description else ""
    return f"{f'<p class=soft>{escape(facts)}</p>' if facts else ''}{said}"


def _offers(view: MarketView, offers: Iterable[ShopOffer]) -> str:
    """As ShoppingSources lists them: what can be bought first, the cheapest first of all."""
    lines = "".join(
        f"<li><span>{_link(offer.link, offer.seller)}</span>"
        f'<span class="price">{_price(offer.price, offer.currency, view)}</span>'
        f'<span class="state soft">{_AVAILABLE[offer.availability] if offer.availability else ""}</span></li>'
        for offer in offers
    )
    return (
        f"<h2>Offers</h2><ul class=offers>{lines}</ul>" if lines else '<p class="soft">No shop of your country offers this.</p>'
    )


def _price(price: Decimal | None, currency: str, view: MarketView) -> str:
    return escape(fmt(price, currency, view.market)) if price is not None and priced(price, currency) else ""


def _similar(view: MarketView, product: Product | None) -> list[str]:
    if product is None:
        return []
    own = [singular(product.kind), product.brand]
    return [*dict.fromkeys(word for word in (*own, *view.shelf.related.get(product.product_type, ())) if word)][:MOST_RELATED]


# ---------------------------------------------------------------- pieces


def _words(view: MarketView, texts: Iterable[str]) -> str:
    queries = (view.search_for(text) for text in texts)
    links = "".join(f'<li><a href="{escape(query.web_search_url)}">{escape(query.display_text)}</a></li>' for query in queries)
    return f'<h2>Similar searches</h2><ul class="words">{links}</ul>' if links else ""


def _opens(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _link(url: str, text: str) -> str:
    """To somebody else's page; text alone where the address is none that a browser should open."""
    return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{escape(text)}</a>' if _opens(url) else escape(text)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
