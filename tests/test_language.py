"""Five languages: every text of the code has its words in each, nothing in them is cut, broken or left over."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

import bot
from bot.language import ENGLISH, FOLDER, LANGUAGES, listed, of_locale, speaking, tr, trn
from bot.slack.cards import insights
from tests.slack.card_examples import CONTEXT, Example, examples, found
from tests.slack.test_cards import assert_good, objects

OTHERS = [language for language in LANGUAGES if language != ENGLISH]
MARKS = re.compile(r"\{\w+\}|[*`~]|<[^>]*\||`/[^`]*`")
CUT = "…"


def catalogue(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def ids(message: Message) -> tuple[str, ...]:
    return tuple(str(one) for one in message.id) if isinstance(message.id, tuple | list) else (message.id,)


def strings(message: Message) -> tuple[str, ...]:
    said = message.string
    return tuple(str(one) for one in said) if isinstance(said, tuple | list) else (said or "",)


def said_in_the_code() -> Iterator[tuple[str, ...]]:
    for path in sorted(Path(bot.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"tr", "trn", "marked"}:
                texts = node.args[: 2 if node.func.id == "trn" else 1]
                words = tuple(text.value for text in texts if isinstance(text, ast.Constant) and isinstance(text.value, str))
                if words:
                    yield words


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_the_code_has_its_words_and_no_others_are_left(language: str) -> None:
    """`make messages` brings new ones in, empty."""
    known = {ids(message): message for message in catalogue(language) if message.id}
    assert set(known) == set(said_in_the_code())
    assert [message.id for message in known.values() if message.fuzzy or not all(strings(message))] == []
    assert catalogue(language).obsolete == {}


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_fills_in_and_marks_what_the_english_does(language: str) -> None:
    for message in catalogue(language):
        for string in strings(message) if message.id else ():
            assert Counter(MARKS.findall(string)) == Counter(MARKS.findall(ids(message)[-1])), message.id


@pytest.mark.parametrize("language", OTHERS)
def test_every_card_is_within_its_measure_in_every_language(language: str) -> None:
    for example in in_language(language):
        assert_good(example)


@pytest.mark.parametrize("language", OTHERS)
def test_no_label_is_cut_in_any_language(language: str) -> None:
    """What stands on a button, above an input, in a title or in a menu ends as its translation does."""
    whole = {string for message in catalogue(language) for string in strings(message) if message.id}
    english = {label for example in in_language("en") for label in labels(example.payload)}
    cut = [
        label
        for example in in_language(language)
        for label in labels(example.payload)
        if label.endswith(CUT) and label not in whole and label not in english
    ]
    assert cut == []


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_of_a_card_stays_english(language: str) -> None:
    """Where every label of a card is ours, each is in the language; names of languages and of markets are in their own."""
    whole = {string for message in catalogue(language) for string in strings(message) if message.id}
    buttons = {text for example in in_language(language) for text in button_labels(example.payload)}
    assert buttons - whole == set()


def test_the_text_for_screen_readers_is_a_sentence_of_the_language() -> None:
    with speaking("de"):
        assert insights.card(found(), CONTEXT)["text"] == (
            "Navy striped mug on a wooden table. 10 ähnliche Produkte ab $7.25. "
            "Bester Treffer: Harbour Stripe Straight Mug, $12.45–$14.95."
        )


def test_numbers_and_plurals_are_those_of_the_language() -> None:
    assert [trn("{n} store", "{n} stores", number) for number in (1, 2, 1451)] == ["1 store", "2 stores", "1,451 stores"]
    with speaking("de"):
        assert [trn("{n} store", "{n} stores", number) for number in (1, 1451)] == ["1 Händler", "1.451 Händler"]
    with speaking("fr"):  # none is one, in French
        assert trn("{n} similar product", "{n} similar products", 0) == "0 produit similaire"
    with speaking("ja"):
        assert trn("{n} store", "{n} stores", 3) == "3店"


def test_lists_are_joined_as_the_language_does() -> None:
    assert listed(["EUR", "GBP", "USD"]) == "EUR, GBP and USD"
    with speaking("es"):
        assert listed([tr("blue"), tr("red")], "or") == "azul o rojo"


def test_a_language_we_do_not_speak_is_english() -> None:
    assert [of_locale(locale) for locale in ("de-AT", "fr_CA", "ja", "pt-BR", "", "xx")] == ["de", "fr", "ja", "en", "en", "en"]
    with speaking("pt"):
        assert tr("Where to buy") == "Where to buy"
    with speaking("de"):
        with speaking("fr"):
            assert tr("Where to buy") == "Où acheter"
        assert tr("Where to buy") == "Wo kaufen"


def test_nothing_stays_nothing() -> None:
    with speaking("de"):
        assert tr("") == ""


def test_words_of_others_are_filled_in_and_never_a_pattern() -> None:
    with speaking("de"):
        assert tr("Nothing found for “{words}”", words="{0} {person} %s") == "Nichts gefunden zu „{0} {person} %s“"


def in_language(language: str) -> list[Example]:
    """Those that are drawn in the language in force."""
    with speaking(language):
        return [example for example in examples() if example.name.partition(".")[0] not in OTHERS]


def labels(payload: dict[str, Any]) -> list[str]:
    """Every plain text: buttons, options, titles, labels, hints."""
    return [one["text"] for one in objects([payload]) if one.get("type") == "plain_text"]


def button_labels(payload: dict[str, Any]) -> list[str]:
    return [one["text"]["text"] for one in objects([payload]) if one.get("type") == "button"]
