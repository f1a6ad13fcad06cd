"""The map is true: imports point one way, README and settings agree, the manifest matches the listeners elsewhere."""

import ast
import re
from pathlib import Path

import pytest

from bot.config import Settings

ROOT = Path(__file__).parent.parent
MAY_NOT_IMPORT = {
    "bot/insights": ("bot.slack", "bot.jobs", "bot.queue", "bot.lookup", "bot.demo", "bot.app", "slack_bolt", "slack_sdk"),
    "bot/slack/cards": ("slack_bolt", "aiohttp", "sqlalchemy", "bot.storage", "bot.queue", "bot.fetch", "bot.pixels"),
    "bot/slack": ("bot.insights.service", "bot.insights.catalogue", "bot.demo", "bot.app"),
    "bot/demo": ("bot.lookup", "bot.queue", "bot.insights.service", "bot.app"),
    "bot/pixels.py": ("bot.slack", "bot.insights.service", "bot.storage"),
    "bot/fetch.py": ("bot.slack", "bot.insights", "bot.storage"),
}


def imported(path: Path) -> list[str]:
    """Every module a file names, `from x import y` as both x and x.y."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def files(part: str) -> list[Path]:
    path = ROOT / part
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("part", MAY_NOT_IMPORT)
def test_arrows_point_one_way(part: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(part)
        for name in imported(path)
        if any(is_in(name, banned) for banned in MAY_NOT_IMPORT[part])
    ]
    assert wrong == []


MAY_OPEN_SESSIONS = {
    "bot/fetch.py": "the one fetcher: every address that a person or a feed names",
    "bot/insights/client.py": "the service that the operator named in INSIGHTS_URL",
    "bot/sources": "the live sources that the operator named",
    "bot/slack/running.py": "Slack's own API and its response_urls",
    "bot/slack/replies.py": "the same session, handed over",
    "bot/slack/operator.py": "the command line: our own address, a bot on this machine",
    "bot/demo": "plays Slack: it delivers events and fetches pictures as Slack does",
}


def test_nobody_else_opens_an_address() -> None:
    """threats.md §3: one fetcher; no other code opens an address that came from outside."""
    opening = [
        str(path.relative_to(ROOT))
        for path in files("bot")
        if any(name in {"aiohttp.ClientSession", "urllib.request", "http.client", "httpx", "requests"} for name in imported(path))
    ]
    assert [path for path in opening if not path.startswith(tuple(MAY_OPEN_SESSIONS))] == []


def test_only_the_composition_root_knows_everybody() -> None:
    knows_app = [path for path in files("bot") if any(is_in(name, "bot.app") for name in imported(path))]
    # `from bot import app`
    assert {path.name for path in knows_app} == {"cli.py"}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in files("bot")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) and "versions" not in path.parts
    ]
    assert silent == []


def test_readme_lists_exactly_the_settings() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("## Settings")[1].split("\n## ")[0]
    named = {
        name.strip("`").lower()
        for line in table.splitlines()
        if line.startswith("| `")
        for name in line.split("|")[1].strip().split(", ")
    }
    assert named == set(Settings.model_fields)


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_test_that_the_security_page_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "security.md").read_text(encoding="utf-8")))
    written = {name for path in files("tests") for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))}
    assert named
    assert named - written == set()
