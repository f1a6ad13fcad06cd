"""The engine is down, for a moment or for good."""

import asyncio
import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.demo.objects import TEAM_ID
from bot.errors import Unavailable
from bot.insights.model import Found, Insights, InsightsClient, Module, Picture, Thing
from bot.jobs import ReplyTo
from tests import databases
from tests.worlds import Engine, World, photo, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOON = (0.05, 0.05, 0.05, 0.05)


class Down:
    """The engine, out of order for its next `times` questions."""

    def __init__(self, engine: InsightsClient, times: int) -> None:
        self.engine = engine
        self.times = times

    async def insights(self, picture: Picture, modules: Collection[Module], **how: Any) -> Insights:
        if self.times > 0:
            self.times -= 1
            await asyncio.sleep(0)
            raise Unavailable("out of order")
        return await self.engine.insights(picture, modules, **how)

    async def search(self, words: str, **how: Any) -> Found:
        return await self.engine.search(words, **how)

    async def things(self, picture: Picture, **how: Any) -> Sequence[Thing]:
        return await self.engine.things(picture, **how)


async def test_a_short_outage_only_delays_the_card(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, insights=Down(engine.service, 2), pauses=SOON) as world:
        photos = world.people.channel("photos")
        post = await photos.upload("mug.jpg", photo("photo-01.jpg"))
        await photos.next_reply(to=post)
        await world.finished()
        assert len(photos.replies(post)) == 1
        assert world.people.ephemerals("ana") == []


async def test_a_long_outage_is_told_once_to_whoever_asked_and_to_nobody_else(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path, insights=Down(engine.service, 10**6), pauses=SOON) as world:
        photos = world.people.channel("photos")
        silent = await photos.upload("mug.jpg", photo("photo-01.jpg"), by="ben")
        asked = await photos.upload("vase.jpg", photo("photo-02.jpg"), text="<@insights> this?", by="ana")
        told = await world.people.next_ephemeral("ana")
        await world.finished()
        dead = await world.bot.desk.jobs.list(state="dead")
        assert "That did not work; reference" in told.text
        assert len(world.people.ephemerals("ana")) == 1
        assert world.people.ephemerals("ben") == []
        assert len(dead) == 2
        assert photos.replies(silent) + photos.replies(asked) == []
        assert not any(silent.reactions.values())
        assert not any(asked.reactions.values())


@databases.of_files
async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.queue.BUSY_SECONDS", 0.2)
    async with world_of(engine, tmp_path) as world:
        people, photos = world.people, world.people.channel("photos")
        with sqlite3.connect(tmp_path / "jobs.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            post = await photos.upload("mug.jpg", photo("photo-01.jpg"))
            await people.until(lambda: any("503" in problem for problem in people.problems), what="a refusal")
            other.execute("ROLLBACK")
        other.close()
        await photos.next_reply(to=post)
        await world.finished()
        assert len(photos.replies(post)) == 1


async def test_a_response_url_that_is_used_up_does_not_silence_us(world: World) -> None:
    to = ReplyTo(TEAM_ID, world.people.channel("photos").id,
                 user=world.people.workspace.person("ana").id, response_url=f"{world.people.base_url}/hooks/used-up")  # fmt: skip
    await world.bot.desk.replies.tell(to, lambda _: {"text": "still here"})
    assert (await world.people.next_ephemeral("ana")).text == "still here"


@pytest.mark.parametrize("error", ["channel_not_found", "is_archived", "restricted_action_read_only_channel", "token_revoked"])
async def test_what_slack_refuses_for_good_is_not_tried_for_ever(engine: Engine, tmp_path: Path, error: str) -> None:
    async with world_of(engine, tmp_path, pauses=SOON) as world:
        world.people.faults.refuse("chat.postMessage", error, times=99)
        await world.people.channel("photos").upload("mug.jpg", photo("photo-01.jpg"))
        await world.people.until(lambda: world.people.calls_of("reactions.remove"), what="the end of the lookup")
        await world.finished()
        assert len(world.people.calls_of("chat.postMessage")) == 1
        assert [one.state for one in await world.bot.desk.jobs.list()] == ["done"]
