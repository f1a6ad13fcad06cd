"""What is different where DATABASE_URL names a Postgres: many machines, and a server that goes away and comes back.

That everything else is the same there is shown by all other tests with TEST_DATABASE=postgres (make test-postgres).
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from bot import postgres
from bot.errors import ConfigurationError, Unavailable, UserError
from bot.insights.catalogue import Catalogue
from bot.insights.encoders import load_encoder
from bot.queue import Job, Jobs
from bot.seats import PostgresSeat
from bot.storage import Database
from bot.vault import Vault
from tests import databases
from tests.test_cli import goods
from tests.test_queue import CHILD, notes, settled, told_nothing
from tests.test_storage import difference
from tests.worlds import CATALOGUE, Engine, photo, settings_for, world_of

ROOT = Path(__file__).parent.parent


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of an empty database."""
    return postgres.address(databases.of(tmp_path))


@pytest.fixture(scope="module")
def server() -> databases.Server:
    """One that may crash: nobody else uses it."""
    return databases.Server()


# ---------------------------------------------------------------- its address


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_each_spelling_of_the_address_is_understood(scheme: str) -> None:
    said = postgres.address(f"{scheme}://ann:p%40ss@db.example:6432/shop?sslmode=require")
    assert said == "postgresql+psycopg://ann:p%40ss@db.example:6432/shop?sslmode=require"


