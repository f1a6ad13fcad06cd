"""The encoder that INSIGHTS_MODEL names: the packaged one, one of its kind, or any ONNX image encoder with a card beside it.

The card of `model.onnx` is `model.json`: how a picture is put in and what comes out (Card).
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError

from bot.errors import ConfigurationError
from bot.insights.colours import SHADES, Palette
from bot.insights.encoder import (
    RECIPE,
    THING,
    Encoder,
    Grid,
    Label,
    Look,
    Pixels,
    Region,
    Vector,
    _cut,
    _labels,
    _unit,
    _vector,
    hashes,
    palette_of,
)
from bot.insights.model import WHOLE, Crop
from bot.insights.zero_shot import TextCard, Words

CENTRE = Crop(0.2, 0.2, 0.8, 0.8)
CORNERS = (Crop(0.0, 0.0, 0.6, 0.6), Crop(0.4, 0.0, 1.0, 0.6), Crop(0.0, 0.4, 0.6, 1.0), Crop(0.4, 0.4, 1.0, 1.0))
"""Where things are looked for by an encoder that says one thing about a picture: a run each. Row by row, as in a Grid."""
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class ImageEncoder(Protocol):
    """Pixels to features. Deterministic and thread-safe; blocks. Vectors of encoders with different names never meet.

    name: changes whenever vectors would. dim: numbers of a vector.
    """

    name: str
    dim: int

    def reference(self, rgb: Pixels, palette: Palette | None = None) -> Vector:
        """The vector (dim,) of a catalogue picture (h, w, 3), of length 1; its palette, where that is known already."""

    def look(self, rgb: Pixels) -> Look:
        """Everything the matching needs to know about a photo (h, w, 3)."""

    def closer(self, rgb: Pixels, look: Look) -> Look:
        """The same look with its regions seen better, for photos in doubt."""


class Card(BaseModel):
    """What one has to know of an ONNX image encoder.

    A picture becomes size × size values, each (value / scale - mean) / std, mean and std in the order of the channels;
    `output` has `dimension` numbers. parts: look at the middle and the corners of a photo too, a run each; without, a lookup
    costs a sixth, small things in clutter are missed, and no part of a picture can be asked about once it is gone. licence:
    for whoever wonders later.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    size: int = Field(ge=32, le=1024)
    mean: tuple[float, float, float]
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat]
    scale: PositiveFloat = 255.0
    layout: Literal["nchw", "nhwc"] = "nchw"
    channels: Literal["rgb", "bgr"] = "rgb"
    dimension: int = Field(ge=1, le=8192)
    input: str
    output: str
    parts: bool = True
    licence: str = Field(min_length=1)
    text: TextCard | None = None


def load_encoder(path: Path | None) -> ImageEncoder:
    """The packaged encoder (None), one of its kind, or one with a card; ready and warm. Blocks, for a large one for seconds.

    Raises ConfigurationError naming INSIGHTS_MODEL when a file is missing, broken or not as its card says.
    """
    if path is None or not path.with_suffix(".json").is_file():
        return Encoder.load(path)
    return CardEncoder.load(path)


def read_card(path: Path) -> Card:
    """Raises ConfigurationError naming INSIGHTS_MODEL and the first field that is wrong."""
    try:
        return Card.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"INSIGHTS_MODEL: the card {path} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise ConfigurationError(
            f"INSIGHTS_MODEL: the card {path} is not right: {field + ': ' if field else ''}{first['msg']}."
        ) from None


