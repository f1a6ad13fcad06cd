"""What is said about a picture: only what its neighbours agree on (pure, over a made-up shelf)."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest

from bot.insights.context import Context
from bot.insights.encoder import Label, Look, Region
from bot.insights.matching import Hit, Matches
from bot.insights.model import WHOLE, Availability, SafeSearch
from bot.insights.modules.brq import best_query
from bot.insights.modules.caption import caption
from bot.insights.modules.shopping_sources import shopping_sources
from bot.insights.modules.similar_products import similar_products
from bot.insights.modules.tags import tags
from bot.insights.shelf import Product, Shelf, ShopOffer, StoredPicture
from bot.insights.uploads import Remembered, pack, unpack
from bot.insights.view import Links, catalogue_picture, catalogue_token
from bot.insights.words import same_colour, singular

SEEN = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # as stored


def product(key: str, kind: str, color: str = "blue", material: str = "glass", *, adult: bool = False) -> Product:
    offers = (
        ShopOffer("1", f"The {key}", "https://a.example/1", Decimal(9), "USD", Availability.IN_STOCK, "A", date(2026, 1, 1)),
        ShopOffer("2", f"The {key}", "https://b.example/1", Decimal(5), "USD", Availability.OUT_OF_STOCK, "B", date(2026, 1, 1)),
        ShopOffer("3", f"Der {key}", "https://c.example/1", Decimal(1), "EUR", Availability.IN_STOCK, "C", date(2026, 1, 1)),
    )
    return Product(
        key, f"The {key}", "", "Acme", f"Home > Goods > {kind}", color, material, "", "", adult, None, offers, (f"{key}-1",)
    )


def look(*labels: Label, colour: str = "blue") -> Look:
    region = Region(WHOLE, np.ones(4, np.float32), 0.0)
    return Look((region,), labels, "0000FF", colour, "0" * 16, "0" * 16)


def context(
    *found: tuple[Product, float], seen: Look | None = None, copy: bool = False, things: int = 1, market: str = "en-US"
) -> Context:
    hits = tuple(Hit(f"{one.id}-1", one.id, score) for one, score in found)
    pictures = {hit.picture_id: StoredPicture(hit.picture_id, hit.product_id, "0" * 64, 10, 10, 1, "", SEEN) for hit in hits}
    matches = Matches(hits, hits, hits[:1] if copy else (), things)
    return Context(
        look=seen or look(),
        matches=matches,
        part=matches,
        crop=WHOLE,
        shelf=Shelf({one.id: one for one, _ in found}, pictures),
        links=Links("http://x.example"),
        own=None,
        query="",
        market=market,
        language="en",
        safe_search=SafeSearch.MODERATE,
    )


def said(context: Context) -> str:
    found = caption(context)
    return found.caption if found else ""


def test_neighbours_that_agree_make_a_caption() -> None:
    found = context((product("a", "Mugs"), 0.8), (product("b", "Mugs"), 0.79), (product("c", "Bowls"), 0.78))
    assert said(found) == "Blue glass mug"
    assert [tag.name for tag in tags(found)] == ["mug", "goods", "glass", "blue"]
    query = best_query(found)
    assert query is not None
    assert query.text == "blue glass mug"


def test_neighbours_that_disagree_make_none() -> None:
    found = context(
        (product("a", "Mugs"), 0.8),
        (product("b", "Lamps", material="steel"), 0.79),
        (product("c", "Bowls", material="oak"), 0.78),
    )
    assert caption(found) is None
    assert best_query(found) is None
    assert "mug" not in {tag.name for tag in tags(found)}


def test_things_that_lie_apart_are_named_together() -> None:
    found = context((product("a", "Mugs"), 0.8), (product("b", "Lamps", material="steel"), 0.79), things=2)
    assert said(found) == "Mug and lamp"
    assert {"mug", "lamp"} <= {tag.name for tag in tags(found)}


def test_a_product_far_above_the_others_speaks_alone() -> None:
    assert (
        said(context((product("a", "Mugs"), 0.9), (product("b", "Lamps"), 0.7), (product("c", "Lamps"), 0.7))) == "Blue glass mug"
    )


def test_a_colour_that_no_neighbour_confirms_is_not_said() -> None:
    assert said(context((product("a", "Mugs", color="red"), 0.8), seen=look(colour="grey"))) == "Glass mug"


def test_of_a_copy_the_makers_words_are_known() -> None:
    found = context((product("a", "Mugs", color="cream/navy"), 0.8), copy=True)
    assert said(found) == "Cream and navy glass mug"
    query = best_query(found)
    assert query is not None
    assert query.text == "The a"
    assert "Acme" in {tag.name for tag in tags(found)}


def test_without_neighbours_only_a_sure_word_is_said() -> None:
    assert said(context(seen=look(Label("umbrella", 0.9)))) == "Blue umbrella"
    assert said(context(seen=look(Label("umbrella", 0.3)))) == "Umbrella"
    assert said(context(seen=look(Label("umbrella", 0.2)))) == ""
    assert [tag.name for tag in tags(context(seen=look(Label("umbrella", 0.2))))] == ["blue"]


@pytest.mark.parametrize(("market", "sellers", "low"), [("en-US", ["A", "B"], 9), ("de-DE", ["C"], 1), ("en-GB", [], None)])
def test_the_lowest_price_is_of_what_can_be_bought_in_the_market(market: str, sellers: list[str], low: int | None) -> None:
    found = context((product("a", "Mugs"), 0.8), market=market)
    assert [offer.seller.name for offer in shopping_sources(found)] == sellers
    (shown,) = similar_products(found)
    sums = shown.aggregate_offer
    assert (sums.low_price if sums else None) == low
    assert (sums.offer_count if sums else 0) == shown.shopping_sources_count == len(sellers)


@pytest.mark.parametrize(("market", "name"), [("en-US", "The a"), ("de-DE", "Der a"), ("en-GB", "The a")])
def test_a_product_is_called_what_the_shops_of_the_market_call_it(market: str, name: str) -> None:
    found = context((product("a", "Mugs"), 0.8), market=market)
    (shown,) = similar_products(found)
    assert shown.name == name


def test_adult_goods_are_shown_to_nobody_who_did_not_ask() -> None:
    found = context((product("a", "Mugs", adult=True), 0.8))
    assert (similar_products(found), shopping_sources(found), caption(found)) == ((), (), None)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("Mugs", "mug"),
        ("Espresso Cups", "espresso cup"),
        ("Vases", "vase"),
        ("Glasses", "glass"),
        ("Headphones", "headphones"),
        ("Watches", "watch"),
        ("Accessories", "accessory"),
        ("Boxes", "box"),
        ("Glass", "glass"),
        ("", ""),
    ],
)
def test_categories_become_common_nouns(kind: str, word: str) -> None:
    assert singular(kind) == word


def test_makers_words_for_colours_are_understood() -> None:
    assert same_colour("navy", "blue")
    assert same_colour("oat", "beige")
    assert not same_colour("red", "blue")
    assert not same_colour("red", "")


def test_tokens_lead_back_to_their_picture_and_no_other_token_does() -> None:
    token = catalogue_token("0123456789ABCDEF0123456789ABCDEF")
    assert catalogue_picture(token) == "0123456789ABCDEF0123456789ABCDEF"
    assert catalogue_picture(token.replace("mid_0", "mid_1")) is None
    assert catalogue_picture(token + "*simid_1") is None


def test_what_was_seen_is_kept_whole() -> None:
    before = look(Label("mug", 0.5))
    after = unpack(pack(Remembered(before))).look
    assert (after.labels, after.accent, after.colour, after.hash, after.mirrored) == (
        before.labels,
        "0000FF",
        "blue",
        "0" * 16,
        "0" * 16,
    )
    assert np.array_equal(after.regions[0].vector, before.regions[0].vector)
