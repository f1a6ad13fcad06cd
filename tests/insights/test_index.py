"""The index against brute force, and its own promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.insights.index import Index, Vector

Changes = list[tuple[str, Vector] | str]

DIM = 3
keys = st.sampled_from([f"picture-{number}" for number in range(12)])
vectors = st.lists(st.integers(-3, 3), min_size=DIM, max_size=DIM).map(lambda numbers: np.array(numbers, dtype=np.float32))
changes = st.lists(st.one_of(st.tuples(keys, vectors), keys), max_size=40)


def changed(changes: Changes) -> tuple[Index, dict[str, Vector]]:
    """An index and a plain dict after the same upserts (a pair) and deletes (an id)."""
    index, truth = Index(DIM), dict[str, Vector]()
    for change in changes:
        if isinstance(change, str):
            index.delete(change)
            truth.pop(change, None)
        else:
            index.upsert(*change)
            truth[change[0]] = change[1]
    return index, truth


def brute_force(truth: dict[str, Vector], vector: Vector, k: int) -> list[tuple[str, float]]:
    scored = [(key, float(stored @ vector)) for key, stored in truth.items()]
    return sorted(scored, key=lambda found: (-found[1], found[0]))[:k]


@given(changes, vectors, st.integers(0, 15))
def test_any_history_answers_as_brute_force_does(changes: Changes, vector: Vector, k: int) -> None:
    index, truth = changed(changes)
    assert index.count == len(truth)
    assert index.query(vector, k) == brute_force(truth, vector, k)


@given(changes, vectors, st.integers(0, 15), st.sets(keys))
def test_a_mask_filters_without_losing_anything(changes: Changes, vector: Vector, k: int, wanted: set[str]) -> None:
    index, truth = changed(changes)
    mask = np.array([key in wanted for key in index.ids], dtype=bool)
    assert index.query(vector, k, mask) == brute_force({key: truth[key] for key in truth if key in wanted}, vector, k)


@given(changes, st.lists(st.tuples(keys, vectors), max_size=10), vectors)
def test_rebuilding_replaces_everything(changes: Changes, items: list[tuple[str, Vector]], vector: Vector) -> None:
    index, _ = changed(changes)
    index.rebuild(items)
    assert index.query(vector, 20) == brute_force(dict(items), vector, 20)


@given(changes, st.lists(vectors, max_size=4))
def test_many_questions_are_answered_as_one_by_one(changes: Changes, questions: list[Vector]) -> None:
    index, _ = changed(changes)
    assert index.query_many(questions, 3) == [index.query(question, 3) for question in questions]


def test_a_mask_of_another_length_is_refused() -> None:
    index, _ = changed([("a", np.zeros(DIM, dtype=np.float32)), ("b", np.zeros(DIM, dtype=np.float32))])
    with pytest.raises(ValueError, match="mask"):
        index.query(np.zeros(DIM, dtype=np.float32), 1, np.array([True]))
