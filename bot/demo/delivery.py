"""Bring events, clicks and commands to the app as Slack does: signed, within three seconds, retried, or over its socket."""

import asyncio
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from bot.demo import wire
from bot.demo.objects import (
    APP_ID,
    APP_NAME,
    BOT_USER_ID,
    FAILED,
    HTTP_ERROR,
    TEAM_ID,
    TIMEOUT,
    Ack,
    Attempt,
    Channel,
    Delivered,
    Json,
    Message,
    Person,
    View,
)
from bot.demo.sockets import Sockets

if TYPE_CHECKING:
    from bot.demo.workspace import Workspace

AT_ONCE = 20  # requests to the app; more wait their turn
KEPT = 2000  # entries of the log

_URL = re.compile(r"https?://[^\s<>|]+")


def _domain(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


class Delivery:
    """The workspace's line to the app. Uses an open socket when there is one (Socket Mode), else `{bot_url}/slack/events`."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self.sockets = Sockets(workspace)
        self.log: list[Delivered] = []
        self._http: ClientSession | None = None
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._open = 0
        self._held: list[Delivered] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with ClientSession(cookie_jar=DummyCookieJar()) as http:
            self._http = http
            try:
                yield
            finally:
                self._http = None

    @property
    def idle(self) -> bool:
        return self._open == 0 and not self._held

    # ---- events

    def posted(self, message: Message) -> None:
        """Tell the app about a new message: once, twice with a mention, once more for each file, and for links of its domains."""
        self._links(message)
        channel = self._workspace.channels[message.channel]
        if BOT_USER_ID not in channel.members:
            return
        event = wire.message_json(self._workspace, message)
        if message.files and not message.bot_id and self._workspace.faults.used("stubs"):
            event["files"] = [wire.file_stub(file) for file in message.files]
        self._event(wire.in_channel(channel, event, message.ts))
        if f"<@{BOT_USER_ID}>" in message.text and not message.bot_id and not message.subtype and channel.kind != "im":
            mention = {name: value for name, value in event.items() if name != "subtype"} | {"type": "app_mention"}
            self._event({**mention, "channel": channel.id, "event_ts": message.ts})
        for file in message.files:
            self._event(wire.file_shared(file, channel, self._workspace.next_ts()))

    def _links(self, message: Message) -> None:
        """In every conversation, also where the app is no member (slack-platform.md §1)."""
        workspace = self._workspace
        urls = [] if message.bot_id else [url for url in _URL.findall(message.text) if _domain(url) in workspace.unfurl_domains]
        if not urls:
            return
        unfurl_id = f"{APP_ID}.{message.ts}"
        workspace.shared_links[unfurl_id] = (message, frozenset(urls))
        self._event(
            {
                "type": "link_shared",
                "channel": message.channel,
                "is_bot_user_member": BOT_USER_ID in workspace.channels[message.channel].members,
                "user": message.user,
                "message_ts": message.ts,
                "thread_ts": message.thread_ts or None,
                "unfurl_id": unfurl_id,
                "source": "conversations_history",
                "links": [{"domain": _domain(url), "url": url} for url in dict.fromkeys(urls)],
                "event_ts": workspace.next_ts(),
            }
        )

    def changed(self, message: Message, previous: Json) -> None:
        self._edit(message, {"subtype": "message_changed", "message": wire.message_json(self._workspace, message)}, previous)

    def deleted(self, message: Message, previous: Json) -> None:
        self._edit(message, {"subtype": "message_deleted", "deleted_ts": message.ts}, previous)

    def _edit(self, message: Message, event: Json, previous: Json) -> None:
        channel = self._workspace.channels[message.channel]
        if BOT_USER_ID in channel.members:
            ts = self._workspace.next_ts()
            whole = {"type": "message", "hidden": True, "ts": ts, "previous_message": previous, **event}
            self._event(wire.in_channel(channel, whole, ts))

    def reacted(self, message: Message, user: str, name: str, *, on: bool) -> None:
        if BOT_USER_ID in self._workspace.channels[message.channel].members:
            item = {"type": "message", "channel": message.channel, "ts": message.ts}
            event = {"type": "reaction_added" if on else "reaction_removed", "user": user, "reaction": name, "item": item}
            self._event(event | {"item_user": message.user, "event_ts": self._workspace.next_ts()})

    def joined(self, channel: Channel, user: str, inviter: str) -> None:
        event = {"type": "member_joined_channel", "user": user, "channel": channel.id, "channel_type": channel.id[0]}
        self._event(event | {"team": TEAM_ID, "event_ts": self._workspace.next_ts()} | ({"inviter": inviter} if inviter else {}))

    def home_opened(self, person: Person, channel: Channel, tab: str, view: View | None) -> None:
        event: Json = {"type": "app_home_opened", "user": person.id, "channel": channel.id, "tab": tab}
        event |= {"view": wire.view_json(view)} if view and tab == "home" else {}
        self._event(event | {"event_ts": self._workspace.next_ts()})

    def removed(self) -> None:
        """Both events, as Slack sends them (slack-platform.md §8)."""
        revoked: Json = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER_ID]}}
        for event in (revoked, {"type": "app_uninstalled"}):
            self._event(event | {"event_ts": self._workspace.next_ts()})

    def _event(self, event: Json) -> None:
        if not self._workspace.installed:
            return
        if not self._workspace.bot_url and not self.sockets.open:
            return
        faults = self._workspace.faults
        first = Delivered(event["type"], wire.envelope(event, f"Ev{secrets.token_hex(5).upper()}"))
        if faults.reorder:
            self._held.append(first)
            faults.reorder -= 1
            if not faults.reorder:
                held, self._held = self._held, []
                self._open += len(held)
                self._workspace.start(self._one_by_one(held[::-1]))
            return
        self._send_event(first)
        if faults.used("duplicates"):
            self._send_event(Delivered(first.kind, dict(first.payload)))
        if faults.used("renamed_duplicates"):
            self._send_event(Delivered(first.kind, first.payload | {"event_id": f"Ev{secrets.token_hex(5).upper()}"}))

    def _send_event(self, delivered: Delivered) -> None:
        self._open += 1
        self._workspace.start(self._deliver(delivered))

    async def _one_by_one(self, held: list[Delivered]) -> None:
        for delivered in held:
            await self._deliver(delivered)

    async def _deliver(self, delivered: Delivered) -> None:
        """Try, then try again at once, after a minute and after five (slack-platform.md §3.1)."""
        self._keep(delivered)
        try:
            retry, reason = (1, TIMEOUT) if self._workspace.faults.used("retried") else (0, "")
            while True:
                ack = await self._send("events_api", delivered, retry=retry, reason=reason)
                waits = self._workspace.timing.retries
                if ack.ok or ack.no_retry or retry >= len(waits):
                    break
                await asyncio.sleep(waits[retry])
                retry, reason = retry + 1, ack.reason
        finally:
            self._open -= 1
            self._workspace.wake()

    # ---- clicks and commands

    async def interaction(self, payload: Json) -> Ack:
        """Clicks, submissions: never retried. Raises LookupError where the app is not installed."""
        return await self._once("interactive", Delivered(payload["type"], payload))

    async def command(self, form: dict[str, str]) -> Ack:
        return await self._once("slash_commands", Delivered("command", dict(form)))

    async def _once(self, kind: str, delivered: Delivered) -> Ack:
        if not self._workspace.installed:
            raise LookupError(f"{APP_NAME} is not installed here any more.")
        self._keep(delivered)
        self._open += 1
        try:
            return await self._send(kind, delivered)
        finally:
            self._open -= 1
            self._workspace.wake()

    # ---- one request

    def _keep(self, delivered: Delivered) -> None:
        self.log.append(delivered)
        del self.log[:-KEPT]

    async def _send(self, kind: str, delivered: Delivered, *, retry: int = 0, reason: str = "") -> Ack:
        async with self._turns:
            started = time.monotonic()
            if self.sockets.open:
                ack = await self.sockets.send(kind, delivered.payload, retry=retry, reason=reason)
            else:
                ack = await self._post(kind, delivered, started, retry=retry, reason=reason)
        delivered.attempts.append(Attempt(ack.status, ack.seconds, retry))
        what = f"{delivered.kind} {delivered.payload.get('event_id', '')}".strip()
        if ack.reason == TIMEOUT:
            self._workspace.problem(f"{what}: no answer within {self._workspace.timing.ack:g} s")
        elif not ack.ok:
            self._workspace.problem(f"{what}: {ack.reason} ({ack.status})")
        return ack

    async def _post(self, kind: str, delivered: Delivered, started: float, *, retry: int, reason: str) -> Ack:
        if kind == "events_api":
            content, body = "application/json", json.dumps(delivered.payload, separators=(",", ":"))
        else:
            content = "application/x-www-form-urlencoded"
            fields = delivered.payload if kind == "slash_commands" else {"payload": json.dumps(delivered.payload)}
            body = urlencode(fields)
        data = body.encode()
        headers = {"Content-Type": content, "User-Agent": "Slackbot 1.0", **sign(self._workspace.signing_secret, data)}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        if not self._http or not self._workspace.bot_url:
            return Ack(0, 0.0, reason=FAILED)
        limit = ClientTimeout(total=self._workspace.timing.ack)
        url = f"{self._workspace.bot_url.rstrip('/')}/slack/events"
        try:
            async with self._http.post(url, data=data, headers=headers, timeout=limit, max_redirects=2) as answer:
                raw = await answer.read()
        except TimeoutError:
            return Ack(0, time.monotonic() - started, reason=TIMEOUT)
        except (ClientError, OSError):
            return Ack(0, time.monotonic() - started, reason=FAILED)
        read, text = _read(raw, answer.content_type)
        no_retry = answer.headers.get("X-Slack-No-Retry") == "1"
        failed = "" if answer.status // 100 == 2 else HTTP_ERROR  # noqa: PLR2004 (2xx)
        return Ack(answer.status, time.monotonic() - started, read, text, failed, no_retry)


def sign(secret: str, body: bytes, at: float | None = None) -> dict[str, str]:
    """The two headers that prove a request comes from Slack (slack-platform.md §3.1)."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def _read(raw: bytes, content_type: str) -> tuple[Json, str]:
    """An answer's JSON object and its text; a plain body is the text of an ephemeral message."""
    text = raw.decode("utf-8", "replace")
    if content_type != "application/json":
        return {}, text if content_type == "text/plain" else ""
    try:
        value: Any = json.loads(text or "{}")
    except ValueError:
        return {}, ""
    return (value, str(value.get("text") or "")) if isinstance(value, dict) else ({}, "")
