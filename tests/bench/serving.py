"""The whole product in one process: memory and time until it is ready."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence

from aiohttp import ClientError, ClientSession

from bot import web
from bot.demo.driver import running_workspace
from bot.pixels import Pixels
from tests.bench.measure import Figure, family, rss_mb
from tests.worlds import CATALOGUE, SECRET, TOKEN, photo

READY_SECONDS = 3.0
MOST_MB = 512.0


async def figures() -> Sequence[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "DATA_DIR": folder,
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "LOOKUPS_PER_PERSON": "0",
        }
        await run("catalogue", "import", str(CATALOGUE), environment=environment)
        with web.bind("127.0.0.1", 0) as sock:
            port = sock.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        async with (
            Pixels.open() as pixels,
            running_workspace(bot_url=url, signing_secret=SECRET, bot_token=TOKEN, pixels=pixels) as people,
            ClientSession() as session,
        ):
            environment |= {"SLACK_API_URL": people.api_url, "PUBLIC_URL": url, "PORT": str(port), "HOST": "127.0.0.1"}
            before = time.monotonic()
            server = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "serve", env=environment, stdout=asyncio.subprocess.DEVNULL
            )
            try:
                while not await is_ready(session, url):  # noqa: ASYNC110 (another process tells nobody)
                    await asyncio.sleep(0.02)
                ready = time.monotonic() - before
                channel = people.channel("photos")
                for number in range(1, 21):
                    message = await channel.upload(f"{number}.jpg", photo(f"photo-{number:02}.jpg"), by="ana")
                    await channel.next_reply(to=message, timeout=30)
                own, everyone = rss_mb(server.pid), sum(rss_mb(pid) for pid in family(server.pid))
            finally:
                server.terminate()
                await server.wait()
    return [
        Figure("serve: resident memory after 20 lookups / 512 MB", own / MOST_MB, 1.0, f"{own:.0f} MB"),
        Figure("  the same with its decoder processes", everyone / MOST_MB, 1.0, f"{everyone:.0f} MB"),
        Figure("serve: until /readyz / 3 s", ready / READY_SECONDS, 1.0, f"{ready:.2f} s"),
    ]


async def is_ready(session: ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/readyz") as response:
            return response.status == 200
    except ClientError:
        return False


async def run(*words: str, environment: dict[str, str]) -> None:
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    assert await done.wait() == 0
