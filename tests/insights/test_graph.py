"""Recipes, collections and entities: from a folder's files to the modules, on real pictures (insights-api.md §4, §7)."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.insights import bing
from bot.insights.catalogue import Catalogue
from bot.insights.encoder import Encoder
from bot.insights.importing import ImportReport
from bot.insights.model import EVERYTHING, WHOLE, Crop, Insights, Module, Token, Upload
from bot.storage import Database
from tests import databases
from tests.worlds import CATALOGUE, Engine, beside, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")

IMAGES = CATALOGUE / "images"


def picture(name: str) -> Upload:
    return Upload((IMAGES / name).read_bytes())


async def about(engine: Engine, name: str, *modules: Module, **how: Any) -> Insights:
    return await engine.service.insights(picture(name), modules, **how)


async def test_s4_a_photo_of_a_dish_finds_its_recipe(engine: Engine) -> None:
    (recipe,) = (await about(engine, "recipe-tomato-soup.jpg", Module.RECIPES)).recipes
    assert recipe.name == "Roast tomato soup with basil"
    assert recipe.url == "https://slowtable.example/r/tomato-soup"
    assert recipe.total_time == "PT50M"
    assert "/th?id=OIP." in recipe.thumbnail_url


async def test_s4_a_product_leads_to_what_it_is_for(engine: Engine) -> None:
    found = await about(engine, "ec01.jpg", Module.RECIPES, Module.COLLECTIONS)
    assert [recipe.name for recipe in found.recipes] == ["Flat white"]
    assert found.collections[0].name == "Coffee corner"
    assert found.collections[0].images_count >= 10
    assert found.collections[0].url == "https://cupandcorner.example/c/coffee-corner"


async def test_s4_a_photo_that_may_be_many_things_gets_no_recipe(engine: Engine) -> None:
    found = await engine.service.insights(Upload(photo("photo-09.jpg")), [Module.RECIPES, Module.SIMILAR_PRODUCTS])
    assert found.similar_products
    assert len(found.recipes) <= 1


async def test_s4_an_enrolled_picture_is_surely_recognised(engine: Engine) -> None:
    (group, *_) = (await about(engine, "sculpture-threefold-knot.jpg", Module.RECOGNIZED_ENTITIES)).recognized_entities
    assert group.name == "CelebRecognitionAnnotations"
    (region,) = group.regions
    assert region.box == WHOLE
    (match,) = region.matches
    assert (match.entity.name, match.entity.kind) == ("Threefold Knot", "Sculpture")
    assert match.entity.url == "https://citysculpture.example/threefold-knot"
    assert 0.9 <= match.confidence <= 1


async def test_s4_regions_are_of_the_whole_picture_and_a_crop_narrows_them(engine: Engine) -> None:
    sheet = Upload(beside("sculpture-threefold-knot.jpg", "pl01.jpg"))
    left, right = Crop(0.0, 0.0, 0.5, 1.0), Crop(0.5, 0.0, 1.0, 1.0)

    async def names(crop: Crop) -> dict[str, Crop]:
        found = await engine.service.insights(sheet, [Module.RECOGNIZED_ENTITIES], crop=crop)
        regions = [region for group in found.recognized_entities for region in group.regions]
        return {match.entity.name: region.box for region in regions for match in region.matches}

    whole, half, other = await names(WHOLE), await names(left), await names(right)
    assert "Threefold Knot" in whole
    assert whole["Threefold Knot"].right <= 0.65
    assert "Threefold Knot" in half
    assert half["Threefold Knot"].right <= 0.5
    assert "Threefold Knot" not in other


async def test_s4_the_brand_of_a_known_product_is_recognised(engine: Engine) -> None:
    groups = (await about(engine, "bt01.jpg", Module.RECOGNIZED_ENTITIES)).recognized_entities
    names = {match.entity.name for group in groups for region in group.regions for match in region.matches}
    assert names <= {"Trekka", "Kilnby", "Audiona"}
    assert "Trekka" in names


async def test_s4_all_is_everything_but_recognized_entities(engine: Engine) -> None:
    found = await engine.service.insights(picture("sculpture-threefold-knot.jpg"), EVERYTHING)
    assert found.recognized_entities == ()
    assert found.pages_including[0].host_page_url == "https://citysculpture.example/threefold-knot"


async def test_s7_a_recipes_picture_is_presented_as_the_recipes(engine: Engine) -> None:
    found = await about(engine, "recipe-berry-oats.jpg", Module.SIMILAR_IMAGES, Module.PAGES_INCLUDING)
    page = found.pages_including[0]
    assert (page.name, page.host_page_url) == ("Overnight oats with berries", "https://slowtable.example/r/berry-oats")
    assert page.recipe_sources_count == 1


async def test_s7_counts_of_a_product_picture(engine: Engine) -> None:
    found = await about(engine, "mg01.jpg", Module.SIMILAR_PRODUCTS)
    shown = found.similar_products[0]
    token = Token(shown.token)
    again = await engine.service.insights(token, [Module.PAGES_INCLUDING, Module.SHOPPING_SOURCES])
    assert shown.pages_including_count == len(again.pages_including)
    assert shown.aggregate_offer
    assert shown.shopping_sources_count == len(again.shopping_sources) == shown.aggregate_offer.offer_count
    shops = {page.host_name for page in again.pages_including}
    assert {offer.seller.name for offer in again.shopping_sources} <= shops
    wire = bing.to_wire(found)["visuallySimilarProducts"]["value"][0]
    assert wire["insightsMetadata"]["availableSizesCount"] == 1
    assert wire["webSearchUrl"].startswith(f"{engine.url}/search?")


# ---------------------------------------------------------------- import


async def imported(engine: Engine, folder: Path, data_dir: Path) -> tuple[Catalogue, ImportReport, ImportReport]:
    """A catalogue of its own: what the first import did, and the second of the same."""
    async with (
        Database.open(databases.where(data_dir)) as database,
        Catalogue.open(data_dir, database, engine.pixels, engine.fetcher, Encoder.load(None)) as catalogue,
    ):
        first = await catalogue.import_feeds([str(folder)])
        return catalogue, first, await catalogue.import_feeds([str(folder)])


def shop(folder: Path, **files: Any) -> Path:
    """A folder feed with one mug and the files given."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for name in ("mg01.jpg", "sculpture-threefold-knot.jpg"):
        shutil.copy(IMAGES / name, folder / "images" / name)
    mug = {"id": "MG01", "title": "Mug", "image": "images/mg01.jpg", "brand": "Kilnby"}
    offer = {"id": "a-1", "link": "https://a.example/1", "price": "9.00 USD", "seller_name": "A"}
    (folder / "products.jsonl").write_text(json.dumps(mug | {"offers": [offer]}))
    for name, records in files.items():
        (folder / f"{name}.json").write_text(json.dumps(records))
    return folder


