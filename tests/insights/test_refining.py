"""Conditions in words, as people write them beside a photo (pure)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.insights.refining import Refinement, refine


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("in blue", Refinement(colours=("blue",))),
        ("under $50", Refinement(most=Decimal(50), currency="$")),
        ("in blue under $50", Refinement(colours=("blue",), most=Decimal(50), currency="$")),
        ("below 30 €", Refinement(most=Decimal(30), currency="EUR")),
        ("cheaper than £20.50", Refinement(most=Decimal("20.50"), currency="GBP")),
        ("up to 12,50 EUR", Refinement(most=Decimal("12.50"), currency="EUR")),
        ("under 1,299 dollars", Refinement(most=Decimal(1299), currency="$")),
        ("between 10 and 20 dollars", Refinement(least=Decimal(10), most=Decimal(20), currency="$")),
        ("from $20 to $10", Refinement(least=Decimal(10), most=Decimal(20), currency="$")),
        ("$10-$20", Refinement(least=Decimal(10), most=Decimal(20), currency="$")),
        ("over 100", Refinement(least=Decimal(100))),
        ("over 10 but under 20", Refinement(least=Decimal(10), most=Decimal(20))),
        ("under $30 in stock", Refinement(most=Decimal(30), currency="$", in_stock=True)),
        ("not red", Refinement(without=("red",))),
        ("red or gray, in stock please", Refinement(colours=("red", "grey"), in_stock=True)),
        ("a blue mug under $20", Refinement(words="a blue mug", most=Decimal(20), currency="$")),
        ("mug in blue", Refinement(words="mug", colours=("blue",))),
        ("the blue one", Refinement(words="the", colours=("blue",))),
        ("black pepper mill", Refinement(words="black pepper mill")),
        ("vase under 20 cm", Refinement(words="vase under 20 cm")),
        ("teapot with lid", Refinement(words="teapot with lid")),
        ("under the sea", Refinement(words="under the sea")),  # a price needs a number
        ("mug 350 ml", Refinement(words="mug 350 ml")),
        ("7-10 inch plate", Refinement(words="7-10 inch plate")),
        ("", Refinement()),
    ],
)
def test_words_are_read_as_they_are_meant(said: str, meant: Refinement) -> None:
    assert refine(said) == meant


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    found = refine(text)
    assert len(found.words) <= len(" ".join(text.lower().split()))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("in blau unter 50 €", "in blue under 50 €"),
        ("nicht rot, auf Lager", "not red, in stock"),
        ("zwischen 10 und 20 Euro", "between 10 and 20 euro"),
        ("ab 20 €", "over 20 €"),
        ("rot oder blau?", "red or blue"),
        ("en bleu à moins de 20 €", "in blue under 20 €"),
        ("entre 10 et 20 euros", "between 10 and 20 euros"),
        ("en rouge ou en noir", "red or black"),
        ("pas rouge, en stock", "not red, in stock"),
        ("hasta 30 dólares en rojo", "in red under 30 dollars"),
        ("sin azul", "not blue"),
        ("¿en verde?", "in green"),
        ("青で5000円以下", "in blue under 5000 yen"),
        ("3000円以上", "over 3000 yen"),
        ("赤以外", "not red"),
        ("在庫あり", "in stock"),
    ],
)
def test_conditions_are_understood_in_other_languages(said: str, meant: str) -> None:
    assert refine(said) == refine(meant)
    assert refine(said).conditions


@pytest.mark.parametrize("said", ["bis 20 cm", "rose gold vase", "verre bleu", "entre nous", "tasse aus steinzeug", "o", "ab"])
def test_what_is_not_unmistakable_stays_words(said: str) -> None:
    assert refine(said).words == said
