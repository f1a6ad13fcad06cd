"""What people do in the workspace: post, upload, click, type commands. Used by tests and by the page's requests.

    async with running_workspace(signing_secret="…", bot_token="xoxb-…") as workspace:
        workspace.bot_url = …                                   # the bot needs workspace.api_url first
        photos = workspace.channel("photos")
        photo = await photos.upload("mug.jpg", data, by="ana")
        reply = await photos.next_reply(to=photo)
        await workspace.click(reply, "Where to buy", by="ana")
        offers = await workspace.next_view("ana", until=lambda view: "Visit store" in str(view.blocks))

People are named "ana" and "ben" (or by id). Whatever waits takes a timeout in seconds and raises AssertionError that says what
did not come, with the app's last calls.
"""

import copy
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.demo import uploads, wire
from bot.demo.faults import Faults
from bot.demo.methods.call import Arguments, Refused
from bot.demo.methods.chat import compose
from bot.demo.methods.views import check_view, open_on_top, replace
from bot.demo.objects import (
    APP_NAME,
    BOT_USER_ID,
    SLACKBOT_ID,
    Ack,
    Call,
    Channel,
    Delivered,
    Hook,
    Json,
    Message,
    Person,
    Timing,
    View,
)
from bot.demo.slack_api import routes as slack_routes
from bot.demo.workspace import Workspace
from bot.pixels import Pixels

WAIT = 10.0


