"""The page behind webSearchUrl, as a browser gets it."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio

from bot.insights.model import ImageObject
from bot.insights.result_page import AT_ONCE, STYLE
from tests.worlds import Engine

pytestmark = pytest.mark.asyncio(loop_scope="session")

MUG = "Harbour Stripe Straight Mug"


class Page(HTMLParser):
    """What a page shows and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.words: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.tags.append(tag)
        if tag == "a":
            self.links.append(said["href"] or "")
        if tag == "img":
            self.images.append(said)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def opened(http: aiohttp.ClientSession, url: str, status: int = 200) -> Page:
    async with http.get(url) as answer:
        assert answer.status == status
        assert answer.content_type == "text/html"
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; img-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        page = Page(await answer.text())
    assert not {"script", "link", "iframe", "form", "object"} & set(page.tags)
    assert page.tags.count("h1") == 1
    return page


async def mug(engine: Engine) -> ImageObject:
    return (await engine.service.search(MUG)).page.value[0]


async def test_words_lead_to_pictures_with_names_prices_and_shops(http: aiohttp.ClientSession, engine: Engine) -> None:
    page = await opened(http, engine.service.links.search_page("striped mug", "en-US", "en"))
    assert MUG in page.text
    assert "$14.95" in page.text
    assert any(link.startswith("https://cupandcorner.example/") for link in page.links)
    assert page.images
    for image in page.images[:3]:
        assert (image["src"] or "").startswith("/th?id=OIP.")
        async with http.get(f"{engine.url}{image['src']}") as answer:
            assert answer.status == 200
    assert any(parse_qs(urlsplit(link).query).get("q") == ["latte mug"] for link in page.links)


async def test_every_link_of_ours_on_a_page_opens(http: aiohttp.ClientSession, engine: Engine) -> None:
    page = await opened(http, engine.service.links.search_page("striped mug", "de-DE", "de"))
    ours = sorted({link for link in page.links if link.startswith("/search?")})
    assert len(ours) > 3
    for link in ours:
        await opened(http, engine.url + link)


async def test_a_long_list_goes_on(http: aiohttp.ClientSession, engine: Engine) -> None:
    url = engine.service.links.search_page("kitchen home", "en-US", "en")
    first = await opened(http, url)
    assert len(first.images) == AT_ONCE
    more = next(link for link in first.links if link.startswith("?"))
    second = await opened(http, f"{engine.url}/search{more}")
    assert second.images
    assert not {image["src"] for image in first.images} & {image["src"] for image in second.images}


async def test_words_with_a_slip_are_shown_as_understood(http: aiohttp.ClientSession, engine: Engine) -> None:
    page = await opened(http, engine.service.links.search_page("cermaic", "en-US", "en"))
    assert "ceramic" in page.text
    assert page.images


async def test_words_that_find_nothing_say_what_to_do(http: aiohttp.ClientSession, engine: Engine) -> None:
    page = await opened(http, engine.service.links.search_page("zzzzqqqq", "en-US", "en"))
    assert "Try fewer or more common ones." in page.text
    assert page.images == []


async def test_a_picture_has_its_offers_cheapest_first_its_pages_and_words(http: aiohttp.ClientSession, engine: Engine) -> None:
    image = await mug(engine)
    page = await opened(http, image.web_search_url)
    assert page.images[0]["alt"] == MUG
    goods = engine.service.catalogue.serving.shelf
    product = goods.product_of(image.image_id)
    assert product is not None
    offers = product.offers_in("USD")
    at = [page.text.index(f"${offer.price}") for offer in offers]
    assert at == sorted(at)
    assert {offer.link for offer in offers} <= set(page.links)
    assert "€" not in page.text
    assert any("q=latte+mug" in link for link in page.links)
    articles = goods.pages.get(image.image_id, ())
    assert {article.url for article in articles} <= set(page.links)


async def test_a_market_sees_its_own_prices(http: aiohttp.ClientSession, engine: Engine) -> None:
    image = await mug(engine)
    page = await opened(http, engine.service.links.image_page(image.image_id, "en-GB", "en"))
    assert "£8.95" in page.text
    assert "$" not in page.text


async def test_h1_a_link_that_is_not_ours_is_refused(http: aiohttp.ClientSession, engine: Engine) -> None:
    links = engine.service.links
    signed = links.search_page("mug", "en-US", "en")
    forged = replace(links, secret=b"another").search_page("mug", "en-US", "en")
    for url in (
        f"{engine.url}/search",
        f"{engine.url}/search?q=mug",
        signed.replace("q=mug", "q=vase"),
        signed.replace("en-US", "en-GB"),
        f"{signed}&id=0",
        f"{signed}x",
        signed.replace("q=mug", "s=é"),
        forged,
    ):
        page = await opened(http, url, 403)
        assert "This link is not complete. Open it again from where you found it." in page.text


async def test_a_picture_that_is_gone_is_said(http: aiohttp.ClientSession, engine: Engine) -> None:
    page = await opened(http, engine.service.links.image_page("0" * 32, "en-US", "en"), 404)
    assert "no longer in the catalogue" in page.text


async def test_words_are_text_and_never_markup(http: aiohttp.ClientSession, engine: Engine) -> None:
    words = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> mug"
    page = await opened(http, engine.service.links.search_page(words, "en-US", "en"))
    assert words in page.text
    assert "<script" not in page.source
    assert all(not set(image) & {"onerror"} for image in page.images)


async def test_no_colour_of_the_text_is_hard_to_read() -> None:
    def light(code: str) -> float:
        code = code if len(code) == 6 else "".join(digit * 2 for digit in code)
        parts = [int(code[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    themes = re.findall(r":root \{([^}]*)\}", STYLE)
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"--(\w+): #([0-9a-f]{3,6})", theme))
        for text in ("text", "soft", "link"):
            for ground in ("ground", "card"):
                lights = sorted((light(colours[text]), light(colours[ground])))
                assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5
