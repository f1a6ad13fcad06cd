"""Pictures by words: what is found, in which order, and what the filters leave."""

import sqlite3
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.insights.model import ANY, Found, ImageFilter, Module, SafeSearch, Token, Upload
from bot.insights.shelf import HostPage, Product, Shelf, ShopOffer, StoredPicture, Subject
from bot.insights.textsearch import MOST_LETTERS, TextIndex, search, trending
from bot.insights.view import Links, MarketView
from tests.worlds import Engine, photo

NOW = datetime.now(UTC).replace(tzinfo=None)


def product(key: str, title: str, **changes: object) -> Product:
    said = Product(
        id=key,
        title=title,
        description="",
        brand="",
        product_type="Kitchen > Drinkware > Mugs",
        color="",
        material="",
        size="",
        gtin="",
        adult=False,
        rating=None,
        offers=(),
        pictures=(f"{key}-a",),
    )
    return replace(said, **changes)  # type: ignore[arg-type]  # fields by name


def picture(key: str, of: str, **changes: object) -> StoredPicture:
    said = StoredPicture(key, of, key, 600, 600, 50_000, "2E6AD0", NOW)
    return replace(said, **changes)  # type: ignore[arg-type]  # fields by name


OFFER = ShopOffer("acme-77", "Becher gestreift", "https://acme.example/77", Decimal(9), "USD", None, "Acme", date(2026, 11, 1))
SHELF = Shelf(
    products={
        one.id: one
        for one in (
            product("MG1", "Striped mug", brand="Kilnby", color="navy/cream", pictures=("MG1-a", "MG1-b"), offers=(OFFER,)),
            product("MG2", "Plain mug", color="black", material="stoneware", gtin="2100005001007", description="A fine gift."),
            product("CF1", "Café set", description="Goes well with a striped mug.", product_type="Kitchen > Sets"),
            product("VS1", "Bottle vase", color="teal", product_type="Home > Vases", pictures=("VS1-a",)),
            product("AD1", "Rude mug", adult=True),
        )
    },
    pictures={
        one.id: one
        for one in (
            picture("MG1-a", "MG1"),
            picture("MG1-b", "MG1", width=900, height=400, bytes=120_000),
            picture("MG2-a", "MG2", width=150, height=180, published=NOW - timedelta(days=20)),
            picture("CF1-a", "CF1", width=300, height=450, accent="C8202A"),
            picture("VS1-a", "VS1", width=1024, height=768, published=NOW - timedelta(days=3)),
            picture("AD1-a", "AD1"),
            picture("RC1-a", ""),
            picture("PG1-a", ""),
        )
    },
    pages={
        "PG1-a": (HostPage("https://paper.example/a", "Ten rules for a tidy shelf"),),
        "VS1-a": (HostPage("https://paper.example/b", "Flowers in winter"),),
    },
    related={
        "Kitchen > Drinkware > Mugs": ("striped mug", "latte mug", "camp mug"),
        "Home > Vases": ("glass vase",),
    },
    subjects={
        "recipe:cake": Subject("recipe:cake", "Walnut cake", "https://cook.example/", "", {}, pictures=("RC1-a",)),
        "entity:ann": Subject(
            "entity:ann", "Ann Potter", "https://ann.example/", "", {"type": "Person"}, pictures=("RC1-a",), products=("MG2",)
        ),
    },
)
INDEX = TextIndex.build(SHELF)


def view(safe_search: SafeSearch = SafeSearch.MODERATE) -> MarketView:
    return MarketView(SHELF, Links("http://x.example", b"key"), "en-US", "en", safe_search)


def ask(words: str, *, only: ImageFilter = ANY, first: str = "", count: int = 35, offset: int = 0) -> Found:
    return search(view(), INDEX, words, count=count, offset=offset, only=only, first=first)


def ids(found: Found) -> list[str]:
    return [image.image_id for image in found.page.value]


@pytest.mark.parametrize(
    ("words", "best"),
    [
        ("plain mugs", "MG2-a"),
        ("MUG, striped!", "MG1-a"),
        ("kilnby", "MG1-a"),
        ("stoneware", "MG2-a"),
        ("cafe", "CF1-a"),
        ("CAFÉ", "CF1-a"),
        ("vases", "VS1-a"),
        ("gestreift", "MG1-a"),
        ("walnut cakes", "RC1-a"),
        ("tidy shelf", "PG1-a"),
        ("flowers in the winter", "VS1-a"),
        ("ann potter", "MG2-a"),
        ("gift", "MG2-a"),
        ("ston", "MG2-a"),
    ],
)
def test_it_is_found_by_what_is_said_of_it(words: str, best: str) -> None:
    found = ask(words)
    assert best in ids(found)[:2]
    assert found.corrected == ""


@pytest.mark.parametrize("words", ["MG2", "mg2", "2100005001007", "02100005001007", " 2100005001007 "])
def test_an_id_or_gtin_leads_to_its_product_alone(words: str) -> None:
    assert ids(ask(words)) == ["MG2-a"]