@asynccontextmanager
async def running_workspace(
    *,
    bot_url: str = "",
    signing_secret: str = "",
    bot_token: str = "",
    app_token: str = "",
    timing: Timing = Timing(retries=(0.0, 0.2, 0.4)),  # noqa: B008 (frozen)
    pixels: Pixels | None = None,
    routes: Sequence[web.AbstractRouteDef] = (),
    unfurl_domains: Collection[str] = (),
) -> AsyncIterator["Driver"]:
    """A workspace on its own loopback port, for tests. Secrets left out are made up: read them from `.workspace`.

    `routes` are served on the same port too (a test's picture host). Without `pixels` it opens its own decoder.
    """
    async with AsyncExitStack() as stack:
        decoder = pixels if pixels is not None else await stack.enter_async_context(Pixels.open(workers=1))
        workspace = Workspace(
            pixels=decoder,
            bot_url=bot_url,
            signing_secret=signing_secret,
            bot_token=bot_token,
            app_token=app_token,
            timing=timing,
            unfurl_domains=unfurl_domains,
        )
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes([*slack_routes(workspace), *routes])
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        workspace.base_url = f"http://{host}:{port}"
        await stack.enter_async_context(workspace.running())
        yield Driver(workspace)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to post: its name and bytes; `alt_text` describes it."""

    name: str
    data: bytes
    alt_text: str = ""


class Driver:
    """The people of one workspace, at their keyboards."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._handed_out: set[tuple[str, str]] = set()

    # ---- where things are, and what happened

    @property
    def base_url(self) -> str:
        return self.workspace.base_url

    @property
    def api_url(self) -> str:
        """What the bot's SLACK_API_URL has to be; ends in a slash."""
        return self.workspace.api_url

    @property
    def bot_url(self) -> str:
        return self.workspace.bot_url

    @bot_url.setter
    def bot_url(self, url: str) -> None:
        """Where the bot listens, without a path: requests go to {bot_url}/slack/events."""
        self.workspace.bot_url = url

    @property
    def faults(self) -> Faults:
        """What is to go wrong: see faults.py."""
        return self.workspace.faults

    @property
    def calls(self) -> list[Call]:
        """Every call of the app, in order: method, arguments, status, error."""
        return self.workspace.calls

    @property
    def problems(self) -> list[str]:
        """Every rule of Slack's that the app broke: late answers, invalid blocks, used-up triggers, missing text and so on."""
        return self.workspace.problems

    @property
    def deliveries(self) -> list[Delivered]:
        """Every request to the app: kind, payload, and each attempt with its status, seconds and retry number."""
        return self.workspace.delivery.log

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    async def settled(self, timeout: float = WAIT) -> None:  # noqa: ASYNC109 (a wait is its job)
        """Wait until no delivery is under way (waits between retries included)."""
        await self.workspace.until(lambda: self.workspace.delivery.idle, timeout=timeout, what="deliveries to end")

    async def until(self, predicate: Callable[[], Any], *, timeout: float = WAIT, what: str = "a condition") -> Any:  # noqa: ASYNC109
        """Wait until something is true of the workspace; returns what the predicate found."""
        return await self.workspace.until(predicate, timeout=timeout, what=what)

    # ---- rooms

    def channel(self, name: str) -> "Room":
        """A channel by name ("photos": the app is in; "kitchen-refit": not before it is invited) or id."""
        return Room(self, self.workspace.channel(name))

    def dm(self, name: str) -> "Room":
        """A person's conversation with the app."""
        return Room(self, self.workspace.dm(name))

    async def invite(self, channel: str, *, by: str = "ana") -> None:
        """Add the app to a channel, as `/invite @Image Insights` does."""
        self.workspace.join(self.workspace.channel(channel), BOT_USER_ID, inviter=self.workspace.person(by).id)

    def reads(self, name: str, locale: str) -> None:
        """Set the language of somebody's Slack: `fr-FR`."""
        self.workspace.person(name).locale = locale

    async def delete_message(self, message: Message) -> None:
        """Delete a message, as its author."""
        self.workspace.delete(message)

    async def edit_message(self, message: Message, text: str) -> None:
        """Change the text of one's own message."""
        self.workspace.change(message, by_person=True, text=text, blocks=wire.rich_text(text))

    async def react(self, message: Message, name: str, *, by: str = "ana") -> None:
        """Put a reaction on a message."""
        self.workspace.react(message, self.workspace.person(by).id, name, on=True)

    async def unfurl(self, message: Message, attachment: Json | None = None) -> None:
        """Add a link preview to a message, as Slack does by itself some seconds after a post with a link."""
        preview = attachment or {"from_url": "https://example.com/", "title": "A page", "fallback": "A page", "id": 1}
        self.workspace.change(message, hidden=True, attachments=[*message.attachments, preview])

    async def next_ephemeral(self, user: str, *, timeout: float = WAIT) -> Message:  # noqa: ASYNC109
        """The next message that only this person sees, that was not returned before."""
        person = self.workspace.person(user)
        return await self._next(
            lambda: [m for m in self.workspace.ephemerals if m.ephemeral_to == person.id],
            timeout=timeout,
            what=f"an ephemeral message for {person.name}",
        )

    def ephemerals(self, user: str) -> list[Message]:
        person = self.workspace.person(user)
        return [m for m in self.workspace.ephemerals if m.ephemeral_to == person.id]

    async def _next(self, candidates: Callable[[], Sequence[Message]], *, timeout: float, what: str) -> Message:  # noqa: ASYNC109
        def fresh() -> Message | None:
            return next((m for m in candidates() if (m.channel, m.ts) not in self._handed_out), None)

        found = await self.workspace.until(fresh, timeout=timeout, what=what)
        assert found is not None
        self._handed_out.add((found.channel, found.ts))
        return found

    # ---- commands

    async def command(self, command: str, text: str = "", *, channel: str = "photos", by: str = "ana") -> Ack:
        """Type a slash command of the app. What it answers at once is shown as an ephemeral message, as Slack does."""
        person, room = self.workspace.person(by), self._room(channel, by)
        hook = Hook(person.id, room.id, time.monotonic())
        ack = await self.workspace.delivery.command(
            wire.command_form(
                self.workspace, person, room, command, text,
                response_url=self.workspace.new_hook("commands", hook), trigger_id=self.workspace.new_trigger(person.id),
            )
        )  # fmt: skip
        if not ack.ok:
            said = f"`{command}` failed because the app did not respond. (error: {ack.error})"
            self.workspace.post_ephemeral(Message(room.id, SLACKBOT_ID, said, ephemeral_to=person.id))
        elif ack.text or ack.blocks:
            answer = Arguments({"text": ack.text, "blocks": ack.blocks})
            try:
                shown = await compose(self.workspace, room.id, answer, error="invalid_blocks")
            except Refused:
                return ack  # a problem by now; Slack shows nothing
            if ack.body.get("response_type") == "in_channel":
                self.workspace.post(shown)
            else:
                shown.ephemeral_to = person.id
                self.workspace.post_ephemeral(shown)
            hook.message = shown  # what delete_original and replace_original mean
        return ack

    def _room(self, channel: str, by: str) -> Channel:
        return self.workspace.dm(by) if channel == "dm" else self.workspace.channel(channel)

    # ---- clicks

    async def click(
        self, target: Message | View, label: str = "", *, by: str = "ana", nth: int = 0, pick: str | Sequence[str] = ""
    ) -> Ack:
        """Press a button, or choose in a select or an overflow menu, of a message or an open view.

        `label` is what a person reads on it (or its accessibility label) or its action_id; `nth` counts equal ones from 0.
        `pick` is the text or value of the option to choose, or several. A question ("confirm") is answered with yes.
        Raises LookupError when there is no such element for this person.
        """
        person = self.workspace.person(by)
        found = [
            (block_id, element)
            for block_id, element in elements(target.blocks)
            if _is_called(element, label, pick) and _shown_to(element, person)
        ]
        if len(found) <= nth:
            there = ", ".join(sorted({_label(element) for _, element in elements(target.blocks)}))
            raise LookupError(f"No {label!r} number {nth} to press; there is: {there or 'nothing'}.")
        block_id, element = found[nth]
        return await self.act(target, wire.action(block_id, element, _chosen(element, label, pick)), by=by)

    async def act(self, target: Message | View, action: Json, *, by: str, state: Json | None = None) -> Ack:
        """Send one action as the page does; `state` is what was entered in the surface so far."""
        person = self.workspace.person(by)
        if isinstance(target, View):
            entered = state if state is not None else _with_action(_entered(target), action)
            target.state = entered
            payload = wire.view_click(person, target, action)
            payload["trigger_id"] = self.workspace.new_trigger(person.id, target.id)
        else:
            hook = Hook(person.id, target.channel, time.monotonic(), target.thread_ts, target)
            payload = wire.message_click(self.workspace, person, target, action, state or {})
            payload["response_url"] = self.workspace.new_hook("actions", hook)
            payload["trigger_id"] = self.workspace.new_trigger(person.id)
        return await self.workspace.delivery.interaction(payload)

    # ---- shortcuts

    async def shortcut(self, callback_id: str, message: Message | None = None, *, by: str = "ana") -> Ack:
        """Choose the app's entry in a message's menu, or, without a message, among the shortcuts of the workspace."""
        person = self.workspace.person(by)
        if message is None:
            payload = wire.global_shortcut(person, callback_id)
        else:
            payload = wire.message_shortcut(self.workspace, person, message, callback_id)
            hook = Hook(person.id, message.channel, time.monotonic(), message.root)
            payload["response_url"] = self.workspace.new_hook("app", hook)
        payload["trigger_id"] = self.workspace.new_trigger(person.id)
        return await self.workspace.delivery.interaction(payload)

    # ---- modals and Home

    def view_of(self, user: str) -> View | None:
        """The modal a person sees now, if any."""
        stack = self.workspace.views[self.workspace.person(user).id]
        return stack[-1] if stack else None

    def home_of(self, user: str) -> View | None:
        return self.workspace.homes.get(self.workspace.person(user).id)

    async def next_view(
        self, user: str, *, until: Callable[[View], bool] = lambda _view: True, timeout: float = WAIT  # noqa: ASYNC109
    ) -> View:  # fmt: skip
        """Wait until the person's topmost modal satisfies `until`; by default until there is one."""

        def ready() -> View | None:
            view = self.view_of(user)
            return view if view and until(view) else None

        found = await self.workspace.until(ready, timeout=timeout, what=f"a view for {user}")
        assert found is not None
        return found

    async def submit(
        self, view: View, values: Mapping[str, Any] | None = None, *, by: str = "ana", state: Json | None = None
    ) -> Ack:
        """Press the view's submit button.

        `values` maps block_ids of inputs to what is entered: a text, or an option's text or value (a list for several); inputs
        left out keep what they show. The answer's errors are in `.errors`; otherwise the view closes, changes or gets another
        one on top, as the app answered.
        """
        person = self.workspace.person(by)
        view.state = state if state is not None else _filled(view, values or {})
        payload = wire.view_submission(person, view)
        payload["response_urls"] = self._response_urls(person, view)
        payload["trigger_id"] = self.workspace.new_trigger(person.id, view.id)
        ack = await self.workspace.delivery.interaction(payload)
        if ack.ok:
            await self._after_submit(view, ack)
        return ack

    def _response_urls(self, person: Person, view: View) -> list[Json]:
        """A way into each conversation that was chosen where the app asked for one."""
        chosen: list[Json] = []
        for block_id, element in elements(view.blocks):
            channel = view.state.get(block_id, {}).get(element["action_id"], {}).get("selected_conversation")
            if element.get("response_url_enabled") and channel:
                url = self.workspace.new_hook("app", Hook(person.id, channel, time.monotonic()))
                chosen.append(
                    {"block_id": block_id, "action_id": element["action_id"], "channel_id": channel, "response_url": url}
                )
        return chosen

    async def _after_submit(self, view: View, ack: Ack) -> None:
        match ack.body.get("response_action"):
            case "errors":
                unknown = set(ack.errors) - {block.get("block_id") for block in view.blocks if block.get("type") == "input"}
                if unknown or not ack.errors:
                    self.workspace.problem(f"view_submission: errors for blocks that are no inputs: {sorted(unknown)}")
            case "update" | "push" as action:
                try:
                    body = await check_view(self.workspace, ack.body.get("view"))
                except Refused as refused:
                    self.workspace.problem(f"view_submission: the {action} was refused: {refused.error}")
                    return
                if action == "update":
                    replace(self.workspace, view, body)
                else:
                    open_on_top(self.workspace, view.user, body)
            case "clear":
                self.workspace.close_views(list(self.workspace.views[view.user]))
            case None:
                self.workspace.close_views([view])
            case other:
                self.workspace.problem(f"view_submission: unknown response_action {other!r}")

    async def close_view(self, view: View, *, by: str = "ana", everything: bool = False) -> None:
        """Close a modal with its close button or Esc; `everything` is the cross, which closes the whole stack."""
        person = self.workspace.person(by)
        stack = self.workspace.views[person.id]
        closed = list(stack) if everything else [view]
        self.workspace.close_views(closed)
        for gone in closed:
            if gone.body.get("notify_on_close"):
                await self.workspace.delivery.interaction(wire.view_closed(person, gone, cleared=everything))

    async def open_home(self, user: str, *, tab: str = "home") -> None:
        """Look at the app: `app_home_opened` goes to it. Wait for the view with `until(lambda: workspace.home_of("ana"))`."""
        person = self.workspace.person(user)
        self.workspace.delivery.home_opened(person, self.workspace.dm(user), tab, self.workspace.homes.get(person.id))


