"""Whether two pictures show the same pixels, whole or in part: aligned by features, then compared block by block.

OpenCV is handed decoded arrays only, never the bytes of a file (design.md §6).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.insights.encoder import hashes, perceptual_hash
from bot.insights.model import Crop

SIDE = 384
"""Pixels of the longer side at which both are compared."""
FEATURES = 500
QUERY_FEATURES = 1000
"""More, since what is written over a copy or stands around it has features of its own."""
RATIO = 0.8
"""A feature counts when its best match is so much nearer than the second (Lowe's test)."""
LEAST_INLIERS = 10
LEAST_SIDE = 40
"""Pixels: a feature is looked at in a patch of 31."""
BLOCK = 16
LEAST_BLOCKS = 20
LEAST_CONTRAST = 4.0
"""Standard deviation of a block's grey values; flat ones agree with everything."""
BLUR = 1.5
"""Pixels (sigma) by which both are blurred before they are compared: what is off by less than a pixel stays the same."""
LEAST_CORRELATION = 0.95
MOST_COLOUR = 28.0
"""Median distance of the blocks' mean colours (RGB) in the same light: the same cup in another glaze has the same edges."""
OTHER_COLOUR, MOST_OTHER = 40.0, 0.04
"""Of the blocks that agree in their edges, so many may be of a colour so far away: a bottle of another juice has some."""
LIGHT = 0.7, 1.4
"""How much darker or brighter each channel may be as a whole."""
NEAR = 12
"""Bits of the hashes that may differ for the one way round, and must for the other, for the first to be the only one tried."""
LEAST_SCALE = 0.05
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
        self._hashes = hashes(rgb)
        self._known: dict[bool, Features] = {}

    @property
    def plain(self) -> bool:
        """Whether it has too few features to be compared: a flat drawing, a blank sheet."""
        return not self._features(mirrored=False).enough

    def compare(self, reference: Pixels) -> Copy | None:
        """None when the reference (h, w, 3) is no copy. Takes some ten milliseconds of CPU."""
        theirs = _features(reference)
        for mirrored in self._ways(reference):
            if found := self._compare(reference, theirs, mirrored=mirrored):
                box = found.box
                return replace(found, box=Crop(1 - box.right, box.top, 1 - box.left, box.bottom)) if mirrored else found
            if self.plain:
                break
        return None

    def _ways(self, reference: Pixels) -> tuple[bool, ...]:
        """Whether to compare as it is or mirrored: the one way in which the hashes are near, else both."""
        theirs = int(perceptual_hash(reference), 16)
        plain, mirrored = ((int(ours, 16) ^ theirs).bit_count() for ours in self._hashes)
        if min(plain, mirrored) <= NEAR and abs(plain - mirrored) > NEAR:
            return (mirrored < plain,)
        return (False, True)

    def _features(self, *, mirrored: bool) -> "Features":
        if mirrored not in self._known:
            self._known[mirrored] = _features(self._sides[mirrored], QUERY_FEATURES)
        return self._known[mirrored]

    def _compare(self, reference: Pixels, theirs: "Features", *, mirrored: bool) -> Copy | None:
        import cv2  # noqa: PLC0415 (40 MB, for those who ask)

        query = self._sides[mirrored]
        aligned = _alignment(self._features(mirrored=mirrored), theirs)
        if aligned is None:
            return None
        height, width = query.shape[:2]
        scale = float(np.hypot(aligned[0, 0], aligned[1, 0]))
        if scale < LEAST_SCALE:
            return None
        soft = cv2.GaussianBlur(reference, (0, 0), max(BLUR, BLUR / scale))
        warped = cv2.warpAffine(soft, aligned, (width, height), flags=cv2.INTER_AREA)
        white = np.full(reference.shape[:2], 255, np.uint8)
        mask = np.asarray(cv2.warpAffine(white, aligned, (width, height), flags=cv2.INTER_NEAREST)) > 0
        of_query = float(mask.mean())
        of_reference = min(1.0, float(mask.sum()) / (reference.shape[0] * reference.shape[1] * scale**2 + 1e-9))
        if max(of_query, of_reference) < WHOLE_SHARE or min(of_query, of_reference) < LEAST_SHARE:
            return None
        correlation = _agreement(np.asarray(cv2.GaussianBlur(query, (0, 0), BLUR)), np.asarray(warped), mask)
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


def _features(rgb: Pixels, most: int = FEATURES) -> Features:
    import cv2  # noqa: PLC0415

    if min(rgb.shape[:2]) < LEAST_SIDE:
        return NOTHING
    finder = cv2.ORB_create(most, fastThreshold=7)  # type: ignore[attr-defined]  # missing in its stubs
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
    one, other = ours.mean(2), theirs.mean(2)
    one, other = one - one.mean(1, keepdims=True), other - other.mean(1, keepdims=True)
    told = (one.std(1) > LEAST_CONTRAST) & (other.std(1) > LEAST_CONTRAST)
    if told.sum() < LEAST_INLIERS // 2:
        return 0.0
    product = (one * other).sum(1) / (np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1) + 1e-6)
    apart = _colours_apart(ours.mean(1), theirs.mean(1))
    agreeing = apart[told & (product > LEAST_CORRELATION)]
    if not len(agreeing) or np.median(apart[told]) > MOST_COLOUR or (agreeing > OTHER_COLOUR).mean() > MOST_OTHER:
        return 0.0
    return float(np.median(product[told]))


def _colours_apart(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distances of colours (n, 3) in the same light: white balance and brightness are taken out."""
    lit = theirs.min(1) > 20  # noqa: PLR2004 (a ratio of dark values says nothing)
    light = np.clip(np.median(ours[lit] / theirs[lit], axis=0), *LIGHT) if lit.any() else np.ones(3)
    return np.asarray(np.linalg.norm(ours - np.minimum(255, light * theirs), axis=1), dtype=np.float32)


def _blocks(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, BLOCK², channels)."""
    height, width, channels = picture.shape
    rows, columns = height // BLOCK, width // BLOCK
    cut = picture[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, channels)
    return cut.transpose(0, 2, 1, 3, 4).reshape(rows * columns, BLOCK * BLOCK, channels)
