"""What a workspace is made of, as plain objects; and the ids of the people, the channels and the app in it."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

TEAM_ID, APP_ID, BOT_ID, BOT_USER_ID = "T07LOCALWS", "A07INSIGHTS", "B07INSIGHTS", "U07INSIGHTS"
SLACKBOT_ID = "USLACKBOT"
ANA_ID, BEN_ID, CLARA_ID = "U07TORRESANA", "U07OKAFORBEN", "U07VOGTCLARA"
PHOTOS_ID, KITCHEN_ID = "C07PHOTOS", "C07KITCHEN"
APP_NAME, TEAM_NAME, TEAM_DOMAIN = "Image Insights", "Local", "local"
SCOPES = (
    "app_mentions:read,channels:history,channels:join,channels:read,chat:write,commands,files:read,files:write,groups:history,"
    "groups:read,im:history,im:read,im:write,links:read,links:write,mpim:history,mpim:read,reactions:read,reactions:write,team:read,users:read"
)
TIMEOUT, FAILED, HTTP_ERROR = "http_timeout", "connection_failed", "http_error"  # Slack's words for a failed delivery
SUBSCRIBER_KEEPS = 2000  # events a page may be behind


@dataclass(frozen=True, slots=True)
class Timing:
    """Slack's waits, in seconds. Tests may shorten the ones between retries."""

    ack: float = 3.0
    trigger: float = 3.0
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)
    hook: float = 1800.0
    picture: float = 3.0


@dataclass(slots=True)
class Person:
    id: str
    name: str
    real_name: str
    is_bot: bool = False
    locale: str = "en-US"
    tz: str = "Europe/Madrid"


@dataclass(slots=True)
class Channel:
    """`kind` is "channel", "group" (private) or "im"."""

    id: str
    name: str
    kind: str = "channel"
    topic: str = ""
    members: list[str] = field(default_factory=list)
    created: int = 0
    archived: bool = False


@dataclass(slots=True)
class File:
    """A file and what Slack says about it. width and height are 0 while it is not a picture that can be shown."""

    id: str
    name: str
    title: str
    user: str
    data: bytes = field(repr=False)
    mimetype: str
    filetype: str
    created: int
    width: int = 0
    height: int = 0
    alt_text: str = ""
    shares: dict[str, list[Json]] = field(default_factory=dict)
    thumbs: dict[int, bytes] = field(default_factory=dict, repr=False)
    deleted: bool = False


@dataclass(slots=True)
class Message:
    """A message as it stands now: the object changes when the message is edited (`revision` counts), `deleted` says it is gone.

    `ephemeral_to` names the one person who sees it. `reactions` maps a name to the people who chose it.
    """

    channel: str
    user: str
    text: str
    ts: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    thread_ts: str = ""
    bot_id: str = ""
    subtype: str = ""
    inviter: str = ""
    username: str = ""
    metadata: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    edited: Json | None = None
    ephemeral_to: str = ""
    client_msg_id: str = ""
    revision: int = 0
    deleted: bool = False

    @property
    def root(self) -> str:
        """The ts of the thread this message is in or could start."""
        return self.thread_ts or self.ts

    @property
    def is_reply(self) -> bool:
        return bool(self.thread_ts) and self.thread_ts != self.ts


@dataclass(slots=True)
class View:
    """A modal or a Home tab as one person sees it. `body` is the view as the app sent it, `state` what was entered."""

    id: str
    user: str
    body: Json
    hash: str
    root_id: str = ""
    previous_id: str = ""
    state: Json = field(default_factory=dict)
    revision: int = 0
    closed: bool = False

    @property
    def title(self) -> str:
        return str((self.body.get("title") or {}).get("text", ""))

    @property
    def blocks(self) -> list[Json]:
        return list(self.body.get("blocks") or [])

    @property
    def callback_id(self) -> str:
        return str(self.body.get("callback_id") or "")

    @property
    def is_modal(self) -> bool:
        return self.body.get("type") == "modal"


@dataclass(slots=True)
class Trigger:
    """Lets the app open a view for a person: for three seconds, once."""

    user: str
    created: float
    view_id: str = ""
    used: bool = False


@dataclass(slots=True)
class Hook:
    """A response_url: five uses in half an hour. `message` is the one clicked, or the answer to the command."""

    user: str
    channel: str
    created: float
    thread_ts: str = ""
    message: Message | None = None
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the app: `error` is Slack's word when it was refused, `injected` says that a test asked for it."""

    method: str
    arguments: Json
    status: int = 200
    error: str = ""
    injected: bool = False
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Ack:
    """How the app answered one request. `reason` is Slack's word for a failure ("http_timeout"), empty when all is well."""

    status: int
    seconds: float
    body: Json = field(default_factory=dict)
    text: str = ""
    reason: str = ""
    no_retry: bool = False

    @property
    def ok(self) -> bool:
        return not self.reason

    @property
    def blocks(self) -> list[Json]:
        return list(self.body.get("blocks") or [])

    @property
    def errors(self) -> dict[str, str]:
        """The messages of a refused submission, by block_id."""
        return dict(self.body.get("errors") or {}) if self.body.get("response_action") == "errors" else {}

    @property
    def error(self) -> str:
        """What Slack tells the person: operation_timeout or dispatch_failed."""
        return "" if self.ok else "operation_timeout" if self.reason == TIMEOUT else "dispatch_failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    status: int
    seconds: float
    retry: int = 0


@dataclass(slots=True)
class Delivered:
    """One request to the app. `kind` is an event's type ("message"), an interaction's type or "command"."""

    kind: str
    payload: Json
    attempts: list[Attempt] = field(default_factory=list)
    at: float = field(default_factory=time.time)


@dataclass(slots=True, eq=False)
class Subscriber:
    """Somebody who reads the journal: a person's page."""

    user: str
    queue: asyncio.Queue[Json] = field(default_factory=lambda: asyncio.Queue(SUBSCRIBER_KEEPS))
    overrun: bool = False


def first_people() -> dict[str, Person]:
    people = [
        Person(ANA_ID, "ana", "Ana Torres"),
        Person(BEN_ID, "ben", "Ben Okafor", locale="en-GB", tz="Europe/London"),
        Person(CLARA_ID, "clara", "Clara Vogt", locale="de-DE", tz="Europe/Berlin"),
        Person(BOT_USER_ID, "insights", APP_NAME, is_bot=True),
        Person(SLACKBOT_ID, "slackbot", "Slackbot", is_bot=True),
    ]
    return {person.id: person for person in people}


def first_channels() -> dict[str, Channel]:
    created = int(time.time()) - 30 * 86400
    channels = [
        Channel(PHOTOS_ID, "photos", topic="Post a picture, Image Insights answers in the thread"),
        Channel(KITCHEN_ID, "kitchen-refit", topic="Measurements, colours, wishes"),
        Channel("D07TORRESANA", "ana", kind="im"),
        Channel("D07OKAFORBEN", "ben", kind="im"),
        Channel("D07VOGTCLARA", "clara", kind="im"),
    ]
    members = {
        PHOTOS_ID: [ANA_ID, BEN_ID, CLARA_ID, BOT_USER_ID],
        KITCHEN_ID: [ANA_ID, BEN_ID],
        "D07TORRESANA": [ANA_ID, BOT_USER_ID],
        "D07OKAFORBEN": [BEN_ID, BOT_USER_ID],
        "D07VOGTCLARA": [CLARA_ID, BOT_USER_ID],
    }
    for channel in channels:
        channel.members, channel.created = members[channel.id], created
    return {channel.id: channel for channel in channels}