@pytest.mark.parametrize("wrong", ["mysql://db/shop", "postgres://db.example", "shop", "postgres://db:port/shop", "sqlite://"])
def test_another_address_is_refused_with_what_to_write(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL must look like"):
        _ = settings_for(tmp_path, database_url=SecretStr(wrong)).database


def test_its_password_is_not_shown(tmp_path: Path) -> None:
    assert "hunter2" not in repr(settings_for(tmp_path, database_url=SecretStr("postgres://ann:hunter2@db/shop")))


async def test_a_server_that_is_not_there_is_said_in_a_sentence_without_its_password() -> None:
    nowhere = postgres.address("postgres://ann:hunter2@127.0.0.1:1/shop")
    for opening in (Database.open(nowhere), Jobs.open(nowhere)):
        with pytest.raises(ConfigurationError, match="The database of DATABASE_URL cannot be used") as caught:
            async with opening:
                pass
        assert "hunter2" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_tokens_that_many_machines_open_need_a_key_that_all_of_them_have(tmp_path: Path) -> None:
    lonely = settings_for(tmp_path, database_url=SecretStr("postgres://db/shop"), secret_keys=())
    with pytest.raises(ConfigurationError, match="SECRET_KEYS must be set with a Postgres"):
        Vault.of(lonely)


# ---------------------------------------------------------------- its tables


async def test_migrations_lead_to_the_tables_in_the_code(url: str) -> None:
    async with Database.open(url) as database, database.read() as connection:
        assert await connection.run_sync(difference) == []


async def test_machines_that_start_together_bring_the_tables_up_to_date_once(url: str) -> None:
    async def start() -> None:
        async with Database.open(url) as database:
            await database.check()

    await asyncio.gather(*(start() for _ in range(4)))


async def test_a_commit_survives_a_power_cut(url: str) -> None:
    async with Database.open(url) as database, database.write() as connection:
        assert (await connection.exec_driver_sql("SHOW synchronous_commit")).scalar() == "on"


async def test_one_machine_writes_at_a_time(url: str) -> None:
    async with Database.open(url) as one, Database.open(url) as other:
        async with one.write():
            waiting = asyncio.create_task(other.check())
            await asyncio.sleep(0.3)
            assert not waiting.done()
        await waiting


# ---------------------------------------------------------------- many machines


async def test_what_two_machines_hear_is_answered_by_one(url: str) -> None:
    ran: list[str] = []

    async def work(job: Job) -> None:
        ran.append(job.key)

    async with Jobs.open(url) as one, Jobs.open(url) as other, other.running({"work": work}, told_nothing):
        await asyncio.gather(*(jobs.start(f"event {n}", "T1", "work", {}) for n in range(10) for jobs in (one, other)))
        await settled(one, "done")
    assert sorted(ran) == sorted(f"event {n}" for n in range(10))


def killed(folder: Path, url: str) -> None:
    """A machine that dies in the second step of the job that it starts."""
    script = [sys.executable, "-c", CHILD.replace("databases.jobs(folder)", repr(url)), str(folder), "in two", json.dumps(["k"])]
    done = subprocess.run(script, check=False, timeout=60, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == -signal.SIGKILL


async def test_what_a_killed_machine_was_doing_another_one_finishes(url: str, tmp_path: Path) -> None:
    async def work(job: Job) -> None:
        for name in ("one", "two", "three"):

            async def step(name: str = name) -> str:
                with (tmp_path / "log").open("a") as log:
                    log.write(f"{job.key} {name} by another\n")
                return name

            await job.step(name, step)

    await asyncio.to_thread(killed, tmp_path, url)
    seat = PostgresSeat.take(url)  # the seat of the dead one: whoever is left sits elsewhere
    async with Jobs.open(url) as jobs, jobs.running({"work": work}, told_nothing):
        seat.leave()
        await settled(jobs, "done")
    assert notes(tmp_path) == ["k one", "k two", "k two by another", "k three by another"]


def test_no_two_machines_sit_on_one_seat(url: str) -> None:
    seats = [PostgresSeat.take(url) for _ in range(3)]
    assert len({seat.name for seat in seats}) == 3
    for seat in seats:
        seat.leave()


def free(url: str) -> None:
    """Take everybody's seat away, as a network does that breaks."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s", (postgres.SEATS,)
        )


def test_a_seat_that_was_lost_is_taken_again_before_anything_else(url: str) -> None:
    seat = PostgresSeat.take(url)
    free(url)
    with pytest.raises(Unavailable):
        seat.take_over(print)
    seat.take_over(print)
    other = PostgresSeat.take(url)
    assert other.name != seat.name
    seat.leave()
    other.leave()


WORKER = """
import asyncio, sys
from bot.queue import Jobs

async def main():
    async with Jobs.open(sys.argv[1]) as jobs, jobs.running({}, None):
        print("sits", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_process_whose_seat_is_another_ones_ends(url: str) -> None:
    script = [sys.executable, "-c", WORKER, url]
    with subprocess.Popen(script, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "sits\n"
        free(url)
        taken = PostgresSeat.take(url)
        _, said = process.communicate(timeout=30)
        taken.leave()
    assert process.returncode == -signal.SIGTERM
    assert f"seat {taken.name} is another process's since the database was away: this process ends" in said


@asynccontextmanager
async def machine(engine: Engine, url: str, data_dir: Path) -> AsyncIterator[Catalogue]:
    """A machine with a disk of its own and the database of all."""
    async with (
        Database.open(url) as database,
        Catalogue.open(data_dir, database, engine.pixels, engine.fetcher, load_encoder(None)) as found,
    ):
        yield found


@pytest.mark.asyncio(loop_scope="session")
async def test_two_machines_do_not_import_at_once_and_both_serve_what_comes_in(engine: Engine, url: str, tmp_path: Path) -> None:
    feed = tmp_path / "feed.tsv"
    shutil.copy(CATALOGUE / "images" / "mg01.jpg", tmp_path / "mug.jpg")
    feed.write_text("id\ttitle\tlink\timage_link\tprice\n1\tMug\thttps://shop.example/1\tmug.jpg\t9.50 USD\n")
    async with (
        machine(engine, url, tmp_path / "one") as one,
        machine(engine, url, tmp_path / "other") as other,
        Database.open(url) as third,
    ):
        async with third.importing() as alone:
            assert alone
            with pytest.raises(UserError, match="Another import into this database is running on another machine"):
                await one.import_feeds([str(feed)])
        assert (await one.import_feeds([str(feed)])).added == 1
        async with asyncio.timeout(10):
            while not other.list_products():  # noqa: ASYNC110 (it tells nobody)
                await asyncio.sleep(0.05)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_photo_is_answered_and_its_product_has_stores(engine: Engine, tmp_path: Path) -> None:
    address, keys = SecretStr(databases.of(tmp_path)), (SecretStr(databases.KEY),)
    async with world_of(engine, tmp_path, database_url=address, secret_keys=keys) as world:
        people, photos = world.people, world.people.channel("photos")
        card = await photos.next_reply(to=await photos.upload("mug.jpg", photo("photo-01.jpg"), by="ana"))
        assert "Harbour Stripe Straight Mug" in str(card.blocks)
        await people.click(card, "Where to buy", by="ben")
        await people.next_view("ben", until=lambda view: "Visit store" in str(view.blocks))


# ---------------------------------------------------------------- a server that goes away


async def test_a_restarted_server_loses_no_job(server: databases.Server) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()
    ran: list[str] = []

    async def work(job: Job) -> None:
        async def step() -> str:
            began.set()
            await go_on.wait()
            ran.append(job.key)
            return "done"

        await job.step("only", step)

    async with Jobs.open(postgres.address(server.address)) as jobs, jobs.running({"work": work}, told_nothing):
        await jobs.start("before", "T1", "work", {})
        await began.wait()
        await asyncio.to_thread(server.crash)
        with pytest.raises(Unavailable, match="the job queue cannot be written to"):
            await jobs.start("meanwhile", "T1", "work", {})
        go_on.set()
        await asyncio.to_thread(server.start)
        await jobs.start("after", "T1", "work", {})
        await settled(jobs, "done", "done")
        assert {one.key for one in await jobs.list()} == {"before", "after"}
    assert set(ran) == {"before", "after"}


async def test_a_restart_between_two_commits_is_noticed_by_nobody(server: databases.Server) -> None:
    url = postgres.address(server.address)
    async with Jobs.open(url) as jobs, Database.open(url) as database:
        await jobs.start("first", "T1", "work", {})
        await database.check()
        await asyncio.to_thread(server.crash)
        await asyncio.to_thread(server.start)
        await jobs.start("second", "T1", "work", {})
        await database.check()
        assert {one.key for one in await jobs.list(state="waiting")} == {"first", "second"}


@pytest.mark.asyncio(loop_scope="session")
async def test_an_import_that_loses_its_database_says_so_and_goes_on_when_it_is_back(
    engine: Engine, server: databases.Server, tmp_path: Path
) -> None:
    feed = goods(tmp_path / "feed", 200)
    async with machine(engine, postgres.address(server.address), tmp_path / "data") as found:
        importing = asyncio.create_task(found.import_feeds([str(feed)]))
        async with asyncio.timeout(30):
            while not found.stats()["offers"]:  # noqa: ASYNC110 (it tells nobody)
                await asyncio.sleep(0.02)
        await asyncio.to_thread(server.crash)
        with pytest.raises(UserError, match="The import stopped: the database went away"):
            await importing
        await asyncio.to_thread(server.start)
        again = await found.import_feeds([str(feed)])
        assert 0 < again.added < 200
        assert again.added + again.unchanged == 200


async def test_while_the_server_is_away_the_database_says_so(server: databases.Server) -> None:
    async with Database.open(postgres.address(server.address)) as database:
        await asyncio.to_thread(server.crash)
        with pytest.raises(Unavailable, match="the database does not answer"):
            await database.check()
        await asyncio.to_thread(server.start)
        await database.check()
