"""The engine's HTTP API alone (`python -m bot insights`): requests a second, CPU by token, memory."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path
from statistics import median

from aiohttp import ClientError, ClientResponse, ClientSession

from bot import web
from bot.insights.encoder import PHOTO_SIDE, Encoder
from bot.pixels import Pixels
from tests.bench.measure import Figure, family, rss_mb
from tests.bench.pictures import resized
from tests.bench.serving import is_ready, run
from tests.worlds import CATALOGUE

AT_ONCE = 16
UPLOADS, ROUNDS = 60, 5
TOKENS = 400
MANY = 10_000
MOST_MB = 512.0
TOKEN_MS = 5.0
BYTES_A_REQUEST = 1000.0


async def figures() -> Sequence[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with api_server(folder) as (url, pid), ClientSession() as session, Pixels.open() as pixels:
            client = Client(session, f"{url}/bing/v7.0/images/")
            encoder = await asyncio.to_thread(Encoder.load, None)
            speed = await _uploads(client, pixels, encoder)
            token, own, memory = await _by_token(client, pid), rss_mb(pid), _all_mb(pid)
            await client.visual_search()
            reading = _all_mb(pid)
            growth = await _growth(client, pid)
    return [
        speed,
        Figure("details by token: p50 of CPU / 5 ms", token / TOKEN_MS, 1.0, f"{token:.1f} ms"),
        Figure("insights: memory with its decoders / 512 MB", memory / MOST_MB, 1.0, f"{memory:.0f} MB, itself {own:.0f} MB"),
        Figure("  the same while text is read", reading / MOST_MB, 1.0, f"{reading:.0f} MB"),
        Figure("memory a request, over 10,000 / 1 kB", growth / BYTES_A_REQUEST, 1.0, f"{growth:.0f} bytes"),
    ]


class Client:
    """Asks about another picture every time, because bytes that came before are remembered."""

    def __init__(self, session: ClientSession, root: str) -> None:
        self._session = session
        self._root = root
        self._picture = resized("photo-01.jpg", 800, 600)
        self._new = count()

    def picture(self) -> bytes:
        return self._picture + str(next(self._new)).encode()

    def _post(self, where: str) -> AbstractAsyncContextManager[ClientResponse]:
        head = b"--b\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        return self._session.post(f"{self._root}{where}", data=head + self.picture() + b"\r\n--b--\r\n", headers=headers)

    async def upload(self, modules: str = "All") -> str:
        """The token of the picture."""
        async with self._post(f"details?modules={modules}") as response:
            assert response.status == 200
            return str((await response.json())["imageInsightsToken"])

    async def status(self) -> int:
        """Of an upload, whatever becomes of it; 0 where there was no answer."""
        try:
            async with self._post("details?modules=All") as response:
                await response.read()
                return response.status
        except (ClientError, TimeoutError):
            return 0

    async def by_token(self, token: str) -> None:
        parameters = {"modules": "All", "insightsToken": token}
        async with self._session.get(f"{self._root}details", params=parameters) as response:
            assert response.status == 200
            await response.read()

    async def visual_search(self) -> None:
        async with self._post("visualsearch") as response:
            assert response.status == 200
            await response.read()


async def _uploads(client: Client, pixels: Pixels, encoder: Encoder) -> Figure:
    """Both at the same concurrency, in turn; the client's own work counts against the server."""

    async def alone() -> None:
        frame = await pixels.load(client.picture(), side=PHOTO_SIDE)
        await asyncio.to_thread(encoder.look, frame.rgb)

    await _at_once(client.upload, AT_ONCE)
    await _at_once(alone, AT_ONCE)
    pairs = [(await _a_second(client.upload), await _a_second(alone)) for _ in range(ROUNDS)]
    ours, least = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    detail = f"{ours:.1f} a second; alone {least:.1f}"
    ratio = median(pair[0] / pair[1] for pair in pairs)
    return Figure("details by upload a second / decode + encode alone", ratio, 0.8, detail, at_least=True)


async def _a_second(work: Callable[[], Awaitable[object]]) -> float:
    started = time.monotonic()
    await _at_once(work, UPLOADS)
    return UPLOADS / (time.monotonic() - started)


async def _at_once(work: Callable[[], Awaitable[object]], times: int) -> None:
    left = iter(range(times))

    async def lane() -> None:
        for _ in left:
            await work()

    await asyncio.gather(*(lane() for _ in range(AT_ONCE)))


async def _by_token(client: Client, pid: int) -> float:
    """Median CPU milliseconds of the server for one request."""
    token = await client.upload()
    spent: list[float] = []
    for _ in range(TOKENS):
        before = _cpu_ns(pid)
        await client.by_token(token)
        spent.append((_cpu_ns(pid) - before) / 1e6)
    return median(spent)


def _cpu_ns(pid: int) -> int:
    """Nanoseconds on a processor of all threads of a process."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))


async def _growth(client: Client, pid: int) -> float:
    """Bytes of resident memory that a request leaves behind: tokens for the most part, and an upload in fifty."""
    token = await client.upload()

    async def work(times: int) -> None:
        numbers = iter(range(times))

        async def lane() -> None:
            for number in numbers:
                await (client.upload("Tags") if number % 50 == 0 else client.by_token(token))

        await asyncio.gather(*(lane() for _ in range(AT_ONCE)))

    await work(MANY // 2)  # caches fill first, and they are bounded
    before = rss_mb(pid)
    await work(MANY)
    return (rss_mb(pid) - before) * 2**20 / MANY


def _all_mb(pid: int) -> float:
    return sum(rss_mb(one) for one in family(pid))


@asynccontextmanager
async def api_server(folder: str) -> AsyncIterator[tuple[str, int]]:
    environment = os.environ | {"DATA_DIR": folder, "LOG_LEVEL": "warning"}
    await run("catalogue", "import", str(CATALOGUE), environment=environment)
    with web.bind("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "insights", "--port", str(port), env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with ClientSession() as session:
            while not await is_ready(session, url):  # noqa: ASYNC110 (another process tells nobody)
                await asyncio.sleep(0.05)
        yield url, server.pid
    finally:
        server.terminate()
        await server.wait()
