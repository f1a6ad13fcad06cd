"""Where things are: boxes of a small detector, whatever it takes the things for.

Its 23 words are of little use for goods, but what it would call a table or a box is where a thing stands (docs/quality.md).
"""

from functools import lru_cache
from importlib.resources import as_file, files
from typing import Self

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray
from PIL import Image

from bot.insights.model import Crop

PACKAGED = "ssd-mobilenetv2-objects23-int8.onnx"
SIDE = 300
CELLS = (19, 10, 5, 3, 2, 1)
"""Cells a side of the detector's six layers: strides of 16 to 512 pixels."""
SMALLEST, LARGEST = 0.2, 0.95
RATIOS = (1.0, 2.0, 0.5, 3.0, 1 / 3)
CENTRE_SCALE, SIZE_SCALE = 10.0, 5.0

LEAST_SCORE = 0.15
MOST = 6
OVERLAP = 0.5  # boxes that share more (intersection over union) show the same thing
LEAST_AREA, MOST_AREA = 0.004, 0.9  # of the picture: a speck, or all of it

Boxes = NDArray[np.float32]


class ObjectDetector:
    """A loaded detector. Deterministic and thread-safe; blocks for about 8 ms of processor time a picture."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    @classmethod
    def load(cls) -> Self:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        with as_file(files("bot.insights") / "models" / PACKAGED) as path:
            return cls(ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))

    def boxes(self, rgb: NDArray[np.uint8]) -> list[tuple[Crop, float]]:
        """Where things are in an upright picture (h, w, 3) and how sure that is (0 to 1), the surest first, at most MOST."""
        small = Image.fromarray(rgb).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        planes = np.ascontiguousarray(np.asarray(small, dtype=np.float32).transpose(2, 0, 1)[None]) / np.float32(127.5) - 1
        encoded, logits = self._session.run(None, {self._session.get_inputs()[0].name: planes})
        scores = 1 / (1 + np.exp(-logits[0, :, 1:].max(1)))  # the first class is none
        boxes = decoded(encoded[0])
        return [(Crop(*boxes[row].tolist()), float(scores[row])) for row in best_boxes(boxes, scores)]


@lru_cache(maxsize=1)
def anchors() -> Boxes:
    """(1917, 4): y, x, height and width of the boxes that the detector starts from, as fractions of the picture."""
    step = (LARGEST - SMALLEST) / (len(CELLS) - 1)
    scales = [SMALLEST + step * layer for layer in range(len(CELLS))] + [1.0]
    rows = []
    for layer, cells in enumerate(CELLS):
        shapes = [(scales[layer], ratio) for ratio in RATIOS] + [((scales[layer] * scales[layer + 1]) ** 0.5, 1.0)]
        if layer == 0:  # the finest has three
            shapes = [(SMALLEST / 2, 1.0), (SMALLEST, 2.0), (SMALLEST, 0.5)]
        centres = (np.arange(cells) + 0.5) / cells
        rows += [(y, x, scale / ratio**0.5, scale * ratio**0.5) for y in centres for x in centres for scale, ratio in shapes]
    return np.array(rows, dtype=np.float32)


def decoded(encoded: Boxes) -> Boxes:
    """Boxes (n, 4) as left, top, right, bottom, 0 to 1, from the detector's offsets to its anchors."""
    starts = anchors()
    centres = encoded[:, :2] / CENTRE_SCALE * starts[:, 2:] + starts[:, :2]
    halves = np.exp(encoded[:, 2:] / SIZE_SCALE) * starts[:, 2:] / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)[:, [1, 0, 3, 2]].clip(0, 1)


def best_boxes(boxes: Boxes, scores: NDArray[np.float32]) -> list[int]:
    """Rows of those that are sure enough and neither a speck nor everything; of boxes that overlap much the surest."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    free = (scores >= LEAST_SCORE) & (areas >= LEAST_AREA) & (areas <= MOST_AREA)
    kept: list[int] = []
    while len(kept) < MOST and free.any():
        row = int(np.argmax(np.where(free, scores, -1)))
        kept.append(row)
        width = np.minimum(boxes[:, 2], boxes[row, 2]) - np.maximum(boxes[:, 0], boxes[row, 0])
        height = np.minimum(boxes[:, 3], boxes[row, 3]) - np.maximum(boxes[:, 1], boxes[row, 1])
        shared = width.clip(0) * height.clip(0)
        free &= shared / (areas + areas[row] - shared).clip(1e-9) < OVERLAP
        free[row] = False
    return kept
