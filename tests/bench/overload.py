"""Five times as many requests as the engine can answer: each is answered in time, and hardly fewer get what they asked for."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from tests.bench.api import AT_ONCE, Client, api_server
from tests.bench.measure import Figure

SECONDS, TIMES = 20.0, 5
ANSWERED_SECONDS, GOODPUT = 12.0, 0.6


async def figures() -> Sequence[Figure]:
    everybody = TCPConnector(limit=0)
    async with ClientSession(connector=everybody, timeout=ClientTimeout(total=60)) as session:
        with tempfile.TemporaryDirectory() as folder:
            async with api_server(folder) as (url, _):
                client = Client(session, f"{url}/bing/v7.0/images/")
                await _steadily(client, 3.0)
                capacity = await _steadily(client, SECONDS)
                answers, slowest, took = await _flood(client, capacity * TIMES)
    good = answers[200] / took
    told = ", ".join(f"{number} × {status or 'nothing'}" for status, number in sorted(answers.items()))
    return [
        Figure("overload 5 ×: answered within / 12 s", slowest / ANSWERED_SECONDS, 1.0, f"{slowest:.1f} s at most; {told}"),
        Figure(
            "  answers of use a second / capacity",
            good / capacity,
            GOODPUT,
            f"{good:.1f} of {capacity:.1f} a second",
            at_least=True,
        ),
    ]


async def _steadily(client: Client, seconds: float) -> float:
    """Uploads a second that are answered when a few ask again and again."""
    until, done = time.monotonic() + seconds, 0

    async def lane() -> None:
        nonlocal done
        while time.monotonic() < until:
            status = await client.status()
            done += status == 200

    await asyncio.gather(*(lane() for _ in range(AT_ONCE)))
    return done / seconds


async def _flood(client: Client, rate: float) -> tuple[Counter[int], float, float]:
    """What was answered when nobody waits for an answer before he asks; the slowest answer, and how long all took, in seconds."""
    answers, slowest, began = Counter[int](), 0.0, time.monotonic()

    async def one() -> None:
        nonlocal slowest
        asked = time.monotonic()
        status = await client.status()
        answers[status] += 1
        slowest = max(slowest, time.monotonic() - asked)

    async with asyncio.TaskGroup() as asking:
        for number in range(round(rate * SECONDS)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            asking.create_task(one())
    return answers, slowest, time.monotonic() - began
