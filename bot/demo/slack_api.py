"""Slack's side of the wire: the Web API, files, uploads, response addresses and the socket, over the workspace.

routes(workspace) serves /api/, /files/, /hooks/, /socket and /oauth/.
"""

import asyncio
import hmac
import json
import re
import secrets
import time
from typing import Any

from aiohttp import BasicAuth, web

from bot.demo import oauth, uploads
from bot.demo.faults import Fault
from bot.demo.methods import METHODS
from bot.demo.methods.call import Arguments, Method, Refused
from bot.demo.methods.chat import compose
from bot.demo.methods.files import receive, visible
from bot.demo.objects import TEAM_ID, Call, Json, Message
from bot.demo.workspace import Workspace
from bot.errors import Error

MOST_USES = 5
CALLS_KEPT = 5000
HIDDEN = frozenset({"client_secret", "code"})
OPEN_JSON = frozenset({"blocks", "attachments", "unfurls", "metadata", "view", "files"})  # arguments that may come as JSON text
_FILE = re.compile(rf"{TEAM_ID}-(F\w+)")
_TYPES = {"application/json": "json", "application/x-www-form-urlencoded": "form", "multipart/form-data": "form", "": ""}


def routes(workspace: Workspace) -> list[web.RouteDef]:
    edge = _Edge(workspace)
    return [
        *oauth.routes(workspace),
        web.get("/api/{method}", edge.method),
        web.post("/api/{method}", edge.method),
        web.get("/files/{file}/{name}", edge.download),
        web.get("/files/{file}/{kind}/{name}", edge.download),
        web.post("/files/upload/{file}/{length}", edge.upload),
        web.post("/hooks/{kind}/{team}/{number}/{key}", edge.hook),
        web.get("/socket", workspace.delivery.sockets.serve),
    ]


