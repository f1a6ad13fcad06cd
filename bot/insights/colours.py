"""What colours a thing has: soft counts of everyday shades in a part of a picture, the word for them, the accent colour."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bot.insights.model import Crop

# Several shades a word, because "green" is mint, olive and bottle green. sRGB.
SHADES: tuple[tuple[str, int], ...] = (
    ("white", 0xF8F8F6),
    ("white", 0xE4E4E2),
    ("grey", 0xB9B9B9),
    ("grey", 0x8A8A8A),
    ("grey", 0x5A5A5C),
    ("black", 0x2C2C2E),
    ("black", 0x0C0C0C),
    ("red", 0xC8202A),
    ("red", 0xE8584E),
    ("red", 0x8A1A20),
    ("orange", 0xF07818),
    ("orange", 0xF6A040),
    ("yellow", 0xF4D020),
    ("yellow", 0xF6E27A),
    ("yellow", 0xD8A018),
    ("green", 0x3FA045),
    ("green", 0x1E5A32),
    ("green", 0x9CC85A),
    ("green", 0x6A7A32),
    ("teal", 0x148A8A),
    ("teal", 0x7CD0BC),
    ("teal", 0x0E5458),
    ("blue", 0x2E6AD0),
    ("blue", 0x6AA8E4),
    ("blue", 0x4A7AA0),
    ("navy", 0x1C2A56),
    ("purple", 0x7A3CA8),
    ("purple", 0xB49ADC),
    ("pink", 0xF2B8C0),
    ("pink", 0xE8689A),
    ("brown", 0x7A4A28),
    ("brown", 0xA87040),
    ("brown", 0x4A2C1E),
    ("beige", 0xE8DCC4),
    ("beige", 0xCDB894),
)
WORDS = tuple(dict.fromkeys(word for word, _ in SHADES))
SOFTNESS = 12.0  # Lab units: how far light and shadow move a colour
RIM = 5  # surroundings reach a fifth of the box further on each side
BACKGROUND = 0.2  # how much a shade counts that the surroundings have as well: all, when a thing looks like its ground

Shares = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Colours:
    """Of one thing: shares of the shades (len(SHADES),), adding up to 1; accent as six hex digits; the everyday word."""

    shares: Shares = field(repr=False)
    accent: str
    word: str


class Palette:
    """A small picture (h, w, 3) counted once, to be asked about the things in it. 64 pixels a side are enough."""

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        self._rgb = rgb
        self._shares = _memberships(rgb)

    def of(self, box: Crop) -> Colours:
        """Colours of the thing inside the box: those that the box has and its surroundings lack."""
        shares, distinct, inside = self._thing(box)
        words = _words() @ shares
        best = int(words.argmax())
        rows, columns = inside
        weights = (self._shares[rows, columns] @ (_words()[best] * distinct))[..., None]
        mean = (self._rgb[rows, columns] * weights).sum((0, 1)) / (weights.sum() + 1e-9)
        return Colours(shares, mean.round().clip(0, 255).astype(np.uint8).tobytes().hex().upper(), WORDS[best])

    def shares(self, box: Crop) -> Shares:
        """Only the shares of `of`."""
        return self._thing(box)[0]

    def cells(self, rows: int, columns: int) -> NDArray[np.float32]:
        """Mean shares (rows, columns, len(SHADES)) of the picture cut into cells."""
        height, width = self._shares.shape[:2]
        tops, lefts = np.arange(rows) * height // rows, np.arange(columns) * width // columns
        sums = np.add.reduceat(np.add.reduceat(self._shares, tops, axis=0), lefts, axis=1)
        sizes = np.outer(np.diff([*tops, height]), np.diff([*lefts, width]))
        return np.asarray(sums / np.maximum(sizes, 1)[..., None], dtype=np.float32)

    def _thing(self, box: Crop) -> tuple[Shares, Shares, tuple[slice, slice]]:
        """Shares of the thing, how distinctive each shade is (0 to 1), and the box in pixels (rows, columns)."""
        height, width = self._rgb.shape[:2]
        rows, around_rows = _span(box.top, box.bottom, height)
        columns, around_columns = _span(box.left, box.right, width)
        inner = self._shares[rows, columns].sum((0, 1))
        rim = self._shares[around_rows, around_columns].sum((0, 1)) - inner
        own = inner / inner.sum()
        thing = _distinct(own, rim)
        return thing / thing.sum(), thing / (own + 1e-6), (rows, columns)


def thing_shares(cells: NDArray[np.float32], weights: NDArray[np.float32]) -> Shares:
    """As Palette.shares, from cells (h, w, len(SHADES)) of which so much lies in the thing's box (h, w)."""
    inner = np.einsum("ij,ijd->d", weights, cells)
    around = np.minimum(_spread(_spread(weights, 0), 1), 1) - weights
    rim = np.einsum("ij,ijd->d", around, cells) / RIM
    own = inner / max(float(inner.sum()), 1e-6)
    thing = _distinct(own, rim)
    return np.asarray(thing / max(float(thing.sum()), 1e-6), dtype=np.float32)


