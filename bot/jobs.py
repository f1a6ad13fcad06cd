"""What we can be asked to do, as plain data. A job is stored as JSON, so everything in it is a word, a number or one of these."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class ImageRef:
    """A picture: a Slack file by id, an address, a token of the engine, or whatever the first message of a thread shows.

    `number` of `total`: which one it is of several in one message; 0 of 0 when it is the only one. album: the files or the
    addresses of all of them, where one card is for all. words: conditions that were said beside it, such as "in blue under
    $50". crop: the part that was chosen (left, top, right, bottom as fractions), and what that `item` is called.
    """

    file_id: str = ""
    url: str = ""
    token: str = ""
    thread_ts: str = ""
    number: int = 0
    total: int = 0
    album: tuple[str, ...] = ()
    words: str = ""
    crop: tuple[float, float, float, float] | None = None
    item: str = ""

    @property
    def alone(self) -> bool:
        """Words without a picture: a search."""
        return not (self.file_id or self.url or self.token or self.thread_ts)

    def of_album(self, number: int) -> "ImageRef":
        """Another one of the same message, counted from 1."""
        name = self.album[number - 1]
        return replace(self, number=number, file_id=name if self.file_id else "", url=name if self.url else "")


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Where an answer goes and who asked.

    `thread_ts` is empty where answers do not thread (direct messages, a command). `response_url` works without a token
    for 30 minutes: a secret, never logged.
    """

    team: str
    channel: str
    thread_ts: str = ""
    user: str = ""
    response_url: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Find out about a picture and post the card.

    `message_ts` is the message that shows the picture (it gets the eyes), empty where there is none. `asked` says that
    somebody wants an answer even if it is bad news: a mention, a direct message, a command, a button. `reaction` says that
    they asked with the workspace's own, where there may be a card already. `instead` of the card of that result, in its place.
    """

    image: ImageRef
    reply_to: ReplyTo
    message_ts: str = ""
    owner: str = ""
    asked: bool = False
    command: bool = False
    reaction: bool = False
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Peek:
    """Somebody wants to see, for themselves, what a picture shows: in a modal.

    image: None where the message shows none. `message_ts` is that message, `trigger_id` opens a modal for 3 seconds.
    """

    image: ImageRef | None
    reply_to: ReplyTo
    message_ts: str = ""
    owner: str = ""
    trigger_id: str = ""


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody pressed a button, chose from a menu, or submitted a modal.

    `name` is the action id, or the callback id of a submitted view. `view_*` are set inside a modal, `message_ts` and the
    channel outside. `trigger_id` opens a modal for 3 seconds. `said` is the text of our message that holds the button,
    `entered` what was written into a modal, by block_id.
    """

    name: str
    value: str
    reply_to: ReplyTo
    action_ts: str = ""
    message_ts: str = ""
    trigger_id: str = ""
    view_id: str = ""
    view_metadata: str = ""
    said: str = ""
    entered: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Switch:
    """Turn automatic answers in a channel on or off, and say so there."""

    reply_to: ReplyTo
    on: bool


@dataclass(frozen=True, slots=True)
class Add:
    """Somebody wants what a message shows in the catalogue: all its pictures are of one thing.

    images: none when the thread's are meant (`in_thread`). title, price: as they wrote them, or empty.
    """

    images: tuple[ImageRef, ...]
    reply_to: ReplyTo
    message_ts: str
    in_thread: bool = False
    title: str = ""
    price: str = ""


@dataclass(frozen=True, slots=True)
class Adding:
    """Allow the people of a workspace to add to the catalogue, or no longer."""

    reply_to: ReplyTo
    on: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """Somebody wants to see the settings of where they are."""

    reply_to: ReplyTo
    trigger_id: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """We were invited to a channel: switch it on and tell the inviter, once."""

    reply_to: ReplyTo


@dataclass(frozen=True, slots=True)
class Explain:
    """Tell one person how to use us."""

    reply_to: ReplyTo


@dataclass(frozen=True, slots=True)
class Home:
    """Publish somebody's Home tab."""

    team: str
    user: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Look at the price of something that somebody saved."""

    team: str
    sid: str


@dataclass(frozen=True, slots=True)
class Unfurl:
    """Say what the operator's own products cost whose links somebody posted, or is writing: `unfurl_id` and `source`."""

    team: str
    user: str
    channel: str
    message_ts: str
    unfurl_id: str
    source: str
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """Somebody deleted a message that showed a picture: what we made of it goes too."""

    team: str
    channel: str
    message_ts: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Delete all that belongs to a team, or an organisation: it removed us, `at` a time (Slack's seconds)."""

    team: str
    at: float = 0.0


Order = Lookup | Peek | Click | Switch | Add | Adding | Settings | Welcome | Explain | Home | Watch | Unfurl | Removed | Forget
KINDS: dict[str, type[Order]] = {kind.__name__.lower(): kind for kind in get_args(Order)}

O = TypeVar("O", bound=Order)  # noqa: E741 (the one type here)


def kind(order: Order) -> str:
    return type(order).__name__.lower()


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    """Built once a kind: it takes longer than to use it. dataclasses.asdict copies deeply, which Slack would wait for."""
    return TypeAdapter(KINDS[kind])


def to_payload(order: Order) -> dict[str, Any]:
    payload: dict[str, Any] = _adapter(kind(order)).dump_python(order)
    return payload


def from_payload(kind: type[O], payload: dict[str, Any]) -> O:
    """Read back what `to_payload` wrote. Members that an older release stored and we no longer know are left out.

    Raises pydantic's ValidationError when it is something else.
    """
    known = {one.name for one in fields(kind)}
    order: O = _adapter(kind.__name__.lower()).validate_python({name: value for name, value in payload.items() if name in known})
    return order
