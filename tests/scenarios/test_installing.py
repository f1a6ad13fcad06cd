"""Companies install the app, use it side by side, and leave."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession, CookieJar
from aiohttp import web as aio
from pydantic import SecretStr

from bot import web
from bot.installations import Installations
from bot.slack import operator
from bot.slack.running import Bot, running_bot
from bot.slack.workspaces import apps_page, web_address
from bot.storage import Database
from bot.vault import Vault
from tests import databases
from tests.worlds import SECRET, Engine, World, photo, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="session")

ACME, BLUE, ORG = "T0ACME", "T0BLUE", "E0WHOLE"


@dataclass
class Slack:
    """The far end: knows who installed with which code, whose token is whose, and writes down what is called with it."""

    lasts: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    refreshed: int = 0
    problems: list[str] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)

    async def method(self, request: aio.Request) -> aio.Response:
        name = request.match_info["method"]
        given = dict(await request.post()) or (await request.json() if request.can_read_body else {})
        if name == "oauth.v2.access":
            return aio.json_response(self.access(given))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or str(given.get("token", ""))
        team = self.tokens.get(token)
        if team is None:
            self.problems.append(f"{name} with {token or 'no token'}")
            return aio.json_response({"ok": False, "error": "invalid_auth"})
        self.calls.append((name, team))
        return aio.json_response({"ok": True, "bot_id": f"B{team}", "ts": "1700000000.000100", "view": {"id": "V1"}})

    def access(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("grant_type") == "refresh_token":
            team = self.refresh_tokens.pop(str(given["refresh_token"]), "")
            if not team:
                return {"ok": False, "error": "invalid_refresh_token"}
            self.refreshed += 1
        else:
            team = str(given.get("code", "")).removeprefix("code-of-")
            if team not in {ACME, BLUE, ORG}:
                return {"ok": False, "error": "invalid_code"}
        token = f"xoxb-{team}-{len(self.tokens)}"
        self.tokens[token] = team
        answer = {"ok": True, "access_token": token, "bot_user_id": f"U{team}", "app_id": "A1", "scope": "chat:write"}
        answer |= {"authed_user": {"id": f"UBOSS{team}"}}
        if self.lasts:
            refresh_token = f"xoxe-{team}-{len(self.tokens)}"
            self.refresh_tokens[refresh_token] = team
            answer |= {"expires_in": self.lasts, "refresh_token": refresh_token}
        if team == ORG:
            return answer | {"is_enterprise_install": True, "enterprise": {"id": ORG, "name": "Whole"}, "team": None}
        return answer | {"is_enterprise_install": False, "enterprise": None, "team": {"id": team, "name": f"{team} & <Sons>"}}


@dataclass
class App:
    slack: Slack
    bot: Bot
    url: str
    database: Database
    folder: Path

    async def installed(self, team: str, **changes: str) -> tuple[int, str]:
        """Somebody's browser goes to Slack and comes back."""
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
            query = await begun(browser, self.url) | {"code": f"code-of-{team}"} | changes
            async with browser.get(f"{self.url}/slack/oauth_redirect", params=query) as page:
                return page.status, await page.text()

    async def sent(self, payload: dict[str, Any]) -> int:
        return (await operator.deliver(payload, to=self.url, secret=SECRET))[0]

    async def opens_home(self, team: str, number: int = 0, *, organisation: str | None = None) -> int:
        event = {"type": "app_home_opened", "user": "UANN", "channel": "D1", "tab": "home", "event_ts": f"170000{number}.1"}
        return await self.sent(happened(team, event, number, organisation=organisation))

    async def finished(self) -> None:
        async with asyncio.timeout(20):
            while any(one.state in {"waiting", "running"} for one in await self.bot.desk.jobs.list()):  # noqa: ASYNC110 (it tells nobody)
                await asyncio.sleep(0.05)

    def homes(self) -> list[str]:
        return sorted(team for name, team in self.slack.calls if name == "views.publish")


def happened(team: str, event: dict[str, Any], number: int = 0, *, organisation: str | None = None) -> dict[str, Any]:
    who = {"enterprise_id": organisation, "team_id": None if organisation else team, "is_enterprise_install": bool(organisation)}
    return {
        "type": "event_callback",
        "team_id": team,
        "enterprise_id": organisation,
        "api_app_id": "A1",
        "event": event,
        "event_id": f"Ev{team}{event['type']}{number}",
        "event_time": int(time.time()) + 1,
        "authorizations": [who | {"user_id": "UBOT", "is_bot": True}],
    }


async def begun(browser: ClientSession, url: str) -> dict[str, str]:
    async with browser.get(f"{url}/slack/install", allow_redirects=False) as answer:
        asked = parse_qs(urlsplit(answer.headers["Location"]).query)
        return {"state": asked["state"][0]}


