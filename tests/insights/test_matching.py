"""Photos against the demo catalogue: found, refused, in order; and the floor by itself."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bot.insights.encoder import Encoder, Look, perceptual_hash
from bot.insights.matching import MARGIN, USUAL_FLOOR, Matcher, Reference

CATALOGUE = Path(__file__).parents[2] / "bot" / "demo" / "catalogue"
SHARED = Path(__file__).parents[3] / "shared" / "catalog" / "images"


def pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        picture.thumbnail((512, 512))
        return np.asarray(picture.convert("RGB"))


@cache
def encoder() -> Encoder:
    return Encoder.load(None)


@cache
def references() -> tuple[Reference, ...]:
    """Every picture of the catalogue, as it is stored: float16."""
    found = []
    for line in (CATALOGUE / "products.jsonl").read_text().splitlines():
        product = json.loads(line)
        for name in (product["image"], *product["additional_images"]):
            rgb = pixels(CATALOGUE / name)
            stored = encoder().reference(rgb).astype(np.float16)
            found.append(Reference(name, product["id"], stored.astype(np.float32), perceptual_hash(rgb)))
    return tuple(found)


def matcher(some: Sequence[Reference]) -> Matcher:
    return Matcher(encoder().name, some, dim=encoder().dim)


@pytest.fixture(scope="module")
def shop() -> Matcher:
    return matcher(references())


def look(path: Path) -> Look:
    return encoder().look(pixels(path))


def photos(in_catalogue: bool) -> list[tuple[Path, list[str]]]:
    lines = map(json.loads, (CATALOGUE / "photos.jsonl").read_text().splitlines())
    return [(CATALOGUE / line["image"], line["product_ids"]) for line in lines if line["in_catalogue"] is in_catalogue]


def test_most_phone_photos_get_the_right_product_first(shop: Matcher) -> None:
    first = [(shop.match(look(path)).products[:1], wanted) for path, wanted in photos(in_catalogue=True)]
    right = sum(hit.product_id in wanted for hits, wanted in first for hit in hits)
    wrong = sum(hit.product_id not in wanted for hits, wanted in first for hit in hits)
    assert right >= 33
    assert wrong <= 1


def test_photos_of_things_that_are_not_sold_get_no_product(shop: Matcher) -> None:
    assert [shop.match(look(path)).products for path, _ in photos(in_catalogue=False)] == [()] * 6


@pytest.mark.parametrize(
    "name", ["wear-hat-05", "eshop-001", "wear-blouse-01", "art-starry-night", "place-launch-pad", "animal-tabby-cat"]
)
def test_real_photos_of_other_things_get_no_product(shop: Matcher, name: str) -> None:
    path = SHARED / f"{name}.jpg"
    if not path.exists():
        pytest.skip("the sample catalogue is not on this machine")
    assert shop.match(look(path)).products == ()


def test_noise_and_blank_pictures_get_nothing(shop: Matcher) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    for picture in (noise, np.zeros_like(noise), np.full_like(noise, 255)):
        found = shop.match(encoder().look(picture))
        assert found.products == found.pictures == found.copies == ()


def test_two_things_in_a_photo_come_before_the_second_guesses(shop: Matcher) -> None:
    found = shop.match(look(CATALOGUE / "photos" / "photo-13.jpg")).products
    assert {hit.product_id for hit in found[:2]} == {"MG05", "TP07"}
    assert len({hit.product_id for hit in found}) == len(found)
    boxes = {hit.product_id: hit.box for hit in found}
    assert boxes["MG05"].left < boxes["TP07"].left


def test_a_picture_of_the_catalogue_is_its_own_copy_and_its_mirror_image_too(shop: Matcher) -> None:
    rgb = pixels(CATALOGUE / "images" / "tp07.jpg")
    for picture in (rgb, np.ascontiguousarray(rgb[:, ::-1])):
        found = shop.match(encoder().look(picture))
        assert [hit.picture_id for hit in found.copies] == ["images/tp07.jpg"]
        assert found.products[0].product_id == "TP07"


def test_a_photo_of_a_product_is_no_copy(shop: Matcher) -> None:
    assert shop.match(look(CATALOGUE / "photos" / "photo-06.jpg")).copies == ()


def test_a_picture_without_product_is_a_similar_picture_only() -> None:
    page = replace(references()[0], product_id="")
    found = matcher([page]).match(look(CATALOGUE / page.picture_id))
    assert found.products == ()
    assert [hit.picture_id for hit in found.pictures] == [page.picture_id]


def test_an_empty_catalogue_answers_nothing() -> None:
    found = matcher([]).match(look(CATALOGUE / "photos" / "photo-01.jpg"))
    assert found.products == found.pictures == found.copies == ()


def test_a_catalogue_of_one_product_finds_it_and_refuses_the_rest() -> None:
    bowl = matcher([reference for reference in references() if reference.product_id == "BW03"])
    assert bowl.floor == USUAL_FLOOR
    assert [hit.product_id for hit in bowl.match(look(CATALOGUE / "photos" / "photo-06.jpg")).products] == ["BW03"]
    assert bowl.match(look(CATALOGUE / "photos" / "photo-22.jpg")).products == ()


def test_the_floor_follows_the_catalogue_within_its_margin() -> None:
    def of(vectors: NDArray[np.float64]) -> float:
        unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        some = [Reference(str(row), str(row), vector, "0" * 16) for row, vector in enumerate(unit)]
        return Matcher("any", some, dim=unit.shape[1]).floor

    scattered, alike = np.eye(60), np.ones((60, 60)) + np.eye(60)
    assert of(scattered) == pytest.approx(USUAL_FLOOR - MARGIN)
    assert of(alike) == pytest.approx(USUAL_FLOOR + MARGIN)
    assert USUAL_FLOOR < of(alike[:2] * [[1], [1]]) < USUAL_FLOOR + MARGIN  # two products tell little


def test_the_floor_is_the_same_whatever_the_order_of_pictures(shop: Matcher) -> None:
    assert matcher(references()[::-1]).floor == pytest.approx(shop.floor, abs=1e-6)