def _spread(weights: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Each cell with its neighbours of one axis."""
    padded = np.pad(weights, [(1, 1) if one == axis else (0, 0) for one in (0, 1)])
    before, after = (padded[:-2], padded[2:]) if axis == 0 else (padded[:, :-2], padded[:, 2:])
    return np.asarray(np.maximum(weights, np.maximum(before, after)), dtype=np.float32)


def _distinct(own: Shares, rim: Shares) -> Shares:
    """What a thing has and its surroundings lack, and a little of all it has."""
    other = rim / max(float(rim.sum()), 1.0)  # without surroundings nothing is taken away
    return np.asarray(np.maximum(own - other, 0) + BACKGROUND * own, dtype=np.float32)


def _span(low: float, high: float, size: int) -> tuple[slice, slice]:
    """Pixels of a side from low to high (fractions), and the same with the rim."""
    start = min(int(low * size), size - 1)
    end = max(start + 1, round(high * size))
    rim = max(2, (end - start) // RIM)
    return slice(start, end), slice(max(0, start - rim), end + rim)


def _memberships(rgb: NDArray[np.uint8]) -> Shares:
    """How much each pixel of (h, w, 3) is of each shade: (h, w, len(SHADES)); a pixel's shares add up to 1."""
    pixels, shades = _lab(rgb), _shades()
    squares = 2 * pixels @ shades.T - (shades**2).sum(-1)  # negative square distance, but for what all shades share
    squares -= squares.max(-1, keepdims=True)
    shares = np.exp(squares / np.float32(2 * SOFTNESS**2))
    return np.asarray(shares / shares.sum(-1, keepdims=True), dtype=np.float32)


@lru_cache(maxsize=1)
def _shades() -> NDArray[np.float32]:
    return _lab(np.array([[code >> 16, code >> 8 & 255, code & 255] for _, code in SHADES], dtype=np.uint8))


@lru_cache(maxsize=1)
def _words() -> NDArray[np.float32]:
    """Which shades a word has: (len(WORDS), len(SHADES)) of 0 and 1."""
    return np.array([[word == name for name, _ in SHADES] for word in WORDS], dtype=np.float32)


@lru_cache(maxsize=1)
def _linear() -> NDArray[np.float32]:
    """Light of the 256 values of an sRGB channel (IEC 61966-2-1)."""
    value = np.arange(256) / 255
    return np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92).astype(np.float32)  # noqa: PLR2004 (standard)


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIE Lab (D65) of sRGB pixels (..., 3)."""
    to_xyz = np.array([[0.4339, 0.2126, 0.0178], [0.3762, 0.7152, 0.1095], [0.1899, 0.0722, 0.8730]], dtype=np.float32)
    xyz = _linear()[rgb] @ to_xyz  # relative to the white point
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)  # noqa: PLR2004 (standard)
    to_lab = np.array([[0, 500, 0], [116, -500, 200], [0, 0, -200]], dtype=np.float32)
    return np.asarray(root @ to_lab - np.array([16, 0, 0], dtype=np.float32), dtype=np.float32)