class Room:
    """A channel or direct message as the people in it use it."""

    def __init__(self, driver: Driver, channel: Channel) -> None:
        self._driver = driver
        self._workspace = driver.workspace
        self.channel = channel

    @property
    def id(self) -> str:
        return self.channel.id

    def messages(self) -> list[Message]:
        """Everything in it, oldest first, replies too."""
        return list(self._workspace.messages[self.id])

    def replies(self, to: Message) -> list[Message]:
        """The app's messages in the thread of a message; in a direct message also those after it."""
        if self.channel.kind == "im":
            return [m for m in self.messages() if m.bot_id and float(m.ts) > float(to.ts)]
        return [m for m in self.messages() if m.bot_id and m.root == to.root and m.ts != to.ts]

    async def post(self, text: str, *, by: str = "", thread_ts: str | None = None) -> Message:
        """Write a message; `@Image Insights` in it mentions the app. Without `by` it is Ana, or whose direct message this is."""
        return await self._post(text, [], by=by, thread_ts=thread_ts)

    async def upload(
        self,
        name: str | Upload,
        data: bytes = b"",
        *more: Upload,
        by: str = "",
        text: str = "",
        thread_ts: str | None = None,
        alt_text: str = "",
    ) -> Message:
        """Post a file (name and bytes, any type), or several as `Upload`s, with a text or without."""
        first = name if isinstance(name, Upload) else Upload(name, data, alt_text)
        return await self._post(text, [first, *more], by=by, thread_ts=thread_ts)

    async def _post(self, text: str, files: Sequence[Upload], *, by: str, thread_ts: str | None) -> Message:
        person = self._workspace.person(by or (self.channel.name if self.channel.kind == "im" else "ana"))
        if person.id not in self.channel.members:
            raise LookupError(f"{person.name} is not in {self.channel.name}.")
        kept = [await uploads.keep(self._workspace, person.id, f.name, f.data, alt_text=f.alt_text) for f in files]
        said = wire.mentions(self._workspace, text)
        message = Message(self.id, person.id, said, files=kept, thread_ts=thread_ts or "")
        message.blocks = wire.rich_text(said)
        self._workspace.post(message)
        if f"<@{BOT_USER_ID}>" in said and BOT_USER_ID not in self.channel.members:
            offer = f"<@{BOT_USER_ID}> is not in this channel. Type `/invite @{APP_NAME}` to add it."
            self._workspace.post_ephemeral(
                Message(self.id, SLACKBOT_ID, offer, ephemeral_to=person.id, thread_ts=thread_ts or "")
            )
        return message

    async def next_reply(self, *, to: Message, timeout: float = WAIT) -> Message:  # noqa: ASYNC109
        """The app's next message in the thread of `to` that was not returned before (in a direct message: after `to`)."""
        return await self._driver._next(  # noqa: SLF001 (one module)
            lambda: self.replies(to),
            timeout=timeout,
            what=f"a reply to {to.text or [f.name for f in to.files]} in {self.channel.name}",
        )

    async def next_message(self, *, timeout: float = WAIT) -> Message:  # noqa: ASYNC109
        """The app's next message at channel level that was not returned before."""
        return await self._driver._next(  # noqa: SLF001
            lambda: [m for m in self.messages() if m.bot_id and not m.is_reply],
            timeout=timeout,
            what=f"a message of the app in {self.channel.name}",
        )


