"""The index against brute force, and its own promises."""

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

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
def test_a_filter_loses_nothing(changes: Changes, vector: Vector, k: int, wanted: set[str]) -> None:
    index, truth = changed(changes)
    expected = brute_force({key: truth[key] for key in truth if key in wanted}, vector, k)
    assert index.query(vector, k, wanted.__contains__) == expected


@given(changes, vectors, st.integers(-9, 9))
def test_nothing_below_the_least_score_is_found(changes: Changes, vector: Vector, least: int) -> None:
    index, truth = changed(changes)
    assert index.query(vector, 20, least=least) == [one for one in brute_force(truth, vector, 20) if one[1] >= least]


@given(changes, st.lists(st.tuples(keys, vectors), max_size=10), vectors)
def test_rebuilding_replaces_everything(changes: Changes, items: list[tuple[str, Vector]], vector: Vector) -> None:
    index, _ = changed(changes)
    index.rebuild(items)
    assert index.query(vector, 20) == brute_force(dict(items), vector, 20)


@given(changes, st.lists(vectors, max_size=4))
def test_many_questions_are_answered_as_one_by_one(changes: Changes, questions: list[Vector]) -> None:
    index, _ = changed(changes)
    assert index.query_many(questions, 3) == [index.query(question, 3) for question in questions]


# ---------------------------------------------------------------- rows that are frozen into segments

WIDE = 96


def look_alikes(count: int, seed: int) -> NDArray[np.float32]:
    """Vectors of length 1 like an encoder's: a few kinds of things, many that are almost the same."""
    chance = np.random.default_rng(seed)
    kinds = chance.gamma(0.3, 1, (8, WIDE))
    rows = kinds[chance.integers(0, 8, count)] * chance.gamma(20, 0.05, (count, WIDE)) + chance.gamma(0.3, 0.1, (count, WIDE))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(unit.astype(np.float16), dtype=np.float32)


def large(tmp_path: Path) -> tuple[Index, dict[str, Vector]]:
    """Ten segments and a tail, of which some were replaced and some deleted."""
    index = Index(WIDE, folder=tmp_path, segment=256)
    truth = {f"{number:04}": vector for number, vector in enumerate(look_alikes(2700, seed=1))}
    index.rebuild(truth.items())
    index.settle()
    for number, vector in enumerate(look_alikes(200, seed=2)):
        key = f"{number * 13:04}"
        index.upsert(key, vector)
        truth[key] = vector
    for number in range(0, 2700, 7):
        index.delete(f"{number:04}")
        truth.pop(f"{number:04}", None)
    return index, truth


def ids(found: list[tuple[str, float]]) -> list[str]:
    return [key for key, _ in found]


def test_frozen_rows_are_found_exactly(tmp_path: Path) -> None:
    index, truth = large(tmp_path)
    assert index.count == len(truth)
    questions = [*look_alikes(40, seed=3)]
    for question, found in zip(questions, index.query_many(questions, 10), strict=True):
        expected = brute_force(truth, question, 10)
        assert ids(found) == ids(expected)
        assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)


@pytest.mark.parametrize("share", [2, 16, 300])
def test_frozen_rows_are_found_exactly_under_any_filter(tmp_path: Path, share: int) -> None:
    index, truth = large(tmp_path)
    some = {key: vector for key, vector in truth.items() if int(key) % share == 0}
    for question in look_alikes(40, seed=4):
        assert ids(index.query(question, 10, some.__contains__)) == ids(brute_force(some, question, 10))


def test_a_great_many_equal_rows_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    index = Index(WIDE, folder=tmp_path, segment=64)
    (vector,) = look_alikes(1, seed=5)
    for number in range(500):
        index.upsert(f"{number:03}", vector)
    assert ids(index.query(vector, 3)) == ["000", "001", "002"]


def test_what_is_replaced_for_ever_takes_no_more_room(tmp_path: Path) -> None:
    index = Index(WIDE, folder=tmp_path, segment=32)
    vectors = look_alikes(400, seed=6)
    for round_ in range(10):
        for number in range(40):
            index.upsert(f"{number:02}", vectors[round_ * 40 + number])
    assert index.count == 40
    assert ids(index.query(vectors[370], 1)) == ["10"]
    assert list(index.vectors(["10", "nobody"])) == ["10"]
    assert not any(tmp_path.iterdir()), "its file has no name"


def test_questions_while_everything_changes_see_a_whole_state(tmp_path: Path) -> None:
    index = Index(WIDE, folder=tmp_path, segment=64)
    before, after = look_alikes(300, seed=7), look_alikes(300, seed=8)
    index.rebuild((f"{number:03}", vector) for number, vector in enumerate(before))
    seen: list[float] = []

    def ask() -> None:
        while len(seen) < 200:
            ((_, score),) = index.query(before[5], 1)
            seen.append(round(score, 3))

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(10):
        index.rebuild((f"{number:03}", vector) for number, vector in enumerate(after))
        index.rebuild((f"{number:03}", vector) for number, vector in enumerate(before))
    asking.join()
    assert set(seen) <= {1.0, round(float((after @ before[5]).max()), 3)}
