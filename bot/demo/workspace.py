"""A workspace as plain objects: people, channels, messages, files, views, and a journal of what happened to them.

Whatever changes here is shown to the people (the journal, read by the page and by waiting tests) and told to the app
(delivery.py), in the way Slack does it. Nothing here speaks HTTP.
"""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from bot.demo import objects, wire
from bot.demo.delivery import Delivery
from bot.demo.faults import Faults
from bot.demo.objects import (
    APP_ID,
    BOT_USER_ID,
    TEAM_ID,
    Call,
    Channel,
    File,
    Hook,
    Json,
    Message,
    Person,
    Subscriber,
    Timing,
    Trigger,
    View,
)
from bot.demo.pictures import Pictures
from bot.pixels import Pixels

T = TypeVar("T")
JOURNAL_KEEPS = 1000  # events; a page that was away for longer gets the whole state again


class Workspace:
    """Three people (Clara's Slack is German), two channels, an app that is installed and may be removed.

    Set the addresses, then `async with running()`.
    """

    def __init__(
        self,
        *,
        pixels: Pixels,
        base_url: str = "",
        bot_url: str = "",
        signing_secret: str = "",
        bot_token: str = "",
        app_token: str = "",
        timing: Timing = Timing(),  # noqa: B008 (frozen)
        unfurl_domains: Collection[str] = (),
    ) -> None:

        self.pixels = pixels
        self.base_url = base_url
        self.bot_url = bot_url
        self.signing_secret = signing_secret or secrets.token_hex(16)
        self.bot_token = bot_token or f"xoxb-{secrets.token_hex(20)}"
        self.app_token = app_token or f"xapp-1-{APP_ID}-{secrets.token_hex(20)}"
        self.client_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}"
        self.client_secret = secrets.token_hex(16)
        self.installed = True
        self.codes: dict[str, str] = {}
        self.revoked: set[str] = set()
        self.page_token = secrets.token_urlsafe(32)
        self.timing = timing
        self.unfurl_domains = frozenset(unfurl_domains)
        self.shared_links: dict[str, tuple[Message, frozenset[str]]] = {}
        self.scopes = frozenset(objects.SCOPES.split(","))
        self.epoch = secrets.token_hex(6)
        self.faults = Faults()
        self.calls: list[Call] = []
        self.problems: list[str] = []
        self.people = objects.first_people()
        self.channels = objects.first_channels()
        self.messages: dict[str, list[Message]] = {channel: [] for channel in self.channels}
        self.ephemerals: list[Message] = []
        self.files: dict[str, File] = {}
        self.pending_uploads: dict[str, File] = {}
        self.views: dict[str, list[View]] = {person: [] for person in self.people}
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.hooks: dict[str, Hook] = {}
        self.journal: deque[tuple[str, Json]] = deque(maxlen=JOURNAL_KEEPS)
        self.seq = 0
        self.delivery = Delivery(self)
        self.pictures = Pictures(self.faults, timing.picture)
        self.subscribers: set[Subscriber] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self._changed = asyncio.Event()
        self._last_ts = 0.0

    # ---- life

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Workspace"]:
        """Deliver events and check pictures while the context lasts; then drop what is still under way, within a second."""
        async with self.delivery.running(), self.pictures.running():
            try:
                yield self
            finally:
                await self.stop()

    async def stop(self) -> None:
        """End background work and let go of open sockets. A server calls it on shutdown, before it waits for its connections."""
        for close in list(self._closers):
            await close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start(self, work: Any) -> None:
        """Run a coroutine in the background; it ends with the workspace."""
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @asynccontextmanager
    async def closing(self, close: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """While the context lasts, `close` is called when the workspace stops."""
        self._closers.append(close)
        try:
            yield
        finally:
            self._closers.remove(close)

    # ---- looking things up

    @property
    def api_url(self) -> str:
        return f"{self.base_url}/api/"

    def person(self, name: str) -> Person:
        """By name ("ana") or id. Raises LookupError."""
        for person in self.people.values():
            if name in {person.id, person.name}:
                return person
        raise LookupError(f"Nobody is called {name!r} here: {', '.join(p.name for p in self.people.values())}.")

    def channel(self, name: str) -> Channel:
        """By name ("photos") or id. Raises LookupError."""
        for channel in self.channels.values():
            if name.removeprefix("#") in {channel.id, channel.name}:
                return channel
        raise LookupError(f"No channel {name!r} here: {', '.join(c.name for c in self.channels.values())}.")

    def dm(self, name: str) -> Channel:
        """The conversation of a person with the app."""
        person = self.person(name)
        return next(c for c in self.channels.values() if c.kind == "im" and person.id in c.members)

    def message(self, channel: str, ts: str) -> Message | None:
        return next((m for m in self.messages.get(channel, []) if m.ts == ts), None)

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The root, when it is still there, and its replies."""
        return [m for m in self.messages[channel] if m.root == ts]

    def view(self, view_id: str) -> View | None:
        """An open modal or a Home tab."""
        everything = [view for stack in self.views.values() for view in stack] + list(self.homes.values())
        return next((view for view in everything if view.id == view_id), None)

    def app_is_in(self, channel: str) -> bool:
        return BOT_USER_ID in self.channels[channel].members

    # ---- what happened, for people

    def publish(self, event: Json, *, to: str = "") -> None:
        """Write to the journal: everybody's, or one person's (`to`)."""
        self.seq += 1
        entry = {"seq": self.seq, **event}
        self.journal.append((to, entry))
        for subscriber in self.subscribers:
            if to in {"", subscriber.user}:
                try:
                    subscriber.queue.put_nowait(entry)
                except asyncio.QueueFull:
                    subscriber.overrun = True
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits in `until` look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, predicate: Callable[[], T], *, timeout: float, what: str) -> T:  # noqa: ASYNC109 (a wait is its job)
        """Wait until the predicate is true and return what it found. Raises AssertionError saying what did not come."""
        try:
            async with asyncio.timeout(timeout):
                while not (found := predicate()):
                    await self._changed.wait()
        except TimeoutError:
            calls = "\n".join(f"  {c.method} {c.error or c.status}" for c in self.calls[-12:]) or "  none"
            problems = "\n".join(f"  {problem}" for problem in self.problems) or "  none"
            raise AssertionError(
                f"Waited {timeout} s for {what}.\nThe app's last calls:\n{calls}\nProblems:\n{problems}"
            ) from None
        return found

    def subscribe(self, user: str) -> Subscriber:
        subscriber = Subscriber(user)
        self.subscribers.add(subscriber)
        return subscriber

    def missed(self, user: str, after: int) -> list[Json] | None:
        """What a person did not see since `after`; None when the journal no longer reaches back so far."""
        if after > self.seq or (self.journal and self.journal[0][1]["seq"] > after + 1):
            return None
        return [entry for to, entry in self.journal if entry["seq"] > after and to in {"", user}]

    def problem(self, text: str) -> None:
        """Note that the app broke a rule of Slack's."""
        self.problems.append(text)
        self.wake()

    # ---- the app itself

    def install(self) -> str:
        """The app is allowed, once more perhaps; its new token."""
        self.installed = True
        self.bot_token = f"xoxb-{secrets.token_hex(20)}"
        self.publish({"type": "app", "installed": True})
        return self.bot_token

    def uninstall(self) -> None:
        """Somebody removes the app: it is told, its token is worth nothing from now on, and its views are gone."""
        if not self.installed:
            return
        self.delivery.removed()
        self.installed = False
        self.revoked.add(self.bot_token)
        self.bot_token = f"xoxb-{secrets.token_hex(20)}"
        self.close_views([view for views in self.views.values() for view in views])
        self.homes.clear()
        self.publish({"type": "app", "installed": False})

    # ---- messages

    def next_ts(self) -> str:
        self._last_ts = max(time.time(), self._last_ts + 0.000001)
        return f"{self._last_ts:.6f}"

    def post(self, message: Message) -> Message:
        """Keep a new message, show it, tell the app when it is a member."""
        message.ts = self.next_ts()
        if message.thread_ts == message.ts:
            message.thread_ts = ""
        root = self.message(message.channel, message.thread_ts) if message.thread_ts else None
        if root and not root.thread_ts:
            root.thread_ts = root.ts
        if not message.bot_id and not message.subtype:
            message.client_msg_id = secrets.token_hex(16)
        self.messages[message.channel].append(message)
        for file in message.files:
            file.shares.setdefault(message.channel, []).append(
                {"ts": message.ts, **({"thread_ts": message.thread_ts} if message.thread_ts else {})}
            )
        self._shown(message)
        self.delivery.posted(message)
        return message

    def post_ephemeral(self, message: Message) -> Message:
        """Show a message to one person only; the app hears nothing of it."""
        message.ts = self.next_ts()
        self.ephemerals.append(message)
        self._shown(message)
        return message

    def change(self, message: Message, *, by_person: bool = False, hidden: bool = False, **changes: Any) -> None:
        """Change fields of a message. `hidden` changes (an unfurl) are no edit; people's edits are marked as edited."""
        previous = wire.message_json(self, message)
        for name, value in changes.items():
            setattr(message, name, value)
        message.revision += 1
        if by_person and not hidden:
            message.edited = {"user": message.user, "ts": self.next_ts()}
        self._shown(message)
        if not message.ephemeral_to:
            self.delivery.changed(message, previous)

    def delete(self, message: Message) -> None:

        previous = wire.message_json(self, message)
        message.deleted = True
        where = self.ephemerals if message.ephemeral_to else self.messages[message.channel]
        where[:] = [m for m in where if m is not message]
        self.publish({"type": "deleted", "channel": message.channel, "ts": message.ts}, to=message.ephemeral_to)
        if not message.ephemeral_to:
            self.delivery.deleted(message, previous)

    def react(self, message: Message, user: str, name: str, *, on: bool) -> bool:
        """Add or take away a reaction; False when it already was so."""
        users = message.reactions.setdefault(name, [])
        changed = on != (user in users)
        if changed and on:
            users.append(user)
        elif changed:
            users.remove(user)
        if not users:
            del message.reactions[name]
        if changed:
            self._shown(message)
            self.delivery.reacted(message, user, name, on=on)
        return changed

    def _shown(self, message: Message) -> None:

        kind = "ephemeral" if message.ephemeral_to else "message"
        shown = {"type": kind, "channel": message.channel, "message": wire.page_message(self, message)}
        self.publish(shown, to=message.ephemeral_to or self._only_reader(message.channel))

    def _only_reader(self, channel: str) -> str:
        found = self.channels[channel]
        return next((m for m in found.members if m != BOT_USER_ID), "") if found.kind == "im" else ""

    def join(self, channel: Channel, user: str, inviter: str = "") -> None:
        """Make somebody a member. Joining a channel twice changes nothing."""
        if user in channel.members:
            return
        channel.members.append(user)
        self.delivery.joined(channel, user, inviter)
        name = self.people[user].real_name
        text = f"<@{user}> was added to {channel.name} by <@{inviter}>." if inviter else f"<@{user}> has joined the channel"
        self.post(Message(channel.id, user, text, subtype="channel_join", inviter=inviter, username=name))
        self.publish({"type": "channel", "channel": channel.id, "members": list(channel.members)})

    # ---- views, triggers, response addresses

    def new_trigger(self, user: str, view_id: str = "") -> str:
        now = time.monotonic()
        for old in [key for key, trigger in self.triggers.items() if now - trigger.created > 60]:  # noqa: PLR2004 (seconds)
            del self.triggers[old]
        key = f"{time.time_ns() // 1000000}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self.triggers[key] = Trigger(user, now, view_id)
        return key

    def new_hook(self, kind: str, hook: Hook) -> str:
        """The address of a new response_url; kind is "actions" or "commands"."""
        now = time.monotonic()
        for old in [key for key, held in self.hooks.items() if now - held.created > 2 * self.timing.hook]:
            del self.hooks[old]
        key = secrets.token_urlsafe(18)
        self.hooks[key] = hook
        return f"{self.base_url}/hooks/{kind}/{TEAM_ID}/{secrets.randbelow(10**12)}/{key}"

    def new_view_hash(self) -> str:
        return f"{int(time.time())}.{secrets.token_hex(4)}"

    def show_view(self, view: View) -> None:
        """Tell a person's page about a new or changed view."""
        kind = "view" if view.is_modal else "home"
        self.publish({"type": kind, "view": wire.view_json(view)}, to=view.user)

    def close_views(self, views: Iterable[View]) -> None:
        """Take modals from their owner's stack."""
        for view in views:
            view.closed = True
            stack = self.views[view.user]
            stack[:] = [kept for kept in stack if kept is not view]
            self.publish({"type": "view_closed", "view_id": view.id}, to=view.user)
