"""From a look to the catalogue: what matches, in which order, and the floor under which nothing is shown."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.insights.encoder import COLOUR_WEIGHT, Look, Region, without_colour
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
WORTH = 0.01  # of the pictures: fewer that changed tell nothing new

# The same item, see Matcher.calibrate: its score is so far above the floor, and so far above every other product's.
ABOVE_FLOOR = 0.05
USUAL_LEAD = 0.07
LUCKY = 0.9  # quantile of the leads that a product has over the others before a picture of a third one
LEAD_MARGIN = 0.015
UNSEEN = 0.05  # so far under the floor lies at best what is not shown

DOUBTFUL = 0.04  # a best score that is no more above the floor deserves a closer look

SAME_THING = 0.5  # regions that share more of the smaller one are views of one thing

# A copy: few of the 64 bits differ, the whole pictures score so much, and no other picture scores clearly more.
COPY_BITS = 4
COPY_SCORE = 0.75
COPY_TIE = 0.02
ALIKE = 0.97  # pictures of the catalogue are clean: what is only like another scores less


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

    partial: a copy of which one shows only a part of the other. sure: the best product of its thing, and clearly so.
    """

    picture_id: str
    product_id: str
    score: float
    box: Crop = WHOLE
    partial: bool = False
    sure: bool = False


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


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the scores of one catalogue mean. floor: the least that is shown; lead: what the same item is ahead of all others."""

    floor: float
    lead: float


class Matcher:
    """The references of one catalogue, all made by one encoder. Thread-safe; a change is seen by the next match.

    folder: where the index keeps its file.
    """

    def __init__(self, encoder: str, references: Iterable[Reference], *, dim: int, folder: Path | None = None) -> None:
        self.encoder = encoder
        self._lock = threading.Lock()
        self._products: dict[str, str] = {}
        self._hashes = _Hashes()
        self._index = Index(dim, folder=folder)
        self._index.rebuild(self._noted(references))
        self._changed = 0
        self.calibrate()

    @property
    def count(self) -> int:
        return self._index.count

    @property
    def stale(self) -> bool:
        """Whether so many pictures came or went since that `calibrate` may tell something new."""
        return self._changed > 0 and self._changed >= WORTH * self.count

    @property
    def floor(self) -> float:
        return self.calibration.floor

    def add(self, references: Iterable[Reference]) -> None:
        """Add or replace pictures. The calibration stays until `calibrate` is called."""
        for key, vector in self._noted(references):
            self._index.upsert(key, vector)
            self._changed += 1

    def delete(self, picture_id: str) -> None:
        with self._lock:
            self._products.pop(picture_id, None)
            self._hashes.delete(picture_id)
        self._index.delete(picture_id)
        self._changed += 1

    def _noted(self, references: Iterable[Reference]) -> Iterable[tuple[str, NDArray[np.float32]]]:
        for one in references:
            with self._lock:
                self._products[one.picture_id] = one.product_id
                self._hashes.upsert(one.picture_id, int(one.hash, 16))
            yield one.picture_id, one.vector

    def calibrate(self) -> None:
        """Learn from the catalogue itself what scores mean; no labels are needed.

        Pictures of different products are strangers by construction, so the score that only 2.7 % of such pairs reach
        (STRANGERS) tells how alike strangers are here: that is the floor. And with a product taken away, the lead that the best
        of the others has over the second tells how far ahead a wrong product may be: nine of ten are not as far as `lead`
        (LUCKY), and the same item has to be.

        A few products tell little: with n products the measured value counts n / (n + SETTLED), the usual one the rest. A
        catalogue of one kind of goods is all alike, which says nothing about photos of other things: floor and lead stay
        within a margin of the usual ones.
        """
        self._index.settle()
        self._changed = 0
        with self._lock:
            shown = [(key, product) for key, product in self._products.items() if product]
        shown.sort()
        sample = dict(shown[:: -(-len(shown) // SAMPLE) or 1])
        vectors = self._index.vectors(sample)
        products = len({product for _, product in shown})
        trust = products / (products + SETTLED)
        floor, lead = USUAL_FLOOR, USUAL_LEAD
        if len(vectors) > 1:
            matrix = np.stack([*vectors.values()])
            scores = matrix @ matrix.T
            ids = np.array([sample[key] for key in vectors])
            strangers = scores[ids[:, None] < ids[None]]
            if len(strangers):
                floor = _between(USUAL_FLOOR, float(np.quantile(strangers, STRANGERS)), trust, MARGIN)
                leads = _leads(scores, ids, least=floor - UNSEEN)
                lead = _between(USUAL_LEAD, float(np.quantile(leads, LUCKY)), trust, LEAD_MARGIN)
        self.calibration = Calibration(floor, lead)

    def match(
        self,
        look: Look,
        *,
        neighbours: int = CANDIDATES,
        allowed: Callable[[str], bool] | None = None,
        any_colour: bool = False,
    ) -> Matches:
        """Everything above the floor, of so many neighbours of each region; empty lists when nothing is.

        allowed: says of a picture's id whether it may be found; the filter is exact, because it comes before the ranking.
        any_colour: the colours of the photo do not count, as if all that may be found had them.
        """
        vectors = [without_colour(region.vector) if any_colour else region.vector for region in look.regions]
        given = COLOUR_WEIGHT if any_colour else 0.0
        near = self._index.query_many(vectors, neighbours, allowed, least=self.floor - given)
        found = [[(key, score + given) for key, score in some] for some in near]
        lists = [self._hits(region, near) for region, near in zip(look.regions, found, strict=True)]
        things = [self._thing(regions) for regions in _things(lists)]
        pictures = _interleaved(things)
        products: dict[str, Hit] = {}
        for hit in pictures:
            if hit.product_id:
                products.setdefault(hit.product_id, hit)
        apart = len({hits[0].product_id for hits in things} - {""})
        copies = self._copies(look, lists[-1], allowed)
        return Matches(tuple(products.values()), tuple(pictures), copies, things=apart)

    def alike(self, one: str, other: str) -> bool:
        """Whether two pictures of the catalogue are the same but for size and compression."""
        with self._lock:
            near = self._hashes.differ(one, other) <= COPY_BITS
        vectors = [*self._index.vectors((one, other)).values()] if near else []
        return len(vectors) == 2 and float(vectors[0] @ vectors[1]) >= ALIKE  # noqa: PLR2004 (both are still there)

    def doubts(self, matches: Matches) -> bool:
        """Whether nothing was found, or only what is hardly above the floor."""
        return not matches.pictures or matches.pictures[0].score < self.floor + DOUBTFUL

    def _hits(self, region: Region, near: Sequence[tuple[str, float]]) -> list[Hit]:
        return [Hit(key, self._products.get(key, ""), score, region.box) for key, score in near]

    def _thing(self, regions: Sequence[Sequence[Hit]]) -> list[Hit]:
        """One list of a thing's pictures, each with its best score."""
        best: dict[str, Hit] = {}
        for hit in sorted((hit for hits in regions for hit in hits), key=lambda hit: (-hit.score, hit.picture_id)):
            best.setdefault(hit.picture_id, hit)
        hits = list(best.values())
        first = hits[0]
        second = next((hit.score for hit in hits if hit.product_id != first.product_id), 0.0)
        lead = first.score - max(second, self.floor - UNSEEN)
        if first.product_id and first.score >= self.floor + ABOVE_FLOOR and lead >= self.calibration.lead:
            hits = [replace(hit, sure=hit.product_id == first.product_id) for hit in hits]
        return hits

    def _copies(self, look: Look, nearest: Sequence[Hit], allowed: Callable[[str], bool] | None) -> tuple[Hit, ...]:
        """Pictures whose hash is near, plain or mirrored, and that no other beats: a bottle in another colour is no copy."""
        with self._lock:
            near = self._hashes.near(int(look.hash, 16)) | self._hashes.near(int(look.mirrored, 16))
            products = {key: self._products.get(key, "") for key in near if allowed is None or allowed(key)}
        vectors = self._index.vectors(products)
        hits = (Hit(key, products[key], float(vector @ look.whole.vector)) for key, vector in vectors.items())
        best = nearest[0].score if nearest else 0.0
        found = (hit for hit in hits if hit.score >= max(COPY_SCORE, best - COPY_TIE))
        return tuple(sorted(found, key=lambda hit: (-hit.score, hit.picture_id)))


