"""The job queue: once per key, in steps that survive kill -9, and never silent at the end."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ConfigurationError, RateLimited, Unavailable, UserError
from bot.queue import Dead, Job, Jobs
from tests import databases

SECRET = "https://hooks.slack.com/actions/T1/1/x"
CHILD = """
import asyncio, json, os, signal, sys
from pathlib import Path
from bot.queue import Jobs
from tests import databases

folder, crash, starts = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])

def note(line):
    with (folder / "log").open("a") as log:
        log.write(line + chr(10))
        log.flush()
        os.fsync(log.fileno())

def die(where):
    if crash == where:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    finished = asyncio.Event()

    async def work(job):
        for name in ("one", "two", "three"):
            async def step(name=name):
                note(f"{job.key} {name}")
                die(f"in {name}")
                return name
            assert await job.step(name, step) == name
            die(f"after {name}")
        note(f"{job.key} done")
        finished.set()

    async def tell(job, what):
        note(f"{job.key} dead {what}")
        finished.set()

    async with Jobs.open(databases.jobs(folder)) as jobs, jobs.running({"work": work}, tell):
        for key in starts:
            await jobs.start(key, "T1", "work", {"n": 1})
            die("after start")
        await asyncio.wait_for(finished.wait(), 20)

asyncio.run(main())
"""


def child(folder: Path, crash: str = "", starts: tuple[str, ...] = ()) -> int:
    """One life of a process that runs the queue; returns how it ended."""
    script = [sys.executable, "-c", CHILD, str(folder), crash, json.dumps(starts)]
    return subprocess.run(
        script, check=False, timeout=60, env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    ).returncode


def notes(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


async def told_nothing(_job: Job, what: UserError | Dead) -> None:
    raise AssertionError(f"told {what}")


async def settled(jobs: Jobs, *states: str) -> None:
    async with asyncio.timeout(20):
        while any(one.state not in states for one in await jobs.list()):  # noqa: ASYNC110 (the queue tells nobody)
            await asyncio.sleep(0.02)


def test_killed_between_each_two_steps_a_job_ends_and_finished_steps_are_not_run_again(tmp_path: Path) -> None:
    assert child(tmp_path, "after start", ("k",)) == -signal.SIGKILL
    for crash in ("after one", "after two", "after three"):
        assert child(tmp_path, crash) == -signal.SIGKILL
    assert child(tmp_path) == 0
    assert notes(tmp_path) == ["k one", "k two", "k three", "k done"]


def test_a_step_that_was_interrupted_runs_again(tmp_path: Path) -> None:
    assert child(tmp_path, "in two", ("k",)) == -signal.SIGKILL
    assert child(tmp_path) == 0
    assert notes(tmp_path) == ["k one", "k two", "k two", "k three", "k done"]


async def test_a_job_for_later_holds_nobody_up_and_survives_the_process(tmp_path: Path) -> None:
    ran: list[str] = []

    async def work(job: Job) -> None:
        ran.append(job.key)

    async with Jobs.open(databases.jobs(tmp_path)) as jobs, jobs.running({"work": work}, told_nothing):
        await jobs.start("later", "T1", "work", {}, after=3)
        for number in range(6):  # in every lane of the tenant
            await jobs.start(f"now {number}", "T1", "work", {})
        async with asyncio.timeout(20):
            while len(ran) < 6:  # noqa: ASYNC110 (the queue tells nobody)
                await asyncio.sleep(0.02)
        assert "later" not in ran
    async with Jobs.open(databases.jobs(tmp_path)) as jobs, jobs.running({"work": work}, told_nothing):
        await settled(jobs, "done")
    assert ran[-1] == "later"
    assert len(ran) == 7


def test_a_job_that_kills_every_process_is_given_up_and_told_once(tmp_path: Path) -> None:
    assert child(tmp_path, "in one", ("k",)) == -signal.SIGKILL
    lives = 1
    while child(tmp_path, "in one") == -signal.SIGKILL:
        lives += 1
        assert lives < 8
    assert notes(tmp_path).count("k one") == lives
    assert len([line for line in notes(tmp_path) if line.startswith("k dead")]) == 1


async def test_a_key_is_worked_on_once_however_often_it_is_started(tmp_path: Path) -> None:
    ran: list[str] = []

    async def work(job: Job) -> None:
        ran.append(job.key)

    async with Jobs.open(databases.jobs(tmp_path)) as jobs, jobs.running({"work": work}, told_nothing):
        await asyncio.gather(*(jobs.start(f"k{n % 3}", "T1", "work", {"n": n}) for n in range(30)))
        await settled(jobs, "done")
        await jobs.start("k0", "T1", "work", {"n": 99})
        await settled(jobs, "done")
    assert sorted(ran) == ["k0", "k1", "k2"]


async def test_a_queue_without_handlers_takes_jobs_that_another_one_runs(tmp_path: Path) -> None:
    ran: list[dict[str, Any]] = []

    async def work(job: Job) -> None:
        ran.append(job.payload)

    async with Jobs.open(databases.jobs(tmp_path)) as jobs:
        await jobs.start("k", "T1", "work", {"text": "naïve ✓"})
        assert [one.state for one in await jobs.list()] == ["waiting"]
    async with Jobs.open(databases.jobs(tmp_path)) as jobs, jobs.running({"work": work}, told_nothing):
        await settled(jobs, "done")
    assert ran == [{"text": "naïve ✓"}]


def failing(*errors: Exception) -> tuple[list[int], Callable[[Job], Awaitable[None]]]:
    """A handler whose step raises these, one an attempt, and then succeeds; and the count of its tries."""
    tries: list[int] = []

    async def work(job: Job) -> None:
        async def step() -> str:
            tries.append(1)
            if len(tries) <= len(errors):
                raise errors[len(tries) - 1]
            return "fine"

        assert await job.step("try", step) == "fine"

    return tries, work


@pytest.mark.parametrize(
    "error", [Unavailable("down"), RateLimited("wait", 0.01), RuntimeError("surprise"), ConnectionResetError()]
)
async def test_what_may_pass_is_tried_again(tmp_path: Path, error: Exception) -> None:
    tries, work = failing(error, error)
    async with Jobs.open(databases.jobs(tmp_path)) as jobs, jobs.running({"work": work}, told_nothing, pauses=(0.01,) * 4):
        await jobs.start("k", "T1", "work", {})
        await settled(jobs, "done")
    assert len(tries) == 3


async def test_what_does_not_pass_is_given_up_and_told_once_with_a_reference(tmp_path: Path) -> None:
    tries, work = failing(*[Unavailable("down")] * 9)
    told: list[tuple[str, str]] = []

    async def tell(job: Job, what: UserError | Dead) -> None:
        told.append((type(what).__name__, str(what)))
        assert str(what) == job.reference

    async with Jobs.open(databases.jobs(tmp_path)) as jobs, jobs.running({"work": work}, tell, pauses=(0.01,) * 4):
        await jobs.start("k", "T1", "work", {})
        await settled(jobs, "dead")
        assert [one.key for one in await jobs.list(state="dead")] == ["k"]
    assert len(tries) == 5
    assert [name for name, _ in told] == ["Dead"]


async def test_a_refusal_is_told_and_the_job_is_done(tmp_path: Path) -> None:
    tries, work = failing(UserError("Post a picture."))
    told: list[str] = []

    async def tell(_job: Job, what: UserError | Dead) -> None:
        told.append(str(what))

    async with Jobs.open(databases.jobs(tmp_path)) as jobs, jobs.running({"work": work}, tell):
        await jobs.start("k", "T1", "work", {})
        await settled(jobs, "done")
    assert told == ["Post a picture."]
    assert len(tries) == 1


async def test_an_urgent_job_does_not_wait_behind_its_tenants_others(tmp_path: Path) -> None:
    release, order = asyncio.Event(), list[str]()

    async def work(job: Job) -> None:
        if job.payload.get("slow"):
            await release.wait()
        order.append(job.key)

    async with Jobs.open(databases.jobs(tmp_path)) as jobs, jobs.running({"work": work}, told_nothing):
        for n in range(12):
            await jobs.start(f"slow-{n}", "T1", "work", {"slow": True})
        await jobs.start("click", "T1", "work", {}, urgent=True)
        await jobs.start("other", "T2", "work", {})
        async with asyncio.timeout(10):
            while set(order) != {"click", "other"}:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert sum(one.state == "running" and "slow" in one.payload for one in await jobs.list()) <= 3
        release.set()
        await settled(jobs, "done")


async def test_at_the_end_running_jobs_finish_and_what_takes_too_long_goes_on_next_time(tmp_path: Path) -> None:
    begun, forever, ran = asyncio.Event(), asyncio.Event(), list[str]()

    async def work(job: Job) -> None:
        begun.set()
        await (asyncio.sleep(0.2) if job.key == "short" else forever.wait())
        ran.append(job.key)

    async with Jobs.open(databases.jobs(tmp_path)) as jobs:
        async with jobs.running({"work": work}, told_nothing, drain=1.0):
            await jobs.start("short", "T1", "work", {})
            await begun.wait()
        assert ran == ["short"]
        async with jobs.running({"work": work}, told_nothing, drain=0.1):
            begun.clear()
            await jobs.start("long", "T1", "work", {})
            await begun.wait()
        forever.set()
        async with jobs.running({"work": work}, told_nothing):
            await settled(jobs, "done")
    assert ran == ["short", "long"]


@databases.of_files
async def test_a_locked_file_is_an_outage_that_quotes_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.queue.BUSY_SECONDS", 0.1)
    async with Jobs.open(databases.jobs(tmp_path)) as jobs:
        other = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked") as caught:
            await jobs.start("k", "T1", "work", {"response_url": SECRET})
        assert SECRET not in "".join(traceback.format_exception(caught.value))
        other.execute("ROLLBACK")
        other.close()
        assert await jobs.list() == []
        await jobs.start("k", "T1", "work", {})
        assert [one.key for one in await jobs.list()] == ["k"]


async def test_what_starts_together_is_stored_together_though_one_of_them_gives_up_waiting(tmp_path: Path) -> None:
    async with Jobs.open(databases.jobs(tmp_path)) as jobs:
        starts = [asyncio.create_task(jobs.start(f"k{n}", "T1", "work", {})) for n in range(5)]
        await asyncio.sleep(0)
        starts[0].cancel()
        results = await asyncio.gather(*starts, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError] + [type(None)] * 4
        assert {one.key for one in await jobs.list()} >= {"k1", "k2", "k3", "k4"}


@databases.of_files
async def test_a_job_whose_end_could_not_be_written_down_is_ended_again(tmp_path: Path) -> None:
    ran: list[str] = []

    async def work(job: Job) -> None:
        async def step() -> None:
            ran.append("step")

        await job.step("step", step)
        ran.append("end")

    async with Jobs.open(tmp_path / "jobs.db") as jobs, jobs.running({"work": work}, told_nothing):
        await jobs.start("k", "T1", "work", {})
        await settled(jobs, "done")
        with contextlib.closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as other:
            other.execute("UPDATE workflow_status SET status = 'PENDING', output = NULL, completed_at = NULL")
        await settled(jobs, "done")
    assert ran == ["step", "end", "end"]


async def test_a_cancelled_job_never_runs(tmp_path: Path) -> None:
    ran: list[str] = []

    async def work(job: Job) -> None:
        ran.append(job.key)

    async with Jobs.open(databases.jobs(tmp_path)) as jobs:
        await jobs.start("k", "T1", "work", {})
        await jobs.cancel("k")
        async with jobs.running({"work": work}, told_nothing):
            await jobs.start("other", "T1", "work", {})
            await settled(jobs, "done", "cancelled")
    assert ran == ["other"]


@databases.of_files
async def test_a_file_that_is_no_database_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_bytes(b"this is not a database, it is a diary" * 100)
    with pytest.raises(ConfigurationError, match=r"jobs\.db cannot be opened"):
        async with Jobs.open(databases.jobs(tmp_path)):
            pass


async def test_what_is_stored_can_be_read_by_anybody_and_runs_nothing(tmp_path: Path) -> None:
    async with Jobs.open(databases.jobs(tmp_path)) as jobs:
        await jobs.start("k", "T1", "work", {"image": {"file_id": "F1"}})
    ((inputs,),) = databases.ask(tmp_path, "select inputs from jobs.workflow_input")
    assert json.loads(inputs)["args"] == ["k", "T1", "work", {"image": {"file_id": "F1"}}]
