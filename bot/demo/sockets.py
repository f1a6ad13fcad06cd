"""Socket Mode: the app connects to us and gets its events over a websocket (slack-platform.md §3.2)."""

import asyncio
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from bot.demo.objects import APP_ID, FAILED, TIMEOUT, Ack, Json

if TYPE_CHECKING:
    from bot.demo.workspace import Workspace

MOST = 10  # connections an app may have
TICKET_SECONDS = 30.0


class Sockets:
    """The app's open websockets. Each message goes to one of them, in turn."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._tickets: dict[str, float] = {}
        self._lines: list[web.WebSocketResponse] = []
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._turn = 0
        self.greeted = 0

    @property
    def open(self) -> bool:
        return any(not line.closed for line in self._lines)

    def new_address(self) -> str:
        """A one-time address for apps.connections.open."""
        now = time.monotonic()
        self._tickets = {ticket: at for ticket, at in self._tickets.items() if now - at < TICKET_SECONDS}
        ticket = secrets.token_urlsafe(18)
        self._tickets[ticket] = now
        return f"ws{self._workspace.base_url.removeprefix('http')}/socket?ticket={ticket}&app_id={APP_ID}"

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """GET /socket: hello, then envelopes down and acknowledgements up until either side ends it."""
        if self._tickets.pop(request.query.get("ticket", ""), None) is None or len(self._lines) >= MOST:
            raise web.HTTPForbidden(text="invalid or used ticket")
        line = web.WebSocketResponse(heartbeat=10)
        await line.prepare(request)
        self._lines.append(line)
        async with self._workspace.closing(lambda: self._end(line, "link_disabled")):
            try:
                await line.send_json(
                    {
                        "type": "hello",
                        "num_connections": len(self._lines),
                        "debug_info": {"host": "local", "approximate_connection_time": 18060},
                        "connection_info": {"app_id": APP_ID},
                    }
                )
                self.greeted += 1
                self._workspace.wake()
                async for frame in line:
                    if frame.type is WSMsgType.TEXT:
                        self._acknowledged(frame.data)
            finally:
                self._lines.remove(line)
        return line

    def _acknowledged(self, data: str) -> None:
        try:
            answer: Any = json.loads(data)
            waiting = self._waiting.get(answer["envelope_id"])
        except (ValueError, KeyError, TypeError):
            self._workspace.problem(f"socket: a frame that is no acknowledgement: {data[:80]}")
            return
        if waiting and not waiting.done():
            waiting.set_result(answer)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """End every connection as Slack does now and then; the app has to come back by itself."""
        for line in list(self._lines):
            await self._end(line, reason)

    async def _end(self, line: web.WebSocketResponse, reason: str) -> None:
        if not line.closed:
            try:
                async with asyncio.timeout(0.5):
                    await line.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "local"}})
                    await line.close()
            except (TimeoutError, ConnectionError):
                pass

    async def send(self, kind: str, payload: Json, *, retry: int, reason: str) -> Ack:
        """One envelope on one of the lines."""
        lines = [line for line in self._lines if not line.closed]
        line = lines[self._turn % len(lines)]
        self._turn += 1
        envelope: Json = {"envelope_id": secrets.token_hex(16), "type": kind, "payload": payload}
        envelope["accepts_response_payload"] = kind != "events_api"
        if kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": reason}
        waiting: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[str(envelope["envelope_id"])] = waiting
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._workspace.timing.ack):
                await line.send_json(envelope)
                answer = await waiting
        except TimeoutError:
            return Ack(0, time.monotonic() - started, reason=TIMEOUT)
        except ConnectionError:
            return Ack(0, time.monotonic() - started, reason=FAILED)
        finally:
            del self._waiting[str(envelope["envelope_id"])]
        body = answer.get("payload") or {}
        if body and kind == "events_api":
            self._workspace.problem("socket: an acknowledgement of an event carries a payload")
        if isinstance(body, str):
            return Ack(200, time.monotonic() - started, {}, body)
        return Ack(200, time.monotonic() - started, body, str(body.get("text") or ""))
