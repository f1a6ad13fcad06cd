"""What hosts are told (Procfile, app.json, compose.yaml, Dockerfile) is what the program understands."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli import main
from bot.config import Settings

ROOT = Path(__file__).parent.parent
OTHERS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"}  # of object storage (BLOB_URL)


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(read("compose.yaml"))
    return found


def ours() -> dict[str, dict[str, Any]]:
    return {name: service for name, service in compose()["services"].items() if "build" in service}


def assert_settings(names: set[str]) -> None:
    assert names
    assert {name.lower() for name in names - OTHERS} <= set(Settings.model_fields)


def assert_command(words: list[str]) -> None:
    command, *options = words
    known = main.commands[command]
    assert set(options) <= {option for parameter in known.params for option in parameter.opts}


def test_app_json_asks_for_settings_that_there_are() -> None:
    assert_settings(set(json.loads(read("app.json"))["env"]))


def test_app_json_starts_processes_of_the_procfile() -> None:
    declared = {line.partition(":")[0] for line in read("Procfile").splitlines()}
    assert set(json.loads(read("app.json"))["formation"]) == declared


def test_the_procfile_starts_commands_that_there_are() -> None:
    for line in read("Procfile").splitlines():
        interpreter, module, name, *words = shlex.split(line.partition(":")[2])
        assert (interpreter, module, name) == ("python", "-m", "bot")
        assert_command(words)


def test_compose_sets_settings_that_there_are() -> None:
    for service in ours().values():
        assert_settings(set(service["environment"]))


def test_compose_starts_each_process_of_the_procfile_on_one_postgres() -> None:
    assert set(ours()) == {line.partition(":")[0] for line in read("Procfile").splitlines()}
    assert len({service["environment"]["DATABASE_URL"] for service in ours().values()}) == 1
    for service in ours().values():
        assert_command(service["command"])


@pytest.mark.parametrize("name", ["web", "worker", "insights"])
def test_d3_a_container_may_write_to_its_data_only_and_gains_nothing(name: str) -> None:
    service = ours()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["data:/data"]
    assert service["tmpfs"] == ["/tmp:size=256m"]


def test_d3_the_image_is_not_roots_and_says_whether_it_is_well() -> None:
    last = read("Dockerfile").split("\nFROM ")[-1]
    assert re.search(r"^USER insights$", last, re.MULTILINE)
    assert "/healthz" in last
    assert "gcc" not in read("Dockerfile")
    assert "--require-hashes" in read("Dockerfile")
    assert_command(json.loads(re.findall(r"^CMD (\[.*\])$", last, re.MULTILINE)[0]))


MADE_UP = r"^(password|pass|p%40ss|xox.*(1111-2222|-1-2-3|-1-Mi0).*)$"  # in examples and tests
GUESSES = ("KeywordDetector", "HexHighEntropyString", "Base64HighEntropyString")  # our hashes and names of pictures look like it


def secrets_in(folder: Path, *options: str) -> dict[str, list[str]]:
    """By file, what kind of secret is in it."""
    words = [word for guess in GUESSES for word in ("--disable-plugin", guess)]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "detect_secrets",
            "-C",
            str(folder),
            "scan",
            "--no-verify",
            *words,
            "--exclude-secrets",
            MADE_UP,
            *options,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return {path: [one["type"] for one in found] for path, found in json.loads(done.stdout)["results"].items()}


def test_d4_no_secret_is_among_the_files(tmp_path: Path) -> None:
    token = "xoxb-" + "8481930275516-8481930275771-q7RzW2mLx9VtKc4Yb8NdPsJe"
    (tmp_path / "settings.py").write_text(f"SLACK_BOT_TOKEN = '{token}'\n")
    assert [*secrets_in(tmp_path, "--all-files", ".").values()] == [["Slack Token"]]
    assert secrets_in(ROOT) == {}
