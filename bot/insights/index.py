"""Nearest neighbours, exactly: every stored vector is compared, so a filter never costs recall (design.md §6).

Rows come in at a tail of floats. A full tail is frozen into a segment: its vectors as 7-bit numbers inside an onnxruntime
session, whose integer kernels read them about as fast as memory gives them. The scan says which rows may be among the best;
their scores are then computed from the vectors themselves, kept as float16 in a file.
"""

import os
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Rows = NDArray[np.intp]

SEGMENT = 16_000
"""Rows that are frozen together. With a power of two the columns of the product fall on one another in the processor's cache."""
WORTH = 1024
"""Rows from which a tail is worth a segment of its own."""
SPARE = 64
"""Rows added to the half by which the tail grows."""
LEVELS = 63
"""Kernels for processors without VNNI add pairs of products in 16 bits: 8-bit rows would overflow there."""
BLOCK = 1024
"""Rows whose exact vectors are in memory together."""
BESIDE = "rows"
SURE = 4
"""Standard deviations of the rounding that are reckoned with on either side."""


class Index:
    """Vectors (dim,) by the id of their picture; the score is the dot product of float16 values. Thread-safe.

    A projection of the database that can be thrown away. Memory is about dim bytes a picture; the exact vectors lie in a file
    without a name in `folder` (the system's temporary one without it), which is gone with the process however it ends.
    """

    def __init__(self, dim: int, *, folder: Path | None = None, segment: int = SEGMENT) -> None:
        self.dim = dim
        self._folder = folder
        self._segment = segment
        self._lock = threading.Lock()
        self._state = self._empty()

    @property
    def count(self) -> int:
        return len(self._state.rows)

    def upsert(self, key: str, vector: Vector) -> None:
        """Store or replace one picture's vector. Raises OSError when the disk is full."""
        with self._lock:
            self._state.upsert(key, vector)
            self._tidy()

    def delete(self, key: str) -> None:
        """Forget one picture; one that is not there is no error."""
        with self._lock:
            self._state.delete(key)
            self._tidy()

    def rebuild(self, items: Iterable[tuple[str, NDArray[np.floating]]]) -> None:
        """Replace everything at once: a query sees the old state or the new one. Of equal ids the last counts."""
        fresh = self._empty()
        for key, vector in items:
            fresh.upsert(key, vector)
        with self._lock:
            self._state = fresh

    def settle(self) -> None:
        """Freeze what has come so far: for when much was added and little will be. Raises OSError when the disk is full."""
        with self._lock:
            if self._state.in_tail >= min(WORTH, self._segment):
                self._state.freeze()

    def vectors(self, keys: Iterable[str]) -> dict[str, Vector]:
        """The stored vectors of those pictures that are there."""
        with self._lock:
            state = self._state
            rows = {key: row for key in keys if (row := state.rows.get(key)) is not None}
            return dict(zip(rows, state.exact(np.array([*rows.values()], dtype=np.intp)), strict=True))

    def query(
        self, vector: Vector, k: int, allowed: Callable[[str], bool] | None = None, *, least: float = -np.inf
    ) -> list[tuple[str, float]]:
        """The k nearest with their scores, best first, ties by id; of the ids that are `allowed`, from a score of `least`."""
        return self.query_many([vector], k, allowed, least=least)[0]

    def query_many(
        self, vectors: Sequence[Vector], k: int, allowed: Callable[[str], bool] | None = None, *, least: float = -np.inf
    ) -> list[list[tuple[str, float]]]:
        """`query` for several vectors with one walk over the memory, which is what a search costs."""
        with self._lock:
            state = self._state
            ids, segments, tail = state.ids, tuple(state.segments), state.tail[: state.in_tail]
            total = len(ids)
            living = state.living[:total].copy()
        if allowed is not None:
            living &= np.fromiter((bool(key) and allowed(key) for key in islice(ids, total)), dtype=bool, count=total)
        questions = np.array(vectors, dtype=np.float32).reshape(-1, self.dim)
        found = [_Best(max(k, 0), least) for _ in questions]
        if k > 0 and living.any():
            rough = [_Best(k, least) for _ in questions]
            for segment in segments:
                _scan(segment, questions, living[segment.start : segment.start + len(segment.scales)], rough)
            _score(state, questions, [some.best() for some in rough], found)
            _score(state, questions, [some.rest(best) for some, best in zip(rough, found, strict=True)], found)
            start = total - len(tail)
            live = np.flatnonzero(living[start:])
            for scores, best in zip(questions @ tail.T, found, strict=True):
                best.add(start + live, scores[live])
        return [best.named(ids) for best in found]

    def _empty(self) -> "_State":
        return _State(self.dim, self._folder, self._segment)

    def _tidy(self) -> None:
        """Write everything anew when most rows are dead."""
        old = self._state
        if len(old.ids) - len(old.rows) > max(self._segment, len(old.rows)):
            fresh = self._empty()
            for key, row in old.rows.items():
                fresh.upsert(key, old.exact(np.array([row]))[0])
            self._state = fresh


