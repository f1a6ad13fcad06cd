"""The command line as an operator meets it: a process of its own, its exit code and what it prints."""

import asyncio
import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from PIL import Image

from bot.config import Settings
from bot.errors import UserError
from bot.installations import Installation, Installations
from bot.opinions import Opinions
from bot.queue import Dead, Job, Jobs
from bot.storage import Database
from bot.teams import Teams
from bot.vault import Vault
from tests import databases

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "bot" / "demo" / "catalogue"
PHOTO = CATALOGUE / "photos" / "photo-01.jpg"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}


def run(*words: str, data_dir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=ROOT,
        env=ENVIRONMENT | databases.environment(data_dir) | {"LOG_FORMAT": "json"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def serving(*words: str, data_dir: Path, stderr: IO[str] | None = None) -> Iterator[str]:
    """A command that runs until it is stopped, and the first line it prints. It must end well."""
    with subprocess.Popen(
        [sys.executable, "-m", "bot", *words, "--port", "0"],
        cwd=ROOT,
        env=ENVIRONMENT | databases.environment(data_dir) | {"LOG_FORMAT": "json"},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    ) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_DIR with one feed of the demo catalogue in it."""
    data_dir = tmp_path_factory.mktemp("filled")
    done = run("catalogue", "import", str(CATALOGUE / "feeds" / "cupandco.tsv"), data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    return data_dir


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    "command",
    ["demo", "serve", "worker", "insights", "lookup", "catalogue import", "manifest", "check", "receive"],
)
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    done = run(*command.split(), "--help", data_dir=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ")


def one_line_error(done: subprocess.CompletedProcess[str], code: int = 1) -> str:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_wrong_usage_exits_with_2(tmp_path: Path) -> None:
    assert "--nonsense" in one_line_error(run("serve", "--nonsense", data_dir=tmp_path), 2)


def test_a_taken_port_is_named(tmp_path: Path, taken_port: int) -> None:
    said = one_line_error(run("demo", "--port", str(taken_port), data_dir=tmp_path))
    assert f"Port {taken_port} is taken" in said
    assert "PORT" in said


def test_the_demo_refuses_to_serve_others(tmp_path: Path) -> None:
    assert "this machine only" in one_line_error(run("demo", "--host", "0.0.0.0", data_dir=tmp_path), 2)


def test_an_open_api_without_keys_is_refused(tmp_path: Path) -> None:
    assert "INSIGHTS_KEYS" in one_line_error(run("insights", "--host", "0.0.0.0", "--port", "0", data_dir=tmp_path))


def test_a_port_alone_on_the_command_line_stays_on_loopback(tmp_path: Path) -> None:
    with serving("insights", data_dir=tmp_path) as said:
        assert said.startswith("The engine is at http://127.0.0.1:")


def test_a_server_over_an_empty_catalogue_says_how_to_fill_it(tmp_path: Path) -> None:
    with (tmp_path / "said").open("w+", encoding="utf-8") as said, serving("insights", data_dir=tmp_path, stderr=said):
        said.seek(0)
        assert "The catalogue is empty. Fill it with: python -m bot catalogue import" in said.read()


def test_serve_says_which_slack_setting_is_missing(tmp_path: Path) -> None:
    assert "SLACK_BOT_TOKEN" in one_line_error(run("serve", "--port", "0", data_dir=tmp_path))


def test_a_bad_setting_is_named(tmp_path: Path) -> None:
    assert one_line_error(run("check", data_dir=tmp_path, PORT="many")).startswith("Error: PORT is not valid")


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    said = one_line_error(run("lookup", str(PHOTO), data_dir=tmp_path, INSIGHTS_MODEL="/nowhere/model.onnx"))
    assert "INSIGHTS_MODEL" in said


@databases.of_files
def test_a_broken_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "bot.db").write_bytes(b"nonsense" * 1000)
    assert "bot.db is not a readable database" in one_line_error(run("catalogue", "stats", data_dir=tmp_path))


def test_an_empty_catalogue_is_said_and_the_lookup_still_answers(tmp_path: Path) -> None:
    done = run("lookup", str(PHOTO), data_dir=tmp_path)
    assert done.returncode == 0
    assert "The catalogue is empty" in done.stderr
    assert "Nothing in the catalogue looks like this." in done.stdout


def test_a_lookup_prints_a_table_for_people(filled: Path) -> None:
    done = run("lookup", str(PHOTO), data_dir=filled)
    assert done.returncode == 0, done.stderr
    assert "Harbour Stripe Straight Mug" in done.stdout
    assert "from $14.95" in done.stdout


def test_a_lookup_prints_the_wires_json_for_programs(filled: Path) -> None:
    done = run("lookup", str(PHOTO), "--modules", "SimilarProducts", "--json", data_dir=filled)
    answer = json.loads(done.stdout)
    assert answer["_type"] == "ImageInsights"
    first = answer["visuallySimilarProducts"]["value"][0]
    assert first["name"] == "Harbour Stripe Straight Mug"
    offers = json.loads(
        run("lookup", first["imageInsightsToken"], "--modules", "ShoppingSources", "--json", data_dir=filled).stdout
    )["shoppingSources"]["offers"]
    assert [offer["price"] for offer in offers] == [14.95]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("README.md", "isn't a picture I can read"),
        ("no-such-file.jpg", "There is no file no-such-file.jpg."),
        ("http://127.0.0.1:1/x.jpg", "can't open that address"),
        ("bcid_nobody-has-this", "No picture has this insights token"),
    ],
)
def test_what_cannot_be_looked_up_gets_a_sentence(what: str, said: str, filled: Path) -> None:
    assert said in one_line_error(run("lookup", what, data_dir=filled))


def test_a_bad_crop_or_module_gets_a_sentence(filled: Path) -> None:
    assert "--crop takes four fractions" in one_line_error(run("lookup", str(PHOTO), "--crop", "1,2,3", data_dir=filled))
    assert "SimilarProducts" in one_line_error(run("lookup", str(PHOTO), "--modules", "Nonsense", data_dir=filled))


def test_importing_again_changes_nothing_and_bad_rows_are_listed(tmp_path: Path) -> None:
    feed = tmp_path / "feed.tsv"
    head = (CATALOGUE / "feeds" / "cupandco.tsv").read_text(encoding="utf-8").splitlines()
    good = head[1]
    (tmp_path / "images").mkdir()
    for name in ("mg01.jpg", "mg01-b.jpg"):
        shutil.copy(CATALOGUE / "images" / name, tmp_path / "images")
    bad = good.replace("cupandco-MG01", "cupandco-X").replace("14.95 USD", "cheap")
    feed.write_text("\n".join([head[0], good, bad]), encoding="utf-8")
    first = run("catalogue", "import", str(feed), data_dir=tmp_path / "data")
    assert first.stdout.strip() == "1 added, 0 changed, 0 unchanged, 0 removed, 1 rejected"
    assert "row 3: price" in first.stderr
    again = run("catalogue", "import", str(feed), data_dir=tmp_path / "data")
    assert again.stdout.strip() == "0 added, 0 changed, 1 unchanged, 0 removed, 1 rejected"


def test_an_export_can_be_imported_again(filled: Path, tmp_path: Path) -> None:
    exported = run("catalogue", "export", data_dir=filled).stdout
    titles = {json.loads(line)["title"] for line in exported.splitlines()}
    copy = filled / "export.jsonl"
    copy.write_text(exported, encoding="utf-8")
    done = run("catalogue", "import", str(copy), data_dir=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = {line.split("\t")[1] for line in run("catalogue", "list", data_dir=tmp_path).stdout.splitlines()}
    assert listed == titles


def test_the_manifest_carries_the_public_address(tmp_path: Path) -> None:
    printed = run("manifest", "--url", "https://bot.example.com", data_dir=tmp_path).stdout
    assert "https://bot.example.com/slack/events" in printed
    assert "socket_mode_enabled: false" in printed
    assert "socket_mode_enabled: true" in run("manifest", data_dir=tmp_path).stdout
    assert "https://" in one_line_error(run("manifest", "--url", "http://bot.example.com", data_dir=tmp_path))


def test_check_counts_what_live_sources_were_asked(filled: Path) -> None:
    said = run("check", LIVE_SOURCES="vision", GOOGLE_VISION_KEY="k", data_dir=filled).stdout
    assert "live sources ok: Google Vision 0 of 100 today" in said
    refused = run("check", LIVE_SOURCES="vision,lens", GOOGLE_VISION_KEY="k", data_dir=filled).stdout
    assert "SERPAPI_KEY" in refused


def test_check_says_what_to_do(filled: Path) -> None:
    done = run("check", data_dir=filled)
    assert done.returncode == 1
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert lines["engine"].strip().startswith("ok:")
    assert "SLACK_BOT_TOKEN" in lines["slack"]


def test_a_copy_of_the_folder_is_a_backup(filled: Path, tmp_path: Path) -> None:
    copy = tmp_path / "restored"
    databases.copy(filled, copy)
    before, after = (run("catalogue", "stats", data_dir=folder).stdout for folder in (filled, copy))
    assert before == after
    picture = str(CATALOGUE / "images" / "mg01.jpg")
    found = [
        run("lookup", picture, "--modules", "SimilarProducts", "--json", data_dir=folder).stdout for folder in (filled, copy)
    ]
    assert [json.loads(one)["visuallySimilarProducts"]["value"][0]["name"] for one in found] == [
        "Harbour Stripe Straight Mug"
    ] * 2


# ---------------------------------------------------------------- imports that are disturbed


def goods(folder: Path, count: int) -> Path:
    """A feed of so many offers whose pictures are all different, so that it takes a while."""
    folder.mkdir()
    picture = Image.open(CATALOGUE / "images" / "mg01.jpg").convert("RGB").resize((160, 160))
    lines = ["id\ttitle\tlink\timage_link\tprice"]
    for number in range(count):
        picture.putpixel((number % 160, number // 160), (number % 256, 0, 255))
        picture.save(folder / f"{number}.png")
        lines.append(f"{number}\tMug {number}\thttps://shop.example/{number}\t{number}.png\t9.50 USD")
    (folder / "feed.tsv").write_text("\n".join(lines))
    return folder / "feed.tsv"


def starting(feed: Path, data_dir: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "catalogue", "import", str(feed)],
        cwd=ROOT,
        env=ENVIRONMENT | databases.environment(data_dir) | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stored(data_dir: Path) -> int:
    """Offers that are in the database now."""
    return sum(count for (count,) in databases.ask(data_dir, "SELECT COUNT(*) FROM catalogue_offers"))


def wait_until_stored(data_dir: Path, count: int) -> None:
    for _ in range(600):
        if stored(data_dir) >= count:
            return
        time.sleep(0.05)
    pytest.fail("nothing was imported in half a minute")


def test_an_import_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    feed, data_dir = goods(tmp_path / "feed", 200), tmp_path / "data"
    for least in (1, 65):
        with starting(feed, data_dir) as process:
            wait_until_stored(data_dir, least)
            process.kill()
    before = stored(data_dir)
    assert 0 < before < 200
    done = run("catalogue", "import", str(feed), data_dir=data_dir)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{200 - before} added, 0 changed, {before} unchanged, 0 removed, 0 rejected")
    assert "offers     200" in run("catalogue", "stats", data_dir=data_dir).stdout
    assert not [path for path in data_dir.iterdir() if path.name.startswith("import-")]


def test_ctrl_c_ends_an_import_after_its_batch_and_says_that_it_can_go_on(tmp_path: Path) -> None:
    feed, data_dir = goods(tmp_path / "feed", 300), tmp_path / "data"
    with starting(feed, data_dir) as process:
        wait_until_stored(data_dir, 1)
        process.send_signal(signal.SIGINT)
        done, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "Stopped. What came in stays; run the import again to go on."
    before = stored(data_dir)
    assert 0 < before < 300
    assert before % 64 == 0
    assert done == f"{before} added, 0 changed, 0 unchanged, 0 removed, 0 rejected\n"
    again = run("catalogue", "import", str(feed), data_dir=data_dir)
    assert again.stdout == f"{300 - before} added, 0 changed, {before} unchanged, 0 removed, 0 rejected\n"


@pytest.fixture
def silent_shop() -> Iterator[socket.socket]:
    """Where a picture should be: somebody who takes the call and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


def waiting_for(shop: socket.socket, folder: Path) -> Path:
    feed, picture = folder / "feed.tsv", f"http://127.0.0.1:{shop.getsockname()[1]}/1.jpg"
    feed.write_text(f"id\ttitle\tlink\timage_link\n1\tMug\thttps://shop.example/1\t{picture}\n")
    return feed


def test_one_import_at_a_time(tmp_path: Path, silent_shop: socket.socket) -> None:
    feed, data_dir = waiting_for(silent_shop, tmp_path), tmp_path / "data"
    with starting(feed, data_dir, INSIGHTS_FETCH_ALLOW="127.0.0.1") as process:
        call, _ = silent_shop.accept()
        process.send_signal(signal.SIGSTOP)  # however long the second one takes to start
        second = run("catalogue", "import", str(feed), data_dir=data_dir)
        process.kill()
        call.close()
    assert second.returncode == 1
    assert f"Another import is running: process {process.pid}, {feed}" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1
    third = run("catalogue", "import", str(goods(tmp_path / "other", 1)), data_dir=data_dir)
    assert third.stdout.startswith("1 added")  # the lock went with the process that was killed


def test_ctrl_c_twice_ends_an_import_at_once(tmp_path: Path, silent_shop: socket.socket) -> None:
    feed, data_dir = waiting_for(silent_shop, tmp_path), tmp_path / "data"
    with starting(feed, data_dir, INSIGHTS_FETCH_ALLOW="127.0.0.1") as process:
        call, _ = silent_shop.accept()
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        call.close()
    assert process.returncode == 130
    assert said.splitlines()[-1] == "Stopped. What came in stays; run the import again to go on."


@databases.of_files
def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    feed, data_dir = goods(tmp_path / "feed", 100), tmp_path / "data"
    run("catalogue", "import", str(goods(tmp_path / "small", 2)), data_dir=data_dir)
    limit = (data_dir / "bot.db").stat().st_size + 100_000
    full = subprocess.run(
        ["sh", "-c", f"ulimit -f {limit // 512}; exec {sys.executable} -m bot catalogue import {feed}"],
        cwd=ROOT,
        env=ENVIRONMENT | {"DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert full.returncode == 1
    assert "the disk is full. Make room, or set DATA_DIR to another disk." in full.stderr
    assert "Traceback" not in full.stderr
    done = run("catalogue", "import", str(feed), data_dir=data_dir)
    assert done.returncode == 0
    assert stored(data_dir) == 102


def test_what_is_rejected_is_written_down(tmp_path: Path) -> None:
    feed, out = tmp_path / "feed.tsv", tmp_path / "rejected.csv"
    rows = [f"{number}\tMug\thttps://shop.example/{number}\ta.jpg\tfree" for number in range(30)]
    feed.write_text("id\ttitle\tlink\timage_link\tprice\n" + "\n".join(rows))
    (tmp_path / "a.jpg").write_bytes((CATALOGUE / "images" / "mg01.jpg").read_bytes())
    done = run("catalogue", "import", str(feed), "--rejected", str(out), data_dir=tmp_path / "data")
    assert done.returncode == 1
    assert f"… and 10 more: all are in {out}." in done.stderr
    written = list(csv.DictReader(out.read_text().splitlines()))
    assert len(written) == 30
    assert written[0] == {
        "source": str(feed),
        "row": "2",
        "field": "price",
        "reason": "'free' is not a price. Write it like 14.95 USD.",
    }


def test_a_feed_that_is_watched_is_read_again_until_somebody_stops_it(tmp_path: Path) -> None:
    feed, data_dir = goods(tmp_path / "feed", 2), tmp_path / "data"
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "catalogue", "import", str(feed), "--watch", "0.01"],
        cwd=ROOT,
        env=ENVIRONMENT | databases.environment(data_dir),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("2 added")
        assert process.stdout.readline() == "Next time in 0.01 minutes. Ctrl+C ends it.\n"
        feed.write_text(feed.read_text().replace("9.50", "8.00"))
        while not (line := process.stdout.readline()).startswith("0 added, 2 changed"):
            assert line.startswith(("0 added, 0 changed", "Next time"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 130


def test_a_source_that_cannot_be_read_keeps_no_other_waiting(tmp_path: Path) -> None:
    feed, missing = goods(tmp_path / "feed", 2), tmp_path / "missing.tsv"
    done = run("catalogue", "import", str(missing), str(feed), data_dir=tmp_path / "data")
    assert done.stdout.startswith("2 added")
    assert f"1 of 2 sources could not be read: {missing}." in one_line_error(done)


def test_stats_tell_of_each_source(tmp_path: Path) -> None:
    feed = goods(tmp_path / "feed", 3)
    (feed.parent / "1.png").write_bytes(b"no picture")
    feed.write_text(feed.read_text() + "\n9\tMug\thttps://shop.example/9\t0.png\tfree")
    run("catalogue", "import", str(feed), data_dir=tmp_path / "data")
    said = run("catalogue", "stats", data_dir=tmp_path / "data").stdout.splitlines()
    (line,) = [line for line in said if line.startswith(str(feed))]
    assert line.removeprefix(str(feed)).split()[:5] == ["3", "3", "2", "1", "2"]


def test_what_is_removed_is_gone_with_its_files_and_an_unknown_source_is_told(tmp_path: Path) -> None:
    feed, data_dir = goods(tmp_path / "feed", 3), tmp_path / "data"
    run("catalogue", "import", str(feed), data_dir=data_dir)
    assert f"There is: {feed}." in one_line_error(run("catalogue", "remove", "other.tsv", data_dir=data_dir))
    assert run("catalogue", "remove", str(feed), data_dir=data_dir).stdout == "3 removed\n"
    assert stored(data_dir) == 0
    assert list((data_dir / "pictures").rglob("*.jpg")) == []
    assert "There is: none." in one_line_error(run("catalogue", "remove", str(feed), data_dir=data_dir))


def test_a_lookup_tells_what_an_offer_was(tmp_path: Path) -> None:
    feed, data_dir = goods(tmp_path / "feed", 1), tmp_path / "data"
    for price in ("24.00", "19.00"):
        feed.write_text(feed.read_text().replace("9.50", "24.00").replace("24.00", price))
        assert run("catalogue", "import", str(feed), data_dir=data_dir).returncode == 0
    done = run("lookup", str(feed.parent / "0.png"), data_dir=data_dir)
    (offer,) = [line.split() for line in done.stdout.splitlines() if line.startswith("$19.00")]
    assert offer[:3] == ["$19.00", "$24.00", "shop.example"]


def test_what_is_exported_with_its_pictures_comes_back_anywhere(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "products in" in run("catalogue", "export", "--to", str(out), data_dir=filled).stdout
    done = run("catalogue", "import", str(out), data_dir=tmp_path / "other")
    assert done.returncode == 0
    assert ", 0 rejected" in done.stdout
    stats = [run("catalogue", "stats", data_dir=one).stdout.splitlines()[:3] for one in (filled, tmp_path / "other")]
    assert stats[0] == stats[1]


# ---------------------------------------------------------------- what is kept about teams and people


def some_team(data_dir: Path) -> None:
    """A workspace that installed the app and chose a reaction; another; somebody who saved nothing but an opinion."""

    async def fill() -> None:
        async with Database.open(databases.where(data_dir)) as database:
            installations = Installations(database, Vault([], data_dir / "secret_keys"))
            for team in ("T0ACME", "T0BLUE"):
                await installations.keep(Installation(team, team, "A1", "B1", "U1", "chat:write", f"xoxb-{team}"))
                await Teams(database).choose_reaction(team, "mag")
            await Opinions(database).note("T0ACME", "r1", "UANN", "picture", helpful=True)

    asyncio.run(fill())


def exported(data_dir: Path, team: str = "T0ACME") -> list[dict[str, str]]:
    done = run("export", "--team", team, data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_team_gets_what_is_kept_about_it_without_the_token(tmp_path: Path) -> None:
    some_team(tmp_path)
    records = exported(tmp_path)
    assert {record["table"] for record in records} == {"teams", "opinions"}
    assert {record["team"] for record in records} == {"T0ACME"}
    assert "xoxb" not in json.dumps(records)


def test_a_forgotten_team_leaves_nothing_and_the_other_stays(tmp_path: Path) -> None:
    some_team(tmp_path)
    assert run("forget", "--team", "T0ACME", data_dir=tmp_path).stdout == "Everything of T0ACME is deleted\n"
    assert exported(tmp_path) == []
    assert exported(tmp_path, "T0BLUE")
    assert databases.ask(tmp_path, "SELECT owner FROM installations") == [("T0BLUE",)]


def test_a_forgotten_person_leaves_nothing_of_theirs(tmp_path: Path) -> None:
    some_team(tmp_path)
    assert run("forget", "--user", "UANN", data_dir=tmp_path).stdout == "1 records of UANN deleted\n"
    assert {record["table"] for record in exported(tmp_path)} == {"teams"}
    nobody = run("forget", data_dir=tmp_path)
    assert nobody.returncode == 2
    assert "--team" in nobody.stderr


@databases.of_keys_in_a_file
def test_keys_are_rotated_and_given_ones_take_over(tmp_path: Path) -> None:
    some_team(tmp_path)
    done = run("keys", "rotate", data_dir=tmp_path)
    assert done.stdout == "2 tokens sealed again with a new key\n"
    ours = (tmp_path / "secret_keys").read_text().split()
    new = run("keys", "new", data_dir=tmp_path).stdout.strip()
    done = run("keys", "rotate", data_dir=tmp_path, SECRET_KEYS=",".join([new, *ours]))
    assert done.stdout == "2 tokens sealed again with the first of SECRET_KEYS\n"
    lost = run("keys", "rotate", data_dir=tmp_path, SECRET_KEYS=run("keys", "new", data_dir=tmp_path).stdout.strip())
    assert lost.returncode == 1
    assert "not in SECRET_KEYS" in lost.stderr


def test_many_workspaces_need_a_secret_and_an_address(tmp_path: Path) -> None:
    for changes, named in (({}, "SLACK_CLIENT_SECRET"), ({"SLACK_CLIENT_SECRET": "shhh"}, "PUBLIC_URL")):
        done = run("serve", data_dir=tmp_path, SLACK_CLIENT_ID="1.2", **changes)
        assert done.returncode == 1
        assert named in done.stderr


# ---------------------------------------------------------------- what was given up


def given_up(data_dir: Path) -> None:
    """One job that failed for good, one that waits."""

    async def fill() -> None:
        async def fail(_job: Job) -> None:
            raise RuntimeError("broken")

        async def tell(_job: Job, _what: UserError | Dead) -> None:
            pass

        async with Jobs.open(databases.jobs(data_dir)) as jobs:
            async with jobs.running({"lookup": fail}, tell, pauses=()):
                order = {"reply_to": {"team": "T1", "response_url": "https://hooks.slack.com/actions/T1/1/x"}}
                await jobs.start("photo:T1:C1:1.1:F1", "T1", "lookup", order)
                async with asyncio.timeout(20):
                    while not await jobs.list(state="dead"):  # noqa: ASYNC110 (it tells nobody)
                        await asyncio.sleep(0.05)
            await jobs.start("photo:T1:C1:1.2:F2", "T1", "lookup", {})

    asyncio.run(fill())


def listed(data_dir: Path, *words: str) -> list[list[str]]:
    done = run("jobs", "list", *words, data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    return [line.split("\t")[:4] for line in done.stdout.splitlines()]


def test_what_was_given_up_is_shown_tried_again_and_dropped_by_its_reference(tmp_path: Path) -> None:
    given_up(tmp_path)
    [[name, state, kind, team]] = listed(tmp_path, "--state", "dead")
    assert (state, kind, team) == ("dead", "lookup", "T1")
    shown = json.loads(run("jobs", "show", name, data_dir=tmp_path).stdout)
    assert shown["key"] == "photo:T1:C1:1.1:F1"
    assert shown["order"]["reply_to"] == {"team": "T1", "response_url": "…"}
    assert run("jobs", "retry", name.lower(), data_dir=tmp_path).stdout == f"{name} starts again\n"
    assert {line[1] for line in listed(tmp_path)} == {"waiting"}
    assert len(listed(tmp_path)) == 2
    again = run("jobs", "retry", name, data_dir=tmp_path)
    assert again.returncode == 1
    assert "it is waiting" in again.stderr
    assert run("jobs", "drop", name, data_dir=tmp_path).stdout == f"{name} is dropped\n"
    assert [line[0] for line in listed(tmp_path)] != [name]
    unknown = run("jobs", "show", name, data_dir=tmp_path)
    assert unknown.returncode == 1
    assert "jobs list" in unknown.stderr
