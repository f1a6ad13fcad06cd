"""`make bench-rival`: beside clip-retrieval, on the same weights and pictures, over HTTP, one thread each.

No package carries the weights of a trained CLIP, so both get ViT-B/32 with the same random ones: what a lookup costs is compared,
not what it finds. What searching by one vector of the whole picture finds, as the rival does, is a column of `make quality`.
"""

import asyncio
import base64
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

from aiohttp import ClientError, ClientSession, FormData

from bot import web
from tests.bench.__main__ import show
from tests.bench.measure import TICKS, Figure, _ticks, family, rss_mb
from tests.worlds import CATALOGUE, PHOTOS

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv-rival" / "bin"
CARD: dict[str, Any] = {
    "name": "vit-b-32-random",
    "size": 224,
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "dimension": 512,
    "input": "image",
    "output": "embedding",
    "licence": "random numbers",
}
ROUNDS, A_ROUND = 6, 6
OK = 200
READY_SECONDS = 180
QUIET = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}

Ask = Callable[[ClientSession, str, bytes], Awaitable[None]]


@dataclass
class Server:
    """A process that answers lookups, and what they took: CPU and wall, milliseconds each."""

    name: str
    url: str
    pid: int
    ready: float
    ask: Ask
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    async def round(self, session: ClientSession, pictures: Sequence[bytes]) -> None:
        before = sum(_ticks(pid) for pid in family(self.pid))
        for data in pictures:
            began = time.perf_counter()
            await self.ask(session, self.url, data)
            self.wall.append((time.perf_counter() - began) * 1000)
        self.cpu.append((sum(_ticks(pid) for pid in family(self.pid)) - before) / TICKS * 1000 / len(pictures))

    def __str__(self) -> str:
        memory = sum(rss_mb(pid) for pid in family(self.pid))
        return (
            f"{self.name}: {median(self.cpu):.0f} ms CPU and {median(self.wall):.0f} ms a lookup, {memory:.0f} MB, "
            f"ready after {self.ready:.1f} s"
        )


async def main() -> None:
    if not BIN.is_dir():
        sys.exit("The rival is not installed. Run: make bench-rival")
    with tempfile.TemporaryDirectory(prefix="rival-") as name, tempfile.TemporaryDirectory(prefix="rival-model-") as model:
        folder, weights = Path(name), Path(model)
        await run(BIN / "python", ROOT / "tests/bench/rival_model.py", weights)
        for parts in (True, False):
            of = weights / ("parts.onnx" if parts else "whole.onnx")
            shutil.copy(weights / "vit.onnx", of)
            of.with_suffix(".json").write_text(json.dumps(CARD | {"parts": parts}))
        async with (
            ClientSession() as session,
            rival(session, folder, weights / "vit.pt") as theirs,
            ours(session, folder / "whole", weights / "whole.onnx", "ours, the whole alone") as whole,
            ours(session, folder / "parts", weights / "parts.onnx", "ours, whole and parts") as parts_too,
        ):
            everyone = (theirs, whole, parts_too)
            queries = cycle(path.read_bytes() for path in sorted(PHOTOS.glob("*.jpg")))
            for number in range(ROUNDS):
                pictures = [next(queries) + bytes([number]) for _ in range(A_ROUND)]  # never the same bytes twice
                for server in everyone:
                    await server.round(session, pictures)
            for server in everyone:
                print(f"  {server}")
            cost, memory = median(theirs.cpu), sum(rss_mb(pid) for pid in family(theirs.pid))
            for one in (whole, parts_too):
                mb = sum(rss_mb(pid) for pid in family(one.pid))
                show(Figure(f"{one.name}: CPU of a lookup / clip-retrieval's", median(one.cpu) / cost, 1.0, ""))
                show(Figure(f"{one.name}: memory / clip-retrieval's", mb / memory, 1.0, ""))


