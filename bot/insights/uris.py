"""Addresses in recognised text: web pages, mail, telephone numbers. Pure."""

import re
from urllib.parse import quote

_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'()|]+[^\s<>\"'()|.,;:!?]", re.IGNORECASE)
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")
_PHONE = re.compile(r"(?<![\w.,/+-])\+?\(?\d[\d ()./-]{6,20}\d(?![\w/-])")
_DIGITS = range(8, 16)  # ITU-T E.164: at most 15; fewer than 8 are prices, sizes and years
_LOOKS_LIKE_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}")


def uris(text: str) -> tuple[str, ...]:
    """`http(s):`, `mailto:` and `tel:` addresses in a line of text, in the order of their kinds, each once."""
    found = [_page(match[0]) for match in _URL.finditer(text)]
    found += [f"mailto:{match[0]}" for match in _MAIL.finditer(text)]
    found += [f"tel:{quote(match[0].strip(), safe='+')}" for match in _PHONE.finditer(text) if _is_phone(match[0])]
    return tuple(dict.fromkeys(found))


def _page(text: str) -> str:
    return text if text.lower().startswith("http") else f"http://{text}"


def _is_phone(text: str) -> bool:
    """A number with a plus, brackets or groups; a bare row of digits is a code or an amount."""
    digits = sum(char.isdigit() for char in text)
    grouped = text.startswith("+") or any(char in text for char in " ()-")
    return digits in _DIGITS and grouped and not _LOOKS_LIKE_DATE.fullmatch(text.strip())
