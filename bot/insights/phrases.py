"""Conditions as people say them in German, French, Spanish and Japanese, put into the English that refining.py reads.

Only what is unmistakable: a limit needs its amount, a colour its "in" or that nothing else is said. Other words stay as they are.
"""

import re
from collections.abc import Callable, Mapping

_UNITS = "euros?|dollars?|dólares|yen(?:es)?|pfund|usd|eur|gbp|jpy|chf"
_AMOUNT = rf"(?P<{{0}}>(?:[$€£¥]\s*)?\d[\d.,]*(?:\s*(?:[$€£¥円]|(?:{_UNITS})\b))?)"
_MEASURE = r"(?![\w%]|\s*(?:cm|mm|m|ml|cl|l|kg|g|personen|personnes|personas|stück)\b)"
_ONE, _TWO = _AMOUNT.format("x") + _MEASURE, _AMOUNT.format("y") + _MEASURE

_GERMAN = {
    "white": "weiß weiss",
    "grey": "grau",
    "black": "schwarz",
    "red": "rot",
    "orange": "orange",
    "yellow": "gelb",
    "green": "grün gruen",
    "teal": "petrol türkis",
    "blue": "blau",
    "navy": "marineblau dunkelblau",
    "purple": "lila violett",
    "pink": "rosa",
    "brown": "braun",
    "beige": "beige",
}
_ROMANCE = {
    "white": "blanc blanche blanco blanca",
    "grey": "gris grise",
    "black": "noir noire negro negra",
    "red": "rouge rojo roja",
    "orange": "orange naranja",
    "yellow": "jaune amarillo amarilla",
    "green": "vert verte verde",
    "teal": "turquoise turquesa",
    "blue": "bleu bleue azul",
    "purple": "violet violette morado morada",
    "pink": "rose rosa",
    "brown": "marron brun brune marrón",
    "beige": "beige beis",
}
_JAPANESE = {
    "white": "白",
    "grey": "グレー 灰",
    "black": "黒",
    "red": "赤",
    "orange": "オレンジ",
    "yellow": "黄",
    "green": "緑",
    "teal": "青緑",
    "blue": "青",
    "navy": "紺",
    "purple": "紫",
    "pink": "ピンク",
    "brown": "茶",
    "beige": "ベージュ",
}
_ENGLISH = {
    word: english for table in (_GERMAN, _ROMANCE, _JAPANESE) for english, words in table.items() for word in words.split()
}


def _any(*tables: Mapping[str, str]) -> str:
    words = {word for table in tables for some in table.values() for word in some.split()}
    return "|".join(sorted(words, key=len, reverse=True))


_DE, _FR_ES, _JA, _ALL = _any(_GERMAN), _any(_ROMANCE), _any(_JAPANESE), _any(_GERMAN, _ROMANCE, _JAPANESE)
_WORD = re.compile(_ALL)


def _colours(before: str) -> Callable[[re.Match[str]], str]:
    """Every colour of a match with the same word before it."""
    return lambda found: " " + " ".join(f"{before} {_ENGLISH[word]}" for word in _WORD.findall(found["c"])) + " "


_UNDER = (
    "unter|bis zu|bis|höchstens|maximal|weniger als|günstiger als|billiger als"
    "|à moins de|moins de|jusqu['’]à|au plus|sous|en dessous de"
    "|menos de|hasta|por debajo de|como máximo"
)
_OVER = "über|ab|mindestens|mehr als|teurer als|plus de|à partir de|au moins|más de|desde|a partir de|al menos"
_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"\b(?:zwischen|entre)\s+{_ONE}\s+(?:und|et|y)\s+{_TWO}"), r" between \g<x> and \g<y> "),
    (re.compile(rf"\b(?:{_UNDER})\s+{_ONE}"), r" under \g<x> "),
    (re.compile(rf"\b(?:{_OVER})\s+{_ONE}"), r" over \g<x> "),
    (re.compile(rf"{_AMOUNT.format('x')}\s*(?:以下|未満|まで)(?:の|で)?"), r" under \g<x> "),
    (re.compile(rf"{_AMOUNT.format('x')}\s*(?:以上|から)(?:の|で)?"), r" over \g<x> "),
    (re.compile(r"\b(?:auf lager|lieferbar|vorrätig|en stock|disponibles?)\b|在庫あり(?:の|で)?"), " in stock "),
    (re.compile(rf"\b(?:nicht(?: in)?|keine?)\s+(?P<c>{_DE})\b"), _colours("not")),
    (re.compile(rf"\b(?:pas(?: en)?|sauf(?: en)?|excepto|no(?: en)?|sin)\s+(?P<c>{_FR_ES})\b"), _colours("not")),
    (re.compile(rf"(?P<c>{_JA})色?以外(?:の|で)?"), _colours("not")),
    (re.compile(rf"\bin\s+(?P<c>(?:{_DE})(?:(?:\s*,|\s+oder|\s+und)\s+(?:in\s+)?(?:{_DE}))*)\b"), _colours("in")),
    (re.compile(rf"\ben\s+(?P<c>(?:{_FR_ES})(?:(?:\s*,|\s+ou|\s+et|\s+o|\s+y)\s+(?:en\s+)?(?:{_FR_ES}))*)\b"), _colours("in")),
    (re.compile(rf"(?P<c>{_JA})色?(?:い|の|で)"), _colours("in")),
)
_ONLY_COLOURS = re.compile(rf"(?:(?:{_ALL}|色|oder|ou|o|か)[\s,?!.、？¿¡]*)+")
_SIGNS = re.compile(r"円|[¿¡]|\b(?:dólares|yenes|pfund)\b")
_IN_ENGLISH = {"円": " yen", "¿": "", "¡": "", "dólares": "dollars", "yenes": "yen", "pfund": "pounds"}


def in_english(text: str) -> str:
    """The text, lower case, with its conditions in English; English itself stays as it is."""
    if _WORD.search(text) and _ONLY_COLOURS.fullmatch(text):
        return " or ".join(_ENGLISH[word] for word in _WORD.findall(text))
    for pattern, put in _RULES:
        text = pattern.sub(put, text)
    return _SIGNS.sub(lambda found: _IN_ENGLISH[found[0]], text)
