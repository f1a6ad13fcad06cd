"""The people's page: its files, the journal over a websocket, and what people do as plain POSTs. Loopback only.

Another page in the same browser must not be able to use it: every request names our host, comes from our own origin and carries a
token that only the served page knows.
"""

import asyncio
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bot.demo import control_api, uploads, wire
from bot.demo.driver import Driver, Upload, elements
from bot.demo.objects import APP_NAME, BOT_USER_ID, SLACKBOT_ID, Ack, Channel, Json, Message, View
from bot.demo.workspace import Workspace
from bot.errors import Error
from bot.language import LANGUAGES, of_locale

PAGE = Path(__file__).parent / "page"
PHOTOS = Path(__file__).parent / "catalogue" / "photos"
SAMPLES = ("photo-04", "photo-01", "photo-07", "photo-10", "photo-02", "photo-05", "photo-12", "photo-15")
GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
SHOWN_LINES = 200
INSTALL = "/slack/install"  # the app's own page, as its listing would name it
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
COMMANDS: list[Json] = [
    {
        "command": "/insights",
        "hint": "<image URL or words> | on | off | settings | help",
        "description": "What a picture shows and where to buy it",
        "app": True,
    },
    {"command": "/invite", "hint": f"@{APP_NAME}", "description": "Add the app to this channel", "app": False},
]

Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(workspace: Workspace) -> list[web.RouteDef]:
    page = _Page(workspace)
    return [
        web.get("/", page.index),
        web.get("/archives/{channel}/{message}", page.index),
        web.get("/static/{path:.+}", page.static),
        web.get("/samples/{name}", page.sample_picture),
        web.get("/client/ws", page.admitted(page.journal)),
        web.get("/client/files/{file}", page.admitted(page.file)),
        web.get("/client/traffic", page.admitted(page.traffic)),
        web.get("/client/gallery", page.admitted(page.gallery)),
        web.post("/client/message", page.admitted(page.message)),
        web.post("/client/sample", page.admitted(page.sample)),
        web.post("/client/command", page.admitted(page.command)),
        web.post("/client/delete_message", page.admitted(page.delete_message)),
        web.post("/client/block_action", page.admitted(page.block_action)),
        web.post("/client/shortcut", page.admitted(page.shortcut)),
        web.post("/client/react", page.admitted(page.react)),
        web.post("/client/view_submission", page.admitted(page.view_submission)),
        web.post("/client/view_closed", page.admitted(page.view_closed)),
        web.post("/client/uninstall", page.admitted(page.uninstall)),
        web.post("/client/home_opened", page.admitted(page.home_opened)),
        *control_api.routes(workspace, page.admitted),
    ]


