"""Figures of merit from what was answered. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.insights.model import Band, Crop
from tests.quality.cases import Case


class Copied(NamedTuple):
    """A picture of the catalogue (path, id of its product) that the engine takes for the same as a case."""

    path: str
    partial: bool
    product: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine said about a case. products: ids, best first, with bands beside."""

    case: Case
    products: tuple[str, ...]
    bands: tuple[Band, ...]
    scores: tuple[float, ...]
    copies: tuple[Copied, ...]
    tags: tuple[str, ...]
    kind: str
    boxes: tuple[Crop, ...] = field(default=())


def recall_at(answers: Sequence[Answer], k: int) -> float:
    """The share of pictures with a right product among the first k."""
    return share(answers, lambda one: bool(set(one.products[:k]) & set(one.case.products)))


def mean_average_precision(answers: Sequence[Answer]) -> float:
    """Over all things that a picture shows: the mean of the precision at each right product, 0 for those not found."""
    total = 0.0
    for one in answers:
        right = [rank for rank, product in enumerate(one.products, 1) if product in one.case.products]
        total += sum(found / rank for found, rank in enumerate(right, 1)) / len(set(one.case.products))
    return total / len(answers) if answers else 0.0


@dataclass(frozen=True, slots=True)
class Banded:
    """Of `said` pictures whose first product was put into a band, `right` are; coverage: right ones among all that could be."""

    said: int
    right: int
    coverage: float

    @property
    def wrong(self) -> float:
        return 1 - self.right / self.said if self.said else 0.0


def same_item(answers: Sequence[Answer]) -> Banded:
    """The band "same item" of the first product, against what the picture shows."""
    said = [one for one in answers if one.bands[:1] == (Band.SAME_ITEM,)]
    right = sum(one.products[0] in one.case.products for one in said)
    known = sum(bool(one.case.products) for one in answers)
    return Banded(len(said), right, right / known if known else 0.0)


def same_kind(answers: Sequence[Answer]) -> Banded:
    """The band "same kind" or better of the first product, against the kind of the main thing, where that is known."""
    known = [one for one in answers if one.case.kind]
    said = [one for one in known if one.bands and one.bands[0] is not Band.SIMILAR]
    right = sum(one.kind == one.case.kind for one in said)
    return Banded(len(said), right, right / len(known) if known else 0.0)


def calibration(answers: Sequence[Answer], edges: Sequence[float]) -> list[tuple[float, int, float]]:
    """(lowest score, number, share that is right) of the first products whose score lies from each edge to the next."""
    found = []
    for low, high in zip(edges, [*edges[1:], 2.0], strict=True):
        some = [one for one in answers if one.scores and low <= one.scores[0] < high]
        found.append((low, len(some), share(some, lambda one: one.products[0] in one.case.products)))
    return found


def copies_found(answers: Sequence[Answer]) -> float:
    return share(answers, lambda one: one.case.copy_of in {copy.path for copy in one.copies})


def copies_told_apart(answers: Sequence[Answer]) -> float:
    """Of those found, the share whose partial or full is right."""
    found = [one for one in answers if one.case.copy_of in {copy.path for copy in one.copies}]
    return share(found, lambda one: {copy.path: copy.partial for copy in one.copies}[one.case.copy_of] is one.case.partial)


def false_copies(answers: Sequence[Answer]) -> int:
    """Pictures called a copy that are another picture, be it of the same product."""
    return len(_false(answers))


def false_merges(answers: Sequence[Answer]) -> int:
    """Pictures called a copy that are of another product."""
    return sum(copy.product not in one.case.products for one, copy in _false(answers))


def _false(answers: Sequence[Answer]) -> Sequence[tuple[Answer, Copied]]:
    return [(one, copy) for one in answers for copy in one.copies if copy.path not in {one.case.copy_of, *one.case.parts}]


def boxes_hit(answers: Sequence[Answer], least: float) -> tuple[int, int]:
    """(found, all): true boxes that a found box overlaps by at least so much (intersection over union)."""
    pairs = [(true, one.boxes) for one in answers for true in one.case.boxes]
    return sum(any(_overlap(true, box) >= least for box in boxes) for true, boxes in pairs), len(pairs)


def centres_hit(answers: Sequence[Answer]) -> tuple[int, int]:
    """(found, all): true boxes whose middle lies in a found box that is not the whole picture."""
    pairs = [((b[0] + b[2]) / 2, (b[1] + b[3]) / 2, one.boxes) for one in answers for b in one.case.boxes]
    inside = (any(box.left <= x <= box.right and box.top <= y <= box.bottom for box in boxes) for x, y, boxes in pairs)
    return sum(inside), len(pairs)


def _overlap(true: Sequence[float], box: Crop) -> float:
    width = min(true[2], box.right) - max(true[0], box.left)
    height = min(true[3], box.bottom) - max(true[1], box.top)
    both = max(0.0, width) * max(0.0, height)
    areas = (true[2] - true[0]) * (true[3] - true[1]) + (box.right - box.left) * (box.bottom - box.top)
    return both / (areas - both)


def share(answers: Sequence[Answer], right: Callable[[Answer], bool]) -> float:
    return sum(map(right, answers)) / len(answers) if answers else 0.0
