"""The app is installed in the local workspace as in Slack: somebody allows it, and somebody removes it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import BasicAuth, ClientResponse, ClientSession, CookieJar
from pydantic import SecretStr

from bot import web
from bot.demo.driver import running_workspace
from bot.demo.objects import TEAM_ID
from bot.slack.running import running_bot
from bot.storage import Database
from tests.worlds import Engine, World, photo, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def app_of(engine: Engine, folder: Path) -> AsyncIterator[World]:
    """A workspace and an app that knows nobody's token yet."""
    sock = web.bind("127.0.0.1", 0)
    async with running_workspace(bot_url=web.address(sock), pixels=engine.pixels) as people:
        workspace = people.workspace
        settings = settings_for(
            folder,
            slack_api_url=people.api_url,
            public_url=web.address(sock),
            slack_bot_token=SecretStr(""),
            slack_signing_secret=SecretStr(workspace.signing_secret),
            slack_client_id=workspace.client_id,
            slack_client_secret=SecretStr(workspace.client_secret),
        )
        async with (
            Database.open(settings.database) as database,
            running_bot(settings, database, engine.service, engine.pixels, engine.fetcher) as bot,
            web.listening(sock, bot.routes),
        ):
            yield World(people, bot, settings)


async def installs(world: World, answer: str = "allow") -> tuple[int, str]:
    """What the browser shows in the end."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        page = await asked(browser, world)
        name = re.search(r'name="asked" value="([^"]+)"', await page.text())
        assert name
        async with browser.post(page.url.with_query(None), data={"asked": name[1], "answer": answer}) as shown:
            return shown.status, await shown.text()


async def asked(browser: ClientSession, world: World, **changes: str) -> ClientResponse:
    async with browser.get(f"{world.people.bot_url}/slack/install", allow_redirects=False) as sent:
        address = urlsplit(sent.headers["Location"])
    query = {name: values[0] for name, values in parse_qs(address.query).items()} | changes
    page = await browser.get(f"{world.people.base_url}{address.path}", params=query)
    await page.read()
    return page


async def test_who_allows_the_app_gets_answers_and_who_removes_it_none(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path) as world:
        people, photos, first = world.people, world.people.channel("photos"), world.people.workspace.bot_token
        assert (await installs(world))[0] == 200
        assert people.workspace.bot_token != first
        await photos.next_reply(to=await photos.upload("mug.jpg", photo("photo-01.jpg")))
        await world.finished()
        people.workspace.uninstall()
        await world.finished()
        assert await world.bot.desk.results.recent(TEAM_ID, people.workspace.person("ana").id, 5) == []
        assert await world.bot.desk.installations.of(TEAM_ID) is None
        unseen = await photos.upload("vase.jpg", photo("photo-02.jpg"))
        await people.settled()
        with pytest.raises(LookupError, match="not installed"):
            await people.command("/insights", "help")
        status, text = await installs(world)
        assert (status, "Image Insights is in Local" in text) == (200, True)
        await photos.next_reply(to=await photos.upload("mug.jpg", photo("photo-01.jpg")))
        assert photos.replies(unseen) == []
        assert people.problems == []


async def test_who_cancels_has_installed_nothing(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path) as world:
        status, text = await installs(world, "cancel")
        assert (status, "cancelled" in text) == (400, True)
        assert await world.bot.desk.installations.of(TEAM_ID) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"scope": "chat:write,admin"}, "invalid_scope: admin"),
        ({"redirect_uri": "https://evil.example/slack/oauth_redirect"}, "bad_redirect_uri"),
    ],
)
async def test_another_app_is_not_offered(engine: Engine, tmp_path: Path, changes: dict[str, str], why: str) -> None:
    async with app_of(engine, tmp_path) as world, ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        page = await asked(browser, world, **changes)
        assert page.status == 400
        assert why in await page.text()


async def test_a_token_is_given_for_a_code_once_and_to_the_app_alone(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path) as world, ClientSession() as stranger:
        workspace = world.people.workspace
        workspace.codes["code"] = back = f"{workspace.bot_url}/slack/oauth_redirect"
        app, url = BasicAuth(workspace.client_id, workspace.client_secret), f"{workspace.api_url}oauth.v2.access"

        async def given(who: BasicAuth, **values: str) -> str:
            async with stranger.post(url, auth=who, data={"code": "code", "redirect_uri": back} | values) as answer:
                said = await answer.json()
                return str(said.get("error") or said["token_type"])

        assert await given(BasicAuth("1.2", workspace.client_secret)) == "invalid_client_id"
        assert await given(BasicAuth(workspace.client_id, "guess")) == "bad_client_secret"
        assert await given(app) == "bot"
        assert await given(app) == "invalid_code"
        workspace.codes["code"] = back
        assert await given(app, redirect_uri=f"{back}/other") == "bad_redirect_uri"
