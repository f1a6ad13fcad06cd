"""What a source says is grouped into products and held against the catalogue, before anything is fetched."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.insights.feeds import Page, Rejected, Row
from bot.insights.staging import Staging


def offer(name: str, **said: str) -> Row:
    pictures = ("https://shop.example/a.jpg",)
    return Row(1, name, f"Mug {name}", f"https://shop.example/{name}", pictures, **said)  # type: ignore[arg-type]


@contextmanager
def staged(folder: Path, *said: Row | Page | Rejected) -> Iterator[Staging]:
    staging = Staging.open(folder)
    assert not staging.take(iter(said), 1000)
    staging.group("s")
    yield staging
    staging.close()


def products(staging: Staging) -> dict[str, str]:
    return {one.row.id: one.product_id for one in staging.fresh(1000)}


def test_offers_are_grouped_by_gtin_then_maker_then_group_then_alone(tmp_path: Path) -> None:
    rows = [
        offer("a", gtin="2100005001007"),
        offer("b", gtin="02100005001007"),
        offer("c", group="G", gtin="2100005001014"),
        offer("d", group="G"),
        offer("e", group="H"),
        offer("f", group="H"),
        offer("g"),
        offer("h", brand="Kilnby", mpn="K-1", group="H"),
        offer("i", brand="KILNBY", mpn="k-1"),
        offer("j", brand="Kilnby", mpn="K-2", gtin="2100005001021"),
        offer("k", brand="Kilnby", mpn="K-2"),
    ]
    with staged(tmp_path, *rows) as staging:
        ids = products(staging)
    assert ids["a"] == ids["b"] == "gtin:02100005001007"
    assert ids["c"] == ids["d"] == "gtin:02100005001014"
    assert ids["e"] == ids["f"] == "group:s:H"
    assert ids["g"] == "row:s:g"
    assert ids["h"] == ids["i"] == "mpn:kilnby:k-1"
    assert ids["j"] == ids["k"] == "gtin:02100005001021"


def test_a_group_of_several_codes_gives_none_to_the_rest(tmp_path: Path) -> None:
    rows = [offer("a", group="G", gtin="2100005001007"), offer("b", group="G", gtin="2100005001014"), offer("c", group="G")]
    with staged(tmp_path, *rows) as staging:
        assert products(staging)["c"] == "group:s:G"


def test_only_what_differs_from_the_catalogue_is_fresh_and_what_is_missing_is_gone(tmp_path: Path) -> None:
    with staged(tmp_path, offer("a"), offer("b", price="5"), offer("c")) as before:
        known = [(one.row.id, one.digest) for one in before.fresh(10)]
    with staged(tmp_path, offer("a"), offer("b", price="4"), offer("d")) as now:
        now.know(known)
        assert now.unchanged() == 1
        assert [(one.row.id, one.known) for one in now.fresh(10)] == [("b", True), ("d", False)]
        assert now.fresh(10) == []
        assert now.gone() == ["c"]


def test_the_first_offer_of_a_product_speaks_for_it(tmp_path: Path) -> None:
    with staged(tmp_path, offer("a", gtin="2100005001007"), offer("b", gtin="2100005001007")) as staging:
        assert [one.speaks for one in staging.fresh(10)] == [True, False]


def test_an_id_counts_once_and_what_is_bad_is_handed_on(tmp_path: Path) -> None:
    bad = Rejected("s", 3, "price", "It is no price.")
    with staged(tmp_path, offer("a", price="1"), offer("a", price="2"), bad) as staging:
        assert [one.row.price for one in staging.fresh(10)] == ["1"]
        assert staging.rejected == [bad]


def test_its_file_has_no_name(tmp_path: Path) -> None:
    with staged(tmp_path, offer("a")):
        assert list(tmp_path.iterdir()) == []
