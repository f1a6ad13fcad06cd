"""What the bot says beside its cards: errors, help, what changed in a channel (cards.md §6, §9.15b, §9.16, §10)."""

from dataclasses import dataclass
from enum import Enum

from bot import errors
from bot.language import marked, tr
from bot.slack import mrkdwn
from bot.slack.blocks import Payload, actions, context, header, image, section
from bot.slack.buttons import choose_item, retry_card, settings_button, show_help, undo_channel


@dataclass(frozen=True, slots=True)
class _Text:
    happened: str
    to_do: str = ""
    retry: str = ""  # label of the button that runs the lookup again
    help: bool = False
    choose: bool = False


class Kind(Enum):
    """What can go wrong, in the words of cards.md §10."""

    NOTHING = _Text(
        marked("I couldn’t tell what this shows"), marked("Try a sharper or closer photo, or choose one part of it."), choose=True
    )
    NO_PART = _Text(marked("I couldn’t tell what this shows"), marked("Try a sharper or closer photo."))
    DOWNLOAD = _Text(
        marked("I can’t open that image"),
        marked("The link needs to work without signing in and end in an image, such as .jpg or .png."),
        retry=marked("Try again"),
    )
    FORMAT = _Text(marked("I can’t read this file type"), marked("I work with JPEG, PNG, GIF, WebP and HEIC pictures."))
    NOT_A_URL = _Text(
        marked("That doesn’t look like an image URL"),
        marked("Start it with `https://`, for example `/insights https://example.com/cup.jpg`."),
        help=True,
    )
    RATE = _Text(marked("Too many lookups right now"), marked("I’ll answer this one in about a minute."))
    QUOTA = _Text(marked("Today’s lookups are used up"), marked("They reset at midnight UTC."))
    PROVIDER = _Text(
        marked("The image service isn’t answering"), marked("Nothing was lost. Try again in a minute."), retry=marked("Try again")
    )
    EXPIRED = _Text(
        marked("These results are older than 30 days"),
        marked("Look again to get current products and prices."),
        retry=marked("Look again"),
    )
    ACCESS = _Text(marked("I’m not in that channel"), marked("Invite me with `/invite @Image Insights`, then try again."))


def problem(kind: Kind, rid: str = "") -> Payload:
    """What happened and what to do. `rid` is the result or request that "Try again" runs again; without it no such button."""
    text = kind.value
    buttons = (
        retry_card.element(rid, tr(text.retry)) if text.retry and rid else None,
        show_help.element() if text.help else None,
        choose_item.element(rid) if text.choose and rid else None,
    )
    happened = tr(text.happened)
    return {"text": happened, "blocks": [section(f"*{happened}*\n{tr(text.to_do)}"), *actions(buttons)]}


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
        return say(tr(error.text, **error.values))
    return problem(kind or Kind.PROVIDER, rid)


def ended(error: errors.UserError | None, reference: str) -> Payload:
    """A job came to nothing: for a reason, or it was given up, and its reference is what to tell the operator."""
    if error is not None:
        return say(tr(error.text, **error.values))
    return say(tr("That did not work; reference {reference}. Try again in a minute.", reference=reference))


def say(text: str) -> Payload:
    """A sentence or two of our own for one person; what they quote is escaped."""
    line = mrkdwn.words(text, 300, room=300)
    return {"text": line, "blocks": [section(line)]}


def only_for(owner: str) -> Payload:
    """Somebody else's card is not theirs to remove."""
    line = tr("Only {person} can remove this card", person=f"<@{owner}>")
    return {"text": line, "blocks": [section(f"*{line}*")]}


def looking() -> Payload:
    """Acknowledges a slash command. Only the person who typed it sees this, for a moment."""
    return {"text": tr("Looking at the image…")}


def searching() -> Payload:
    """Acknowledges a search by words."""
    return {"text": tr("Looking in the catalogue…")}


def nothing_for(words: str) -> Payload:
    """Nothing in the catalogue is called so."""
    line = tr("Nothing found for “{words}”", words=mrkdwn.words(words, 100))
    to_do = tr("Try fewer or other words.")
    return {"text": line, "blocks": [section(f"*{line}*\n{to_do}")]}


def asked(requester: str, url: str, *, words: str = "", pictures: bool = True) -> Payload:
    """The channel message that a card for an address or for words hangs on: the picture, and who asked."""
    person = f"<@{requester}>"
    if not url:
        line = tr("{person} looked for “{words}”", person=person, words=mrkdwn.words(words, 100))
        return {"text": f"{line}.", "blocks": [section(line)]}
    host = mrkdwn.host(url)
    line = tr("{person} asked about this image", person=person)
    shown = image(url, tr("Image from {host}", host=host)) if pictures else None
    source = f"{line}: {mrkdwn.link(url, host)}" if host else line
    return {"text": f"{line}.", "blocks": [section(source), *([shown] if shown else [])]}


def photo_removed() -> Payload:
    """In place of a card whose photo is gone."""
    return {"text": tr("The photo was removed."), "blocks": [context(tr("The photo was removed."))]}


def channel(by: str, channel_id: str, *, on: bool) -> Payload:
    """Tells the channel that somebody switched it, with a way back."""
    said = _switched(by, on=on)
    return {
        "text": mrkdwn.plainly(said),
        "blocks": [section(said), *actions([undo_channel.element(channel_id, on=on)])],
    }


def undone(by: str, undone_by: str, *, on: bool) -> Payload:
    """The same notice after Undo; `on` is what had been undone."""
    said, undone = _switched(by, on=on), tr("Undone by {person}", person=f"<@{undone_by}>")
    return {"text": f"{mrkdwn.plainly(said)} {undone}.", "blocks": [section(said), context(undone)]}


def _switched(by: str, *, on: bool) -> str:
    if on:
        return tr("{person} turned automatic answers *on* in this channel.", person=f"<@{by}>")
    return tr("{person} turned automatic answers *off* in this channel.", person=f"<@{by}>")


def hello() -> Payload:
    """To the person who invited the bot to a channel, only to them, once."""
    happens = tr("I answer photos in this channel, each in its thread")
    gets = tr("A photo gets what it shows and where to buy it.")
    return {
        "text": tr("Thanks for the invitation. I answer photos in this channel in their threads."),
        "blocks": [
            section(f"*{happens}*\n{gets}"),
            context(tr("Type `/insights off` and I answer only when somebody mentions me · `/insights help` for the rest")),
        ],
    }


COMMANDS = (
    (marked("<image URL>"), marked("what the picture shows and where to buy it")),
    (marked("<words>"), marked("what the catalogue has of that, such as blue mug under $20")),
    ("on", marked("answer every photo in this channel")),
    ("off", marked("stop answering on its own here")),
    ("settings", marked("market, language, safe search, size of cards")),
    ("adding on", marked("let members add products to the catalogue; for admins")),
    ("adding off", marked("stop that")),
    ("help", marked("this list")),
)
"""The words of the slash command, each with what it does."""


def help_text() -> Payload:
    """What can be asked, for `/insights help` and any unknown word."""
    lines = "\n".join(f"`/insights {mrkdwn.esc(tr(word))}`  {tr(does)}" for word, does in COMMANDS)
    title = tr("How to use Image Insights")
    return {
        "text": title,
        "blocks": [
            header(title),
            section(lines),
            section(
                tr(
                    "You can also post a photo and mention me, send me one in a direct message, or use *Get image insights* in a "
                    "message’s ⋯ menu."
                )
            ),
            *actions([settings_button.element(tr("Settings"), "help")]),
        ],
    }
