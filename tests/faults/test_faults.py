"""The short form: half a minute of trouble, and nothing is lost or doubled."""

from pathlib import Path

from tests.databases import Server
from tests.faults.harness import Plan, go_through


async def test_a_postgres_that_crashes_again_and_again_loses_nothing(tmp_path: Path) -> None:
    found = await go_through(Plan(seconds=12, rate=4, pause=(0.7, 2.0), patience=240), tmp_path, postgres=Server())
    said = "\n".join(found.lines())
    assert found.acknowledged, said
    assert found.lost == [], said
    assert found.doubled == 0, said
    assert found.troubles["Postgres crashed"], said
    assert [(code, seconds < 25) for _, code, seconds in found.ends] == [(0, True)] * 4, said


async def test_whatever_is_killed_or_refused_what_was_acknowledged_is_answered_once(tmp_path: Path) -> None:
    found = await go_through(Plan(seconds=12, rate=4, pause=(0.7, 2.0), patience=150), tmp_path)
    said = "\n".join(found.lines())
    assert found.acknowledged, said  # how much is a matter of how fast a killed web process is back
    assert found.lost == [], said
    assert found.doubled == 0, said
    assert sum(times for what, times in found.troubles.items() if what.startswith("killed")) >= 5, said
    assert [(code, seconds < 25) for _, code, seconds in found.ends] == [(0, True)] * 4, said
