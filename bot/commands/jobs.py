"""`jobs list|show|retry|drop`."""

import json
from collections.abc import Sequence
from typing import Any

from bot import terminal
from bot.config import Settings
from bot.errors import UserError
from bot.queue import Jobs, JobStatus, State

MOST_JOBS = 1000


async def run_list(settings: Settings, state: State | None) -> None:
    async with Jobs.open(settings.jobs) as jobs:
        found = await jobs.list(state=state, limit=MOST_JOBS)
    for one in found:
        terminal.say(f"{one.reference}\t{one.state}\t{one.kind}\t{one.tenant}\t{one.created:%Y-%m-%d %H:%M:%S} UTC")


async def run_show(settings: Settings, name: str) -> None:
    async with Jobs.open(settings.jobs) as jobs:
        one = await _job(jobs, name)
    shown = {"reference": one.reference, "state": one.state, "kind": one.kind, "team": one.tenant, "created": f"{one.created}"}
    terminal.say(json.dumps(shown | {"key": one.key, "order": _without_secrets(one.payload)}, ensure_ascii=False, indent=2))


async def run_retry(settings: Settings, names: Sequence[str]) -> None:
    """Of jobs that were given up; the others go on by themselves."""
    async with Jobs.open(settings.jobs) as jobs:
        for one in [await _job(jobs, name) for name in names]:
            if one.state != "dead":
                raise UserError(f"{one.reference} was not given up: it is {one.state}.")
            await jobs.again(one)
            terminal.say(f"{one.reference} starts again")


async def run_drop(settings: Settings, names: Sequence[str]) -> None:
    async with Jobs.open(settings.jobs) as jobs:
        for one in [await _job(jobs, name) for name in names]:
            if one.state in {"waiting", "running"}:
                await jobs.cancel(one.key)
            await jobs.delete([one.key])
            terminal.say(f"{one.reference} is dropped")


async def _job(jobs: Jobs, name: str) -> JobStatus:
    """By the reference that people were told, or its whole key. Raises UserError."""
    found = await jobs.get(name)
    if found is None:
        every = await jobs.list(limit=100_000)
        found = next((one for one in every if one.reference == name.upper()), None)
    if found is None:
        raise UserError(f"There is no job {name}. `jobs list` shows those there are.")
    return found


def _without_secrets(payload: Any) -> Any:
    """A response_url is a permission to write (threats.md O3)."""
    if isinstance(payload, dict):
        hidden = ("response_url", "trigger_id")
        return {name: "…" if name in hidden and value else _without_secrets(value) for name, value in payload.items()}
    return payload