# ---- blocks as a person sees them


def elements(blocks: Sequence[Json], block_id: str = "") -> Iterator[tuple[str, Json]]:
    """Everything that can be pressed or filled, with the id of its block, in reading order."""
    for block in blocks:
        here = str(block.get("block_id") or block_id)
        inner = [block.get("accessory"), block.get("element"), *block.get("elements", []), *block.get("actions", [])]
        for element in inner:
            if isinstance(element, dict) and element.get("type") == "card":
                yield from elements([element], here)
            elif isinstance(element, dict) and "action_id" in element:
                yield here, element
        yield from elements(block.get("child_blocks", []), here)


def _texts(element: Json) -> set[str]:
    named = [element.get(key) for key in ("text", "placeholder")]
    buttons = [element.get(key) or {} for key in ("positive_button", "negative_button")]
    named += [button.get("text") for button in buttons]
    labels = {str(text.get("text")) for text in named if isinstance(text, dict)}
    labels |= {str(part["accessibility_label"]) for part in (element, *buttons) if part.get("accessibility_label")}
    return labels | {str(element["action_id"])}


def _label(element: Json) -> str:
    return min(_texts(element), key=len)


def _options(element: Json) -> list[Json]:
    groups = [option for group in element.get("option_groups", []) for option in group.get("options", [])]
    return [*element.get("options", []), *groups]


