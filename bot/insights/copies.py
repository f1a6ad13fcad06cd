"""Whether two pictures show the same pixels, whole or in part: aligned by features, then compared block by block.

OpenCV is handed decoded arrays only, never the bytes of a file (design.md §6).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.insights.model import Crop

SIDE = 384
"""Pixels of the longer side at which both are compared."""
FEATURES = 500
RATIO = 0.8
"""A feature counts when its best match is so much nearer than the second (Lowe's test)."""
LEAST_INLIERS = 10
LEAST_SIDE = 40
"""Pixels: a feature is looked at in a patch of 31."""
BLOCK = 16
LEAST_BLOCKS = 20
LEAST_CONTRAST = 4.0
"""Standard deviation of a block's grey values; flat ones agree with everything."""
LEAST_CORRELATION = 0.9
MOST_COLOUR = 28.0
"""Median distance of the blocks' mean colours (RGB): the same cup in another glaze has the same edges."""
LEAST_SHARE = 0.08
WHOLE_SHARE = 0.85
"""Of both areas, in a copy of the whole."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Copy:
    """How much of each picture is in the other, 0 to 1, where in the query, and how well the blocks correlate."""

    of_query: float
    of_reference: float
    box: Crop
    correlation: float

    @property
    def partial(self) -> bool:
        return min(self.of_query, self.of_reference) < WHOLE_SHARE


class Query:
    """A picture (h, w, 3) that is held against several others; its features are found once."""

    def __init__(self, rgb: Pixels) -> None:
        self._sides = (rgb, np.ascontiguousarray(rgb[:, ::-1]))
        self._known: dict[bool, Features] = {}

    def compare(self, reference: Pixels) -> Copy | None:
        """None when the reference (h, w, 3) is no copy. Takes some ten milliseconds of CPU."""
        theirs = _features(reference)
        plain = self._compare(reference, theirs, mirrored=False)
        if plain or not self._known[False].enough:
            return plain
        found = self._compare(reference, theirs, mirrored=True)
        return found and replace(found, box=Crop(1 - found.box.right, found.box.top, 1 - found.box.left, found.box.bottom))

    def _compare(self, reference: Pixels, theirs: "Features", *, mirrored: bool) -> Copy | None:
        import cv2  # noqa: PLC0415 (40 MB, for those who ask)

        query = self._sides[mirrored]
        if mirrored not in self._known:
            self._known[mirrored] = _features(query)
        aligned = _alignment(self._known[mirrored], theirs)
        if aligned is None:
            return None
        height, width = query.shape[:2]
        warped = cv2.warpAffine(reference, aligned, (width, height), flags=cv2.INTER_AREA)
        white = np.full(reference.shape[:2], 255, np.uint8)
        mask = np.asarray(cv2.warpAffine(white, aligned, (width, height), flags=cv2.INTER_NEAREST)) > 0
        scale = float(np.hypot(aligned[0, 0], aligned[1, 0]))
        of_query = float(mask.mean())
        of_reference = min(1.0, float(mask.sum()) / (reference.shape[0] * reference.shape[1] * scale**2 + 1e-9))
        if max(of_query, of_reference) < WHOLE_SHARE or min(of_query, of_reference) < LEAST_SHARE:
            return None
        correlation = _agreement(query, np.asarray(warped), mask)
        return Copy(of_query, of_reference, _bounds(mask), correlation) if correlation >= LEAST_CORRELATION else None


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Points (n, 2) and what they look like (n, 32)."""

    points: NDArray[np.float32]
    described: NDArray[np.uint8]

    @property
    def enough(self) -> bool:
        return len(self.points) >= LEAST_INLIERS


NOTHING = Features(np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8))


def _features(rgb: Pixels) -> Features:
    import cv2  # noqa: PLC0415

    if min(rgb.shape[:2]) < LEAST_SIDE:
        return NOTHING
    finder = cv2.ORB_create(FEATURES, fastThreshold=7)  # type: ignore[attr-defined]  # missing in its stubs
    points, described = finder.detectAndCompute(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), None)
    if described is None:
        return NOTHING
    return Features(np.array([point.pt for point in points], np.float32).reshape(-1, 2), described)


def _alignment(ours: Features, theirs: Features) -> NDArray[np.float64] | None:
    """The similarity (2, 3) that lays their picture over ours."""
    import cv2  # noqa: PLC0415

    if not (ours.enough and theirs.enough):
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(theirs.described, ours.described, k=2)
    good = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < RATIO * pair[1].distance]  # noqa: PLR2004
    if len(good) < LEAST_INLIERS:
        return None
    here = ours.points[[match.trainIdx for match in good]]
    there = theirs.points[[match.queryIdx for match in good]]
    matrix, inliers = cv2.estimateAffinePartial2D(there, here, method=cv2.RANSAC, ransacReprojThreshold=3.0)
    if matrix is None or int(inliers.sum()) < LEAST_INLIERS:
        return None
    return np.asarray(matrix, dtype=np.float64)


def _bounds(mask: NDArray[np.bool_]) -> Crop:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    height, width = mask.shape
    return Crop(float(columns[0]) / width, float(rows[0]) / height, float(columns[-1] + 1) / width, float(rows[-1] + 1) / height)


def _agreement(query: Pixels, warped: Pixels, mask: NDArray[np.bool_]) -> float:
    """Median correlation of the blocks that both pictures have; 0 where their colours differ."""
    inside = _blocks(mask[..., None].astype(np.float32)).min(1)[:, 0] > 0
    ours, theirs = _blocks(query.astype(np.float32))[inside], _blocks(warped.astype(np.float32))[inside]
    if len(ours) < LEAST_BLOCKS:
        return 0.0
    colour = float(np.median(np.linalg.norm(ours.mean(1) - theirs.mean(1), axis=1)))
    one, other = ours.mean(2), theirs.mean(2)
    one, other = one - one.mean(1, keepdims=True), other - other.mean(1, keepdims=True)
    told = (one.std(1) > LEAST_CONTRAST) & (other.std(1) > LEAST_CONTRAST)
    if told.sum() < LEAST_INLIERS // 2 or colour > MOST_COLOUR:
        return 0.0
    product = (one * other).sum(1) / (np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1) + 1e-6)
    return float(np.median(product[told]))


def _blocks(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, BLOCK², channels)."""
    height, width, channels = picture.shape
    rows, columns = height // BLOCK, width // BLOCK
    cut = picture[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, channels)
    return cut.transpose(0, 2, 1, 3, 4).reshape(rows * columns, BLOCK * BLOCK, channels)
