"""Numbered boxes on a photo (cards.md §4.5). Pure: pixels in, a JPEG out."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bot.insights.model import Crop

COLOURS = ("#1264a3", "#d9480f", "#2b8a3e", "#862e9c", "#0b7285")
LINE, RIM, RADIUS, DISC = 3, 6, 8, 14
MOST = len(COLOURS)
SAME = 0.85
"""Boxes that share more of both are one."""


def apart(boxes: Sequence[Crop]) -> list[int]:
    """Which boxes to draw, in their order: the first MOST that do not lie on one another."""
    kept: list[int] = []
    for at, box in enumerate(boxes):
        if all(_union(box, boxes[other]) <= SAME for other in kept):
            kept.append(at)
    return kept[:MOST]


def numbered(rgb: NDArray[np.uint8], boxes: Sequence[Crop]) -> bytes:
    """Each box in its colour inside a white rim, its number on a disc in a corner that no other number covers."""
    picture = Image.fromarray(rgb)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(15)
    taken: list[tuple[float, float]] = []
    for box, colour in zip(boxes, COLOURS, strict=False):
        edges = _pixels(box, picture.size)
        pen.rounded_rectangle(edges, RADIUS, outline="white", width=RIM)
        inner = (edges[0] + 1, edges[1] + 1, edges[2] - 1, edges[3] - 1)
        pen.rounded_rectangle(inner, RADIUS, outline=colour, width=LINE)
    for number, (box, colour) in enumerate(zip(boxes, COLOURS, strict=False), 1):
        x, y = _corner(_pixels(box, picture.size), picture.size, taken)
        taken.append((x, y))
        pen.ellipse((x - DISC, y - DISC, x + DISC, y + DISC), fill="white")
        pen.ellipse((x - DISC + 2, y - DISC + 2, x + DISC - 2, y + DISC - 2), fill=colour)
        pen.text((x, y), str(number), fill="white", font=font, anchor="mm", stroke_width=0.5)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88)
    return out.getvalue()


def _pixels(box: Crop, size: tuple[int, int]) -> tuple[float, float, float, float]:
    width, height = size[0] - 1, size[1] - 1
    left, top = min(box.left * width, width - 2 * RIM), min(box.top * height, height - 2 * RIM)
    return left, top, max(box.right * width, left + 2 * RIM), max(box.bottom * height, top + 2 * RIM)


def _corner(
    edges: tuple[float, float, float, float], size: tuple[int, int], taken: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """The first corner whose disc touches no other, kept inside the picture."""
    left, top, right, bottom = edges
    places = [(left, top), (right, top), (left, bottom), (right, bottom)]
    inside = [(min(max(x, DISC), size[0] - DISC), min(max(y, DISC), size[1] - DISC)) for x, y in places]
    free = (one for one in inside if all(abs(one[0] - x) > 2 * DISC or abs(one[1] - y) > 2 * DISC for x, y in taken))
    return next(free, inside[0])


def _union(one: Crop, other: Crop) -> float:
    """How much two boxes share of what they cover together."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    both = max(0.0, width) * max(0.0, height)
    area = sum((box.right - box.left) * (box.bottom - box.top) for box in (one, other)) - both
    return both / area if area > 0 else 0.0
