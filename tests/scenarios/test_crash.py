"""The bot is killed in the middle of its work and started again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot import web
from bot.demo.driver import Driver, running_workspace
from tests.worlds import SECRET, TOKEN, Engine, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")

HERE = Path(__file__).parent


@asynccontextmanager
async def bot_process(
    engine: Engine, people: Driver, data_dir: Path, crash: str = "", *, hears: bool = True, worker: bool = True
) -> AsyncIterator[asyncio.subprocess.Process]:
    order = {
        "data_dir": str(data_dir),
        "engine_dir": str(engine.data_dir),
        "engine_url": engine.url,
        "api_url": people.api_url,
        "port": int(people.bot_url.rsplit(":", 1)[1]) if hears else 0,
        "worker": worker,
        "crash": crash,
    }
    root = str(HERE.parent.parent)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "crashing_bot.py"),
        json.dumps(order),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": root},
    )
    try:
        assert process.stdout is not None
        # a crash at a job that is taken up again may come before the process is ready
        await asyncio.wait_for(process.stdout.readline(), 30)
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)


@asynccontextmanager
async def workspace(engine: Engine) -> AsyncIterator[Driver]:
    with web.bind("127.0.0.1", 0) as sock:
        url = web.address(sock)  # the bot's port, the same in each of its lives
    async with running_workspace(bot_url=url, signing_secret=SECRET, bot_token=TOKEN, pixels=engine.pixels) as people:
        yield people


async def killed(process: asyncio.subprocess.Process) -> None:
    assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGKILL


async def test_killed_between_each_two_steps_a_photo_still_gets_exactly_one_card(engine: Engine, tmp_path: Path) -> None:
    async with workspace(engine) as people:
        photos = people.channel("photos")
        lives = ["after eyes", "before recording look", "before remembering a post", "after answer card"]
        post = None
        for crash in lives:
            async with bot_process(engine, people, tmp_path, crash) as process:
                post = post or await photos.upload("mug.jpg", photo("photo-01.jpg"))
                await killed(process)
        assert post is not None
        async with bot_process(engine, people, tmp_path) as process:
            await people.until(lambda: not any(post.reactions.values()), what="the eyes to come off")
            await people.settled()
            assert "similar product" in (await photos.next_reply(to=post)).text
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 30) == 0
        assert len(photos.replies(post)) == 1
        assert [problem for problem in people.problems if "connection_failed" not in problem] == []  # nobody was there


async def test_a_click_taken_by_a_bot_that_was_killed_is_answered_by_the_next(engine: Engine, tmp_path: Path) -> None:
    async with workspace(engine) as people:
        photos = people.channel("photos")
        async with bot_process(engine, people, tmp_path, "after open") as process:
            post = await photos.upload("vase.jpg", photo("photo-02.jpg"))
            card = await photos.next_reply(to=post)
            await people.click(card, "Where to buy", by="ben")
            await killed(process)
        assert "Checking stores" in str((await people.next_view("ben")).blocks)
        async with bot_process(engine, people, tmp_path):
            await people.next_view("ben", until=lambda view: "Visit store" in str(view.blocks))


async def test_an_orderly_end_lets_the_running_lookup_finish(engine: Engine, tmp_path: Path) -> None:
    async with workspace(engine) as people:
        photos = people.channel("photos")
        async with bot_process(engine, people, tmp_path) as process:
            people.faults.delay("reactions.add", 1.0)
            post = await photos.upload("mug.jpg", photo("photo-01.jpg"))
            await people.until(lambda: people.calls_of("reactions.add"), what="the lookup to begin")
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 30) == 0
        assert len(photos.replies(post)) == 1


async def test_one_process_may_hear_and_another_work(engine: Engine, tmp_path: Path) -> None:
    async with workspace(engine) as people, bot_process(engine, people, tmp_path, worker=False):
        photos = people.channel("photos")
        early = await photos.upload("mug.jpg", photo("photo-01.jpg"))
        async with bot_process(engine, people, tmp_path, hears=False):
            card = await photos.next_reply(to=early)
            await people.click(card, "Where to buy", by="ben")
            await people.next_view("ben", until=lambda view: "Visit store" in str(view.blocks))
            await people.command("/insights", "off")
            assert "turned automatic answers off" in (await photos.next_message()).text
            late = await photos.upload("vase.jpg", photo("photo-02.jpg"))
            await photos.next_reply(to=await photos.upload("vase.jpg", photo("photo-02.jpg"), text="<@insights> and this?"))
        assert photos.replies(late) == []
        assert people.problems == []


async def test_what_a_killed_worker_was_doing_another_one_takes_over(engine: Engine, tmp_path: Path) -> None:
    async with workspace(engine) as people, bot_process(engine, people, tmp_path, worker=False):
        photos = people.channel("photos")
        async with bot_process(engine, people, tmp_path, hears=False) as first:
            people.faults.delay("reactions.add", 9.0)
            post = await photos.upload("mug.jpg", photo("photo-01.jpg"))
            await people.settled()
            async with bot_process(engine, people, tmp_path, hears=False):  # the first is long at work when it is ready
                assert photos.replies(post) == []
                first.kill()
                await killed(first)
                await photos.next_reply(to=post, timeout=30)
        assert len(photos.replies(post)) == 1