@asynccontextmanager
async def app_of(engine: Engine, folder: Path, *, lasts: int = 0, secrets: str = SECRET) -> AsyncIterator[App]:
    slack, far, ours = Slack(lasts), web.bind("127.0.0.1", 0), web.bind("127.0.0.1", 0)
    settings = settings_for(
        folder,
        slack_bot_token=SecretStr(""),
        slack_signing_secret=SecretStr(secrets),
        slack_client_id="1.2",
        slack_client_secret=SecretStr("shhh"),
        slack_api_url=f"{web.address(far)}/api/",
        public_url=web.address(ours),
    )
    async with (
        web.listening(far, [aio.post("/api/{method}", slack.method)], drain_seconds=0.1),
        Database.open(settings.database) as database,
        running_bot(settings, database, engine.service, engine.pixels, engine.fetcher) as bot,
        web.listening(ours, bot.routes, drain_seconds=0.1),
    ):
        yield App(slack, bot, web.address(ours), database, folder)
        assert slack.problems == []


async def test_two_companies_are_each_answered_with_their_own_token(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path) as app:
        status, page = await app.installed(ACME)
        assert status == 200
        assert "Image Insights is in T0ACME &amp; &lt;Sons&gt;" in page
        assert (await app.installed(BLUE))[0] == 200
        await app.opens_home(ACME)
        await app.opens_home(BLUE)
        await app.finished()
        assert app.homes() == [ACME, BLUE]


async def test_whoever_installed_it_is_told_how_it_works(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path) as app:
        await app.installed(ACME)
        await app.finished()
        assert ("chat.postMessage", ACME) in app.slack.calls


async def test_a_company_that_has_not_installed_it_gets_no_answer_and_slack_is_content(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path) as app:
        await app.installed(ACME)
        assert await app.opens_home("T0OTHER") == 200
        await app.finished()
        assert app.homes() == []


async def test_installing_again_replaces_the_token(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path) as app:
        await app.installed(ACME)
        app.slack.tokens.clear()
        await app.installed(ACME)
        await app.opens_home(ACME)
        await app.finished()
        assert app.homes() == [ACME]


# ---------------------------------------------------------------- coming back from Slack (threats.md O1)


async def test_o1_slack_is_asked_for_what_the_manifest_says_and_comes_back_to_our_own_address(
    engine: Engine, tmp_path: Path
) -> None:
    async with app_of(engine, tmp_path) as app, ClientSession() as browser:
        async with browser.get(f"{app.url}/slack/install", allow_redirects=False, headers={"Host": "evil.example"}) as answer:
            to = urlsplit(answer.headers["Location"])
            asked = parse_qs(to.query)
        assert to.path == "/oauth/v2/authorize"
        assert asked["redirect_uri"] == [f"{app.url}/slack/oauth_redirect"]
        assert "chat:write" in asked["scope"][0].split(",")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_o1_a_state_works_once_in_the_browser_that_began(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path) as app:
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as mine, ClientSession() as another:
            query = await begun(mine, app.url) | {"code": f"code-of-{ACME}"}
            for browser, expected in ((another, 400), (mine, 200), (mine, 400)):
                async with browser.get(f"{app.url}/slack/oauth_redirect", params=query) as page:
                    assert page.status == expected
        assert (await app.installed(BLUE, state="guessed"))[0] == 400
        assert set(app.slack.tokens.values()) == {ACME}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"error": "access_denied"}, "was cancelled"),
        ({"error": "<script>"}, "did not finish"),
        ({"code": ""}, "did not finish"),
        ({"code": "old"}, "refused"),
    ],
)
async def test_an_installation_that_fails_says_why_and_how_to_start_again(
    engine: Engine, tmp_path: Path, query: dict[str, str], said: str
) -> None:
    async with app_of(engine, tmp_path) as app:
        status, page = await app.installed(ACME, **query)
        assert status == 400
        assert said in page
        assert "/slack/install" in page
        assert "<script>" not in page
        assert app.slack.tokens == {}


async def test_govslack_has_its_own_pages() -> None:
    assert apps_page("https://slack-gov.com/api/") == "https://api.slack-gov.com/apps"
    assert web_address("https://slack-gov.com/api/", "/oauth/v2/authorize") == "https://slack-gov.com/oauth/v2/authorize"


# ---------------------------------------------------------------- tokens at rest (threats.md O2)


@databases.of_keys_in_a_file
async def test_o2_no_token_lies_readable_in_the_database(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path, lasts=43200) as app:
        await app.installed(ACME)
        await app.finished()
        for file in list(tmp_path.glob("*.db*")):  # noqa: ASYNC240 (nobody waits)
            assert b"xoxb-T0ACME" not in file.read_bytes()
            assert b"xoxe-T0ACME" not in file.read_bytes()
    assert (tmp_path / "secret_keys").stat().st_mode & 0o077 == 0