def open_session(path: Path) -> ort.InferenceSession:
    """Raises ConfigurationError naming INSIGHTS_MODEL."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what is wrong with a file is said below
    if not path.is_file():
        raise ConfigurationError(f"INSIGHTS_MODEL: there is no file {path}.")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many unrelated types for a bad file
        raise ConfigurationError(f"INSIGHTS_MODEL: {path} is not an ONNX model that onnxruntime can run.") from error


class CardEncoder:
    """An encoder that gives one embedding: things are found by looking at parts, words by text if it has an encoder for it."""

    def __init__(self, session: ort.InferenceSession, card: Card, name: str, words: Words | None) -> None:
        self._session = session
        self._card = card
        self._words = words
        self._type = next(_TYPES[one.type] for one in session.get_inputs() if one.name == card.input)
        self.name = name
        self.dim = card.dimension + len(SHADES)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises ConfigurationError naming INSIGHTS_MODEL."""
        beside = path.with_suffix(".json")
        card = read_card(beside)
        session = open_session(path)
        digest = sha256(path.read_bytes() + json.dumps(card.model_dump(exclude={"text", "licence"})).encode()).hexdigest()[:8]
        words = None
        if card.text:
            text = open_session(path.parent / card.text.model)
            words = Words.load(card.text, text, path, dimension=card.dimension)
        try:
            found = cls(session, card, f"{card.name}-{digest}-{RECIPE}", words)
            found._features(np.full((card.size, card.size, 3), 127, dtype=np.uint8))
        except Exception as error:  # wrong names, shapes or types; each is reported differently
            raise ConfigurationError(
                f"INSIGHTS_MODEL: {path} does not do what {beside.name} says: {_what_it_does(session)}; the card "
                f"says {card.input} ({card.layout}, {card.size} × {card.size}) and {card.output} with {card.dimension} numbers."
            ) from error
        return found

    def reference(self, rgb: Pixels, palette: Palette | None = None) -> Vector:
        """The vector (dim,) of a catalogue picture (h, w, 3), of length 1. The mirror image has the same."""
        both = _unit(self._features(rgb)) + _unit(self._features(np.ascontiguousarray(rgb[:, ::-1])))
        return _vector(both, (palette or palette_of(rgb)).shares(THING))

    def look(self, rgb: Pixels) -> Look:
        """What the matching needs to know about a photo (h, w, 3): a run over the whole, and over its middle and four corners.

        The middle leads, because that is where people hold what they photograph.
        """
        palette = palette_of(rgb)
        boxes = (CENTRE, *CORNERS) if self._card.parts else ()
        seen = [self._features(_cut(rgb, box)) for box in boxes]
        whole = self._features(rgb)
        usual = _unit(np.sum([_unit(one) for one in seen or [whole]], axis=0))
        contrasts = [1 - float(_unit(one) @ usual) for one in seen]
        order = sorted(range(len(boxes)), key=lambda row: (row > 0, -contrasts[row]))
        regions = [Region(boxes[row], _vector(seen[row], palette.shares(boxes[row])), contrasts[row]) for row in order]
        colours = palette.of(CENTRE)
        plain_hash, mirrored_hash = hashes(rgb)
        return Look(
            regions=(*regions, Region(WHOLE, _vector(whole, palette.shares(WHOLE)), 0.0)),
            labels=self._labels(whole, seen[0] if seen else whole),
            accent=colours.accent,
            colour=colours.word,
            hash=plain_hash,
            mirrored=mirrored_hash,
            grid=_grid(np.stack(seen[1:]), palette.cells(2, 2)) if seen else None,
        )

    def closer(self, rgb: Pixels, look: Look) -> Look:
        """The same: its regions have had runs of their own already."""
        del rgb
        return look

    def _labels(self, whole: Vector, thing: Vector) -> tuple[Label, ...]:
        """None without a text encoder: words then come from what is similar in the catalogue."""
        if self._words is None:
            return ()
        return _labels(self._words.scores(_unit(whole)), self._words.scores(_unit(thing)))

    def _features(self, rgb: Pixels) -> Vector:
        """The embedding (dimension,) of a picture of any shape, as the encoder gives it. Raises ValueError for another size."""
        card = self._card
        small = Image.fromarray(rgb).resize((card.size, card.size), Image.Resampling.BICUBIC)
        values: NDArray[np.float32] = np.asarray(small, dtype=np.float32)[
            :, :, :: 1 if card.channels == "rgb" else -1
        ] / np.float32(card.scale)
        mean, std = np.array(card.mean, dtype=np.float32), np.array(card.std, dtype=np.float32)
        values = np.asarray((values - mean) / std, dtype=np.float32)
        planes = values.transpose(2, 0, 1) if card.layout == "nchw" else values
        batch = np.ascontiguousarray(planes[None], dtype=self._type)
        found: NDArray[Any] = self._session.run([card.output], {card.input: batch})[0]
        if found.size != card.dimension:
            raise ValueError("the output has another size")
        return found.reshape(-1).astype(np.float32)


def _grid(corners: NDArray[np.float32], shades: NDArray[np.float32]) -> Grid:
    """The features (4, d) of the corners as a grid of 2 × 2: coarse, but a part can be asked about when the picture is gone."""
    scale = float(np.abs(corners).max()) / 127 or 1.0
    return Grid((corners / scale).round().astype(np.int8).reshape(2, 2, -1), scale, shades.astype(np.float16))


def _what_it_does(session: ort.InferenceSession) -> str:
    inputs = ", ".join(f"{one.name} {one.shape}" for one in session.get_inputs())
    outputs = ", ".join(f"{one.name} {one.shape}" for one in session.get_outputs())
    return f"it takes {inputs} and gives {outputs}"
