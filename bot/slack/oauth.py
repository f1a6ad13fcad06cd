"""Installing the app in a workspace: /slack/install sends a browser to Slack, /slack/oauth_redirect takes it back.

A state is random, works once, for ten minutes, and only in the browser that began (threats.md O1).
"""

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from html import escape
from urllib.parse import urlencode

from aiohttp import ClientError, web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.installations import STATE_SECONDS, Installation, Installations
from bot.slack.manifest import INSTALL, REDIRECT
from bot.slack.workspaces import web_address

log = logging.getLogger(__name__)

COOKIE = "image_insights_install"
CALL_SECONDS = 10.0
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:32em;margin:15vh auto;padding:0 1em;color:#1d1c1d;background:#fff}}
a{{color:#1264a3}} @media(prefers-color-scheme:dark){{body{{color:#d1d2d3;background:#1a1d21}}a{{color:#5cb3f5}}}}</style>
<main><h1>{title}</h1><p>{text}</p>{link}</main></html>
"""

Installed = Callable[[Installation, str], Awaitable[None]]
"""Called with what is stored, and the id of the person who did it."""


class Installing:
    """`public_url` is what people's browsers know us by; never the Host of a request."""

    def __init__(
        self,
        installations: Installations,
        client: AsyncWebClient,
        *,
        client_id: str,
        client_secret: str,
        scopes: str,
        public_url: str,
        installed: Installed,
    ) -> None:
        self._installations = installations
        self._client = client
        self._id = client_id
        self._secret = client_secret
        self._scopes = scopes
        self._url = public_url.rstrip("/")
        self._installed = installed

    def routes(self) -> list[web.RouteDef]:
        return [web.get(INSTALL, self.begin), web.get(REDIRECT, self.come_back)]

    async def begin(self, _: web.Request) -> web.StreamResponse:
        state = await self._installations.new_state()
        asked = {"client_id": self._id, "scope": self._scopes, "state": state, "redirect_uri": self._url + REDIRECT}
        to = web_address(self._client.base_url, "/oauth/v2/authorize?") + urlencode(asked)
        response = web.Response(status=302, headers=HEADERS | {"Location": to})
        secure = self._url.startswith("https://")
        response.set_cookie(
            COOKIE, state, max_age=int(STATE_SECONDS), path="/slack", httponly=True, secure=secure, samesite="Lax"
        )
        return response

    async def come_back(self, request: web.Request) -> web.StreamResponse:
        state, cookie = request.query.get("state", ""), request.cookies.get(COOKIE, "")
        if (
            not state
            or not hmac.compare_digest(state.encode(), cookie.encode())
            or not await self._installations.take_state(state)
        ):
            return self._failed("This link was used already, or is too old, or belongs to another browser.")
        if request.query.get("error") == "access_denied":
            return self._failed("Slack says that the installation was cancelled.")
        code = request.query.get("code", "")
        if request.query.get("error") or not code:
            return self._failed("Slack did not finish the installation.")
        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer = await self._client.oauth_v2_access(
                    client_id=self._id, client_secret=self._secret, code=code, redirect_uri=self._url + REDIRECT
                )
                one, person = _installation(answer)
                if not one.owner or not one.token:
                    return self._failed("Slack gave no token for a bot.")
                one = replace(one, bot=str((await self._client.auth_test(token=one.token)).get("bot_id") or ""))
        except SlackApiError as error:
            log.warning("an installation: %s", error.response.get("error"))
            return self._failed("Slack refused the installation.")
        except (ClientError, OSError, TimeoutError) as error:
            log.warning("an installation: %s", str(error) or type(error).__name__)
            return self._failed("Slack does not answer at the moment.", status=502)
        await self._installations.keep(one)
        await self._installed(one, person)
        log.info("installed in %s", one.owner)
        return self._done(one)

    def _done(self, one: Installation) -> web.Response:
        open_it = web_address(self._client.base_url, "/app_redirect?") + urlencode({"app": one.app, "team": one.owner})
        return _page(
            f"Image Insights is in {one.name or 'your workspace'}",
            "Invite it to a channel, or send it a photo in a direct message.",
            f'<p><a href="{escape(open_it)}">Open Slack</a></p>',
        )

    def _failed(self, text: str, *, status: int = 400) -> web.Response:
        return _page("Not installed", text, f'<p><a href="{escape(self._url + INSTALL)}">Start again</a></p>', status=status)


def _page(title: str, text: str, link: str, *, status: int = 200) -> web.Response:
    body = _PAGE.format(title=escape(title), text=escape(text), link=link)
    response = web.Response(status=status, text=body, content_type="text/html", headers=HEADERS)
    response.del_cookie(COOKIE, path="/slack")
    return response


def _installation(answer: AsyncSlackResponse) -> tuple[Installation, str]:
    """What to store of oauth.v2.access, and who did it (slack-platform.md §8)."""
    whole = bool(answer.get("is_enterprise_install"))
    owner = (answer.get("enterprise") if whole else answer.get("team")) or {}
    lasts = float(answer.get("expires_in") or 0)
    one = Installation(
        owner=str(owner.get("id") or ""),
        name=str(owner.get("name") or ""),
        app=str(answer.get("app_id") or ""),
        bot="",
        bot_user=str(answer.get("bot_user_id") or ""),
        scopes=str(answer.get("scope") or ""),
        token=str(answer.get("access_token") or ""),
        refresh_token=str(answer.get("refresh_token") or ""),
        expires=time.time() + lasts if lasts else 0.0,
        installed=time.time(),
    )
    return one, str((answer.get("authed_user") or {}).get("id") or "")
