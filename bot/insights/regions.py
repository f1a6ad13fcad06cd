"""Where things are in a photo: windows of the encoder's feature map that differ from what surrounds them."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bot.insights.model import Crop

SIDES = range(2, 10)  # of windows, in cells of the feature map
NARROWEST, WIDEST = 1 / 3, 5 / 2  # width / height
OVERLAP = 0.5  # windows that share more (intersection over union) show the same thing
AREA_POWER = 0.25  # how much a large window is preferred: contrast alone likes the smallest


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A part of the picture, the average of the features inside (c,), and how much it stands out (0 to about 1)."""

    box: Crop
    features: NDArray[np.float32] = field(repr=False)
    contrast: float


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """All windows of a feature map's shape: edges in cells (n, 4), masks over its cells (n, h * w) without and with a rim."""

    edges: NDArray[np.float32]
    inside: NDArray[np.float32]
    rimmed: NDArray[np.float32]


def windows(fmap: NDArray[np.float32], most: int) -> list[Window]:
    """The windows of fmap (c, h, w) that stand out most, best first.

    Contrast is 1 - cosine between the features of a window and of its rim, one cell wide. Both are sums of cells, so all
    their products come from the products of cells with each other: thousands of windows cost a millisecond.
    """
    height, width = fmap.shape[1:]
    grid = _grid(height, width)
    cells = fmap.reshape(len(fmap), -1).T
    products = cells @ cells.T
    inside = grid.inside @ products
    inner = _row_by_row(inside, grid.inside)
    across = _row_by_row(inside, grid.rimmed) - inner
    rim = _row_by_row(grid.rimmed @ products, grid.rimmed) - inner - 2 * across
    area = grid.inside.sum(1)
    cosine = across / np.sqrt(np.maximum(inner * rim, 1e-9))
    contrast = (1 - cosine) * np.power(area / area.max(initial=1), AREA_POWER)
    boxes = np.asarray(grid.edges / (width, height, width, height), dtype=np.float32)
    return [
        Window(Crop(*boxes[row].tolist()), grid.inside[row] @ cells / area[row], float(contrast[row]))
        for row in _apart(boxes, contrast, most)
    ]


def _row_by_row(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """The dot product of each row with the same row of the other."""
    return np.asarray(np.einsum("ij,ij->i", one, other), dtype=np.float32)


@lru_cache(maxsize=32)
def _grid(height: int, width: int) -> _Grid:
    found = [
        (x, y, x + w, y + h)
        for w in SIDES
        for h in SIDES
        if NARROWEST <= w / h <= WIDEST and (w < width or h < height)
        for x in range(width - w + 1)
        for y in range(height - h + 1)
    ]
    edges = np.array(found, dtype=np.float32).reshape(-1, 4)
    return _Grid(edges, _masks(edges, height, width), _masks(edges + np.array([-1, -1, 1, 1], dtype=np.float32), height, width))


def _masks(edges: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    columns, rows = np.arange(width), np.arange(height)
    x = (columns >= edges[:, :1]) & (columns < edges[:, 2:3])
    y = (rows >= edges[:, 1:2]) & (rows < edges[:, 3:])
    return (y[:, :, None] & x[:, None, :]).reshape(len(edges), -1).astype(np.float32)


def _apart(boxes: NDArray[np.float32], scores: NDArray[np.float32], most: int) -> list[int]:
    """Rows of the best boxes that do not overlap much, best first."""
    kept: list[int] = []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    free = np.ones(len(boxes), dtype=bool)
    for row in np.argsort(-scores, kind="stable").tolist():
        if len(kept) == most:
            break
        if not free[row]:
            continue
        kept.append(row)
        width = np.minimum(boxes[:, 2], boxes[row, 2]) - np.maximum(boxes[:, 0], boxes[row, 0])
        height = np.minimum(boxes[:, 3], boxes[row, 3]) - np.maximum(boxes[:, 1], boxes[row, 1])
        shared = width.clip(0) * height.clip(0)
        free &= shared / (areas + areas[row] - shared) < OVERLAP
    return kept
