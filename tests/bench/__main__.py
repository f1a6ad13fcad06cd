"""`make bench`: each figure as a ratio, both sides measured in this run. Slow figures are marked, none fails anything."""

import asyncio
import sys

from tests.bench import acknowledging, api, importing, large, lookups, overload, people, pictures, serving, storm
from tests.bench.measure import Figure


async def main() -> None:
    print(f"{'':2}{'what':58} {'ratio':>7}  {'limit':>7}")
    for part in (pictures, lookups, large, importing, api, overload, acknowledging, people, serving, storm):
        for figure in await part.figures():
            show(figure)


def show(figure: Figure) -> None:
    sign = "≥" if figure.at_least else "≤"
    mark = " " if figure.good else "!"
    print(f"{mark} {figure.what:58} {figure.ratio:7.2f} {sign} {figure.limit:6.2f}   {figure.detail}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
    sys.exit(0)
