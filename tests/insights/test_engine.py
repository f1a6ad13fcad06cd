"""One contract, two ways to it: in process, and over HTTP against the real server (style.md §8)."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from PIL import Image
from sqlalchemy import delete, insert, select

from bot.errors import CannotFetch, NotAPicture, RateLimited, Unavailable, UnknownToken
from bot.fetch import Fetcher
from bot.insights import tables
from bot.insights.bing.answers import to_wire
from bot.insights.client import HttpInsightsClient, details_url
from bot.insights.model import Availability, Crop, Insights, InsightsClient, Module, Token, Upload, Url
from bot.insights.prices import this_moment
from bot.insights.service import InsightsService
from bot.pixels import Pixels
from bot.storage import Database
from tests.worlds import CATALOGUE, Engine, beside, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="session")

IMAGES = CATALOGUE / "images"
MUG = CATALOGUE / "images" / "mg01.jpg"
PHOTO = CATALOGUE / "photos" / "photo-14.jpg"


@pytest_asyncio.fixture(params=["in process", "http"], loop_scope="session")
async def insights(request: pytest.FixtureRequest, engine: Engine) -> AsyncIterator[InsightsClient]:
    if request.param == "in process":
        yield engine.service
        return
    async with HttpInsightsClient.open(engine.url, "", pixels=engine.pixels) as client:
        yield client


def products() -> dict[str, Any]:
    lines = (CATALOGUE / "products.jsonl").read_text("utf-8").splitlines()
    return {product["title"]: product for product in map(json.loads, lines)}


def picture(path: Path) -> Upload:
    return Upload(path.read_bytes())


def pair() -> Upload:
    return Upload(beside("mg01.jpg", "pl01.jpg"))


def plain() -> Upload:
    out = io.BytesIO()
    Image.new("RGB", (300, 300), (90, 160, 90)).save(out, "PNG")
    return Upload(out.getvalue())


async def product_token(insights: InsightsClient, title: str = "Harbour Stripe Straight Mug") -> str:
    found = await insights.insights(picture(MUG), [Module.SIMILAR_PRODUCTS])
    return next(product.token for product in found.similar_products if product.name == title)


async def test_a_catalogue_picture_is_recognised(insights: InsightsClient) -> None:
    found = await insights.insights(picture(MUG), list(Module))
    assert found.token.startswith("bcid_")
    assert found.similar_products[0].name == "Harbour Stripe Straight Mug"
    assert "mug" in {tag.name for tag in found.tags}
    assert found.caption is not None
    assert found.caption.caption[0].isupper()
    assert found.caption.data_source_url.startswith("https://")
    assert found.best_query is not None
    assert found.similar_images


async def test_s4_3_only_what_is_asked_is_answered(insights: InsightsClient) -> None:
    found = await insights.insights(picture(MUG), [Module.TAGS])
    assert found == Insights(found.token, tags=found.tags)
    assert found.tags


async def test_what_is_not_in_the_catalogue_matches_nothing(insights: InsightsClient) -> None:
    found = await insights.insights(plain(), list(Module), query="mug")
    assert (found.similar_products, found.similar_images, found.shopping_sources, found.pages_including) == ((), (), (), ())
    assert found.caption is None


@pytest.mark.parametrize("market", ["en-US", "de-DE", "en-GB"])
async def test_s4_the_product_round_trip_holds_in_every_market(insights: InsightsClient, market: str) -> None:
    found = await insights.insights(picture(MUG), [Module.SIMILAR_PRODUCTS], market=market)
    currency = {"en-US": "USD", "de-DE": "EUR", "en-GB": "GBP"}[market]
    priced = 0
    for product in found.similar_products:
        offers = (await insights.insights(Token(product.token), [Module.SHOPPING_SOURCES], market=market)).shopping_sources
        stated = [offer for offer in products()[product.name]["offers"] if offer["price"].endswith(currency)]
        assert sorted(offer.url for offer in offers) == sorted(offer["link"] for offer in stated)
        if product.aggregate_offer is None:
            assert not offers
            continue
        priced += 1
        assert product.aggregate_offer.currency == currency
        assert product.aggregate_offer.offer_count == len(offers) == product.shopping_sources_count
        assert product.aggregate_offer.low_price == offers[0].price
    assert priced


async def test_a_sale_price_is_the_price(insights: InsightsClient) -> None:
    token = await product_token(insights)
    (offer,) = (await insights.insights(Token(token), [Module.SHOPPING_SOURCES], market="en-GB")).shopping_sources
    assert (offer.price, offer.currency, offer.seller.name) == (Decimal("8.95"), "GBP", "Thames & Fern")
    assert "/th?id=" in offer.seller.logo_url


async def test_s5_the_token_of_a_sent_picture_answers_again(insights: InsightsClient) -> None:
    sent = await insights.insights(picture(PHOTO), [Module.SIMILAR_PRODUCTS, Module.TAGS])
    again = await insights.insights(Token(sent.token), [Module.SIMILAR_PRODUCTS, Module.TAGS])
    assert again.token == sent.token
    assert [product.name for product in again.similar_products] == [product.name for product in sent.similar_products]
    assert again.tags == sent.tags


async def test_s3_a_sent_picture_is_cropped_by_its_token_though_it_is_not_kept(insights: InsightsClient) -> None:
    sent = await insights.insights(pair(), [Module.TAGS])
    left = await insights.insights(Token(sent.token), [Module.SIMILAR_PRODUCTS], crop=Crop(0.0, 0.0, 0.5, 1.0))
    right = await insights.insights(Token(sent.token), [Module.SIMILAR_PRODUCTS], crop=Crop(0.5, 0.0, 1.0, 1.0))
    assert left.token == right.token == sent.token
    assert left.similar_products[0].name == "Harbour Stripe Straight Mug"
    assert right.similar_products[0].name != left.similar_products[0].name


async def test_s3_a_crop_changes_what_looks_similar_and_not_the_words_or_pages(insights: InsightsClient) -> None:
    half = Crop(0.5, 0.0, 1.0, 1.0)
    about_looks = [Module.SIMILAR_PRODUCTS, Module.SIMILAR_IMAGES]
    about_words = [Module.BRQ, Module.CAPTION, Module.TAGS, Module.PAGES_INCLUDING, Module.RECIPES, Module.COLLECTIONS]
    whole = await insights.insights(pair(), [*about_looks, *about_words])
    part = await insights.insights(pair(), [*about_looks, *about_words], crop=half)
    assert part.similar_products != whole.similar_products
    assert part.similar_images != whole.similar_images
    assert (part.best_query, part.caption, part.tags) == (whole.best_query, whole.caption, whole.tags)
    assert (part.pages_including, part.recipes, part.collections) == (
        whole.pages_including,
        whole.recipes,
        whole.collections,
    )


async def test_a_token_names_the_whole_picture_whatever_part_was_asked_about(insights: InsightsClient) -> None:
    whole = await insights.insights(picture(PHOTO), [Module.SIMILAR_PRODUCTS])
    part = await insights.insights(picture(PHOTO), [Module.SIMILAR_PRODUCTS], crop=Crop(0.0, 0.0, 0.5, 1.0))
    assert whole.token == part.token


async def test_a_product_is_not_similar_to_itself(insights: InsightsClient) -> None:
    token = await product_token(insights)
    found = await insights.insights(Token(token), [Module.SIMILAR_PRODUCTS, Module.SIMILAR_IMAGES])
    assert "Harbour Stripe Straight Mug" not in {product.name for product in found.similar_products}
    assert token not in {image.token for image in found.similar_images}


async def test_pages_that_show_a_catalogue_picture_are_listed_once_each(insights: InsightsClient) -> None:
    found = await insights.insights(Token(await product_token(insights)), [Module.PAGES_INCLUDING])
    pages = [page.host_page_url for page in found.pages_including]
    assert pages[0] == "https://slowtable.example/journal/mugs-for-every-shelf"
    assert len(pages) == len(set(pages))
    assert found.pages_including[0].name == "Ten mugs we keep reaching for"


async def test_s3_our_own_content_url_names_the_picture_without_a_fetch(insights: InsightsClient) -> None:
    found = await insights.insights(picture(MUG), [Module.SIMILAR_PRODUCTS])
    named = await insights.insights(Url(found.similar_products[0].content_url), [Module.CAPTION])
    assert named.token == found.similar_products[0].token


async def test_s4_7_related_searches_come_only_with_a_query(insights: InsightsClient) -> None:
    assert (await insights.insights(picture(MUG), [Module.RELATED_SEARCHES])).related_searches == ()
    found = await insights.insights(picture(MUG), [Module.RELATED_SEARCHES], query="striped cup")
    assert found.related_searches[0].text == "striped mug"


@pytest.mark.parametrize(
    "token", ["x", "bcid_" + "A" * 32, "ccid_AAAAAAAA*mid_" + "0" * 32, "ccid_'; drop table*mid_../..", "*" * 500, "\ud83d\ude00"]
)
async def test_h7_a_token_never_issued_is_unknown(insights: InsightsClient, token: str) -> None:
    with pytest.raises(UnknownToken):
        await insights.insights(Token(token.encode("utf-16", "surrogatepass").decode("utf-16")), [Module.TAGS])


async def test_what_is_no_picture_is_refused(insights: InsightsClient) -> None:
    with pytest.raises(NotAPicture):
        await insights.insights(Upload(b"<html>"), [Module.TAGS])


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "nonsense"])
async def test_an_address_that_may_not_be_opened_is_refused(insights: InsightsClient, url: str) -> None:
    with pytest.raises(CannotFetch):
        await insights.insights(Url(url), [Module.TAGS])


# ---------------------------------------------------------------- restart, import


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[InsightsService]:
    settings = settings_for(folder)
    async with (
        Database.open(settings.database) as database,
        Pixels.open() as pixels,
        Fetcher.open(allow=("127.0.0.1",)) as fetcher,
        InsightsService.open(settings, database, pixels, fetcher, base_url="http://127.0.0.1:1") as service,
    ):
        yield service


def feed(folder: Path, rows: list[dict[str, str]]) -> str:
    names = ["id", "title", "link", "image_link", "price", "gtin", "availability"]
    usual = {"title": "Mug", "link": "https://shop.example/1", "image_link": "a.jpg", "price": "9.50 USD"}
    lines = ["\t".join(names), *("\t".join((usual | row).get(name, "") for name in names) for row in rows)]
    (folder / "feed.tsv").write_text("\n".join(lines))
    return str(folder / "feed.tsv")


async def test_h7_tokens_survive_a_restart(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(MUG.read_bytes())
    source = feed(tmp_path, [{"id": "1"}])
    async with opened(tmp_path / "data") as service:
        await service.catalogue.import_feeds([source])
        sent = await service.insights(picture(MUG), [Module.SIMILAR_PRODUCTS])
        assert len(sent.similar_products) == 1
    async with opened(tmp_path / "data") as service:
        again = await service.insights(Token(sent.token), [Module.SIMILAR_PRODUCTS])
        assert [found.token for found in again.similar_products] == [sent.similar_products[0].token]
        own = await service.insights(Token(sent.similar_products[0].token), [Module.SHOPPING_SOURCES])
        assert [offer.price for offer in own.shopping_sources] == [Decimal("9.50")]


async def test_an_unchanged_row_costs_no_fetch_and_no_encoding(tmp_path: Path) -> None:
    asked: list[str] = []

    async def image(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(body=MUG.read_bytes())

    app = web.Application()
    app.add_routes([web.get("/{name}.jpg", image)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    rows = [{"id": "1", "image_link": f"{url}/1.jpg"}, {"id": "2", "image_link": f"{url}/2.jpg"}]
    async with opened(tmp_path / "data") as service:
        first = await service.catalogue.import_feeds([feed(tmp_path, rows)])
        assert (first.added, first.unchanged, len(asked)) == (2, 0, 2)
        again = await service.catalogue.import_feeds([feed(tmp_path, rows)])
        assert (again.added, again.updated, again.unchanged, len(asked)) == (0, 0, 2, 2)
        rows[0]["price"] = "8.00 USD"
        changed = await service.catalogue.import_feeds([feed(tmp_path, rows[:1])])
        assert (changed.updated, changed.unchanged, changed.removed) == (1, 0, 1)
        (product,) = service.catalogue.list_products()
        assert product.offers[0].price == Decimal("8.00")
    await runner.cleanup()


async def test_an_offer_whose_picture_is_bad_is_kept_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(MUG.read_bytes())
    (tmp_path / "bad.jpg").write_bytes(b"<html>not found</html>")
    async with opened(tmp_path / "data") as service:
        source = feed(tmp_path, [{"id": "1"}, {"id": "2", "image_link": "bad.jpg"}, {"id": "3", "price": "free"}])
        report = await service.catalogue.import_feeds([source])
        assert (report.added, report.without_picture, report.refused) == (2, 1, 2)
        assert sorted((bad.row, bad.field) for bad in report.rejected) == [(3, "image_link"), (4, "price")]
        assert service.catalogue.stats()["pictures"] == 1
        assert len((await service.search("mug")).page.value) == 1
        again = await service.catalogue.import_feeds([source])
        assert (again.unchanged, again.updated, again.without_picture) == (2, 0, 1)
        (tmp_path / "bad.jpg").write_bytes((IMAGES / "tp03.jpg").read_bytes())
        mended = await service.catalogue.import_feeds([source])
        assert (mended.unchanged, mended.updated, mended.without_picture) == (1, 1, 0)
        assert service.catalogue.stats()["pictures"] == 2
        last = await service.catalogue.import_feeds([source])
        assert (last.unchanged, last.updated) == (2, 0)


async def test_what_is_gone_from_a_feed_that_cannot_be_read_to_its_end_stays(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(MUG.read_bytes())
    source = feed(tmp_path, [{"id": "1"}, {"id": "2"}])
    async with opened(tmp_path / "data") as service:
        await service.catalogue.import_feeds([source])
        (tmp_path / "feed.tsv").write_text("")
        empty = await service.catalogue.import_feeds([source])
        assert (empty.removed, service.catalogue.stats()["offers"]) == (0, 2)
        assert "stay" in empty.rejected[-1].reason
        (tmp_path / "feed.tsv").write_text("<!doctype html><title>Log in</title>")
        page = await service.catalogue.import_feeds([source])
        assert (page.removed, service.catalogue.stats()["offers"]) == (0, 2)


async def test_each_change_of_a_price_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(MUG.read_bytes())
    async with opened(tmp_path / "data") as service:
        for price in ("9.50 USD", "9.50 USD", "8.00 USD", "11.00 USD"):
            await service.catalogue.import_feeds([feed(tmp_path, [{"id": "1", "price": price}])])
        (history,) = (await service.catalogue.price_history("row:" + str(tmp_path / "feed.tsv") + ":1")).values()
        assert [one.price for one in history] == [Decimal("9.50"), Decimal("8.00"), Decimal("11.00")]


async def test_an_offer_that_is_gone_and_comes_back_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(MUG.read_bytes())
    other, product = {"id": "2", "price": "7 USD"}, f"row:{tmp_path / 'feed.tsv'}:1"
    async with opened(tmp_path / "data") as service:
        for rows in ([{"id": "1", "price": "24 USD"}, other], [other], [other], [{"id": "1", "price": "19 USD"}, other]):
            await service.catalogue.import_feeds([feed(tmp_path, rows)])
        (history,) = (await service.catalogue.price_history(product)).values()
        said = [(one.price, one.availability is Availability.DISCONTINUED) for one in history]
        assert said == [(Decimal(24), False), (None, True), (Decimal(19), False)]


async def test_prices_are_forgotten_after_400_days_but_for_the_last_word_on_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(MUG.read_bytes())
    source, now = feed(tmp_path, [{"id": "1"}, {"id": "2"}]), this_moment()
    said = [
        ("1", 500, "5"),
        ("1", 401, "6"),
        ("1", 399, "7"),
        ("2", 500, "5"),
        ("2", 401, "6"),
        ("gone", 401, "5"),
        ("gone", 399, ""),
    ]
    async with opened(tmp_path / "data") as service, Database.open(settings_for(tmp_path / "data").database) as database:
        await service.catalogue.import_feeds([source])
        async with database.write() as connection:
            await connection.execute(delete(tables.prices))
            values = {"source": source, "currency": "USD", "availability": ""}
            rows = [values | {"offer": key, "at": now - timedelta(days=days), "price": price} for key, days, price in said]
            await connection.execute(insert(tables.prices), rows)
        await service.catalogue.import_feeds([source])
        async with database.read() as connection:
            left = {(row.offer, (now - row.at).days) for row in await connection.execute(select(tables.prices))}
    assert left == {("1", 399), ("2", 401), ("gone", 399)}


async def test_what_became_cheaper_says_what_it_was_but_not_on_the_wire(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(MUG.read_bytes())
    async with opened(tmp_path / "data") as service:
        for price in ("24 USD", "19 USD"):
            await service.catalogue.import_feeds([feed(tmp_path, [{"id": "1", "price": price}])])
        found = await service.insights(picture(MUG), [Module.SHOPPING_SOURCES])
        (offer,) = found.shopping_sources
        assert (offer.price, offer.was) == (Decimal(19), Decimal(24))
        (wire,) = to_wire(found)["shoppingSources"]["offers"]
        assert wire["price"] == 19
        assert "was" not in wire
        assert 24 not in wire.values()


async def test_two_shops_of_one_gtin_are_one_product(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(MUG.read_bytes())
    gtin = "2100005001007"
    rows = [
        {"id": "1", "gtin": gtin, "link": "https://a.example/1", "price": "5 USD", "availability": "out_of_stock"},
        {"id": "2", "gtin": gtin, "link": "https://b.example/1", "price": "9 USD"},
        {"id": "3", "gtin": gtin, "link": "https://c.example/1", "price": "7 USD"},
        {"id": "4", "gtin": gtin, "link": "https://c.example/1", "price": "7 USD"},
        {"id": "5", "gtin": gtin, "link": "https://d.example/1", "price": "1 EUR"},
    ]
    async with opened(tmp_path / "data") as service:
        await service.catalogue.import_feeds([feed(tmp_path, rows)])
        found = await service.insights(picture(MUG), [Module.SIMILAR_PRODUCTS, Module.SHOPPING_SOURCES])
        (product,) = found.similar_products
        assert [offer.seller.name for offer in found.shopping_sources] == ["c.example", "b.example", "a.example"]
        assert product.aggregate_offer is not None
        assert (product.aggregate_offer.low_price, product.aggregate_offer.offer_count) == (Decimal(7), 3)


async def test_what_is_removed_is_forgotten_and_what_is_exported_comes_back(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(MUG.read_bytes())
    source = feed(tmp_path, [{"id": "1"}])
    async with opened(tmp_path / "data") as service:
        await service.catalogue.import_feeds([source])
        lines = "\n".join(json.dumps(product) for product in service.catalogue.export())
        (tmp_path / "data" / "export.jsonl").write_text(lines)
        report = await service.catalogue.import_feeds([str(tmp_path / "data" / "export.jsonl")])
        assert (report.added, report.rejected) == (1, [])
        assert await service.catalogue.remove(source) == 1
        assert service.catalogue.stats()["products"] == 1
        await service.catalogue.remove(str(tmp_path / "data" / "export.jsonl"))
        assert not any(service.catalogue.stats().values())
        assert list((tmp_path / "data" / "pictures").rglob("*.jpg")) == []
        assert (await service.insights(picture(MUG), list(Module))).similar_products == ()


async def test_what_another_process_imports_is_served_a_moment_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.insights.catalogue.FOLLOW_SECONDS", 0.05)
    (tmp_path / "a.jpg").write_bytes(MUG.read_bytes())
    source = feed(tmp_path, [{"id": "1"}])
    async with opened(tmp_path / "data") as serving, opened(tmp_path / "data") as importing:
        assert serving.catalogue.stats()["products"] == 0
        await importing.catalogue.import_feeds([source])
        async with asyncio.timeout(10):
            while not serving.catalogue.stats()["products"]:  # noqa: ASYNC110 (it is told by nobody)
                await asyncio.sleep(0.02)
        found = await serving.insights(picture(MUG), [Module.SIMILAR_PRODUCTS])
        assert [product.name for product in found.similar_products] == ["Mug"]


async def test_what_an_offer_cost_before_is_remembered_and_served(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(MUG.read_bytes())
    async with opened(tmp_path / "data") as service:
        catalogue = service.catalogue
        for price, title in (("24 USD", "Mug"), ("24 USD", "Striped mug"), ("19 USD", "Striped mug")):
            await catalogue.import_feeds([feed(tmp_path, [{"id": "1", "price": price, "title": title}, {"id": "2"}])])
        histories = await catalogue.price_history(f"row:{tmp_path / 'feed.tsv'}:1")
        assert [[one.price for one in some] for some in histories.values()] == [[Decimal(24), Decimal(19)]]
        (changed, other) = (catalogue.serving.shelf.products[f"row:{tmp_path / 'feed.tsv'}:{key}"].offers[0] for key in "12")
        in_a_month = changed.history[0].at + timedelta(days=40)
        assert other.change(in_a_month) is None
        assert [one.price for one in changed.history] == [Decimal(24), Decimal(19)]
    async with opened(tmp_path / "data") as again:
        (offer, _) = (product.offers[0] for product in again.catalogue.list_products()[::-1])
        assert offer.history == changed.history


# ---------------------------------------------------------------- a client among strangers


@asynccontextmanager
async def stranger(*answers: web.Response) -> AsyncIterator[tuple[str, list[web.Request]]]:
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        seen.append(request)
        one = answers[min(len(seen), len(answers)) - 1]
        return web.Response(status=one.status, body=one.body, headers=one.headers)

    app = web.Application()
    app.add_routes([web.route("*", "/{path:.*}", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        await runner.cleanup()


GOOD = web.Response(body=b'{"_type": "ImageInsights", "imageInsightsToken": "t", "later": {"unknown": 1}}')


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (web.Response(body=b"null"), Unavailable),
        (web.Response(body=b"<html>"), Unavailable),
        (web.Response(status=401, body=b'{"statusCode": 401}'), Unavailable),
        (web.Response(status=500, body=b"x"), Unavailable),
        (web.Response(status=429, headers={"Retry-After": "30"}), RateLimited),
    ],
)
async def test_r7_an_answer_that_is_not_the_contract_is_an_outage(
    engine: Engine, answer: web.Response, kind: type[Exception]
) -> None:
    async with stranger(answer) as (url, seen), HttpInsightsClient.open(url, "k", pixels=engine.pixels) as client:
        with pytest.raises(kind):
            await client.insights(Token("t"), [Module.TAGS])
    assert len(seen) == 1


async def test_r7_what_may_pass_is_tried_again(engine: Engine) -> None:
    busy = web.Response(status=503)
    async with stranger(busy, busy, GOOD) as (url, seen), HttpInsightsClient.open(url, "k", pixels=engine.pixels) as client:
        assert await client.insights(Token("t"), [Module.TAGS]) == Insights("t")
    assert len(seen) == 3
    assert seen[0].headers["Ocp-Apim-Subscription-Key"] == "k"
    assert seen[0].path == "/bing/v7.0/images/details"


async def test_nobody_there_is_an_outage(engine: Engine) -> None:
    async with HttpInsightsClient.open("http://127.0.0.1:1", "", pixels=engine.pixels) as client:
        with pytest.raises(Unavailable):
            await client.insights(Token("t"), [Module.TAGS])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("https://a.example", "https://a.example/bing/v7.0/images/details"),
        ("https://a.example/v7.0/", "https://a.example/v7.0/images/details"),
        ("https://a.example/v7.0/images/details", "https://a.example/v7.0/images/details"),
    ],
)
async def test_the_endpoint_is_found_below_the_configured_address(given: str, wanted: str) -> None:
    assert details_url(given) == wanted
