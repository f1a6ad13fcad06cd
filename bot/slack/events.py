"""Pure: Slack's payloads to our orders. Nothing here does I/O; what is not understood comes to nothing (None)."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError

from bot.insights.refining import refine
from bot.jobs import Add, Click, ImageRef, Lookup, Peek, Removed, ReplyTo, Unfurl

MOST_PICTURES = 10  # as many as Slack takes in one message
MOST_WORDS = 200
MOST_LINKS = 10
MOST_ADDRESS = 2000
MARKUP = re.compile(r"<[^>]*>")
ADDRESS_AND_WORDS = re.compile(r"(?:<(?P<escaped>https?://[^|>]+)(?:\|[^>]*)?>|(?P<typed>https?://\S+))\s+(?P<words>.+)")
LINK = re.compile(r"<(https?://[^|>\s]+)(?:\|[^>]*)?>")
# "add this, $40", "add it to the catalogue", "add walnut desk for 250": what to add, and that it is no other request
_ADD = re.compile(r"(?:please\s+)?add\b\s*(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_THIS = re.compile(r"(?:this|it|these|that)\b(?:\s+(?:one|photo|picture|image|item|product)s?\b)?", re.IGNORECASE)
_TO_CATALOGUE = re.compile(r"\b(?:to|into)\s+(?:the|our|my)\s+catalog(?:ue)?\b", re.IGNORECASE)
_AMOUNT, _SIGN = r"\d[\d.,'’]*", r"(?:[$€£¥₹₩]|zł|\b[A-Z]{3}\b)"
_COST = re.compile(
    rf"(?:\b(?i:for|at)\s+)?(?P<price>{_SIGN}\s*{_AMOUNT}|{_AMOUNT}\s*(?:{_SIGN}|(?i:euros?|dollars?|bucks|pounds?|yen)\b))"
    rf"|(?:,|\b(?i:for|at)\b)\s*(?P<bare>{_AMOUNT})\s*$"
)
_AROUND = " \t\n,.;:!–-"
# Anything unknown is ignored: edits, joins, topics, other apps (slack-platform.md §1.4)
SPOKEN = frozenset({"", "file_share", "thread_broadcast"})
PICTURE_NAME = re.compile(r"\.(jpe?g|png|gif|webp|hei[cf]|avif|bmp|tiff?)$", re.IGNORECASE)


class File(BaseModel):
    """The event's file object is a hint only; files.info knows better."""

    id: str
    mode: str = ""
    mimetype: str = ""
    name: str | None = ""

    @property
    def maybe_picture(self) -> bool:
        """A stub of Slack Connect says nothing about itself: worth asking for."""
        if self.mode == "file_access":
            return True
        if self.mode in {"tombstone", "hidden_by_limit", "snippet", "post", "canvas", "space"}:
            return False
        return self.mimetype.startswith("image/") or bool(PICTURE_NAME.search(self.name or ""))


class Message(BaseModel):
    """A message event, or an app_mention, as far as we use it."""

    channel: str
    ts: str
    user: str = ""
    text: str | None = ""
    subtype: str | None = ""
    bot_id: str | None = ""
    channel_type: str | None = ""
    thread_ts: str | None = ""
    hidden: bool = False
    files: list[File] | None = None
    blocks: list[dict[str, Any]] | None = Field(default=None)

    @property
    def spoken(self) -> bool:
        """A person said it just now, in a way we know."""
        return bool(self.user) and not self.bot_id and not self.hidden and (self.subtype or "") in SPOKEN

    @property
    def direct(self) -> bool:
        return self.channel_type == "im" or self.channel.startswith("D")

    @property
    def in_thread(self) -> bool:
        return bool(self.thread_ts) and self.thread_ts != self.ts


def message(event: dict[str, Any]) -> Message | None:
    try:
        read = Message.model_validate(event)
    except ValidationError:
        return None
    return read if read.spoken else None


def removed(event: dict[str, Any], team: str) -> Removed | None:
    """A person's message that showed a picture, or a page, and was deleted. The head of a thread leaves a gravestone there."""
    before, now = _object(event.get("previous_message")), _object(event.get("message"))
    gravestone = event.get("subtype") == "message_changed" and now.get("subtype") == "tombstone"
    if event.get("subtype") != "message_deleted" and not gravestone:
        return None
    said = message({"channel": event.get("channel")} | before)
    return Removed(team, said.channel, said.ts) if said and (said.files or urls(said)) else None


