"""From a look to the catalogue: what matches, in which order, and the floor under which nothing is shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bot.insights.encoder import Look, Region
from bot.insights.index import Index
from bot.insights.model import WHOLE, Crop

CANDIDATES = 20  # neighbours of each region
DEEP = 300  # where somebody turns pages

# The floor, see Matcher.calibrate.
USUAL_FLOOR = 0.68
STRANGERS = 0.973  # quantile of the scores of pictures of different products
SETTLED = 20  # products after which the catalogue's own value counts half
MARGIN = 0.04
SAMPLE = 1000  # pictures at most, evenly spread: a million pairs

SAME_THING = 0.5  # regions that share more of the smaller one are views of one thing

# A copy: few of the 64 bits differ, the whole pictures score so much, and no other picture scores clearly more.
COPY_BITS = 4
COPY_SCORE = 0.75
COPY_TIE = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """One picture of the catalogue: its ids, vector of Encoder.reference and perceptual_hash.

    product_id is empty when the picture shows no product.
    """

    picture_id: str
    product_id: str
    vector: NDArray[np.float32] = field(repr=False)
    hash: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture of the catalogue that matches. box: the part of the query picture in which it was seen.

    partial: a copy of which one shows only a part of the other.
    """

    picture_id: str
    product_id: str
    score: float
    box: Crop = WHOLE
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Matches:
    """What the catalogue has for a look; every list is cut by the floor.

    products: the best picture of each product, best product of each thing first, then the second best of each …
    things: so many of the first products are each the best of a thing of its own.
    pictures: in the same order, products or not. copies: near duplicates of the whole picture, best first.
    """

    products: tuple[Hit, ...] = ()
    pictures: tuple[Hit, ...] = ()
    copies: tuple[Hit, ...] = ()
    things: int = 0


class Matcher:
    """The references of one catalogue, all made by one encoder. Thread-safe: nothing changes after it is built."""

    def __init__(self, encoder: str, references: Sequence[Reference], *, dim: int) -> None:
        self.encoder = encoder
        self._references = {reference.picture_id: reference for reference in references}
        self._rows = tuple(self._references.values())
        self._index = Index(dim)
        self._index.rebuild((key, reference.vector) for key, reference in self._references.items())
        self._hashes = np.array([int(reference.hash, 16) for reference in self._rows], dtype=np.uint64)
        self.floor = self.calibrate()

    @property
    def count(self) -> int:
        return self._index.count

    def calibrate(self) -> float:
        """The least score that is shown, from the catalogue itself.

        Pictures of different products are strangers by construction, so the score that only 2.7 % of such pairs reach
        (STRANGERS) tells how alike strangers are here. A few products tell little: with n products the measured value
        counts n / (n + SETTLED), the usual floor the rest. A catalogue of one kind of goods is all alike, which says
        nothing about photos of other things: the floor stays within MARGIN of the usual one.
        """
        shown = [reference for reference in self._rows if reference.product_id]
        sample = shown[:: -(-len(shown) // SAMPLE) or 1]
        if not sample:
            return USUAL_FLOOR
        vectors = np.stack([reference.vector for reference in sample]).astype(np.float32)
        ids = np.array([reference.product_id for reference in sample])
        strangers = (vectors @ vectors.T)[ids[:, None] < ids[None]]
        if not len(strangers):
            return USUAL_FLOOR
        measured = float(np.quantile(strangers, STRANGERS))
        products = len({reference.product_id for reference in shown})
        trust = products / (products + SETTLED)
        floor = trust * measured + (1 - trust) * USUAL_FLOOR
        return min(max(floor, USUAL_FLOOR - MARGIN), USUAL_FLOOR + MARGIN)

    def match(self, look: Look, *, neighbours: int = CANDIDATES) -> Matches:
        """Everything above the floor, of so many neighbours of each region; empty lists when nothing is."""
        things = [self._thing(regions) for regions in self._things(look, neighbours)]
        pictures = _interleaved(things)
        products: dict[str, Hit] = {}
        for hit in pictures:
            if hit.product_id:
                products.setdefault(hit.product_id, hit)
        apart = len({hits[0].product_id for hits in things} - {""})
        return Matches(tuple(products.values()), tuple(pictures), self._copies(look), things=apart)

    def _things(self, look: Look, neighbours: int) -> list[list[list[Hit]]]:
        """The hits of each region that has any, put together with those of regions that show the same thing."""
        found = self._index.query_many([region.vector for region in look.regions], neighbours)
        lists = [self._hits(region, near) for region, near in zip(look.regions, found, strict=True)]
        things: list[list[list[Hit]]] = []
        for hits in sorted(filter(None, lists), key=lambda hits: -hits[0].score):
            same = next((thing for thing in things if shared(thing[0][0].box, hits[0].box) > SAME_THING), None)
            if same is None:
                things.append([hits])
            else:
                same.append(hits)
        return things

    def _hits(self, region: Region, near: Sequence[tuple[str, float]]) -> list[Hit]:
        return [Hit(key, self._references[key].product_id, score, region.box) for key, score in near if score >= self.floor]

    @staticmethod
    def _thing(regions: Sequence[Sequence[Hit]]) -> list[Hit]:
        """One list of a thing's pictures, each with its best score."""
        best: dict[str, Hit] = {}
        for hit in sorted((hit for hits in regions for hit in hits), key=lambda hit: (-hit.score, hit.picture_id)):
            best.setdefault(hit.picture_id, hit)
        return list(best.values())

    def _copies(self, look: Look) -> tuple[Hit, ...]:
        """Pictures whose hash is near, plain or mirrored, and that no other beats: a bottle in another colour is no copy."""
        distances = np.minimum(
            *(np.bitwise_count(self._hashes ^ np.uint64(int(bits, 16))) for bits in (look.hash, look.mirrored))
        )
        near = (self._rows[row] for row in np.flatnonzero(distances <= COPY_BITS).tolist())
        hits = (Hit(one.picture_id, one.product_id, float(one.vector @ look.whole.vector)) for one in near)
        best = max((score for _, score in self._index.query(look.whole.vector, 1)), default=0.0)
        found = (hit for hit in hits if hit.score >= max(COPY_SCORE, best - COPY_TIE))
        return tuple(sorted(found, key=lambda hit: (-hit.score, hit.picture_id)))


def _interleaved(things: Sequence[Sequence[Hit]]) -> list[Hit]:
    """The best picture of each thing, then the second best of each …; scores of different things say little about each other."""
    order: dict[str, Hit] = {}
    for rank in range(max(map(len, things), default=0)):
        for hit in sorted((hits[rank] for hits in things if rank < len(hits)), key=lambda hit: (-hit.score, hit.picture_id)):
            order.setdefault(hit.picture_id, hit)
    return list(order.values())


def shared(one: Crop, other: Crop) -> float:
    """How much of the smaller box lies in the other, 0 to 1."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    smaller = min((box.right - box.left) * (box.bottom - box.top) for box in (one, other))
    return max(0.0, width) * max(0.0, height) / smaller if smaller else 0.0
