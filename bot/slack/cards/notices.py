"""What the bot says beside its cards: errors, help, what changed in a channel (cards.md §6, §9.15b, §9.16, §10)."""

from dataclasses import dataclass
from enum import Enum

from bot import errors
from bot.slack import mrkdwn
from bot.slack.blocks import Payload, actions, context, header, image, section
from bot.slack.buttons import retry_card, settings_button, show_help, undo_channel


@dataclass(frozen=True, slots=True)
class _Text:
    happened: str
    to_do: str = ""
    retry: str = ""  # label of the button that runs the lookup again
    help: bool = False


class Kind(Enum):
    """What can go wrong, in the words of cards.md §10."""

    NOTHING = _Text("I couldn’t tell what this shows", "Try a sharper or closer photo.")
    DOWNLOAD = _Text(
        "I can’t open that image",
        "The link needs to work without signing in and end in an image, such as .jpg or .png.",
        retry="Try again",
    )
    FORMAT = _Text("I can’t read this file type", "I work with JPEG, PNG, GIF, WebP and HEIC pictures.")
    NOT_A_URL = _Text(
        "That doesn’t look like an image URL",
        "Start it with `https://`, for example `/insights https://example.com/cup.jpg`.",
        help=True,
    )
    RATE = _Text("Too many lookups right now", "I’ll answer this one in about a minute.")
    QUOTA = _Text("Today’s lookups are used up", "They reset at midnight UTC.")
    PROVIDER = _Text("The image service isn’t answering", "Nothing was lost. Try again in a minute.", retry="Try again")
    EXPIRED = _Text("These results are older than 30 days", "Look again to get current products and prices.", retry="Look again")
    ACCESS = _Text("I’m not in that channel", "Invite me with `/invite @Image Insights`, then try again.")


def problem(kind: Kind, rid: str = "") -> Payload:
    """What happened and what to do. `rid` is the result or request that "Try again" runs again; without it no such button."""
    text = kind.value
    buttons = (
        retry_card.element(rid, text.retry) if text.retry and rid else None,
        show_help.element() if text.help else None,
    )
    return {"text": text.happened, "blocks": [section(f"*{text.happened}*\n{text.to_do}"), *actions(buttons)]}


def explain(error: errors.Error, rid: str = "") -> Payload:
    """The same for an error that a lookup raised."""
    kinds: dict[type[errors.Error], Kind] = {
        errors.NotAPicture: Kind.FORMAT,
        errors.CannotFetch: Kind.DOWNLOAD,
        errors.RateLimited: Kind.RATE,
        errors.Unavailable: Kind.PROVIDER,
    }
    kind = next((kind for known, kind in kinds.items() if isinstance(error, known)), None)
    if kind is None and isinstance(error, errors.UserError) and mrkdwn.plainly(str(error)):
        return say(str(error))
    return problem(kind or Kind.PROVIDER, rid)


def say(text: str) -> Payload:
    """A sentence or two of our own for one person; what they quote is escaped."""
    line = mrkdwn.words(text, 300, room=300)
    return {"text": line, "blocks": [section(line)]}


def only_for(owner: str) -> Payload:
    """Somebody else's card is not theirs to remove."""
    line = f"Only <@{owner}> can remove this card"
    return {"text": line, "blocks": [section(f"*{line}*")]}


def looking() -> Payload:
    """Acknowledges a slash command. Only the person who typed it sees this, for a moment."""
    return {"text": "Looking at the image…"}


def searching() -> Payload:
    """Acknowledges a search by words."""
    return {"text": "Looking in the catalogue…"}


def nothing_for(words: str) -> Payload:
    """Nothing in the catalogue is called so."""
    line = f"Nothing found for “{mrkdwn.words(words, 100)}”"
    return {"text": line, "blocks": [section(f"*{line}*\nTry fewer or other words.")]}


def asked(requester: str, url: str, *, words: str = "", pictures: bool = True) -> Payload:
    """The channel message that a card for an address or for words hangs on: the picture, and who asked."""
    if not url:
        line = f"<@{requester}> looked for “{mrkdwn.words(words, 100)}”"
        return {"text": f"{line}.", "blocks": [section(line)]}
    host = mrkdwn.host(url)
    line = f"<@{requester}> asked about this image"
    shown = image(url, f"Image from {host}") if pictures else None
    source = f"{line}: {mrkdwn.link(url, host)}" if host else line
    return {"text": f"{line}.", "blocks": [section(source), *([shown] if shown else [])]}


def photo_removed() -> Payload:
    """In place of a card whose photo is gone."""
    return {"text": "The photo was removed.", "blocks": [context("The photo was removed.")]}


def channel(by: str, channel_id: str, *, on: bool) -> Payload:
    """Tells the channel that somebody switched it, with a way back."""
    state = "on" if on else "off"
    return {
        "text": f"<@{by}> turned automatic answers {state} in this channel.",
        "blocks": [
            section(f"<@{by}> turned automatic answers *{state}* in this channel."),
            *actions([undo_channel.element(channel_id)]),
        ],
    }


def undone(by: str, undone_by: str, *, on: bool) -> Payload:
    """The same notice after Undo; `on` is what had been undone."""
    state = "on" if on else "off"
    return {
        "text": f"<@{by}> turned automatic answers {state} in this channel. Undone by <@{undone_by}>.",
        "blocks": [
            section(f"<@{by}> turned automatic answers *{state}* in this channel."),
            context(f"Undone by <@{undone_by}>"),
        ],
    }


def hello() -> Payload:
    """To the person who invited the bot to a channel, only to them, once."""
    return {
        "text": "Thanks for the invitation. I answer photos in this channel in their threads.",
        "blocks": [
            section("*I answer photos in this channel, each in its thread*\nA photo gets what it shows and where to buy it."),
            context("Type `/insights off` and I answer only when somebody mentions me · `/insights help` for the rest"),
        ],
    }


COMMANDS = (
    ("<image URL>", "what the picture shows and where to buy it"),
    ("<words>", "what the catalogue has of that, such as blue mug under $20"),
    ("on", "answer every photo in this channel"),
    ("off", "stop answering on its own here"),
    ("settings", "market, language, safe search, size of cards"),
    ("adding on", "let members add products to the catalogue; for admins"),
    ("adding off", "stop that"),
    ("help", "this list"),
)
"""The words of the slash command, each with what it does."""


def help_text() -> Payload:
    """What can be asked, for `/insights help` and any unknown word."""
    lines = "\n".join(f"`/insights {mrkdwn.esc(word)}`  {does}" for word, does in COMMANDS)
    return {
        "text": "How to use Image Insights",
        "blocks": [
            header("How to use Image Insights"),
            section(lines),
            section(
                "You can also post a photo and mention me, send me one in a direct message, or use *Get image insights* in a "
                "message’s ⋯ menu."
            ),
            *actions([settings_button.element("Settings", "help")]),
        ],
    }
