"""500 events a second from Slack to two web processes on one Postgres: how long each waits to be acknowledged."""

import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from bot.demo.driver import running_workspace
from bot.demo.objects import TEAM_ID
from bot.postgres import address
from bot.queue import Jobs
from tests.bench.acknowledging import signed
from tests.bench.measure import Figure
from tests.databases import KEY, Server
from tests.faults.harness import free_port
from tests.faults.household import Member, household
from tests.worlds import SECRET, TOKEN

RATE, SECONDS = 500, 60
GOOD, MOST = 1.0, 3.0  # seconds: p99, and what Slack waits for


def event(number: int, channel: str) -> str:
    """One more person says something with a photo in it."""
    at = f"{time.time():.6f}"
    file = {
        "id": f"F{number:08}",
        "name": "a.jpg",
        "mimetype": "image/jpeg",
        "mode": "hosted",
        "url_private": "https://files.slack.com/f",
    }
    said = {"type": "message", "subtype": "file_share", "channel": channel, "channel_type": "channel", "user": "U0ANA",
            "text": "", "ts": at, "event_ts": at, "files": [file]}  # fmt: skip
    return json.dumps(
        {"type": "event_callback", "team_id": TEAM_ID, "api_app_id": "A1", "event_id": f"Ev{number}", "event": said,
         "event_time": int(time.time()), "authorizations": [{"team_id": TEAM_ID, "user_id": "U0BOT", "is_bot": True}]}
    )  # fmt: skip


async def storm(urls: Sequence[str], channel: str, *, rate: float, seconds: float) -> tuple[list[float], Counter[int]]:
    """Seconds that each took, and what was answered (0: nothing). Sent at a steady pace, however long each takes."""
    took: list[float] = []
    answers: Counter[int] = Counter()

    async def one(session: ClientSession, number: int, due: float) -> None:
        body = event(number, channel)
        try:
            async with session.post(f"{urls[number % len(urls)]}/slack/events", data=body, headers=signed(body)) as answer:
                answers[answer.status] += 1
        except (ClientError, TimeoutError):
            answers[0] += 1
        took.append(time.monotonic() - due)

    async with ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=30)) as session:
        begun, tasks = time.monotonic(), set()
        for number in range(int(rate * seconds)):
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.add(asyncio.create_task(one(session, number, due)))
        await asyncio.gather(*tasks)
    return took, answers


async def figures(*, rate: float = RATE, seconds: float = SECONDS) -> Sequence[Figure]:
    server, ports = Server(), [free_port(), free_port()]
    with tempfile.TemporaryDirectory() as folder:
        async with running_workspace(bot_url="", signing_secret=SECRET, bot_token=TOKEN) as people:
            common = {"DATA_DIR": folder, "DATABASE_URL": server.address, "SECRET_KEYS": KEY, "SLACK_API_URL": people.api_url,
                      "SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": SECRET, "HOST": "127.0.0.1", "LOG_LEVEL": "error",
                      "INSIGHTS_URL": "http://127.0.0.1:9"}  # fmt: skip
            members = [
                Member(f"web {port}", ["serve", "--no-worker"], common | {"PORT": f"{port}"}, Path(folder) / f"{port}.log")
                for port in ports
            ]
            urls, room = [f"http://127.0.0.1:{port}" for port in ports], people.channel("photos").id
            async with household(members):
                await storm(urls, room, rate=20, seconds=2)  # warm
                took, answers = await storm(urls, room, rate=rate, seconds=seconds)
            async with Jobs.open(address(server.address)) as jobs:
                kept = len(await jobs.list(limit=10_000_000))
    took.sort()
    p99, lost = took[int(0.99 * len(took))], answers[HTTPStatus.OK] - kept
    said = ", ".join(f"{times} × {status or 'nothing'}" for status, times in sorted(answers.items()))
    p50, slowest = took[len(took) // 2], took[-1]
    detail = f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, most {slowest * 1000:.0f} ms; {said}; lost {max(0, lost)}"
    return [
        Figure(f"{rate:.0f} events a second on Postgres, two web processes: p99 / 1 s", p99 / GOOD, 1.0, detail),
        Figure("the same: the slowest / the 3 s that Slack waits", slowest / MOST, 1.0, detail),
    ]
