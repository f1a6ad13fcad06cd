"""/metrics: what an operator watches, from a bot at work; never whose it is."""

import json
import re
from pathlib import Path

import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from bot import metrics, web
from bot.app import measures
from tests.worlds import Engine, World, photo, world_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).parents[1]
DASHBOARD = ROOT / "docs" / "grafana.json"
OURS = ("insights_", "slack_")


async def scraped(world: World, engine: Engine) -> str:
    sock = web.bind("127.0.0.1", 0)
    async with (
        web.listening(sock, metrics.routes(measures(world.bot, engine.service))),
        ClientSession(web.address(sock)) as session,
        session.get("/metrics") as answer,
    ):
        assert answer.status == 200
        return await answer.text()


def value(text: str, name: str, **labels: str) -> float:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


async def test_a_lookup_is_counted_from_slack_to_slack(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path) as world:
        before = await scraped(world, engine)
        photos = world.people.channel("photos")
        await photos.next_reply(to=await photos.upload("cup.jpg", photo("photo-09.jpg"), text="<@insights>"))
        await world.finished()
        after = await scraped(world, engine)

    def more(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert more("insights_lookups_total", outcome="card") == 1
    assert more("insights_jobs_ended_total", kind="lookup", outcome="done") == 1
    assert more("slack_call_seconds_count", method="chat.postMessage", status="200") == 1
    assert more("slack_request_seconds_count", status="200") >= 2
    assert more("insights_stage_seconds_count", stage="decode") >= 1
    assert more("insights_stage_seconds_count", stage="answer") == 1
    assert value(after, "insights_catalogue", what="products") > 100
    assert value(after, "insights_jobs", state="running") == 0
    assert value(after, "process_resident_memory_bytes") > 0


async def test_nothing_in_it_says_who_or_what(engine: Engine, tmp_path: Path) -> None:
    async with world_of(engine, tmp_path) as world:
        await world.people.command("/insights", "a very secret mug", by="ana")
        await world.finished()
        text = await scraped(world, engine)
        for secret in (
            world.people.workspace.bot_token,
            world.settings.signing_secrets[0],
            "T07LOCALWS",
            "U07TORRES",
            "C07",
            "secret",
        ):
            assert secret not in text
    assert not re.search(r"https?://", re.sub(r"(?m)^#.*$", "", text))


async def test_it_answers_while_what_it_asks_about_does_not(world: World) -> None:
    async def stuck() -> None:
        raise RuntimeError("the database is locked")

    sock = web.bind("127.0.0.1", 0)
    async with (
        web.listening(sock, metrics.routes([stuck])),
        ClientSession(web.address(sock)) as session,
        session.get("/metrics") as answer,
    ):
        assert answer.status == 200
        assert "insights_lookups" in await answer.text()


def names() -> set[str]:
    return {family.name for family in metrics.REGISTRY.collect() if family.name.startswith(OURS)}


async def test_the_manual_explains_each_and_no_other() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    explained = {name.removesuffix("_total") for name in re.findall(r"^\| `((?:insights|slack)_\w+)`", manual, re.MULTILINE)}
    assert explained == names()


async def test_the_dashboard_asks_for_what_there_is() -> None:
    asked = {
        found
        for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
        for target in panel.get("targets", [])
        for found in re.findall(r"\b(?:insights|slack)_[a-z_]+", target["expr"])
    }
    assert asked
    assert {re.sub(r"_(?:total|bucket|sum|count)$", "", name) for name in asked} <= names()