def test_the_title_counts_more_than_the_description() -> None:
    assert ids(ask("striped mug"))[0] == "MG1-a"


def test_all_words_come_before_any_word() -> None:
    found = ids(ask("mug that is a fine gift"))
    assert found[0] == "MG2-a"
    assert {"MG1-a", "CF1-a"} < set(found)
    assert set(ids(ask("stoneware vase"))) == {"MG2-a", "VS1-a"}


def test_main_pictures_come_before_further_ones() -> None:
    found = ids(ask("mug"))
    assert set(found) == {"MG1-a", "MG1-b", "MG2-a", "CF1-a"}
    assert found[-1] == "MG1-b"


def test_the_named_picture_leads_when_it_is_found() -> None:
    assert ids(ask("mug", first="MG1-b"))[0] == "MG1-b"
    assert ids(ask("mug", first="VS1-a")) == ids(ask("mug"))


def test_pages_follow_each_other_without_gap_or_repeat() -> None:
    whole, got, offset = ids(ask("mug")), list[str](), 0
    while offset < len(whole):
        page = ask("mug", count=2, offset=offset).page
        assert (page.offset, page.total) == (offset, len(whole))
        got += [image.image_id for image in page.value]
        offset = page.next_offset
    assert got == whole
    beyond = ask("mug", count=2, offset=1000).page
    assert (beyond.value, beyond.next_offset) == ((), len(whole))


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("stirped mug", "striped mug"),
        ("stoneare", "stoneware"),
        ("gfit", "gift"),
        ("botle vase", "bottle vase"),
        ("stonwear mug", "stoneware mug"),
        ("stripedmug", "striped mug"),
    ],
)
def test_a_slip_of_the_finger_is_understood_and_said(words: str, meant: str) -> None:
    found = ask(words)
    assert found.corrected == meant
    assert ids(found) == ids(ask(meant))


def test_short_words_and_unknown_ones_are_taken_as_they_are() -> None:
    assert ask("mog") == Found(ask("mog").page)
    assert ask("zzzzqqqq").page.total == 0
    assert ask("").page.total == ask(" the of ").page.total == 0


def test_adult_products_are_there_only_with_safe_search_off() -> None:
    def rude(safe_search: SafeSearch) -> list[str]:
        return ids(search(view(safe_search), INDEX, "rude mug", count=35, offset=0, only=ANY, first="AD1-a"))

    assert rude(SafeSearch.OFF)[0] == "AD1-a"
    assert "AD1-a" not in rude(SafeSearch.MODERATE) + rude(SafeSearch.STRICT)


EVERY = "mug vase"


@pytest.mark.parametrize(
    ("only", "left"),
    [
        ({"size": "small"}, {"MG2-a"}),
        ({"size": "medium"}, {"CF1-a"}),
        ({"size": "large"}, {"MG1-a", "MG1-b", "VS1-a"}),
        ({"size": "wallpaper"}, {"VS1-a"}),
        ({"size": "all", "aspect": "square"}, {"MG1-a"}),
        ({"aspect": "wide"}, {"MG1-b", "VS1-a"}),
        ({"aspect": "tall"}, {"CF1-a", "MG2-a"}),
        ({"width": 900, "height": 400}, {"MG1-b"}),
        ({"min_width": 301, "max_width": 900}, {"MG1-a", "MG1-b"}),
        ({"max_height": 400}, {"MG1-b", "MG2-a"}),
        ({"min_file_size": 50_001}, {"MG1-b"}),
        ({"max_file_size": 50_000, "min_height": 700}, {"VS1-a"}),
        ({"color": "blue"}, {"MG1-a", "MG1-b"}),
        ({"color": "black"}, {"MG2-a"}),
        ({"color": "monochrome"}, {"MG2-a"}),
        ({"color": "coloronly"}, {"MG1-a", "MG1-b", "CF1-a", "VS1-a"}),
        ({"color": "teal"}, {"VS1-a"}),
        ({"color": "red"}, {"CF1-a"}),
        ({"freshness": "day"}, {"MG1-a", "MG1-b", "CF1-a"}),
        ({"freshness": "week"}, {"MG1-a", "MG1-b", "CF1-a", "VS1-a"}),
        ({"freshness": "month"}, {"MG1-a", "MG1-b", "CF1-a", "VS1-a", "MG2-a"}),
        ({"image_type": "photo", "license": "any"}, {"MG1-a", "MG1-b", "CF1-a", "VS1-a", "MG2-a"}),
        ({"image_type": "shopping"}, {"MG1-a", "MG1-b"}),
        ({"image_type": "clipart"}, set()),
        ({"license": "public"}, set()),
        ({"image_content": "face"}, set()),
    ],
)
def test_a_filter_leaves_what_it_names(only: Mapping[str, object], left: set[str]) -> None:
    found = ask(EVERY, only=ImageFilter(**only))  # type: ignore[arg-type]  # fields by name
    assert set(ids(found)) == left
    assert found.page.total == len(left)


