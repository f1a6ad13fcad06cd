"""`catalogue import` that kills itself where it is told to.

    crashing_import.py '{"data_dir": …, "source": …, "crash": ["before" | "after", STEP, NUMBER]}'

NUMBER is which time the step is taken, from 1.
"""

import asyncio
import functools
import inspect
import json
import os
import signal
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from bot.commands.catalogue import run_import
from bot.insights import storing
from bot.insights.importing import Importer
from bot.insights.staging import Staging
from tests.worlds import settings_for

STEPS: dict[str, tuple[Any, str]] = {
    "reading": (Staging, "take"),
    "grouping": (Staging, "group"),
    "storing a batch": (Importer, "_put_offers"),
    "storing its pictures": (storing, "put_uses"),  # the last thing of a batch's transaction
    "forgetting what is gone": (Importer, "_forget"),
    "sweeping": (storing, "sweep"),
    "remembering the source": (Importer, "_remember"),
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(when: str, step: str, number: int) -> None:
    """Put the trap where it belongs; the step itself, and everything around it, is the real one."""
    owner, name = STEPS[step]
    real, taken = getattr(owner, name), 0

    @functools.wraps(real)
    def trapped(*given: Any, **named: Any) -> Any:
        nonlocal taken
        taken += 1
        here = taken == number
        if here and when == "before":
            die()
        done = real(*given, **named)
        if not here:
            return done
        if inspect.isawaitable(done):
            return last(done)
        return die()

    async def last(done: Awaitable[Any]) -> None:
        await done
        die()

    setattr(owner, name, trapped)


async def main(order: dict[str, Any]) -> None:
    arm(*order["crash"])
    await run_import(settings_for(Path(order["data_dir"])), [order["source"]], seller="")


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
