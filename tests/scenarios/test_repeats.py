"""Slack repeats, reorders and retries; each picture gets one card (slack-platform.md §0.1).

DELIVERIES=10000 for the long form.
"""

import asyncio
import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot.demo.delivery import sign
from tests.faults.harness import numbered, small
from tests.worlds import SECRET, Engine, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

DELIVERIES = int(os.environ.get("DELIVERIES", "400"))
EACH, AT_ONCE = 20, 20


async def test_deliveries_that_come_again_and_in_any_order_make_one_card_each(engine: Engine, tmp_path: Path) -> None:
    chance, picture = random.Random(7), small("photo-09.jpg")  # noqa: S311 (the same every time)
    async with world_of(engine, tmp_path) as world:
        people, photos = world.people, world.people.channel("photos")
        posts = [await photos.upload(f"{n}.jpg", numbered(picture, n)) for n in range(DELIVERIES // EACH)]
        await people.settled()
        events = {e["ts"]: one.payload for one in people.deliveries if (e := one.payload.get("event", {})).get("ts")}
        again = [json.dumps(events[post.ts] | {"event_id": f"Ev{n // 2}"}) for post in posts for n in range(EACH - 1)]
        chance.shuffle(again)
        turns, taken = asyncio.Semaphore(AT_ONCE), Counter[int]()

        async def deliver(session: ClientSession, body: str) -> None:
            retry = {"X-Slack-Retry-Num": str(chance.randrange(1, 4)), "X-Slack-Retry-Reason": "http_timeout"}
            headers = {"Content-Type": "application/json", **retry, **sign(SECRET, body.encode())}
            async with turns, session.post(f"{people.bot_url}/slack/events", data=body, headers=headers) as answer:
                taken[answer.status] += 1

        async with ClientSession() as session:
            await asyncio.gather(*(deliver(session, body) for body in again))
        async with asyncio.timeout(DELIVERIES):
            while any(not photos.replies(post) for post in posts):  # noqa: ASYNC110 (it tells nobody)
                await asyncio.sleep(0.2)
        await world.finished()
        assert taken == {200: len(again)}
        assert Counter(len(photos.replies(post)) for post in posts) == {1: len(posts)}