RECIPE = {"id": "tea", "name": "Tea", "image": "images/mg01.jpg", "url": "https://a.example/tea", "related_products": ["MG01"]}


async def test_subjects_come_in_once_and_go_when_the_folder_no_longer_names_them(engine: Engine, tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop", recipes=[RECIPE | {"author": {"name": "Ana"}, "cookTime": "PT5M"}])
    catalogue, first, _ = await imported(engine, folder, tmp_path / "data")
    assert first.rejected == []
    (tea,) = catalogue.serving.shelf.subjects.values()
    assert (tea.key, tea.facts["creator"], tea.facts["cookTime"]) == ("recipe:tea", "Ana", "PT5M")
    assert [catalogue.serving.shelf.products[key].title for key in tea.products] == ["Mug"]
    assert len(catalogue.serving.shelf.pictures) == 1
    shop(folder, recipes=[])
    catalogue, _, _ = await imported(engine, folder, tmp_path / "data")
    assert catalogue.serving.shelf.subjects == {}
    assert catalogue.stats()["recipes"] == 0


async def test_a_person_is_enrolled_only_with_a_note_of_consent(engine: Engine, tmp_path: Path) -> None:
    person: dict[str, Any] = {"id": "ana", "type": "Person", "name": "Ana", "url": "https://a.example/ana"}
    person |= {"images": ["images/sculpture-threefold-knot.jpg"], "jobTitle": "Potter"}
    _, report, _ = await imported(engine, shop(tmp_path / "a", entities=[person]), tmp_path / "data-a")
    (rejected,) = report.rejected
    assert (rejected.row, rejected.field) == (1, "consent")
    with_note = person | {"consent": "Ana, 2026-11-01, by letter, for the team page"}
    catalogue, report, _ = await imported(engine, shop(tmp_path / "b", entities=[with_note]), tmp_path / "data-b")
    assert report.rejected == []
    assert catalogue.stats()["entities"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"totalTime": "five minutes"}, "totalTime"),
        ({"url": "javascript:alert(1)"}, "link"),
        ({"name": ""}, "name"),
        ({"image": "images/nothing.jpg"}, "image_link"),
    ],
)
async def test_a_bad_recipe_is_reported_and_the_rest_goes_in(
    engine: Engine, tmp_path: Path, change: dict[str, str], field: str
) -> None:
    folder = shop(tmp_path / "shop", recipes=[RECIPE, RECIPE | {"id": "bad"} | change])
    catalogue, report, again = await imported(engine, folder, tmp_path / "data")
    assert [(one.row, one.field) for one in report.rejected] == [(2, field)]
    assert list(catalogue.serving.shelf.subjects) == ["recipe:tea"]
    assert again.unchanged == 1


@pytest.mark.parametrize("said", ["person", "PERSON", "https://schema.org/Person", "schema:Person", ["Thing", "Person"]])
async def test_a_person_is_a_person_however_the_type_is_written(engine: Engine, tmp_path: Path, said: Any) -> None:
    person = {"id": "ana", "type": said, "name": "Ana", "url": "https://a.example/ana", "image": "images/mg01.jpg"}
    catalogue, report, _ = await imported(engine, shop(tmp_path / "shop", entities=[person]), tmp_path / "data")
    assert [one.field for one in report.rejected] == ["consent"]
    assert catalogue.stats()["entities"] == 0


async def test_an_id_that_is_used_twice_is_reported_and_the_first_counts(engine: Engine, tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop", recipes=[RECIPE, RECIPE | {"name": "Other"}])
    catalogue, report, _ = await imported(engine, folder, tmp_path / "data")
    assert [(one.row, one.field) for one in report.rejected] == [(2, "id")]
    assert [one.name for one in catalogue.serving.shelf.subjects.values()] == ["Tea"]
