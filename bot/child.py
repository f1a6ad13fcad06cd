"""A child process that may be killed at any moment: a JSON object and bytes go to it, and come back."""

import asyncio
import contextlib
import json
import os
import struct
import sys
from typing import Any

HEAD = struct.Struct(">II")
"""Length of the JSON object, length of the bytes after it. The children spell it themselves: they import nothing of ours."""

AT_ONCE = 2**22
"""Bytes of an answer from which the child has to wait until they are read: a picture comes without a pause."""


class Died(Exception):
    """It ended, or it took too long and was killed."""


class Child:
    """`python -m module`, answering one order after the other. Any trouble with it ends it; the next order starts another."""

    def __init__(self, module: str, *, seconds: float) -> None:
        """seconds: how long an order may take, starting included."""
        self._module = module
        self._seconds = seconds
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        if self._process and self._process.returncode is None:
            return
        # Nothing is inherited: no descriptor, no secret of the environment. One malloc arena keeps threads within RLIMIT_AS.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            self._module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(path or "." for path in sys.path), "MALLOC_ARENA_MAX": "1"},
            start_new_session=True,
            limit=AT_ONCE,
        )

    async def ask(self, order: dict[str, Any], data: bytes | memoryview) -> tuple[dict[str, Any], bytes]:
        """Raises Died."""
        done = False
        try:
            async with asyncio.timeout(self._seconds):
                await self.start()
                process = self._process
                assert process
                assert process.stdin
                assert process.stdout
                words = json.dumps(order).encode()
                process.stdin.write(HEAD.pack(len(words), len(data)) + words)
                process.stdin.write(data)
                await process.stdin.drain()
                about_length, payload_length = HEAD.unpack(await process.stdout.readexactly(HEAD.size))
                about = json.loads(await process.stdout.readexactly(about_length))
                payload = await process.stdout.readexactly(payload_length)
            done = True
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            raise Died from None
        finally:
            if not done:  # also when the caller gave up: half an answer is still in the pipe
                await self.stop()
        return about, payload

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()  # wait() never ends while half an answer lies unread in the pipe