def _option(element: Json, name: str) -> Json | None:
    return next((o for o in _options(element) if name in {o.get("value"), (o.get("text") or {}).get("text")}), None)


def _is_called(element: Json, label: str, pick: str | Sequence[str]) -> bool:
    if label:
        return label in _texts(element)
    return isinstance(pick, str) and bool(pick) and _option(element, pick) is not None


def _shown_to(element: Json, person: Person) -> bool:
    visible = element.get("visible_to_user_ids")
    return not visible or person.id in visible


def _chosen(element: Json, label: str, pick: str | Sequence[str]) -> Json:
    """The part of an action's payload that says what was chosen."""
    if element["type"] == "feedback_buttons":
        for key in ("positive_button", "negative_button"):
            button = element.get(key) or {}
            if label in {(button.get("text") or {}).get("text"), button.get("accessibility_label")}:
                return {"value": button.get("value"), "text": button.get("text")}
        raise LookupError("Say which of the feedback buttons.")
    return entry(element, pick) if pick else {}


def entry(element: Json, value: Any) -> Json:
    """What `state.values` holds for an element after a person entered `value`. Raises LookupError for an unknown option."""
    kind = str(element["type"])
    many = kind.startswith("multi_") or kind == "checkboxes"
    single = kind.removeprefix("multi_")
    if single in {"conversations_select", "channels_select", "users_select"}:
        field = "selected_" + single.removesuffix("s_select") + ("s" if many else "")
        return {field: list(value) if many else value}
    if single in {"static_select", "external_select", "radio_buttons", "checkboxes", "overflow"}:
        names = list(value) if many and not isinstance(value, str) else [value]
        options = [_option(element, str(name)) for name in names if name not in {None, ""}]
        if None in options:
            raise LookupError(f"{names} is not among the options {[o.get('value') for o in _options(element)]}.")
        return {"selected_options": options} if many else {"selected_option": options[0] if options else None}
    field = {"datepicker": "selected_date", "timepicker": "selected_time", "datetimepicker": "selected_date_time"}.get(
        kind, "value"
    )
    return {field: value}