@asynccontextmanager
async def rival(session: ClientSession, folder: Path, weights: Path) -> AsyncIterator[Server]:
    """clip-retrieval over the demo's pictures: its own inference, its own index, its own service."""
    pictures = folder / "pictures"
    shutil.copytree(CATALOGUE / "images", pictures, ignore=shutil.ignore_patterns("*.png", "*.webp"))
    model, program = f"open_clip:ViT-B-32/{weights}", BIN / "clip-retrieval"
    told = ("--clip_model", model, "--use_jit", "False")
    seen = ("--input_dataset", pictures, "--output_folder", folder / "seen", "--enable_text", "False")
    await run(program, "inference", *seen, *told)
    await run(program, "index", "--embeddings_folder", folder / "seen", "--index_folder", folder / "index")
    off = ["enable_mclip_option", "use_jit", "provide_safety_model", "provide_violence_detector", "provide_aesthetic_embeddings"]
    options: dict[str, object] = {
        "indice_folder": str(folder / "index"),
        "clip_model": model,
        "columns_to_return": ["image_path"],
    }
    options |= dict.fromkeys([*off, "enable_hdf5", "use_arrow", "reorder_metadata_by_ivf_index"], False)
    paths = folder / "indices.json"
    paths.write_text(json.dumps({"demo": options | {"enable_faiss_memory_mapping": True}}))
    switches = [part for name in off for part in (f"--{name}", "False")]

    async def ask(session: ClientSession, url: str, data: bytes) -> None:
        asked = {"image": base64.b64encode(data).decode(), "modality": "image", "indice_name": "demo", "deduplicate": False}
        asked |= {"num_images": 20, "num_result_ids": 20, "use_safety_model": False, "use_violence_detector": False}
        async with session.post(f"{url}/knn-service", json=asked) as answer:
            assert answer.status == OK, await answer.text()
            assert await answer.json()

    port = free_port()
    command = (program, "back", "--port", str(port), "--indices_paths", paths, "--clip_model", model, *switches)
    async with running("clip-retrieval", session, f"http://127.0.0.1:{port}", "/", ask, *command) as server:
        yield server


@asynccontextmanager
async def ours(session: ClientSession, folder: Path, model: Path, name: str) -> AsyncIterator[Server]:
    """The engine's API with the same weights as INSIGHTS_MODEL, over the demo catalogue."""
    settings = {"DATA_DIR": str(folder), "INSIGHTS_MODEL": str(model), "INSIGHTS_RATE_PER_KEY": "0"}
    await run(sys.executable, "-m", "bot", "catalogue", "import", CATALOGUE, **settings)

    async def ask(session: ClientSession, url: str, data: bytes) -> None:
        form = FormData()
        form.add_field("image", data, filename="photo.jpg")
        async with session.post(f"{url}/bing/v7.0/images/details?modules=SimilarImages", data=form) as answer:
            assert answer.status == OK, await answer.text()

    port = free_port()
    command = (sys.executable, "-m", "bot", "insights", "--port", str(port))
    async with running(name, session, f"http://127.0.0.1:{port}", "/readyz", ask, *command, **settings) as server:
        yield server


@asynccontextmanager
async def running(
    name: str, session: ClientSession, url: str, path: str, ask: Ask, *command: object, **settings: str
) -> AsyncIterator[Server]:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=ROOT,
        env=os.environ | QUIET | settings,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await answers(session, url + path):
                assert process.returncode is None, f"{name} ended before it was ready"
                await asyncio.sleep(0.1)
        server = Server(name, url, process.pid, time.monotonic() - began, ask)
        await server.round(session, [(PHOTOS / "photo-01.jpg").read_bytes()])  # warm
        server.cpu.clear()
        server.wall.clear()
        yield server
    finally:
        process.terminate()
        await process.wait()


async def answers(session: ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == OK
    except ClientError:
        return False


async def run(*command: object, **settings: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=ROOT,
        env=os.environ | QUIET | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-2000:]


def free_port() -> int:
    with web.bind("127.0.0.1", 0) as sock:
        return int(sock.getsockname()[1])


if __name__ == "__main__":
    asyncio.run(main())
