"""INSIGHTS_MODEL: another real encoder by its card, a pair with text by its shape, and what a bad one gets."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from bot.errors import ConfigurationError
from bot.insights.colours import SHADES
from bot.insights.encoder import Encoder
from bot.insights.encoders import CENTRE, CORNERS, load_encoder
from bot.insights.model import WHOLE, Crop
from tests.worlds import CATALOGUE

LITE0 = Path(__file__).parent.parent / "models" / "efficientnet-lite0-160-int8.onnx"
RED, YELLOW, BLUE = (255, 0, 0), (255, 255, 0), (0, 0, 255)


def pixels(name: str) -> NDArray[np.uint8]:
    return np.asarray(Image.open(CATALOGUE / name).convert("RGB"))


def plain(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.full((90, 120, 3), colour, np.uint8)


# ---------------------------------------------------------------- a real one


def test_without_a_file_it_is_the_packaged_one() -> None:
    assert load_encoder(None).name == Encoder.load(None).name


def test_another_real_encoder_tells_goods_apart() -> None:
    encoder = load_encoder(LITE0)
    assert encoder.name.startswith("efficientnet-lite0-160-int8-")
    assert encoder.dim == 1280 + len(SHADES)
    mug, again, phones = (encoder.reference(pixels(f"images/{name}.jpg")) for name in ("mg01", "mg01-b", "hp01"))
    assert mug.shape == (encoder.dim,)
    assert mug @ mug == pytest.approx(1, abs=1e-5)
    assert mug @ again > mug @ phones + 0.2
    assert encoder.reference(pixels("images/mg01.jpg")[:, ::-1]) @ mug == pytest.approx(1, abs=0.01)


def test_it_looks_at_the_whole_and_at_parts() -> None:
    encoder = load_encoder(LITE0)
    look = encoder.look(pixels("photos/photo-16.jpg"))
    assert look.regions[0].box == CENTRE
    assert {region.box for region in look.regions} == {WHOLE, CENTRE, *CORNERS}
    assert look.whole.box == WHOLE
    assert look.labels == ()  # an encoder of pictures alone knows no words
    assert len(look.hash) == 16
    corner = look.part(Crop(0.0, 0.0, 0.5, 0.5))
    assert corner
    upper_left = next(region for region in look.regions if region.box == CORNERS[0])
    others = [region for region in look.regions if region.box in CORNERS[1:]]
    assert corner.whole.vector[:1280] @ upper_left.vector[:1280] > max(
        corner.whole.vector[:1280] @ one.vector[:1280] for one in others
    )


def test_without_parts_it_looks_once_and_keeps_no_parts(tmp_path: Path) -> None:
    for suffix in (".onnx", ".json"):
        shutil.copy(LITE0.with_suffix(suffix), tmp_path / f"m{suffix}")
    card = json.loads((tmp_path / "m.json").read_text()) | {"parts": False}
    (tmp_path / "m.json").write_text(json.dumps(card))
    photo = pixels("photos/photo-16.jpg")
    look, whole = load_encoder(tmp_path / "m.onnx").look(photo), load_encoder(LITE0).look(photo).whole
    assert [region.box for region in look.regions] == [WHOLE]
    assert look.whole.vector @ whole.vector == pytest.approx(1, abs=1e-5)
    assert look.part(Crop(0.0, 0.0, 0.5, 0.5)) is None


def test_its_name_changes_with_the_file_and_with_the_card(tmp_path: Path) -> None:
    name = load_encoder(LITE0).name
    for suffix in (".onnx", ".json"):
        shutil.copy(LITE0.with_suffix(suffix), tmp_path / f"same{suffix}")
    assert load_encoder(tmp_path / "same.onnx").name == name
    changed(tmp_path / "same.json", mean=[120, 127, 127])
    assert load_encoder(tmp_path / "same.onnx").name not in {name, Encoder.load(None).name}


# ---------------------------------------------------------------- shapes: these encoders know colours and nothing else


def colour_model(path: Path, *, layout: str = "nchw", channels: str = "rgb", kind: int = TensorProto.FLOAT) -> Path:
    """An encoder that says the mean of each channel."""
    nchw = layout == "nchw"
    model = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("ReduceMean", ["pixel_values"], ["means"], axes=[2, 3] if nchw else [1, 2], keepdims=0),
                helper.make_node("Gather", ["means", "order"], ["image_embeds"], axis=1),
            ],
            "colours",
            [helper.make_tensor_value_info("pixel_values", kind, [1, 3, 32, 32] if nchw else [1, 32, 32, 3])],
            [helper.make_tensor_value_info("image_embeds", kind, [1, 3])],
            [numpy_helper.from_array(np.array([0, 1, 2] if channels == "rgb" else [2, 1, 0]), "order")],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, path)
    card = {
        "name": "colours",
        "size": 32,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "layout": layout,
        "channels": channels,
        "dimension": 3,
        "input": "pixel_values",
        "output": "image_embeds",
        "licence": "CC0-1.0",
    }
    path.with_suffix(".json").write_text(json.dumps(card))
    return path


def changed(card: Path, **values: Any) -> None:
    card.write_text(json.dumps(json.loads(card.read_text()) | values))


@pytest.mark.parametrize(
    "shape", [{"layout": "nhwc"}, {"channels": "bgr"}, {"layout": "nhwc", "channels": "bgr"}, {"kind": TensorProto.FLOAT16}]
)
def test_layouts_channels_and_half_precision(tmp_path: Path, shape: dict[str, Any]) -> None:
    usual = load_encoder(colour_model(tmp_path / "usual.onnx"))
    other = load_encoder(colour_model(tmp_path / "other.onnx", **shape))
    for colour in (RED, YELLOW, (200, 100, 30)):
        assert other.reference(plain(colour)) == pytest.approx(usual.reference(plain(colour)), abs=2e-3)


def text_model(folder: Path) -> dict[str, Any]:
    """The text half of a pair: a strawberry is red, a lemon is yellow, and it has never heard of anything else."""
    table = np.array([[0, 0, 0], [0, 0, 0], [1, -1, -1], [1, 1, -1]], np.float32)
    model = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Gather", ["table", "input_ids"], ["tokens"]),
                helper.make_node("Cast", ["attention_mask"], ["real"], to=TensorProto.FLOAT),
                helper.make_node("Unsqueeze", ["real", "last"], ["weights"]),
                helper.make_node("Mul", ["tokens", "weights"], ["kept"]),
                helper.make_node("ReduceSum", ["kept", "second"], ["text_embeds"], keepdims=0),
            ],
            "words",
            [helper.make_tensor_value_info(name, TensorProto.INT64, [1, 8]) for name in ("input_ids", "attention_mask")],
            [helper.make_tensor_value_info("text_embeds", TensorProto.FLOAT, [1, 3])],
            [
                numpy_helper.from_array(table, "table"),
                numpy_helper.from_array(np.array([2]), "last"),
                numpy_helper.from_array(np.array([1]), "second"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, folder / "text.onnx")
    tokenizer = Tokenizer(WordLevel({"[PAD]": 0, "[UNK]": 1, "strawberry": 2, "lemon": 3}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return {
        "model": "text.onnx",
        "tokenizer": "tokenizer.json",
        "context": 8,
        "mask": "attention_mask",
        "output": "text_embeds",
        "scale": 20,
    }


def pair(folder: Path) -> Path:
    path = colour_model(folder / "pair.onnx")
    changed(path.with_suffix(".json"), text=text_model(folder))
    return path


def test_a_text_encoder_gives_words_without_neighbours(tmp_path: Path) -> None:
    """That the path from a picture to words is right, not that words of a real pair are: no package carries one."""
    encoder = load_encoder(pair(tmp_path))
    for colour, word in ((RED, "strawberry"), (YELLOW, "lemon")):
        (label,) = encoder.look(plain(colour)).labels
        assert label.name == word
        assert label.probability > 0.9
    assert encoder.look(plain(BLUE)).labels == ()


def test_words_are_encoded_once_and_kept_beside_the_model(tmp_path: Path) -> None:
    path = pair(tmp_path)
    load_encoder(path)
    kept = path.with_suffix(".words.npz")
    first = kept.stat().st_mtime_ns
    assert load_encoder(path).look(plain(RED)).labels[0].name == "strawberry"
    assert kept.stat().st_mtime_ns == first
    kept.write_bytes(b"torn")
    assert load_encoder(path).look(plain(RED)).labels[0].name == "strawberry"
    card = path.with_suffix(".json")
    changed(card, text=json.loads(card.read_text())["text"] | {"prompt": "lemon {}"})
    assert load_encoder(path).look(plain(YELLOW)).labels != load_encoder(pair(tmp_path)).look(plain(YELLOW)).labels


# ---------------------------------------------------------------- bad ones


def _not_json(path: Path) -> None:
    path.with_suffix(".json").write_text("{")


def _card(**values: Any) -> Callable[[Path], None]:
    return lambda path: changed(path.with_suffix(".json"), **values)


def _text(**values: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        changed(path.with_suffix(".json"), text=text_model(path.parent) | values)

    return change


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_not_json, "card"),
        (_card(size="large"), "size"),
        (_card(std=[1, 1, 0]), "std"),
        (_card(dimenson=3), "dimenson"),
        (_card(name="../../x"), "name"),
        (_card(dimension=4), "pixel_values .* gives image_embeds .* with 4 numbers"),
        (_card(size=64), "64"),
        (_card(layout="nhwc"), "nhwc"),
        (_card(input="images"), "images"),
        (_card(output="features"), "features"),
        (lambda path: path.write_bytes(b"not a model"), "not an ONNX model"),
        (lambda path: path.unlink(), "no file"),
        (_text(model="missing.onnx"), "no file"),
        (_text(model="../text.onnx"), "text.model"),
        (_text(tokenizer="missing.json"), "missing.json"),
        (_text(tokenizer="text.onnx"), "tokenizer"),
        (_text(output="nothing"), "nothing"),
        (_text(context=9), "9"),
        (_text(prompt="a photo"), "prompt"),
    ],
)
def test_a_bad_one_gets_one_line_that_names_the_setting(tmp_path: Path, spoil: Callable[[Path], None], said: str) -> None:
    path = colour_model(tmp_path / "model.onnx")
    load_encoder(path)
    spoil(path)
    with pytest.raises(ConfigurationError, match=f"INSIGHTS_MODEL: .*{said}") as refused:
        load_encoder(path)
    assert "\n" not in str(refused.value)