class _State:
    """All rows that ever were, in order; a row never changes, a replaced one dies and is added again."""

    def __init__(self, dim: int, folder: Path | None, segment: int) -> None:
        self.dim = dim
        self.segment = segment
        self.ids: list[str] = []
        self.rows: dict[str, int] = {}
        self.living = np.zeros(SPARE, dtype=bool)
        self.segments: list[_Segment] = []
        self.tail = np.zeros((min(SPARE, segment), dim), dtype=np.float32)
        self.in_tail = 0
        self.frozen = 0
        self._folder = folder
        self._file = -1

    def upsert(self, key: str, vector: NDArray[np.floating]) -> None:
        self.delete(key)
        if self.in_tail == self.segment:
            self.freeze()
        row = len(self.ids)
        if row == len(self.living):
            self.living = np.concatenate([self.living, np.zeros(row // 2 + SPARE, dtype=bool)])
        if self.in_tail == len(self.tail):
            grown = np.zeros((min(self.segment, self.in_tail + self.in_tail // 2 + SPARE), self.dim), dtype=np.float32)
            grown[: self.in_tail] = self.tail
            self.tail = grown
        self.tail[self.in_tail] = np.asarray(vector, dtype=np.float16)
        self.in_tail += 1
        self.rows[key] = row
        self.living[row] = True
        self.ids.append(key)

    def delete(self, key: str) -> None:
        row = self.rows.pop(key, None)
        if row is not None:
            self.living[row] = False
            self.ids[row] = ""

    def exact(self, rows: Rows) -> NDArray[np.float32]:
        """Vectors (n, dim) of rows, which are finite numbers."""
        size = self.dim * 2
        found = np.empty((len(rows), self.dim), dtype=np.float16)
        room = found.view(np.uint8).reshape(-1).data
        for place, row in enumerate(rows.tolist()):
            if row >= self.frozen:
                found[place] = self.tail[row - self.frozen]
            else:
                os.preadv(self._file, [room[place * size : (place + 1) * size]], row * size)
        return _widened(found)

    def freeze(self) -> None:
        """Make a segment of the tail, which is empty then."""
        if self._file < 0:
            if self._folder:
                self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder) as nameless:
                self._file = os.dup(nameless.fileno())
            weakref.finalize(self, os.close, self._file)
        vectors = self.tail[: self.in_tail]
        block = memoryview(vectors.astype(np.float16).tobytes())
        while block:
            block = block[os.write(self._file, block) :]
        self.segments.append(_Segment.of(vectors, start=self.frozen))
        self.frozen += len(vectors)
        self.tail = np.zeros((min(SPARE, self.segment), self.dim), dtype=np.float32)
        self.in_tail = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    """Rows from `start`: each is about its scale · columns · its 7-bit numbers, off by `error` (length of the difference)."""

    start: int
    session: ort.InferenceSession = field(repr=False)
    columns: Vector = field(repr=False)
    scales: Vector = field(repr=False)
    error: float

    @classmethod
    def of(cls, vectors: NDArray[np.float32], *, start: int) -> "_Segment":
        # By the fourth root of its spread: columns that are more alike afterwards are rounded better, but were they quite alike,
        # the question, which is weighted the other way, would be rounded so much worse.
        columns = np.square(vectors).mean(0) ** np.float32(0.125) + np.float32(1e-6)
        scaled = vectors / columns
        scales = (np.abs(scaled).max(1) / LEVELS + np.float32(1e-12)).astype(np.float32)
        rounded = np.rint(scaled / scales[:, None]).astype(np.int8)
        error = float(np.linalg.norm(rounded * scales[:, None] * columns - vectors, axis=1).mean())
        return cls(start, _multiplier(np.ascontiguousarray(rounded.T)), columns, scales, error)


def _scan(segment: _Segment, questions: NDArray[np.float32], living: NDArray[np.bool_], rough: list["_Best"]) -> None:
    """Add the segment's rows that may be among the best, with their rough scores.

    A rough score is off by `noise` at most, so what is twice that below the k-th best rough score cannot be among the k best.
    """
    alive = int(np.count_nonzero(living))
    if not alive:
        return
    folded = questions * segment.columns
    steps = np.abs(folded).max(1) / 127 + np.float32(1e-12)
    rounded = np.rint(folded / steps[:, None])
    (products,) = segment.session.run(None, {"a": (rounded + 128).astype(np.uint8)})
    off = np.linalg.norm((rounded * steps[:, None] - folded) / segment.columns, axis=1)
    noise = SURE * np.hypot(segment.error * np.linalg.norm(questions, axis=1), off) / np.sqrt(questions.shape[1])
    for best, some in zip(rough, noise.tolist(), strict=True):
        best.slack = max(best.slack, 2 * some)
    scores = np.multiply(products, segment.scales, dtype=np.float32, casting="unsafe")
    scores *= steps[:, None]
    good = scores >= np.array([[best.least - best.slack] for best in rough], dtype=np.float32)
    if alive < len(living):
        good &= living
    for row, best in enumerate(rough):
        near = np.flatnonzero(good[row])
        if len(near):
            best.add(segment.start + near, scores[row, near])


def _score(state: "_State", questions: NDArray[np.float32], wanted: Sequence[Rows], found: Sequence["_Best"]) -> None:
    """Add the wanted rows of each question with their exact scores; what several want is read once, a block at a time."""
    union = np.unique(np.concatenate([np.zeros(0, dtype=np.intp), *wanted]))
    scores = np.empty((len(questions), len(union)), dtype=np.float32)
    for start in range(0, len(union), BLOCK):
        block = slice(start, start + BLOCK)
        vectors = state.exact(union[block])
        for row, question in zip(scores, questions, strict=True):
            row[block] = vectors @ question
    for row, rows, best in zip(scores, wanted, found, strict=True):
        best.add(rows, row[np.searchsorted(union, rows)])


def _widened(halves: NDArray[np.float16]) -> NDArray[np.float32]:
    """Finite float16 as float32 by moving their bits, which takes a sixth of the time that astype does."""
    bits = halves.view(np.int16).astype(np.int32)
    bits <<= 13  # the fraction has 23 bits instead of 10
    bits &= ~0x70000000  # the copies of the sign that came with it
    wide = bits.view(np.float32)
    wide *= np.float32(2.0**112)  # the exponent's middle is 127 instead of 15
    return wide


@dataclass(slots=True)
class _Best:
    """The k best rows so far with their scores, and everything that is less than `slack` below the k-th.

    Everything as good as the k-th is kept, so that ties do not depend on the order of rows.
    """

    k: int
    least: float
    slack: float = 0.0
    rows: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    scores: Vector = field(default_factory=lambda: np.zeros(0, dtype=np.float32))

    def add(self, rows: Rows, scores: Vector) -> None:
        good = scores >= self.least - self.slack
        rows, scores = np.concatenate([self.rows, rows[good]]), np.concatenate([self.scores, scores[good]])
        if len(rows) >= self.k:
            self.least = max(self.least, float(np.partition(scores, -self.k)[-self.k]))
            good = scores >= self.least - self.slack
            rows, scores = rows[good], scores[good]
        self.rows, self.scores = rows, scores

    def best(self) -> Rows:
        """The k best rows."""
        return self.rows[self._order()[: self.k]]

    def rest(self, exact: "_Best") -> Rows:
        """Of the others, what may still be better than the exact scores of the k best turned out to be."""
        order = self._order()[self.k :]
        return self.rows[order[self.scores[order] >= exact.least - self.slack / 2]]

    def _order(self) -> Rows:
        return np.argsort(-self.scores, kind="stable")

    def named(self, ids: Sequence[str]) -> list[tuple[str, float]]:
        pairs = zip(self.rows.tolist(), self.scores.tolist(), strict=True)
        best = sorted(((score, ids[row]) for row, score in pairs if ids[row]), key=lambda found: (-found[0], found[1]))
        return [(key, score) for score, key in best[: self.k]]


# ---------------------------------------------------------------- one matrix product as an ONNX model


def _multiplier(matrix: NDArray[np.int8]) -> ort.InferenceSession:
    """A session that takes a (n, d) uint8 around 128 and gives (a - 128) @ matrix (d, rows) as int32.

    The matrix is handed over beside the model: so onnxruntime keeps nothing of it but what it packs for its kernel.
    """
    data = matrix.tobytes()
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False
    options.add_external_initializers_from_files_in_memory([BESIDE], [data], [len(data)])
    return ort.InferenceSession(_model(*matrix.shape), options, providers=["CPUExecutionProvider"])


def _model(depth: int, rows: int) -> bytes:
    """ModelProto in protobuf's wire format (onnx.proto3: the first numbers are its field numbers)."""
    uint8, int8, int32, external = 2, 3, 6, 1
    node = b"".join(_text(1, name) for name in ("a", "b", "zero")) + _text(2, "y") + _text(4, "MatMulInteger")
    beside = _part(13, _text(1, "location") + _text(2, BESIDE)) + _number(14, external)
    graph = (
        _part(1, node)
        + _text(2, "scan")
        + _part(5, _number(1, depth) + _number(1, rows) + _number(2, int8) + _text(8, "b") + beside)
        + _part(5, _number(2, uint8) + _text(8, "zero") + _part(9, b"\x80"))
        + _part(11, _value("a", uint8, depth))
        + _part(12, _value("y", int32, rows))
    )
    return _number(1, 8) + _part(7, graph) + _part(8, _text(1, "") + _number(2, 17))


def _value(name: str, kind: int, width: int) -> bytes:
    """A matrix of any number of rows."""
    shape = _part(1, _text(2, "n")) + _part(1, _number(1, width))
    return _text(1, name) + _part(2, _part(1, _number(1, kind) + _part(2, shape)))


def _text(number: int, text: str) -> bytes:
    return _part(number, text.encode())


def _part(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    return bytes(_septets(value))


def _septets(value: int) -> Iterator[int]:
    while value > 127:  # noqa: PLR2004 (seven bits a byte)
        yield value & 127 | 128
        value >>= 7
    yield value
