"""The simulation is a simulation: known cases come out as they must."""

import pytest

from tests.simulate.queueing import Load, shares, simulate


def test_who_is_alone_waits_for_the_poll_and_the_work() -> None:
    found = simulate(Load([0.01], [0.5], cores=1, seconds=50_000))
    assert 0.5 <= found.quantile(0.5) <= 0.6
    assert found.busy == pytest.approx(0.5 * sum(map(len, found.waits.values())))


def test_a_single_core_waits_as_long_as_the_textbook_says() -> None:
    """M/D/1 at half of its capacity: half a service time in the queue, on average. Many workspaces, so that lanes do not bind."""
    found = simulate(Load([0.5 / 500] * 500, [1.0], cores=1, seconds=40_000))
    waits = [wait for one in found.waits.values() for wait in one]
    assert sum(waits) / len(waits) == pytest.approx(1.5, rel=0.1)


def test_a_workspace_has_three_photos_worked_on_at_once() -> None:
    found = simulate(Load([100.0], [1.0], cores=16, seconds=10))
    photos = len(found.waits[0])
    assert max(found.waits[0]) == pytest.approx(photos / 3, rel=0.15)


def test_shares_are_unequal_and_make_the_whole() -> None:
    found = shares(100, 7.0)
    assert sum(found) == pytest.approx(7.0)
    assert found[0] == pytest.approx(2 * found[1])
