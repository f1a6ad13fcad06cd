"""Texts in the language of whoever reads them (cards.md §7).

English stands in the code; `bot/locale/<language>/LC_MESSAGES/messages.po` has the others. What has no translation stays English.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Literal, LiteralString

from babel import Locale
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

ENGLISH = "en"
LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "ja": "日本語"}
"""By code, in its own words."""
_BRITISH = "en_GB"  # no comma before "and"
FOLDER = Path(__file__).parent / "locale"

_in_force: ContextVar[str] = ContextVar("language", default=ENGLISH)


def tr(text: str, /, **values: object) -> str:
    """The text in the language in force, its `{names}` filled in. Extraction finds it here: it must be written out."""
    translated = _catalogue(_in_force.get()).gettext(text) if text else ""  # gettext answers nothing with the file's header
    return translated.format(**values) if values else translated


def trn(one: str, many: str, number: int, /, **values: object) -> str:
    """The form that the number needs; `{n}` is the number as the language writes it."""
    language = _in_force.get()
    return _catalogue(language).ngettext(one, many, number).format(n=format_decimal(number, locale=language), **values)


def marked(text: LiteralString) -> LiteralString:
    """A text that `tr` is given later: marks it for extraction."""
    return text


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Everything said within is in this language; English where we do not speak it."""
    before = _in_force.set(language if language in LANGUAGES else ENGLISH)
    try:
        yield
    finally:
        _in_force.reset(before)


def spoken() -> str:
    """The language in force."""
    return _in_force.get()


def of_locale(locale: str) -> str:
    """The language of `de-AT` or `fr_FR`, where we speak it, else English."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in LANGUAGES else ENGLISH


def listed(words: Sequence[str], style: Literal["standard", "or"] = "standard") -> str:
    """`EUR, GBP and USD`, or with "or" `blue, red or green`."""
    language = _in_force.get()
    return str(format_list(words, style=style, locale=_BRITISH if language == ENGLISH else language))


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == ENGLISH:
        return NullTranslations()
    compiled = BytesIO()
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=Locale(language)))
    compiled.seek(0)
    return GNUTranslations(compiled)
