"""Our clock and Slack's (threats.md S8)."""

import logging

import pytest

from bot.slack.clock import Clock

NOON = 1763812800.0
DATE = "Sat, 22 Nov 2025 12:00:00 GMT"


@pytest.mark.parametrize(("now", "said"), [(NOON, ""), (NOON + 59, ""), (NOON - 60, "")])
def test_s8_clocks_that_agree_are_not_worth_a_word(now: float, said: str) -> None:
    clock = Clock()
    clock.heard(DATE, now)
    assert clock.said == said


def test_s8_a_clock_that_is_wrong_is_said_and_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    with caplog.at_level(logging.WARNING):
        for later in range(3):
            clock.heard(DATE, NOON + 200 + later)
    assert "202 s ahead of Slack's" in clock.said
    assert len(caplog.records) == 1
    clock.heard(DATE, NOON - 90)
    assert "90 s behind Slack's" in clock.said
    clock.heard(DATE, NOON)
    assert clock.said == ""


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 99 Nov 2025", "1763812800"])
def test_s8_a_date_that_is_none_says_nothing(date: str) -> None:
    clock = Clock()
    clock.heard(date, NOON)
    assert clock.said == ""
