"""Whoever asks a great deal waits for his turn, and holds nobody else up (threats.md R9)."""

from pathlib import Path

import pytest

from bot import lookup
from tests.worlds import Engine, photo, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

BEN, CLARA = "ben", "clara"
MINUTE = 8.0  # as long as a minute takes here


@pytest.fixture(autouse=True)
def short_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "TURN_SECONDS", MINUTE)


async def test_more_than_a_persons_share_waits_and_is_answered_all_the_same(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, lookups_per_person=2) as world:
        mine, photos = world.people.dm(BEN), world.people.channel("photos")
        for number in (1, 2):
            await mine.next_reply(to=await mine.upload(f"{number}.jpg", photo(f"photo-0{number}.jpg")))
        third = await mine.upload("3.jpg", photo("photo-03.jpg"))
        said = await mine.next_message()
        assert "answer this one in about a minute" in str(said.blocks)
        others = await photos.upload("4.jpg", photo("photo-04.jpg"), by=CLARA)
        await photos.next_reply(to=others)
        waiting = [one for one in await world.bot.desk.jobs.list(state="waiting") if one.kind == "lookup"]
        assert len(waiting) == 1, "the other person did not wait for it"
        await mine.next_reply(to=third, timeout=30)
        assert world.people.problems == []


async def test_a_photo_that_nobody_asked_about_waits_without_a_word(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, lookups_per_team=1) as world:
        photos = world.people.channel("photos")
        first = await photos.upload("1.jpg", photo("photo-01.jpg"), by=BEN)
        await photos.next_reply(to=first)
        second = await photos.upload("2.jpg", photo("photo-02.jpg"), by=CLARA)
        await world.people.settled()
        await photos.next_reply(to=second, timeout=30)
        assert world.people.ephemerals(CLARA) == []
