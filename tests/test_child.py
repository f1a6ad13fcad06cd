"""A child process may be killed at any moment, whatever it is doing (threats.md §4)."""

import asyncio
import json
from asyncio.subprocess import Process
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from bot.child import HEAD, Child, Died


def large_picture() -> bytes:
    file = BytesIO()
    Image.new("RGB", (3000, 2000)).save(file, "JPEG")
    return file.getvalue()


LIMIT = 2**16
"""Bytes that a stream of asyncio holds before it slows down whoever sends."""


def unread(process: Process) -> int:
    stdout: Any = process.stdout
    return len(stdout._buffer)


async def until(true: Callable[[], object]) -> None:
    while not true():  # noqa: ASYNC110 (nothing tells of it)
        await asyncio.sleep(0)


ORDER = {"as": "rgb", "side": 3000, "crop": (0.0, 0.0, 1.0, 1.0)}


async def test_a_child_is_stopped_while_nobody_reads_its_answer() -> None:
    child = Child("bot.decode", seconds=20)
    await child.start()
    process = child._process
    assert process
    assert process.stdin
    words, data = json.dumps(ORDER).encode(), large_picture()
    process.stdin.write(HEAD.pack(len(words), len(data)) + words + data)
    await until(lambda: unread(process) > 2 * LIMIT)  # no more is taken in for a reader then
    async with asyncio.timeout(20):
        await child.stop()
    assert process.returncode == -9


async def test_an_order_that_is_given_up_ends_the_child_and_the_next_one_is_answered() -> None:
    child = Child("bot.decode", seconds=20)
    data = large_picture()
    for moment in range(8):
        asking = asyncio.create_task(child.ask(ORDER, data))
        await until(lambda: child._process and unread(child._process))
        for _ in range(moment):
            await asyncio.sleep(0)
        asking.cancel()
        async with asyncio.timeout(20):
            with pytest.raises((asyncio.CancelledError, Died)):
                await asking
    about, payload = await child.ask(ORDER, data)
    assert about["shape"] == [2000, 3000, 3]
    assert len(payload) == 2000 * 3000 * 3
    await child.stop()
