"""The app comes and goes: the page on which somebody allows it, the code it gets for that, and the token for the code.

slack-platform.md §8. GET and POST /oauth/v2/authorize, and the method oauth.v2.access.
"""

import hmac
import secrets
from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from bot.demo.methods.call import Arguments, Method, Refused
from bot.demo.objects import ANA_ID, APP_ID, APP_NAME, BOT_USER_ID, TEAM_ID, TEAM_NAME, Json
from bot.demo.workspace import Workspace

AUTHORIZE = "/oauth/v2/authorize"
MOST_ASKED = 100  # pages that are open at once
MOST_STATE = 1024

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Allow {app}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:10vh auto;padding:0 1em;color:#1d1c1d;background:#fff}}
button{{font:inherit;font-weight:700;padding:.5em 1.2em;border:1px solid #86868b;border-radius:6px;background:#fff;color:#1d1c1d}}
button.go{{background:#007a5a;border-color:#007a5a;color:#fff}} li{{font-family:ui-monospace,monospace;font-size:14px}}
@media(prefers-color-scheme:dark){{body{{color:#d1d2d3;background:#1a1d21}}button{{background:#1a1d21;color:#d1d2d3}}}}</style>
<main><h1>{app} asks for access to the workspace {team}</h1><p>It wants to:</p><ul>{scopes}</ul>
<form method="post" action="{action}"><input type="hidden" name="asked" value="{asked}">
<button class="go" name="answer" value="allow">Allow</button>
<button name="answer" value="cancel">Cancel</button></form></main></html>
"""


def routes(workspace: Workspace) -> list[web.RouteDef]:
    consent = _Consent(workspace)
    return [web.get(AUTHORIZE, consent.ask), web.post(AUTHORIZE, consent.answer)]


class _Consent:
    """What is asked for waits here under a name that only the page knows."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._asked: dict[str, tuple[str, str]] = {}

    async def ask(self, request: web.Request) -> web.Response:
        query = request.query
        scopes = [scope for scope in query.get("scope", "").split(",") if scope]
        back, unknown = query.get("redirect_uri", ""), set(scopes) - self._workspace.scopes
        if query.get("client_id") != self._workspace.client_id:
            return _refused("invalid_client_id: no app here has that client_id.")
        if not scopes or unknown:
            return _refused(f"invalid_scope: {', '.join(sorted(unknown)) or 'none was asked for'}.")
        if urlsplit(back)[:2] != urlsplit(self._workspace.bot_url)[:2]:
            return _refused("bad_redirect_uri: it is not one of the app's.")
        asked = secrets.token_urlsafe(24)
        self._asked[asked] = back, query.get("state", "")[:MOST_STATE]
        while len(self._asked) > MOST_ASKED:
            del self._asked[next(iter(self._asked))]
        lines = "".join(f"<li>{escape(scope)}</li>" for scope in scopes)
        text = _PAGE.format(app=APP_NAME, team=TEAM_NAME, scopes=lines, action=AUTHORIZE, asked=asked)
        # the form leads to the app in the end, and Chromium holds that against form-action too
        policy = f"default-src 'none'; style-src 'unsafe-inline'; form-action 'self' {self._workspace.bot_url}"
        return web.Response(text=text, content_type="text/html", headers=_HEADERS | {"Content-Security-Policy": policy})

    async def answer(self, request: web.Request) -> web.Response:
        form = await request.post()
        back, state = self._asked.pop(str(form.get("asked", "")), ("", ""))
        if not back:
            return _refused("This page was used already. Start the installation again.")
        if form.get("answer") != "allow":
            answer = {"error": "access_denied", "state": state}
        else:
            code = secrets.token_urlsafe(24)
            self._workspace.codes[code] = back
            answer = {"code": code, "state": state}
        return web.Response(status=302, headers=_HEADERS | {"Location": f"{back}?{urlencode(answer)}"})


_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


def _refused(text: str) -> web.Response:
    return web.Response(status=400, text=text, headers=_HEADERS)


async def access(workspace: Workspace, arguments: Arguments) -> Json:
    """A token for a code, which works once."""
    secret = arguments.text("client_secret").encode()
    if arguments.text("client_id") != workspace.client_id:
        raise Refused("invalid_client_id")
    if not hmac.compare_digest(secret, workspace.client_secret.encode()):
        raise Refused("bad_client_secret")
    back = workspace.codes.pop(arguments.text("code"), None)
    if back is None:
        raise Refused("invalid_code")
    if arguments.text("redirect_uri") != back:
        raise Refused("bad_redirect_uri")
    token = workspace.install()
    return {
        "app_id": APP_ID,
        "authed_user": {"id": ANA_ID},
        "scope": ",".join(sorted(workspace.scopes)),
        "token_type": "bot",
        "access_token": token,
        "bot_user_id": BOT_USER_ID,
        "team": {"id": TEAM_ID, "name": TEAM_NAME},
        "enterprise": None,
        "is_enterprise_install": False,
    }


METHODS = {"oauth.v2.access": Method(access, token="")}