def _initial(element: Json) -> Json:
    kind = str(element["type"])
    if kind.startswith("multi_") or kind == "checkboxes":
        chosen = element.get("initial_options")
        if chosen is not None or kind in {"checkboxes", "multi_static_select", "multi_external_select"}:
            return {"selected_options": chosen or []}
        field = "selected_" + kind.removeprefix("multi_").removesuffix("_select")
        return {field: element.get(field.replace("selected_", "initial_")) or []}
    if kind in {"static_select", "external_select", "radio_buttons"}:
        return {"selected_option": element.get("initial_option")}
    return entry(element, element.get("initial_" + next(iter(entry(element, None))).removeprefix("selected_")) or None)


def _entered(view: View) -> Json:
    """The view's values: what was entered, else what the inputs show at first."""
    values: Json = {}
    for block_id, element in elements(view.blocks):
        if element["type"] in {"button", "overflow", "image", "feedback_buttons", "icon_button"}:
            continue
        kept = view.state.get(block_id, {}).get(element["action_id"])
        values.setdefault(block_id, {})[element["action_id"]] = kept or {"type": element["type"], **_initial(element)}
    return values


def _with_action(values: Json, action: Json) -> Json:
    if action["action_id"] in values.get(action["block_id"], {}):
        chosen = {key: value for key, value in action.items() if key == "value" or key.startswith("selected_")}
        values[action["block_id"]][action["action_id"]] = {"type": action["type"], **chosen}
    return values


def _filled(view: View, values: Mapping[str, Any]) -> Json:
    state = copy.deepcopy(_entered(view))
    inputs = {block_id: element for block_id, element in elements(view.blocks) if block_id in state}
    for block_id, value in values.items():
        if block_id not in inputs:
            raise LookupError(f"No input {block_id!r} in this view; there is: {', '.join(inputs)}.")
        element = inputs[block_id]
        state[block_id][element["action_id"]] = {"type": element["type"], **entry(element, value)}
    return state