def mentions(said: Message, bot_user: str) -> bool:
    return bool(bot_user) and re.search(rf"<@{re.escape(bot_user)}(\|[^>]*)?>", said.text or "") is not None


def pictures(said: Message) -> Sequence[ImageRef]:
    """The pictures of a message, each once: its files that may be one, or else its links to one."""
    found = [ImageRef(file_id=file.id) for file in said.files or [] if file.maybe_picture]
    found = found or [ImageRef(url=url) for url in urls(said) if PICTURE_NAME.search(urlsplit(url).path)]
    found = list(dict.fromkeys(found))[:MOST_PICTURES]
    if len(found) < 2:  # noqa: PLR2004 (one is not several)
        return found
    return [replace(image, number=number, total=len(found)) for number, image in enumerate(found, 1)]


def shown(said: Message) -> Sequence[ImageRef]:
    """What one card is asked for: a picture, or the first of several that knows the others (cards.md §6)."""
    found = pictures(said)
    if len(found) < 2:  # noqa: PLR2004 (one is not several)
        return found
    return [replace(found[0], album=tuple(image.file_id or image.url for image in found))]


def urls(said: Message) -> Sequence[str]:
    """Links somebody put into a message, unescaped, in order, each once."""
    found = [url for block in said.blocks or [] if block.get("type") == "rich_text" for url in _links(block)]
    found += [unescape(url) for url in LINK.findall(said.text or "")]
    return list(dict.fromkeys(url for url in found if url.startswith(("http://", "https://"))))


def _links(element: dict[str, Any]) -> Sequence[str]:
    if element.get("type") == "link" and isinstance(element.get("url"), str):
        return [element["url"]]
    return [url for part in element.get("elements") or [] if isinstance(part, dict) for url in _links(part)]


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def lookups(said: Message, team: str, *, bot_user: str, unasked: bool) -> Sequence[Lookup]:
    """What a message asks for, none or one lookup: anything shown to us on purpose; `unasked` adds photos that are not.

    The message and the app_mention of one post come to the same orders, so that whichever arrives first does the work.
    """
    asked = said.direct or mentions(said, bot_user)
    if not asked and not unasked:
        return []
    images = shown(said)
    if not images and asked:
        images = _meant(said)
    if asked and (words := conditions(said)):
        images = [replace(image, words=words) for image in images]
    thread = "" if said.direct and not said.in_thread else said.thread_ts or said.ts
    to = ReplyTo(team, said.channel, thread, said.user)
    return [Lookup(image, to, message_ts=said.ts, owner="" if image.thread_ts else said.user, asked=asked) for image in images]


def addition(said: Message, team: str, *, bot_user: str) -> Add | None:
    """Whether somebody tells us to add what they show to the catalogue: "add this, $40"."""
    if not (said.direct or mentions(said, bot_user)) or not (found := _ADD.fullmatch(_words(said))):
        return None
    rest = found["rest"]
    this, place, cost = _THIS.match(rest), _TO_CATALOGUE.search(rest), _COST.search(rest)
    if not (this or place or cost):
        return None
    price = (cost["price"] or cost["bare"]).rstrip(_AROUND) if cost else ""
    for part in (cost, place, this):
        rest = rest.replace(part[0], " ", 1) if part else rest
    title = re.sub(r"^(?:as|called|named|is|a|an)\s+", "", " ".join(rest.split()).strip(_AROUND), flags=re.IGNORECASE)
    thread = "" if said.direct and not said.in_thread else said.thread_ts or said.ts
    images = tuple(replace(image, number=0, total=0) for image in pictures(said))
    return Add(images, ReplyTo(team, said.channel, thread, said.user), said.ts, said.in_thread, title, price)


def addition_key(order: Add) -> str:
    """The message and the app_mention of one post are one request."""
    return f"add:{order.reply_to.team}:{order.reply_to.channel}:{order.message_ts}"