def test_faces_are_those_of_people_who_are_enrolled() -> None:
    assert ids(ask("ann", only=ImageFilter(image_content="portrait"))) == ["RC1-a"]


def test_related_searches_are_the_shops_about_what_was_found() -> None:
    related = ask("striped mugs").related
    assert [query.text for query in related] == ["latte mug", "camp mug"]
    assert all(query.web_search_url.startswith("http://x.example/search?q=") for query in related)


def test_trending_shows_what_people_look_for_and_no_picture_twice() -> None:
    categories = trending(view(), INDEX)
    assert [category.title for category in categories] == ["Kitchen", "Home"]
    tiles = [tile for category in categories for tile in category.tiles]
    assert [tile.query.text for tile in tiles if tile.image.image_id == "VS1-a"] == ["glass vase"]
    assert len({tile.image.image_id for tile in tiles}) == len(tiles)
    assert "AD1-a" not in {tile.image.image_id for tile in tiles}
    assert all(tile.query.thumbnail_url == tile.image.thumbnail_url for tile in tiles)


def test_an_empty_catalogue_answers() -> None:
    nothing = MarketView(Shelf(), Links("http://x.example"), "en-US", "en", SafeSearch.MODERATE)
    index = TextIndex.build(Shelf())
    assert search(nothing, index, "mug", count=35, offset=0, only=ANY, first="").page.total == 0
    assert trending(nothing, index) == ()


@settings(deadline=None)
@given(st.text(max_size=60) | st.text(alphabet='mugstriped"*^:()-+{} NEAROTD\0\ud800', max_size=40))
def test_h7_whatever_is_asked_is_answered(words: str) -> None:
    found = ask(words)
    assert found.page.total >= len(found.page.value)


def test_h7_words_are_never_syntax() -> None:
    assert ids(ask('title : "mug" OR NEAR(vase)'))[:1] != []
    assert ask("mug NOT striped").page.total >= ask("mug").page.total
    assert ids(ask('m* OR "')) == ids(ask("m or"))
    assert ask("mug " * 10_000).page.total == ask("mug " * (MOST_LETTERS // 4)).page.total
    with pytest.raises(sqlite3.OperationalError):
        INDEX._database.execute("SELECT 1 FROM words WHERE words MATCH ?", ('"',)).fetchone()


def test_many_may_ask_at_once() -> None:
    alone = {words: ids(ask(words)) for words in ("mug", "vase", "striped", "cafe")}
    start = threading.Barrier(4)

    def many(words: str) -> bool:
        start.wait(10)
        return all(ids(ask(words)) == alone[words] for _ in range(50))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(many, alone))


@pytest.mark.asyncio(loop_scope="session")
async def test_a_caller_can_start_from_words(engine: Engine) -> None:
    found = await engine.service.search("harbour stripe mug")
    image = found.page.value[0]
    assert image.name == "Harbour Stripe Straight Mug"
    assert image.shopping_sources_count > 0
    assert image.aggregate_offer
    known = await engine.service.insights(Token(image.token), [Module.SHOPPING_SOURCES])
    assert len(known.shopping_sources) == image.shopping_sources_count


@pytest.mark.asyncio(loop_scope="session")
async def test_the_catalogue_has_something_people_look_for(engine: Engine) -> None:
    categories = await engine.service.trending()
    assert {"Kitchen", "Home"} <= {category.title for category in categories}


@pytest.mark.asyncio(loop_scope="session")
async def test_conditions_in_words_hold(engine: Engine) -> None:
    found = await engine.service.search("mug in red under $12", count=50)
    assert [one.name for one in found.page.value][:1] == ["Polka Dot Breakfast Mug Red"]
    cheap = await engine.service.search("under $12", count=50)
    assert cheap.page.total > 0
    assert all(one.shopping_sources_count for one in cheap.page.value)
    assert (await engine.service.search("mug under $1")).page.total == 0


@pytest.mark.asyncio(loop_scope="session")
async def test_conditions_beside_a_picture_hold_and_are_exact(engine: Engine) -> None:
    mug = Upload(photo("photo-01.jpg"))
    asked = [Module.SIMILAR_PRODUCTS, Module.TAGS, Module.PAGES_INCLUDING]
    plain = await engine.service.insights(mug, asked)
    cheap = await engine.service.insights(mug, asked, query="under $14")
    assert plain.similar_products[0].name == "Harbour Stripe Straight Mug"
    assert cheap.similar_products
    assert all(one.aggregate_offer and one.aggregate_offer.low_price <= 14 for one in cheap.similar_products)
    assert (cheap.tags, cheap.pages_including) == (plain.tags, plain.pages_including)
    assert (await engine.service.insights(mug, asked, query="in purple under $1")).similar_products == ()