class _Edge:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    # ---- the Web API

    async def method(self, request: web.Request) -> web.StreamResponse:
        """One call: arguments, token, scope, then the method; every answer is 200 with `ok`, except 429."""
        name = request.match_info["method"]
        values: Json = {}
        try:
            method = METHODS.get(name) or oauth.METHODS.get(name)
            values = await _arguments(request, method)
            if method is None:
                self._workspace.problem(f"{name}: no such method")
                return self._said(name, values, "unknown_method", {"req_method": name})
            self._authorise(request, values, method)
            return await self._answer(request, name, method, values)
        except Refused as refused:
            return self._said(name, values, refused.error, refused.details)

    def _said(
        self, name: str, values: Json, error: str = "", details: Json | None = None, fault: Fault | None = None
    ) -> web.Response:
        """Write the call down and answer it."""
        self._wrote(name, values, error=error, fault=fault)
        body = {"ok": False, "error": error, **(details or {})} if error else {"ok": True, **(details or {})}
        headers = {"X-OAuth-Scopes": ",".join(sorted(self._workspace.scopes)), "X-Slack-Req-Id": secrets.token_hex(16)}
        if fault and fault.retry_after:
            headers["Retry-After"] = f"{fault.retry_after:g}"
        return web.json_response(body, status=fault.status if fault else 200, headers=headers)

    def _wrote(self, name: str, values: Json, *, error: str = "", fault: Fault | None = None) -> None:
        shown = {key: _readable(key, value) for key, value in values.items() if key not in HIDDEN}
        calls = self._workspace.calls
        calls.append(Call(name, shown, fault.status if fault else 200, error, injected=fault is not None))
        del calls[:-CALLS_KEPT]
        self._workspace.wake()

    def _authorise(self, request: web.Request, values: Json, method: Method) -> None:
        if not method.token:
            values |= _basic(request)
            return
        token = _bearer(request) or str(values.pop("token", ""))
        if "token" in request.query:
            self._workspace.problem("a token in a query: it would end in logs")
        if not token:
            raise Refused("not_authed")
        if token in self._workspace.revoked:
            raise Refused("token_revoked")
        known = {"bot": self._workspace.bot_token, "app": self._workspace.app_token}
        if not hmac.compare_digest(token.encode(), known[method.token].encode()):
            other = any(hmac.compare_digest(token.encode(), known[kind].encode()) for kind in known if kind != method.token)
            raise Refused("not_allowed_token_type" if other else "invalid_auth")
        if method.scope and method.scope not in self._workspace.scopes:
            raise Refused("missing_scope", needed=method.scope, provided=",".join(sorted(self._workspace.scopes)))

    async def _answer(self, request: web.Request, name: str, method: Method, values: Json) -> web.StreamResponse:
        fault = self._workspace.faults.take(name)
        if fault and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault and fault.error:
            return self._said(name, values, fault.error, fault=fault)
        if fault and fault.status != 200:  # noqa: PLR2004 (OK)
            self._wrote(name, values, error="broken", fault=fault)
            return _broken(fault)
        answer = await method.run(self._workspace, Arguments(values))
        if fault and fault.lost:
            self._wrote(name, values, fault=fault)
            return _cut(request)
        return self._said(name, values, details=answer)

    # ---- files

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A file or its thumb, for the app's token only. Anybody else is sent to a login page, as by Slack."""
        fault = self._workspace.faults.take("files")
        if fault and fault.delay:
            await asyncio.sleep(fault.delay)
        found = _FILE.fullmatch(request.match_info["file"])
        file = self._workspace.files.get(found[1]) if found else None
        values = {"path": request.path}
        allowed = hmac.compare_digest(_bearer(request).encode(), self._workspace.bot_token.encode())
        if not allowed or file is None or file.deleted or not visible(self._workspace, file) or (fault and fault.error):
            self._wrote("files", values, error="login", fault=fault)
            raise web.HTTPFound(f"/?redir={request.path}")
        if fault and fault.status != 200:  # noqa: PLR2004 (OK)
            self._wrote("files", values, error="broken", fault=fault)
            return _broken(fault)
        if fault and fault.lost:
            self._wrote("files", values, fault=fault)
            return _cut(request)
        self._wrote("files", values)
        kind = request.match_info.get("kind", "")
        side = re.fullmatch(r"thumb_(\d{2,4})", kind)
        if not side:
            return web.Response(body=file.data, content_type=file.mimetype)
        try:
            return web.Response(body=await uploads.thumb(self._workspace, file, int(side[1])), content_type="image/jpeg")
        except Error:
            raise web.HTTPNotFound from None

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """The second step of an upload: the bytes, raw or as multipart. The address is the permission."""
        fault = self._workspace.faults.take("upload_url")
        if fault and fault.status != 200:  # noqa: PLR2004 (OK)
            return _broken(fault)
        if request.content_type == "multipart/form-data":
            parts = await request.post()
            held = [part for part in parts.values() if isinstance(part, web.FileField)]
            data = held[0].file.read() if held else b""
        else:
            data = await request.read()
        file_id, length = request.match_info["file"], request.match_info["length"]
        if str(len(data)) != length:
            self._workspace.problem(f"an upload of {len(data)} bytes where {length} were announced")
            raise web.HTTPBadRequest(text="invalid_length")
        if not await receive(self._workspace, file_id, data):
            raise web.HTTPNotFound(text="file_not_found")
        self._wrote("upload_url", {"file": file_id, "length": len(data)})
        return web.Response(text=f"OK - {len(data)}")

    # ---- response_url

    async def hook(self, request: web.Request) -> web.StreamResponse:
        """An answer to a click or command: five uses in half an hour, ephemeral unless told otherwise (see §6.2)."""
        workspace = self._workspace
        hook = workspace.hooks.get(request.match_info["key"])
        try:
            values = await request.json()
        except ValueError:
            values = None
        if not isinstance(values, dict):
            return web.Response(status=400, text="invalid_payload")
        fault = workspace.faults.take("response_url")
        if fault and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault and (fault.error or fault.status != 200):  # noqa: PLR2004 (OK)
            self._wrote("response_url", values, error=fault.error or "broken", fault=fault)
            return _broken(fault)
        error = ""
        if hook is None or time.monotonic() - hook.created > workspace.timing.hook:
            error = "expired_url"
        elif hook.uses >= MOST_USES:
            error = "used_url"
        if hook is None or error:
            workspace.problem(f"response_url: {error}")
            self._wrote("response_url", values, error=error)
            return web.Response(status=404, text=error)
        hook.uses += 1
        arguments = Arguments(values)
        try:
            if arguments.flag("delete_original"):
                self._delete_original(hook.message)
            else:
                await self._respond(hook.user, hook.channel, hook.message, hook.thread_ts, arguments)
        except Refused as refused:
            self._wrote("response_url", values, error=refused.error)
            return web.Response(status=404, text=refused.error)
        self._wrote("response_url", values)
        return _cut(request) if fault and fault.lost else web.Response(text="ok")

    def _delete_original(self, clicked: Message | None) -> None:
        if clicked is not None and not clicked.deleted:
            self._workspace.delete(clicked)

    async def _respond(self, user: str, channel: str, clicked: Message | None, thread: str, arguments: Arguments) -> None:
        workspace = self._workspace
        message = await compose(workspace, channel, arguments, error="invalid_blocks")
        if arguments.flag("replace_original") and clicked is not None and not clicked.deleted:
            workspace.change(clicked, text=message.text, blocks=message.blocks, attachments=message.attachments)
            return
        message.thread_ts = arguments.text("thread_ts")
        if thread and not message.thread_ts:
            workspace.problem("response_url: without thread_ts the answer to a click in a thread lands in the channel")
        if arguments.text("response_type") == "in_channel":
            workspace.post(message)
        else:
            message.ephemeral_to = user
            workspace.post_ephemeral(message)


async def _arguments(request: web.Request, method: Method | None) -> Json:
    """Query, then body. Slack reads JSON bodies only for methods that write, and says so only by missing arguments."""
    values: Json = dict(request.query)
    kind = _TYPES.get(request.content_type if request.can_read_body else "", "other")
    if kind == "json":
        try:
            body = json.loads(await request.text() or "{}")
        except ValueError:
            raise Refused("invalid_json") from None
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        if method is None or not method.reads:
            values |= body
    elif kind == "form":
        values |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    elif kind == "other" and await request.read():
        raise Refused("invalid_post_type")
    return values


def _readable(name: str, value: Any) -> Any:
    """JSON text as the value it stands for, for the journal of calls."""
    if name in OPEN_JSON and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _basic(request: web.Request) -> Json:
    """Whose app it is, where that came as HTTP's own user and password, as the SDKs send it."""
    try:
        given = BasicAuth.decode(request.headers.get("Authorization", ""))
    except ValueError:
        return {}
    return {"client_id": given.login, "client_secret": given.password}


def _broken(fault: Fault) -> web.Response:
    headers = {"Retry-After": f"{fault.retry_after:g}"} if fault.retry_after else {}
    return web.Response(
        status=fault.status, text="<html><body>Server Error</body></html>", content_type="text/html", headers=headers
    )


def _cut(request: web.Request) -> web.Response:
    """Close the connection; what is returned reaches nobody."""
    if request.transport:
        request.transport.abort()
    return web.Response()
