"""Somebody sets the clock of the machine, a day forward or an hour back (threats.md R12)."""

import asyncio
import time
from pathlib import Path

import pytest

from bot import lookup
from tests.worlds import Engine, World, photo, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

DAY, HOUR = 86_400.0, 3600.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every clock of the process but the monotonic one goes wrong by what is in here, in seconds."""
    wrong, right = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: right() + wrong[0])
    return wrong


async def answered(world: World, name: str) -> None:
    photos = world.people.channel("photos")
    post = await photos.upload(f"{name}.jpg", photo(f"{name}.jpg"))
    await photos.next_reply(to=post)
    await world.finished()
    assert len(photos.replies(post)) == 1


@pytest.mark.parametrize("jump", [DAY, -HOUR])
async def test_photos_are_answered_once_before_and_after(engine: Engine, tmp_path: Path, clock: list[float], jump: float) -> None:
    async with world_of(engine, tmp_path) as world:
        await answered(world, "photo-01")
        calls = len(world.people.calls)
        clock[0] = jump
        await asyncio.sleep(3)  # long enough for whatever looks at the clock every second or two
        assert world.people.calls[calls:] == [], "nothing wakes up because of it"
        await answered(world, "photo-02")
        clock[0] = 0.0
        await answered(world, "photo-05")
        assert world.people.problems == []


async def test_who_waits_for_his_turn_is_not_forgotten(
    engine: Engine, tmp_path: Path, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "TURN_SECONDS", 6.0)
    async with world_of(engine, tmp_path, lookups_per_person=1) as world:
        await answered(world, "photo-01")
        photos = world.people.channel("photos")
        second = await photos.upload("2.jpg", photo("photo-02.jpg"))
        await world.people.settled()
        clock[0] = DAY
        await photos.next_reply(to=second, timeout=20)
