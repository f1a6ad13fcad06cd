"""A bot process for crash tests: serves like `bot serve`, and kills itself where it is told to.

    crashing_bot.py '{"data_dir": …, "engine_dir": …, "engine_url": …, "api_url": …, "port": …, "worker": true, "crash": …}'

Port 0 makes it a worker that hears nothing, `worker` false one that only hears.
`crash` is "before STEP" or "after STEP" of a job, or "before remembering a post".
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bot import web
from bot.fetch import Fetcher
from bot.insights.service import InsightsService
from bot.pixels import Pixels
from bot.queue import Job
from bot.results import Results
from bot.slack.running import running_bot
from bot.storage import Database
from tests.worlds import settings_for


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def ready() -> None:
    os.write(1, b"ready\n")


def arm(crash: str) -> None:
    """Put the trap where it belongs; the step itself, and everything around it, is the real one."""
    step, posted_as = Job.step, Results.posted_as

    async def trapped(self: Job, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        async def last_words() -> Any:
            value = await work()
            if crash == f"before recording {name}":
                die()
            return value

        value = await step(self, name, last_words)
        if crash == f"after {name}":
            die()
        return value

    async def forgetful(self: Results, key: str, ts: str) -> None:
        if crash == "before remembering a post":
            die()
        await posted_as(self, key, ts)

    Job.step = trapped  # type: ignore[method-assign]
    Results.posted_as = forgetful  # type: ignore[method-assign]


async def main(order: dict[str, Any]) -> None:
    arm(order["crash"])
    engine_dir = Path(order["engine_dir"])
    settings = settings_for(Path(order["data_dir"]), slack_api_url=order["api_url"], public_url=order["engine_url"])
    async with AsyncExitStack() as stack:
        pixels = await stack.enter_async_context(Pixels.open(workers=1))
        fetcher = await stack.enter_async_context(Fetcher.open(allow=settings.insights_fetch_allow))
        engine_settings = settings_for(engine_dir)
        shelf = await stack.enter_async_context(Database.open(engine_settings.database))
        service = await stack.enter_async_context(
            InsightsService.open(engine_settings, shelf, pixels, fetcher, base_url=order["engine_url"])
        )
        database = await stack.enter_async_context(Database.open(settings.database))
        port, worker = order["port"], order["worker"]
        bot = await stack.enter_async_context(
            running_bot(settings, database, service, pixels, fetcher, worker=worker, web_process=bool(port))
        )
        if port:
            await stack.enter_async_context(web.listening(web.bind("127.0.0.1", port), bot.routes, drain_seconds=1.0))
        await web.until_stopped(ready)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
