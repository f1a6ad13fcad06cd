"""What buttons carry: short, and nothing we did not write is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.values import Value, block_id, encode, new_rid, parse


@given(st.from_regex(r"\A[A-Za-z0-9]{2,12}\Z"), st.from_regex(r"\A([A-Za-z0-9]{1,24}|-)\Z"))
def test_what_is_written_can_be_read(rid: str, arg: str) -> None:
    value = encode(rid, arg)
    assert parse(value) == Value(rid, arg)
    assert len(value) <= 75


@pytest.mark.parametrize(
    "value",
    [
        *(None, 7, {"value": "v1:r8Kd2m:p1"}, "", "v1", "v1:r8Kd2m", "v1:r8Kd2m:", "v1::p1", "v2:r8Kd2m:p1"),
        *("v1:r8Kd2m:p1:x", "v1:r8Kd2m:p1\n", "v1:r8Kd2m:--", "v1:r8Kd2m:é", "v1:r8Kd2m:٣"),
        *("v1:" + "r" * 13 + ":p1", "v1:r8Kd2m:" + "p" * 25),
    ],
)
def test_anything_else_is_not_a_value(value: object) -> None:
    assert parse(value) is None


@pytest.mark.parametrize(("rid", "arg"), [("", "-"), ("r8:2m", "-"), ("r8Kd2m", ""), ("r8Kd2m", "p 1")])
def test_what_could_not_be_read_is_never_written(rid: str, arg: str) -> None:
    with pytest.raises(ValueError, match="not a value"):
        encode(rid, arg)


@pytest.mark.parametrize(
    ("arg", "number"), [("p3", 3), ("p0", 0), ("o3", None), ("p", None), ("p03", None), ("p1x", None), ("-", None)]
)
def test_a_number_is_read_only_after_its_letter(arg: str, number: int | None) -> None:
    assert Value("r8Kd2m", arg).number("p") == number


def test_names_of_results_are_random_and_fit() -> None:
    names = {new_rid() for _ in range(1000)}
    assert len(names) == 1000
    assert all(parse(encode(name)) for name in names)


def test_blocks_are_named_by_result_part_and_revision() -> None:
    assert block_id("r8Kd2m", "prod", 2) == "ii:r8Kd2m:prod:2"
    assert block_id("r8Kd2m", "p1:head") == "ii:r8Kd2m:p1:head"