class _Page:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._people = Driver(workspace)
        self._samples = 0

    # ---- who may

    def admitted(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint for our own page only; 403 for everybody else."""

        async def checked(request: web.Request) -> web.StreamResponse:
            token = request.headers.get("X-Page-Token") or request.query.get("token", "")
            if not (self._own_host(request) and _own_origin(request) and self._own_token(token)):
                raise web.HTTPForbidden(text="This request does not come from the workspace's own page. Open the page again.")
            try:
                return await endpoint(request)
            except (LookupError, ValueError, TypeError) as error:
                raise web.HTTPBadRequest(text=str(error)) from None

        return checked

    def _own_host(self, request: web.Request) -> bool:
        """Whether the browser asked for a loopback name and our port: a foreign name that resolves to us is an attack."""
        named = urlsplit(f"//{request.host}")
        own = urlsplit(self._workspace.base_url)
        try:
            return named.hostname in LOOPBACK and (named.port or 80) == (own.port or 80)
        except ValueError:
            return False

    def _own_token(self, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._workspace.page_token.encode())

    # ---- the page's files

    async def index(self, request: web.Request) -> web.Response:
        """The page with its token and a nonce for the two scripts in it."""
        if not self._own_host(request):
            raise web.HTTPForbidden(text="Open the workspace by the address it printed when it started.")
        nonce = secrets.token_urlsafe(18)
        text = await asyncio.to_thread((PAGE / "index.html").read_text, encoding="utf-8")
        text = text.replace("{{nonce}}", nonce).replace("{{token}}", self._workspace.page_token)
        policy = (
            f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; font-src 'self'; connect-src 'self'; "
            "img-src 'self' blob: data: http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def static(self, request: web.Request) -> web.StreamResponse:
        return _served(PAGE, request.match_info["path"], cache="no-cache")

    async def sample_picture(self, request: web.Request) -> web.StreamResponse:
        """A photo of the demo catalogue by address, to type after /insights."""
        return _served(PHOTOS, request.match_info["name"], cache="max-age=3600")

    # ---- what happened

    async def journal(self, request: web.Request) -> web.WebSocketResponse:
        """The whole state, or what was missed since `after`; then every event as it happens."""
        workspace = self._workspace
        person = workspace.person(request.query.get("user", ""))
        line = web.WebSocketResponse(heartbeat=20)
        await line.prepare(request)
        subscriber = workspace.subscribe(person.id)

        async def end() -> None:
            subscriber.overrun = True
            sending.cancel()
            await line.close(code=1012, message=b"restart")

        async def send() -> None:
            for entry in self._first(person.id, request):
                await line.send_json(entry)
            while not subscriber.overrun:
                await line.send_json(await subscriber.queue.get())
            await line.close(code=1013, message=b"behind")

        sending = asyncio.create_task(send())
        async with workspace.closing(end):
            try:
                async for _ in line:
                    pass  # the page only listens
            finally:
                workspace.subscribers.discard(subscriber)
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        return line

    def _first(self, user: str, request: web.Request) -> list[Json]:
        after = request.query.get("after", "0")
        if request.query.get("epoch") == self._workspace.epoch and after.isdigit() and int(after):
            missed = self._workspace.missed(user, int(after))
            if missed is not None:
                return missed
        if not request.query.get("epoch"):  # a page that starts anew has no dialogs, as in Slack
            self._workspace.close_views(list(self._workspace.views[user]))
        return [self._hello(user)]

    def _hello(self, user: str) -> Json:
        workspace = self._workspace
        rooms = [channel for channel in workspace.channels.values() if user in channel.members]
        home = workspace.homes.get(user)
        return {
            "type": "hello",
            "epoch": workspace.epoch,
            "seq": workspace.seq,
            "app": {
                "user": BOT_USER_ID,
                "name": APP_NAME,
                "dm": workspace.dm(user).id,
                "installed": workspace.installed,
                "install": f"{workspace.bot_url}{INSTALL}",
            },
            "users": {
                person.id: {
                    "id": person.id,
                    "name": person.real_name,
                    "handle": person.name,
                    "bot": person.is_bot,
                    "language": LANGUAGES[of_locale(person.locale)],
                }
                for person in workspace.people.values()
            },
            "channels": [_room(channel) for channel in rooms],
            "messages": {room.id: [wire.page_message(workspace, m) for m in workspace.messages[room.id]] for room in rooms},
            "views": [wire.view_json(view) for view in workspace.views[user]],
            "home": wire.view_json(home) if home else None,
            "commands": COMMANDS,
            "example": f"{workspace.base_url}/samples/{SAMPLES[0]}.jpg",
        }

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A posted picture as JPEG (`side` pixels at most), whatever its format; with `original` the file, as a download."""
        file = self._workspace.files.get(request.match_info["file"])
        if file is None or file.deleted:
            raise web.HTTPNotFound(text="That file is gone.")
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, max-age=3600",
            "Content-Security-Policy": "sandbox",
        }
        if "original" in request.query:
            headers["Content-Disposition"] = "attachment"
            return web.Response(body=file.data, content_type="application/octet-stream", headers=headers)
        side = min(max(64, int(request.query.get("side", "720"))), 1600)
        try:
            return web.Response(body=await uploads.thumb(self._workspace, file, side), content_type="image/jpeg", headers=headers)
        except Error:
            raise web.HTTPNotFound(text="That file has no preview.") from None

    # ---- what people do

    async def message(self, request: web.Request) -> web.Response:
        form = await request.post()
        text, user = str(form.get("text", "")), str(form.get("user", ""))
        files = [
            Upload(Path(part.filename).name or "file", part.file.read())
            for part in form.getall("file", [])
            if isinstance(part, web.FileField)
        ]
        room = self._people.channel(str(form.get("channel", "")))
        thread = str(form.get("thread_ts", "")) or None
        if files:
            await room.upload(files[0], b"", *files[1:], by=user, text=text, thread_ts=thread)
        elif text:
            await room.post(text, by=user, thread_ts=thread)
        return web.json_response({"ok": True})

    async def sample(self, request: web.Request) -> web.Response:
        """Post one of the catalogue's photos as the person, a different one each time."""
        wanted = await _body(request)
        name = SAMPLES[self._samples % len(SAMPLES)]
        self._samples += 1
        data = await asyncio.to_thread((PHOTOS / f"{name}.jpg").read_bytes)
        room = self._people.channel(_word(wanted, "channel"))
        posted = await room.upload(f"{name}.jpg", data, by=_word(wanted, "user"), alt_text="A photo of the demo catalogue")
        return web.json_response({"ok": True, "ts": posted.ts})

    async def command(self, request: web.Request) -> web.Response:
        wanted = await _body(request)
        command, text = _word(wanted, "command"), str(wanted.get("text", "")).strip()
        person = self._workspace.person(_word(wanted, "user"))
        room = self._workspace.channel(_word(wanted, "channel"))
        if command == "/invite":
            self._invite(room, person.id, text)
            return web.json_response({"ok": True})
        known = any(entry["command"] == command for entry in COMMANDS)
        if not known or wanted.get("thread_ts"):
            why = f"`{command}` is not supported in threads. Sorry!" if known else f"`{command}` is not a valid command."
            self._slackbot(room, person.id, why, str(wanted.get("thread_ts") or ""))
            return web.json_response({"ok": True})
        ack = await self._people.command(command, text, channel=room.id, by=person.id)
        return _acked(ack)

    def _invite(self, room: Channel, user: str, text: str) -> None:
        called = text.removeprefix("@").strip().lower()
        if called not in {APP_NAME.lower(), self._workspace.people[BOT_USER_ID].name}:
            self._slackbot(room, user, f"Nobody is called {wire.escape(text) or 'that'} here. Try `/invite @{APP_NAME}`.")
        elif room.kind == "im" or BOT_USER_ID in room.members:
            self._slackbot(room, user, f"{APP_NAME} is already here.")
        else:
            self._workspace.join(room, BOT_USER_ID, inviter=user)

    def _slackbot(self, room: Channel, user: str, text: str, thread_ts: str = "") -> None:
        self._workspace.post_ephemeral(Message(room.id, SLACKBOT_ID, text, ephemeral_to=user, thread_ts=thread_ts))

    async def delete_message(self, request: web.Request) -> web.Response:
        wanted = await _body(request)
        message = self._workspace.message(_word(wanted, "channel"), _word(wanted, "ts"))
        if message is None or message.user != self._workspace.person(_word(wanted, "user")).id:
            raise LookupError("Only one's own messages can be deleted.")
        await self._people.delete_message(message)
        return web.json_response({"ok": True})

    async def block_action(self, request: web.Request) -> web.Response:
        """A click. The element is taken from what the app sent, not from the page; only what was chosen comes from there."""
        wanted = await _body(request)
        user = _word(wanted, "user")
        target = self._target(wanted, self._workspace.person(user).id)
        block_id, action_id = _word(wanted, "block_id"), _word(wanted, "action_id")
        element = next((e for where, e in elements(target.blocks) if (where, e["action_id"]) == (block_id, action_id)), None)
        if element is None:
            raise LookupError("That button is gone.")
        chosen = {
            name: value
            for name, value in (wanted.get("chosen") or {}).items()
            if name.startswith("selected_")
            or (name in {"value", "text"} and element["type"] in {"feedback_buttons", "plain_text_input"})
        }
        state = wanted.get("state") if isinstance(wanted.get("state"), dict) else None
        return _acked(await self._people.act(target, wire.action(block_id, element, chosen), by=user, state=state))

    def _target(self, wanted: Json, user: str) -> Message | View:
        if wanted.get("view_id"):
            return self._view(wanted, user)
        channel, ts = _word(wanted, "channel"), _word(wanted, "ts")
        whispered = next((m for m in self._workspace.ephemerals if (m.ts, m.ephemeral_to) == (ts, user)), None)
        found = whispered or self._workspace.message(channel, ts)
        if found is None:
            raise LookupError("That message is gone.")
        return found

    def _view(self, wanted: Json, user: str) -> View:
        view = self._workspace.view(_word(wanted, "view_id"))
        if view is None or view.user != user:
            raise LookupError("That dialog is closed.")
        return view

    async def traffic(self, _request: web.Request) -> web.Response:
        """What went to the app and what it called, the newest first; never what is in it."""
        lines = [
            {
                "at": one.at,
                "way": "in",
                "what": one.kind,
                "status": attempt.status,
                "ms": round(attempt.seconds * 1000),
                "retry": attempt.retry,
            }
            for one in self._people.deliveries[-SHOWN_LINES:]
            for attempt in one.attempts
        ]
        calls = self._people.calls[-SHOWN_LINES:]
        lines += [{"at": c.at, "way": "out", "what": c.method, "status": c.status, "error": c.error, "ms": None} for c in calls]
        lines.sort(key=lambda line: -float(str(line["at"])))
        return web.json_response({"lines": lines[:SHOWN_LINES], "problems": self._people.problems[-5:]})

    async def gallery(self, _request: web.Request) -> web.Response:
        """Every card in every state, from the golden files of a checkout."""

        def found() -> list[Json]:
            return [{"name": path.stem, "payload": json.loads(path.read_text("utf-8"))} for path in sorted(GOLDEN.glob("*.json"))]

        return web.json_response({"examples": await asyncio.to_thread(found)})

    async def react(self, request: web.Request) -> web.Response:
        """Put a reaction on a message, or take one's own off."""
        wanted = await _body(request)
        user = self._workspace.person(_word(wanted, "user")).id
        message, name = self._workspace.message(_word(wanted, "channel"), _word(wanted, "ts")), _word(wanted, "name")
        if message is None:
            raise LookupError("That message is gone.")
        self._workspace.react(message, user, name, on=user not in message.reactions.get(name, []))
        return web.json_response({"ok": True})

    async def shortcut(self, request: web.Request) -> web.Response:
        """The app's entry in a message's menu, or without a message its global one."""
        wanted = await _body(request)
        user = self._workspace.person(_word(wanted, "user")).id
        message = None
        if wanted.get("ts"):
            message = self._workspace.message(_word(wanted, "channel"), _word(wanted, "ts"))
            if message is None:
                raise LookupError("That message is gone.")
        return _acked(await self._people.shortcut(_word(wanted, "callback_id"), message, by=user))

    async def view_submission(self, request: web.Request) -> web.Response:
        wanted = await _body(request)
        user = _word(wanted, "user")
        view = self._view(wanted, self._workspace.person(user).id)
        state = wanted.get("state") if isinstance(wanted.get("state"), dict) else {}
        ack = await self._people.submit(view, by=user, state=state)
        return _acked(ack, errors=ack.errors)

    async def view_closed(self, request: web.Request) -> web.Response:
        wanted = await _body(request)
        user = _word(wanted, "user")
        view = self._view(wanted, self._workspace.person(user).id)
        await self._people.close_view(view, by=user, everything=wanted.get("everything") is True)
        return web.json_response({"ok": True})

    async def uninstall(self, _request: web.Request) -> web.Response:
        """Remove the app from the workspace. It comes back by `install`, an address of its own."""
        self._workspace.uninstall()
        return web.json_response({"ok": True})

    async def home_opened(self, request: web.Request) -> web.Response:
        wanted = await _body(request)
        tab = "messages" if wanted.get("tab") == "messages" else "home"
        await self._people.open_home(_word(wanted, "user"), tab=tab)
        return web.json_response({"ok": True})


def _own_origin(request: web.Request) -> bool:
    """Whether the request comes from our page: by its Origin, which POSTs and websockets must have, and what browsers add."""
    origin = request.headers.get("Origin")
    needed = request.method != "GET" or request.headers.get("Upgrade", "").lower() == "websocket"
    if origin != f"http://{request.host}" and (needed or origin is not None):
        return False
    return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"


def _served(folder: Path, path: str, *, cache: str) -> web.FileResponse:
    file = (folder / path).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise web.HTTPNotFound
    headers = {"Cache-Control": cache, "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
    return web.FileResponse(file, headers=headers)


async def _body(request: web.Request) -> Json:
    value: Any = json.loads(await request.text() or "{}")
    if not isinstance(value, dict):
        raise TypeError("The body has to be a JSON object.")
    return value


def _word(wanted: Json, name: str) -> str:
    value = wanted.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is missing.")
    return value


def _acked(ack: Ack, **more: Any) -> web.Response:
    return web.json_response({"ok": ack.ok, "error": ack.error, **more})


def _room(channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "topic": channel.topic,
        "members": list(channel.members),
    }