class _Hashes:
    """Perceptual hashes by picture id, scanned as one array."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}
        self._bits = np.zeros(0, dtype=np.uint64)

    def upsert(self, key: str, bits: int) -> None:
        row = self._rows.setdefault(key, len(self._ids))
        if row == len(self._ids):
            self._ids.append(key)
        if row == len(self._bits):
            self._bits = np.concatenate([self._bits, np.zeros(row // 2 + 64, dtype=np.uint64)])
        self._bits[row] = bits

    def delete(self, key: str) -> None:
        """The last row moves to its place."""
        row = self._rows.pop(key, None)
        if row is not None:
            last = self._ids.pop()
            if last != key:
                self._ids[row], self._rows[last], self._bits[row] = last, row, self._bits[len(self._ids)]

    def differ(self, one: str, other: str) -> int:
        """Bits in which two differ; all where one is not there."""
        rows = self._rows.get(one), self._rows.get(other)
        if rows[0] is None or rows[1] is None:
            return 64
        return int(np.bitwise_count(self._bits[rows[0]] ^ self._bits[rows[1]]))

    def near(self, bits: int) -> set[str]:
        differ = np.bitwise_count(self._bits[: len(self._ids)] ^ np.uint64(bits))
        return {self._ids[row] for row in np.flatnonzero(differ <= COPY_BITS).tolist()}


def _between(usual: float, measured: float, trust: float, margin: float) -> float:
    value = trust * measured + (1 - trust) * usual
    return min(max(value, usual - margin), usual + margin)


def _leads(scores: NDArray[np.float32], ids: NDArray[np.str_], *, least: float) -> NDArray[np.float32]:
    """With each picture's product taken away: how far the best of the others leads the second; scores count from `least`."""
    others = np.where(ids[:, None] == ids[None], -1.0, scores)
    best = others.argmax(1)
    first = others.max(1)
    second = np.where(ids[best][:, None] == ids[None], -1.0, others).max(1)
    return np.asarray(np.maximum(first, least) - np.maximum(second, least), dtype=np.float32)


def _things(lists: Sequence[Sequence[Hit]]) -> list[list[Sequence[Hit]]]:
    """The hits of each region that has any, put together with those of regions that show the same thing."""
    things: list[list[Sequence[Hit]]] = []
    for hits in sorted(filter(None, lists), key=lambda hits: -hits[0].score):
        same = next((thing for thing in things if shared(thing[0][0].box, hits[0].box) > SAME_THING), None)
        if same is None:
            things.append([hits])
        else:
            same.append(hits)
    return things


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
