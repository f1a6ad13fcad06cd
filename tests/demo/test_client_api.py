"""The people's page: only itself may use it, and what it shows."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.demo import client_api, slack_api
from bot.demo.objects import ANA_ID, KITCHEN_ID, PHOTOS_ID, Message
from bot.demo.workspace import Workspace
from bot.pixels import Pixels

PAGE = Path(client_api.PAGE)


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async with Pixels.open(workers=1) as pixels:
        workspace = Workspace(pixels=pixels)
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes([*client_api.routes(workspace), *slack_api.routes(workspace)])
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        workspace.base_url = "http://{}:{}".format(*runner.addresses[0][:2])
        async with workspace.running():
            yield workspace
        await runner.cleanup()


@pytest.fixture
async def http(workspace: Workspace) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser on the page: it sends the page's origin and token."""
    headers = {"Origin": workspace.base_url, "X-Page-Token": workspace.page_token}
    async with aiohttp.ClientSession(workspace.base_url, headers=headers) as session:
        yield session


async def post(workspace: Workspace, path: str, **headers: str) -> int:
    """The status of a harmless request with these headers."""
    body = {"user": "ana", "channel": PHOTOS_ID, "command": "/nothing"}
    async with aiohttp.ClientSession() as http, http.post(workspace.base_url + path, json=body, headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize(
    "wrong",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Host": "rebound.example:3000"},
        {"X-Page-Token": "guess"},
        {"X-Page-Token": ""},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
async def test_only_the_served_page_may_act(workspace: Workspace, wrong: dict[str, str]) -> None:
    right = {"Origin": workspace.base_url, "X-Page-Token": workspace.page_token, "Sec-Fetch-Site": "same-origin"}
    assert await post(workspace, "/client/command", **right) == 200
    headers = {name: value for name, value in (right | wrong).items() if value}
    if "Host" in wrong:
        headers["Origin"] = f"http://{wrong['Host']}"  # as after a DNS rebinding: both name the attacker
    assert await post(workspace, "/client/command", **headers) == 403


async def test_every_client_route_checks_who_asks(workspace: Workspace) -> None:
    paths = [route.path for route in client_api.routes(workspace) if route.path.startswith("/client/")]
    methods = {route.path: route.method for route in client_api.routes(workspace)}
    assert len(paths) > 5
    async with aiohttp.ClientSession(workspace.base_url) as session:
        for path in paths:
            async with session.request(methods[path], path.replace("{file}", "F1")) as answer:
                assert (path, answer.status) == (path, 403)


async def test_the_journal_needs_origin_and_token(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    address = f"{workspace.base_url}/client/ws?user=ana"
    async with http.ws_connect(address) as line:
        assert (await line.receive_json())["type"] == "hello"
    async with aiohttp.ClientSession() as stranger:
        for headers in ({"Origin": workspace.base_url}, {"X-Page-Token": workspace.page_token}):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await stranger.ws_connect(address, headers=headers)


async def test_a_foreign_host_does_not_get_the_page_with_its_token(workspace: Workspace) -> None:
    foreign = {"Host": "rebound.example"}
    async with aiohttp.ClientSession(workspace.base_url) as http, http.get("/", headers=foreign) as answer:
        assert answer.status == 403
        assert workspace.page_token not in await answer.text()


async def test_the_page_comes_with_a_strict_policy(workspace: Workspace) -> None:
    async with aiohttp.ClientSession(workspace.base_url) as session, session.get("/") as answer:
        text, headers = await answer.text(), answer.headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    nonces = set(re.findall(r'nonce="([^"]+)"', text))
    assert len(nonces) == 1
    assert policy["script-src"] == f"'self' 'nonce-{nonces.pop()}'"
    assert (policy["default-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'", "'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert not re.search(r"\son\w+=|style=", text)
    assert "{{" not in text


async def test_only_the_pages_own_files_are_served(http: aiohttp.ClientSession) -> None:
    for path in ("/static/app.js", "/static/vendor/preact.js", "/samples/photo-04.jpg"):
        async with http.get(path) as answer:
            assert (path, answer.status, answer.headers["X-Content-Type-Options"]) == (path, 200, "nosniff")
    for path in ("/static/%2e%2e/client_api.py", "/static/..%2f..%2fworkspace.py", "/samples/..%2fphotos.jsonl", "/static/none"):
        async with http.get(path) as answer:
            assert (path, answer.status) == (path, 404)


async def test_files_a_person_posts_come_back_harmless(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData({"user": "ana", "channel": PHOTOS_ID, "text": "look"})
    form.add_field("file", b"<script>alert(1)</script>", filename="page.html", content_type="text/html")
    async with http.post("/client/message", data=form) as answer:
        assert answer.status == 200
    (message,) = workspace.messages[PHOTOS_ID]
    file = message.files[0]
    async with http.get(f"/client/files/{file.id}?original=1") as answer:
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == "attachment"
    async with http.get(f"/client/files/{file.id}") as answer:
        assert answer.status == 404


async def test_a_sample_photo_is_posted_as_the_person(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    for _ in range(2):
        async with http.post("/client/sample", json={"user": ANA_ID, "channel": PHOTOS_ID}) as answer:
            assert answer.status == 200
    first, second = workspace.messages[PHOTOS_ID]
    assert first.user == ANA_ID
    assert first.files[0].width > 0
    assert first.files[0].name != second.files[0].name


async def test_invite_brings_the_app_into_a_channel(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    invite: dict[str, Any] = {"user": "ana", "channel": KITCHEN_ID, "command": "/invite", "text": "@Image Insights"}
    assert not workspace.app_is_in(KITCHEN_ID)
    await http.post("/client/command", json=invite)
    assert workspace.app_is_in(KITCHEN_ID)


async def test_nobody_acts_in_somebody_elses_direct_messages(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData({"user": "ben", "channel": workspace.dm("ana").id, "text": "hello"})
    async with http.post("/client/message", data=form) as answer:
        assert answer.status == 400
        assert "not in" in await answer.text()


async def test_a_page_that_comes_back_gets_what_it_missed(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect("/client/ws?user=ana") as line:
        hello = await line.receive_json()
    await http.post("/client/sample", json={"user": ANA_ID, "channel": PHOTOS_ID})
    async with http.ws_connect(f"/client/ws?user=ana&after={hello['seq']}&epoch={hello['epoch']}") as line:
        again = await line.receive_json()
    assert again["type"] == ("hello" if hello["seq"] == 0 else "message")
    async with http.ws_connect(f"/client/ws?user=ana&after={again['seq']}&epoch=another") as line:
        assert (await line.receive_json())["type"] == "hello"


async def test_the_workspace_stops_at_once_with_pages_open(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect("/client/ws?user=ana") as line:
        await line.receive_json()
        async with asyncio.timeout(2):
            await workspace.stop()
            frame = await line.receive()
    assert frame.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING}
    assert line.close_code == 1012


def test_the_pages_sources_are_readable() -> None:
    sources = [path for path in PAGE.rglob("*") if path.suffix in {".js", ".css", ".html"} and "vendor" not in path.parts]
    assert len(sources) > 10
    long = [f"{path.name}:{n}" for path in sources for n, line in enumerate(path.read_text().splitlines(), 1) if len(line) > 140]
    assert long == []


def test_the_page_never_writes_markup_from_text() -> None:
    for path in PAGE.glob("*.js"):
        assert not re.search(
            r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|dangerouslySet", path.read_text().replace("No innerHTML", "")
        )


async def test_the_traffic_shows_what_was_asked_and_answered_and_nothing_of_what_was_said(
    workspace: Workspace, http: aiohttp.ClientSession
) -> None:
    headers = {"Authorization": f"Bearer {workspace.bot_token}"}
    said = {"channel": PHOTOS_ID, "text": "a secret"}
    async with http.post("/api/chat.postMessage", json=said, headers=headers) as answer:
        assert (await answer.json())["ok"]
    async with http.get("/client/traffic") as answer:
        seen = await answer.json()
    assert [(line["way"], line["what"], line["status"]) for line in seen["lines"]] == [("out", "chat.postMessage", 200)]
    assert "secret" not in str(seen)


async def test_the_gallery_has_every_golden_file(http: aiohttp.ClientSession) -> None:
    async with http.get("/client/gallery") as answer:
        examples = (await answer.json())["examples"]
    golden = Path(__file__).parents[1] / "golden"
    assert [one["name"] for one in examples] == sorted(path.stem for path in golden.glob("*.json"))


async def test_a_reaction_is_put_on_and_taken_off(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    message = Message(PHOTOS_ID, ANA_ID, "hello")
    workspace.post(message)
    wanted = {"user": "ana", "channel": PHOTOS_ID, "ts": message.ts, "name": "mag"}
    async with http.post("/client/react", json=wanted):
        assert message.reactions == {"mag": [ANA_ID]}
    async with http.post("/client/react", json=wanted):
        assert message.reactions == {}


# --- the control API, for tests of other processes


async def state(http: aiohttp.ClientSession) -> dict[str, Any]:
    async with http.get("/control/state") as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def control(http: aiohttp.ClientSession, what: str, **said: Any) -> tuple[int, str]:
    async with http.post(f"/control/{what}", json=said) as answer:
        return answer.status, await answer.text()


async def test_what_happened_can_be_read_from_outside(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    post = {"user": ANA_ID, "channel": PHOTOS_ID, "text": "hello"}
    form = aiohttp.FormData(post)
    async with http.post("/client/message", data=form) as answer:
        assert answer.status == 200
    found = await state(http)
    assert [message["text"] for message in found["channels"]["photos"]] == ["hello"]
    assert set(found["people"]) == {"ana", "ben", "clara"}
    assert found["people"]["clara"]["locale"] == "de-DE"
    assert found["problems"] == workspace.problems


async def test_things_can_be_made_to_go_wrong_from_outside(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    assert (await control(http, "fault", fault="rate_limit", method="auth.test", retry_after=7))[0] == 200
    headers = {"Authorization": f"Bearer {workspace.bot_token}"}
    async with aiohttp.ClientSession() as app, app.post(workspace.api_url + "auth.test", headers=headers) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert [call["status"] for call in (await state(http))["calls"]] == [429]
    assert (await control(http, "fault", fault="refuse_blocks", types=["carousel"]))[0] == 200
    assert workspace.faults.refused_types(["carousel"]) == {"carousel"}


async def test_people_can_be_changed_from_outside(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    assert (await control(http, "person", name="ben", locale="fr-FR"))[0] == 200
    assert workspace.person("ben").locale == "fr-FR"
    assert (await control(http, "invite", channel="kitchen-refit"))[0] == 200
    assert "U07INSIGHTS" in workspace.channel("kitchen-refit").members


async def test_one_can_wait_until_everything_is_delivered(http: aiohttp.ClientSession) -> None:
    assert await control(http, "settled") == (200, '{"ok": true}')


async def test_what_cannot_be_done_is_explained(http: aiohttp.ClientSession) -> None:
    status, said = await control(http, "fault", fault="__class__")
    assert (status, "There are: clear, refuse" in said) == (400, True)
    status, said = await control(http, "fault", fault="refuse", method="x", error="y", often=3)
    assert (status, "often" in said) == (400, True)
    assert (await control(http, "person", name="zoe", locale="fr-FR"))[0] == 400
    assert (await control(http, "person", name="ben"))[0] == 400


async def test_control_is_nobody_elses(workspace: Workspace) -> None:
    assert await post(workspace, "/control/fault", **{"Origin": workspace.base_url, "X-Page-Token": "guess"}) == 403
    assert (
        await post(workspace, "/control/fault", **{"Origin": "http://evil.example", "X-Page-Token": workspace.page_token}) == 403
    )
