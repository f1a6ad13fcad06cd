"""`make faults`: the long form. Ten minutes, twenty posts a second, a kill every half to three seconds.

python -m tests.faults [MINUTES] [postgres]
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.databases import Server
from tests.faults.harness import Plan, go_through

LONG = Plan(seconds=600, rate=20, pause=(0.5, 3.0), patience=3600)


async def main(minutes: float, *, postgres: bool) -> int:
    plan = Plan(minutes * 60, LONG.rate, LONG.pause, LONG.patience)
    with tempfile.TemporaryDirectory() as folder:
        found = await go_through(plan, Path(folder), postgres=Server() if postgres else None, say=print)
    print("\n".join(found.lines()))
    for name in found.lost[:20]:
        print(f"lost: {name}")
    return 0 if not found.lost and found.doubled <= found.acknowledged / 1000 else 1


if __name__ == "__main__":
    words = sys.argv[1:]
    minutes = [float(word) for word in words if word != "postgres"] or [LONG.seconds / 60]
    sys.exit(asyncio.run(main(minutes[0], postgres="postgres" in words)))