def reaction(event: dict[str, Any], team: str, *, bot_user: str) -> Lookup | None:
    """A reaction on a message: whatever that message shows is meant."""
    item, user = _object(event.get("item")), _text(event.get("user"))
    channel, ts = _text(item.get("channel")), _text(item.get("ts"))
    if item.get("type") != "message" or not channel or not ts or not user or user == bot_user:
        return None
    return Lookup(ImageRef(thread_ts=ts), ReplyTo(team, channel, ts, user), message_ts=ts, asked=True, reaction=True)


def peek(body: dict[str, Any]) -> Peek | None:
    """A message shortcut's payload: the first picture of the message, whoever posted it."""
    raw, channel = _object(body.get("message")), _text(_object(body.get("channel")).get("id"))
    try:
        said = Message.model_validate({"channel": channel} | raw)
    except ValidationError:
        return None
    images = pictures(said) or [ImageRef(url=url) for url in urls(said)[:1]]
    to = ReplyTo(_team(body), channel, said.thread_ts or said.ts, _text(_object(body.get("user")).get("id")))
    image = replace(images[0], number=0, total=0) if images else None
    return Peek(image, to, said.ts, said.user, _text(body.get("trigger_id")))


def conditions(said: Message) -> str:
    """What somebody wants of the products, "in blue under $50", beside a picture; empty when they say nothing of the kind."""
    words = _words(said)
    return words if refine(words).conditions else ""


def _words(said: Message) -> str:
    """What was said, without mentions and links, on one line."""
    return " ".join(unescape(MARKUP.sub(" ", said.text or "")).split())[:MOST_WORDS]


def _meant(said: Message) -> Sequence[ImageRef]:
    """What somebody who asks may mean without showing a picture: a page's address or a document get a sentence, not silence."""
    if links := urls(said):
        return [ImageRef(url=links[0])]
    if said.files:
        return [ImageRef(file_id=said.files[0].id)]
    return [ImageRef(thread_ts=said.thread_ts or "")] if said.in_thread else []


def key(order: Lookup) -> str:
    """One card a message, whatever Slack repeats, reorders or retries (slack-platform.md §0.1)."""
    to, image = order.reply_to, order.image
    if order.reaction:
        return f"reaction:{to.team}:{to.channel}:{order.message_ts}"
    return f"photo:{to.team}:{to.channel}:{order.message_ts}:{image.file_id or image.url or 'thread'}"


# --- clicks and views --------------------------------------------------------------------------------------------


def click(body: dict[str, Any]) -> Click | None:
    """A block_actions payload. Ephemeral sources carry no message, views no channel, org-wide installs no team."""
    actions = body.get("actions")
    if not isinstance(actions, list) or not actions or not isinstance(actions[0], dict):
        return None
    action = actions[0]
    container = _object(body.get("container"))
    view = _object(body.get("view"))
    view = {} if view.get("type") == "home" else view  # a modal opens over the Home tab, not on top of it
    chosen = _object(action.get("selected_option"))
    message_ts = _text(container.get("message_ts"))
    thread = _text(container.get("thread_ts")) or _text(_object(body.get("message")).get("thread_ts"))
    return Click(
        name=_text(action.get("action_id")),
        value=_text(action.get("value")) or _text(chosen.get("value")),
        reply_to=ReplyTo(
            team=_team(body),
            channel=_text(_object(body.get("channel")).get("id")) or _text(container.get("channel_id")),
            thread_ts=thread,
            user=_text(_object(body.get("user")).get("id")),
            response_url=_text(body.get("response_url")),
        ),
        action_ts=_text(action.get("action_ts")),
        message_ts=message_ts,
        trigger_id=_text(body.get("trigger_id")),
        said=_text(_object(body.get("message")).get("text")),
        **_view(view),
    )


def submission(body: dict[str, Any]) -> Click | None:
    """A view_submission payload, as a click on its callback id."""
    view = _object(body.get("view"))
    if not view:
        return None
    return Click(
        name=_text(view.get("callback_id")),
        value="",
        reply_to=ReplyTo(
            team=_team(body),
            channel="",
            user=_text(_object(body.get("user")).get("id")),
            response_url=_response_url(body.get("response_urls")),
        ),
        action_ts=_text(view.get("hash")),
        trigger_id=_text(body.get("trigger_id")),
        entered=_entered(view),
        **_view(view),
    )


def _response_url(urls: Any) -> str:
    """The way into the conversation that was chosen in a modal, also where we are no member."""
    first = urls[0] if isinstance(urls, list) and urls else None
    return _text(_object(first).get("response_url"))


