"""Nearest neighbours, exactly: every stored vector is compared, so a filter never costs recall (design.md §6)."""

import threading
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
SPARE = 64  # rows added to the half by which the matrix grows


class Index:
    """Vectors (dim,) by the id of their picture; the score is the dot product. Thread-safe.

    A projection of the database that can be thrown away. Memory is dim × 4 bytes a picture.
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self._lock = threading.Lock()
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}
        self._matrix = np.zeros((0, dim), dtype=np.float32)

    @property
    def count(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids by row; a mask for `query` has this order. Changes with every upsert and delete."""
        with self._lock:
            return tuple(self._ids)

    def upsert(self, key: str, vector: Vector) -> None:
        """Store or replace one picture's vector."""
        with self._lock:
            row = self._rows.setdefault(key, len(self._ids))
            if row == len(self._ids):
                self._ids.append(key)
            if row == len(self._matrix):
                grown = np.zeros((row + row // 2 + SPARE, self.dim), dtype=np.float32)
                grown[:row] = self._matrix
                self._matrix = grown
            self._matrix[row] = vector

    def delete(self, key: str) -> None:
        """Forget one picture; one that is not there is no error. The last row moves to its place."""
        with self._lock:
            row = self._rows.pop(key, None)
            if row is None:
                return
            last = self._ids.pop()
            if last != key:
                self._ids[row] = last
                self._rows[last] = row
                self._matrix[row] = self._matrix[len(self._ids)]

    def rebuild(self, items: Iterable[tuple[str, Vector]]) -> None:
        """Replace everything at once: a query sees the old state or the new one. Of equal ids the last counts."""
        fresh = dict(items)
        matrix = np.zeros((len(fresh), self.dim), dtype=np.float32)
        for row, vector in enumerate(fresh.values()):
            matrix[row] = vector
        with self._lock:
            self._ids = list(fresh)
            self._rows = {key: row for row, key in enumerate(self._ids)}
            self._matrix = matrix

    def query(self, vector: Vector, k: int, allowed: NDArray[np.bool_] | None = None) -> list[tuple[str, float]]:
        """The k nearest with their scores, best first, ties by id. `allowed` is a mask over `ids`."""
        return self.query_many([vector], k, allowed)[0]

    def query_many(
        self, vectors: Sequence[Vector], k: int, allowed: NDArray[np.bool_] | None = None
    ) -> list[list[tuple[str, float]]]:
        """`query` for several vectors with one walk over the memory, which is what a search costs.

        Raises ValueError when the mask is not as long as `ids`.
        """
        with self._lock:
            ids = tuple(self._ids)
            if allowed is not None and len(allowed) != len(ids):
                raise ValueError("the mask is of another state of the index")
            scores = np.array(vectors, dtype=np.float32).reshape(-1, self.dim) @ self._matrix[: len(ids)].T
        rows = np.arange(len(ids)) if allowed is None else np.flatnonzero(allowed)
        return [_best(found, rows, ids, k) for found in scores]


def _best(scores: Vector, rows: NDArray[np.intp], ids: tuple[str, ...], k: int) -> list[tuple[str, float]]:
    """The k best of the rows. Everything as good as the k-th is kept for the sort, so ties do not depend on the order of rows."""
    if k <= 0:
        return []
    if len(rows) > k:
        values = scores[rows]
        rows = rows[values >= values[np.argpartition(values, -k)[-k]]]
    best = sorted(((float(scores[row]), ids[row]) for row in rows.tolist()), key=lambda found: (-found[0], found[1]))
    return [(key, score) for score, key in best[:k]]