@databases.of_keys_in_a_file
async def test_o2_keys_are_changed_while_the_bot_answers(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path) as app:
        await app.installed(ACME)
        vault = Vault([], tmp_path / "secret_keys")
        assert vault.renew()
        assert await Installations(app.database, vault).reseal() == 1
        assert await Installations(app.database, vault).reseal() == 0
        await app.installed(BLUE)  # what was remembered is forgotten
        await app.opens_home(ACME)
        await app.finished()
        assert app.homes() == [ACME]


# ---------------------------------------------------------------- leaving (threats.md O5)


@pytest.mark.parametrize("kinds", [["app_uninstalled"], ["tokens_revoked", "app_uninstalled"], ["app_uninstalled"] * 2])
async def test_o5_whoever_removes_it_is_forgotten_and_the_other_company_stays(
    engine: Engine, tmp_path: Path, kinds: list[str]
) -> None:
    async with app_of(engine, tmp_path) as app:
        await app.installed(ACME)
        await app.installed(BLUE)
        await app.finished()
        for number, kind in enumerate(kinds):
            assert await app.sent(happened(ACME, {"type": kind, "tokens": {"bot": ["U1"]}}, number)) == 200
        await app.finished()
        assert await app.bot.desk.installations.of(ACME) is None
        assert await app.bot.desk.installations.of(BLUE)
        assert all(one.tenant != ACME or one.kind == "forget" for one in await app.bot.desk.jobs.list())


async def test_o5_an_uninstallation_that_comes_late_does_not_undo_a_new_installation(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path) as app:
        await app.installed(ACME)
        await app.sent(happened(ACME, {"type": "app_uninstalled"}) | {"event_time": int(time.time()) - 60})
        await app.finished()
        assert await app.bot.desk.installations.of(ACME)


# ---------------------------------------------------------------- tokens that end (threats.md O7), organisations


async def test_o7_ten_people_at_the_moment_a_token_has_ended_cause_one_refresh(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path, lasts=1) as app:
        await app.installed(ACME)
        await app.finished()
        app.slack.lasts = 43200
        await asyncio.sleep(1.1)
        assert await asyncio.gather(*(app.opens_home(ACME, number) for number in range(10))) == [200] * 10
        await app.finished()
        assert app.homes() == [ACME] * 10
        assert app.slack.refreshed == 1


async def test_o7_where_a_token_cannot_be_renewed_slack_is_asked_to_come_again(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path, lasts=1) as app:
        await app.installed(ACME)
        await app.finished()
        renewing, app.slack.refresh_tokens = app.slack.refresh_tokens, {}
        await asyncio.sleep(1.1)
        assert await app.opens_home(ACME) == 503
        app.slack.refresh_tokens, app.slack.lasts = renewing, 43200
        async with app.database.write() as connection:
            await connection.exec_driver_sql("UPDATE installations SET refreshing = 0")
        assert await app.opens_home(ACME) == 200
        await app.finished()
        assert app.homes() == [ACME]


async def test_one_installation_serves_all_workspaces_of_an_organisation(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path) as app:
        assert (await app.installed(ORG))[0] == 200
        await app.opens_home("T0ONE", organisation=ORG)
        await app.opens_home("T0TWO", organisation=ORG)
        await app.finished()
        assert app.homes() == [ORG, ORG]
        await app.sent(happened("", {"type": "app_uninstalled"}, organisation=ORG))
        await app.finished()
        assert await app.bot.desk.installations.of("T0ONE", ORG) is None


async def test_s6_two_signing_secrets_count_while_one_is_changed(engine: Engine, tmp_path: Path) -> None:
    async with app_of(engine, tmp_path, secrets=f"thenewone, {SECRET}") as app:
        await app.installed(ACME)
        event = happened(ACME, {"type": "app_home_opened", "user": "UANN", "tab": "home", "event_ts": "1.1"})
        for secret, expected in (("thenewone", 200), (SECRET, 200), ("another", 401)):
            assert (await operator.deliver(event, to=app.url, secret=secret))[0] == expected


# ---------------------------------------------------------------- what Slack has not allowed (threats.md O8)


async def test_o8_a_missing_permission_is_said_with_where_to_give_it(world: World) -> None:
    world.people.workspace.scopes -= {"files:read"}
    await world.people.channel("photos").upload("mug.jpg", photo("photo-01.jpg"), text="<@insights> this?", by="ana")
    told = await world.people.next_ephemeral("ana")
    assert "files:read" in told.text
    assert "/apps" in told.text
    await world.finished()
