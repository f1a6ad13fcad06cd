"""Text for Slack: other people's words made harmless, cut to length, escaped (cards.md §3, threats.md B1, B2)."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import takewhile
from urllib.parse import urlsplit

from bot.language import tr

ELLIPSIS = "…"
URL_LIMIT = 3000

_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e001f]"
)  # bidi controls reorder what people read; the others hide in it. ZWJ and ZWNJ stay: scripts and emoji need them
_MARKUP = re.compile(r"[*`~]|(?<!\w)_+|_+(?!\w)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_IN_URL = {"<": "%3C", ">": "%3E", "|": "%7C", '"': "%22", "`": "%60"}
_TRAILING = " ,.;:-–—·/(["
_ZWJ = "\u200d"
_FLAGS = "".join(map(chr, range(0x1F1E6, 0x1F200)))  # two of these letters are one flag
_EMOJI = "\U0001f000"  # from here on
_VIRAMA = 9  # canonical combining class: joins the letter before it with the one after
_SHORTEST = 0.6  # a cut at a space keeps at least this much of what fits
_LINK_LIMIT = 1000  # a longer address in a text would leave no room for the text (section: 3,000)


def size(text: str) -> int:
    """Length as Slack's clients count it, in UTF-16 units: never less than the number of characters."""
    return len(text) + sum(char > "\uffff" for char in text)


def clean(text: str) -> str:
    """One line without control, bidi and invisible characters; white space collapsed."""
    spaced = " ".join(text.split())
    kept = "".join(char for char in _INVISIBLE.sub("", spaced) if unicodedata.category(char) not in {"Cc", "Cs"})
    return " ".join(kept.split())


def plainly(text: str) -> str:
    """Cleaned, and without the signs that mrkdwn would read as bold, italic, strike, code or quote."""
    return clean(_MARKUP.sub("", clean(text))).lstrip("> ")


def cut(text: str, most: int) -> str:
    """Cleaned and at most `most` units long: cut at a space where one is near, never inside a grapheme, with an ellipsis."""
    text = clean(text)
    if size(text) <= most:
        return text
    kept: list[str] = []
    used, space = len(ELLIPSIS), 0
    for cluster in clusters(text):  # pragma: no branch (a longer text ends by the break)
        if cluster == " " and used > most * _SHORTEST:
            space = len(kept)
        used += size(cluster)
        if used > most:
            break
        kept.append(cluster)
    del kept[space or len(kept) :]
    while kept and kept[-1] in _TRAILING:
        kept.pop()
    return ("".join(kept) + ELLIPSIS)[: max(most, 0)]


def esc(text: str) -> str:
    """Cleaned and escaped: `<!channel>`, `<@U…>` and links become text."""
    return "".join(_ENTITIES.get(char, char) for char in clean(text))


def words(text: str, most: int, *, room: int = 0) -> str:
    """Other people's words for a mrkdwn text: `most` units to the eye, and at most `room`, or twice as many, once escaped."""
    room = room or 2 * most
    text = cut(plainly(text), most)
    while size(escaped := esc(text)) > room:
        text = cut(text, size(text) - 1 - (size(escaped) - room) // 5)  # an entity is at most five units for one
    return escaped


def web_url(url: str) -> str:
    """The address if a person may be sent there, else "": http or https, a host, no userinfo, at most 3,000 characters."""
    url = url.strip()
    if "\\" in url or any(unicodedata.category(char) == "Cc" for char in url):
        return ""  # browsers and parsers disagree about where these lead
    try:
        parts = urlsplit(url)
        allowed = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return ""
    if not allowed:
        return ""
    encoded = "".join(_IN_URL.get(char) or (char if char.isprintable() and char != " " else _percent(char)) for char in url)
    return encoded if size(encoded) <= URL_LIMIT else ""


def host(url: str) -> str:
    """The host a link really goes to, for its label."""
    address = web_url(url)
    return (urlsplit(address).hostname or "").removeprefix("www.") if address else ""


def link(url: str, label: str, most: int = 75) -> str:
    """`<url|label>`, or the label alone where the address is not one to offer."""
    address, text = web_url(url).replace("&", "&amp;"), words(label, most).replace("|", "¦")
    return f"<{address}|{text}>" if text and 0 < size(address) <= _LINK_LIMIT else text


def date(unix: int, fallback: str) -> str:
    """A moment in each reader's own time zone and language."""
    shown = tr("{date} at {time}", date="{date_short_pretty}", time="{time}")
    return f"<!date^{unix}^{shown}|{esc(fallback)}>"


def clusters(text: str) -> Iterator[str]:
    """The text in pieces that may be parted: no finer than grapheme clusters (Unicode UAX 29), at times coarser."""
    start = 0
    for at in range(1, len(text)):
        if _parts(text, start, at):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _parts(text: str, start: int, at: int) -> bool:
    """Whether the cluster that starts at `start` may end before `at`."""
    before, after = text[at - 1], text[at]
    if before.isascii() and after.isascii():
        return (before, after) != ("\r", "\n")
    if _extends(after) or before in _PREPENDED or before == _ZWJ:
        return False
    marks = takewhile(_extends, (text[i] for i in range(at - 1, start - 1, -1)))
    if any(unicodedata.combining(mark) == _VIRAMA for mark in marks):
        return False
    if _flag(before) and _flag(after):
        return len(text[start:at]) - len(text[start:at].rstrip(_FLAGS)) != 1
    return not (_jamo(before) and _jamo(after))


def _extends(char: str) -> bool:
    """Whether it belongs to the character before it; so may what this Python's Unicode does not know yet, but for emoji."""
    category = unicodedata.category(char)
    return category[0] == "M" or char in _EXTENDING or (category == "Cn" and char < _EMOJI)


def _flag(char: str) -> bool:
    return char in _FLAGS


def _jamo(char: str) -> bool:
    return "\u1100" <= char <= "\u11ff" or "\ua960" <= char <= "\ua97f" or "\uac00" <= char <= "\ud7ff"


class _Ranges:
    def __init__(self, *ranges: str) -> None:
        self._ranges = tuple((part[0], part[-1]) for part in ranges)

    def __contains__(self, char: str) -> bool:
        return any(first <= char <= last for first, last in self._ranges)


_EXTENDING = _Ranges("\u200c\u200d", "\u0e33", "\u0eb3", "\uff9e\uff9f", "\U0001f3fb\U0001f3ff", "\U000e0020\U000e007f")
_PREPENDED = _Ranges(
    *("\u0600\u0605", "\u06dd", "\u070f", "\u0890\u0891", "\u08e2", "\u0d4e", "\U000110bd", "\U000110cd"),
    *("\U000111c2\U000111c3", "\U0001193f", "\U00011941", "\U00011a3a", "\U00011a84\U00011a89"),
    *("\u1cf5\u1cf6", "\U000113ce\U000113d2", "\U00011d46", "\U00011f02", "\U00016d63\U00016d6a"),
)


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
