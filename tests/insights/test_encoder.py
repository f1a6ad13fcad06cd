"""The packaged encoder on real pictures: pinned numbers, regions, labels, colours, hashes, and what a bad model file gets."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bot.errors import ConfigurationError
from bot.insights.colours import SHADES, WORDS, Palette
from bot.insights.encoder import Encoder, perceptual_hash
from bot.insights.model import WHOLE, Crop

CATALOGUE = Path(__file__).parents[2] / "bot" / "demo" / "catalogue"


def pixels(name: str) -> NDArray[np.uint8]:
    with Image.open(CATALOGUE / name) as picture:
        picture.thumbnail((512, 512))
        return np.asarray(picture.convert("RGB"))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load(None)


def test_the_packaged_weights_give_their_numbers(encoder: Encoder) -> None:
    vector = encoder.reference(pixels("images/mg01.jpg"))
    assert encoder.name.startswith("efficientnet-lite1-240-int8-")
    assert vector.shape == (encoder.dim,) == (1280 + len(SHADES),)
    assert vector.dtype == np.float32
    assert vector @ vector == pytest.approx(1, abs=1e-4)
    alike, unlike = encoder.reference(pixels("images/mg01-b.jpg")), encoder.reference(pixels("images/hp01.jpg"))
    assert vector @ alike == pytest.approx(0.904, abs=0.02)
    assert vector @ unlike == pytest.approx(0.497, abs=0.02)


def test_the_mirror_image_has_the_same_vector(encoder: Encoder) -> None:
    plain = pixels("images/tp05.jpg")
    assert encoder.reference(plain) @ encoder.reference(plain[:, ::-1]) == pytest.approx(1, abs=0.01)


def test_looks_are_the_same_from_every_thread(encoder: Encoder) -> None:
    def seen(photo: NDArray[np.uint8]) -> tuple[object, ...]:
        look = encoder.look(photo)
        return look.labels, look.accent, look.hash, [(region.box, region.vector.tobytes()) for region in look.regions]

    photo = pixels("photos/photo-06.jpg")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(seen, [photo] * 4)) == [seen(photo)] * 4


def test_the_thing_in_a_cluttered_photo_is_among_the_regions(encoder: Encoder) -> None:
    look = encoder.look(pixels("photos/photo-16.jpg"))  # a bowl and a cup among books
    assert look.whole.box == WHOLE
    for x, y in ((0.39, 0.54), (0.71, 0.53)):
        assert any(r.box.left < x < r.box.right and r.box.top < y < r.box.bottom for r in look.regions[:-1])


@pytest.mark.parametrize("size", [(1, 1), (1, 512), (512, 1), (40, 512), (512, 384)])
def test_pictures_of_any_shape_and_without_content_are_looked_at(encoder: Encoder, size: tuple[int, int]) -> None:
    look = encoder.look(np.full((*size, 3), 255, dtype=np.uint8))
    assert all(np.isfinite(region.vector).all() for region in look.regions)
    assert (look.accent, look.colour) == ("FFFFFF", "white")
    assert np.isfinite(encoder.reference(np.zeros((*size, 3), dtype=np.uint8))).all()


def test_labels_are_words_both_the_picture_and_its_main_thing_support(encoder: Encoder) -> None:
    names = {
        name: [label.name for label in encoder.look(pixels(f"photos/{name}.jpg")).labels]
        for name in ("photo-22", "photo-26", "none-06")
    }
    assert names == {"photo-22": ["teapot"], "photo-26": ["digital clock"], "none-06": []}


@pytest.mark.parametrize(
    ("photo", "colour"),
    [("photo-02", "blue"), ("photo-06", "red"), ("photo-09", "teal"), ("photo-10", "orange"), ("photo-18", "green")],
)
def test_the_colour_is_that_of_the_thing_not_of_the_table(encoder: Encoder, photo: str, colour: str) -> None:
    assert encoder.look(pixels(f"photos/{photo}.jpg")).colour == colour


@pytest.mark.parametrize("name", WORDS)
def test_every_colour_word_is_given_for_its_own_shades(name: str) -> None:
    for code in (code for word, code in SHADES if word == name):
        picture = np.full((40, 40, 3), 128, dtype=np.uint8)
        picture[10:30, 10:30] = [code >> 16, code >> 8 & 255, code & 255]
        seen = Palette(picture).of(Crop(0.25, 0.25, 0.75, 0.75))
        assert (seen.word, seen.accent) == (name, f"{code:06X}")


@pytest.mark.parametrize(
    ("change", "most"),
    [
        (lambda picture: picture.resize((200, 200)), 3),
        (lambda picture: picture.point(lambda value: value * 0.8), 3),
        (lambda picture: picture.quantize(32).convert("RGB"), 5),
    ],
)
def test_a_changed_copy_keeps_its_hash_nearly(change: Callable[[Image.Image], Image.Image], most: int) -> None:
    original = Image.fromarray(pixels("images/hp06.jpg"))
    one, other = (int(perceptual_hash(np.asarray(picture)), 16) for picture in (original, change(original)))
    assert (one ^ other).bit_count() <= most


def test_a_missing_or_broken_model_file_names_the_setting(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    for path in (tmp_path / "missing.onnx", broken, tmp_path):
        with pytest.raises(ConfigurationError, match="INSIGHTS_MODEL"):
            Encoder.load(path)


def test_a_model_of_another_kind_is_refused_with_what_is_expected(tmp_path: Path) -> None:
    path = tmp_path / "identity.onnx"
    path.write_bytes(identity_model())
    with pytest.raises(ConfigurationError, match=r"INSIGHTS_MODEL: .* must take x .* and give embedding .*, logits .* and fmap"):
        Encoder.load(path)


def identity_model() -> bytes:
    """A valid ONNX file of one node, as protobuf: every field used here is shorter than 128 bytes."""

    def part(field: int, content: bytes) -> bytes:
        return bytes([field << 3 | 2, len(content)]) + content

    def number(field: int, value: int) -> bytes:
        return bytes([field << 3, value])

    def tensor(name: bytes) -> bytes:
        return part(1, name) + part(2, part(1, number(1, 1)))  # float of any shape

    node = part(1, b"x") + part(2, b"y") + part(4, b"Identity")
    graph = part(1, node) + part(2, b"graph") + part(11, tensor(b"x")) + part(12, tensor(b"y"))
    return number(1, 8) + part(7, graph) + part(8, number(2, 17))