def _entered(view: dict[str, Any]) -> dict[str, str]:
    """What was written into the inputs, one an input block, by block_id."""
    inputs = _object(_object(view.get("state")).get("values"))
    return {name: _said(_object(value)) for name, values in inputs.items() for value in _object(values).values()}


def _said(entered: dict[str, Any]) -> str:
    """A text, or what was chosen; several values with commas between them."""
    options, conversations = entered.get("selected_options"), entered.get("selected_conversations")
    if isinstance(options, list):
        return ",".join(_text(_object(one).get("value")) for one in options)
    if isinstance(conversations, list):
        return ",".join(_text(one) for one in conversations)
    chosen = _text(_object(entered.get("selected_option")).get("value"))
    return chosen or _text(entered.get("selected_conversation")) or _text(entered.get("value"))


def _view(view: dict[str, Any]) -> dict[str, Any]:
    return {
        "view_id": _text(view.get("id")),
        "view_metadata": _text(view.get("private_metadata")),
    }


def click_key(order: Click) -> str:
    """A click is delivered once, a submission is not repeated either; both carry a stamp that tells two of them apart."""
    to = order.reply_to
    return f"click:{to.team}:{to.user}:{order.name}:{order.action_ts or order.trigger_id}"


def unfurl(event: dict[str, Any], team: str) -> Unfurl | None:
    """Links of domains that are ours; None where Slack does not say how to answer."""
    links = event.get("links")
    urls = tuple(_text(_object(one).get("url")) for one in links) if isinstance(links, list) else ()
    channel, ts, unfurl_id = (_text(event.get(name)) for name in ("channel", "message_ts", "unfurl_id"))
    if not any(urls) or not (unfurl_id or (channel and ts)):
        return None
    known = tuple(url for url in dict.fromkeys(urls) if url)[:MOST_LINKS]
    return Unfurl(team, _text(event.get("user")), channel, ts, unfurl_id, _text(event.get("source")), known)


def team(payload: dict[str, Any]) -> str:
    """Whose installation any payload is for; "" where it does not say."""
    return _text(payload.get("team_id")) or _team(payload)


def asker(body: dict[str, Any]) -> tuple[str, str]:
    """Team and person of an interaction."""
    return _team(body), _text(_object(body.get("user")).get("id"))


def organisation(payload: dict[str, Any]) -> str:
    """The organisation it belongs to, where it does."""
    named = _text(payload.get("enterprise_id")) or _text(_object(payload.get("enterprise")).get("id"))
    authorizations = payload.get("authorizations")
    first = _object(authorizations[0]) if isinstance(authorizations, list) and authorizations else {}
    return named or _text(first.get("enterprise_id"))


def _team(body: dict[str, Any]) -> str:
    """Whose installation is meant: in a view that somebody from a connected company looks at, not theirs."""
    ours = _object(body.get("view")).get("app_installed_team_id")
    return _text(ours) or _text(_object(body.get("team")).get("id")) or _text(_object(body.get("user")).get("team_id"))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


# --- commands ----------------------------------------------------------------------------------------------------


def command(form: dict[str, Any]) -> tuple[str, str]:
    """`/insights …` as (word, address): url, on, off, adding on, adding off, settings, help, or other for what is neither.

    With should_escape links come as `<https://…|label>`, without as typed; both are accepted (slack-platform.md §6.4).
    """
    text = _text(form.get("text")).strip()
    escaped = LINK.fullmatch(text)
    if escaped:
        return "url", unescape(escaped.group(1))
    if re.fullmatch(r"https?://\S+", text):
        return "url", unescape(text)
    if (with_words := ADDRESS_AND_WORDS.fullmatch(text)) and refine(with_words["words"]).conditions:
        return "url", f"{unescape(with_words['escaped'] or with_words['typed'])} {with_words['words']}"
    word = " ".join(text.lower().split())
    if word in {"on", "off", "adding on", "adding off", "settings", "help"}:
        return word, ""
    return ("help", "") if not text else ("other", text)


def command_reply_to(form: dict[str, Any]) -> ReplyTo:
    return ReplyTo(
        team=_text(form.get("team_id")),
        channel=_text(form.get("channel_id")),
        user=_text(form.get("user_id")),
        response_url=_text(form.get("response_url")),
    )
