"""Other people's words come out harmless, whole and short enough."""

import html
import unicodedata

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from bot.slack.mrkdwn import clean, clusters, cut, date, esc, host, link, plainly, size, web_url, words

ANY = st.text(st.characters(codec=None, exclude_categories=()))
SCRIPTS = st.text(
    st.sampled_from("ab ,.&<>*_~`👩🏽‍🚀🇩🇪e\u0301\u0308क्षि한ᄒ\u1161\u11abก\u0e33🏴\U000e0067\U000e007f\u200d\ufe0f؀ך"),
    max_size=60,
)
FAMILY = "👩‍👩‍👧‍👦"


@given(ANY)
def test_escaping_loses_nothing_but_what_is_cleaned(text: str) -> None:
    assert html.unescape(esc(text)) == clean(text)
    assert not set("<>") & set(esc(text))


@given(ANY)
def test_a_cleaned_text_is_one_visible_line(text: str) -> None:
    line = clean(text)
    assert clean(line) == line == line.strip()
    assert not [char for char in line if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not set(line) & set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(ANY | SCRIPTS, st.integers(0, 80))
@example(FAMILY * 3, 25)
@example("🇩🇪🇫🇷🇬🇧", 6)
@example("e\u0301" * 40, 9)
def test_a_cut_text_fits_and_ends_between_graphemes(text: str, most: int) -> None:
    short = cut(text, most)
    assert size(short) <= most
    assert len(short.encode("utf-16-le")) // 2 == size(short)
    if short != clean(text) and most:
        assert short.endswith("…")
        begin = short.removesuffix("…")
        ends, at = {0}, 0
        for cluster in regex.findall(r"\X", clean(text)):
            at += len(cluster)
            ends.add(at)
        assert clean(text).startswith(begin)
        assert len(begin) in ends


@given(SCRIPTS)
def test_our_clusters_are_never_finer_than_unicodes(text: str) -> None:
    assert "".join(clusters(text)) == text

    def ends(parts: list[str]) -> set[int]:
        return {len("".join(parts[: number + 1])) for number in range(len(parts))}

    assert ends(list(clusters(text))) <= ends(regex.findall(r"\X", text))


@given(ANY | SCRIPTS | st.text(alphabet="&<>"), st.integers(1, 80), st.integers(1, 80))
def test_words_fit_once_escaped_and_no_entity_is_cut(text: str, most: int, room: int) -> None:
    escaped = words(text, most, room=room)
    assert size(escaped) <= room
    plain = html.unescape(escaped)
    assert size(plain) <= most
    assert esc(plain) == escaped
    assert not set("*`~") & set(escaped)


@given(ANY | SCRIPTS)
def test_plain_words_stay_plain(text: str) -> None:
    assert plainly(plainly(text)) == plainly(text)


@pytest.mark.parametrize(
    ("text", "most", "short"),
    [
        ("White stoneware espresso cup", 28, "White stoneware espresso cup"),
        ("White stoneware espresso cup", 24, "White stoneware…"),
        ("White stoneware, espresso cup", 18, "White stoneware…"),
        ("Antidisestablishmentarianism", 10, "Antidises…"),
        ("a " + "b" * 30, 10, "a bbbbbbb…"),
        ("two\n lines\t here", 40, "two lines here"),
        ("one two", 1, "…"),
        ("one two", 0, ""),
    ],
)
def test_a_text_is_cut_at_a_space_where_one_is_near(text: str, most: int, short: str) -> None:
    assert cut(text, most) == short


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("5* mug", "5 mug"),
        ("*_~bold~_*", "bold"),
        ("__init__ and snake_case", "init and snake_case"),
        ("> quote", "quote"),
        ("`code`", "code"),
        ("* _ ~", ""),
    ],
)
def test_signs_of_mrkdwn_are_taken_out_of_names(text: str, plain: str) -> None:
    assert plainly(text) == plain


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "slack://open",
        "tel:112",
        "//cup.example/",
        "/p/1",
        "https://",
        "https://user@cup.example/",
        "https://cup.example:x/",
        "https://cup.example\\@evil.example/",
        "https://[::1",
        "https://cup.example/" + "a" * 3000,
        "ht\ttps://cup.example/",
    ],
)
def test_an_address_that_nobody_should_be_sent_to_is_none(url: str) -> None:
    assert web_url(url) == ""
    assert host(url) == ""
    assert link(url, "Cup & Corner") == "Cup &amp; Corner"


def test_an_address_is_encoded_and_kept() -> None:
    assert web_url(" https://cup.example/a b|c<d>?q=Café&x=%20 ") == "https://cup.example/a%20b%7Cc%3Cd%3E?q=Café&x=%20"
    assert web_url("http://cup.example/\u202egpj.exe") == "http://cup.example/%E2%80%AEgpj.exe"
    assert host("https://www.Cup.example:8443/x") == "cup.example"


def test_a_link_cannot_be_left_by_its_label_or_address() -> None:
    assert (
        link("https://cup.example/?a=1&b=2", "a|b> <!channel>") == "<https://cup.example/?a=1&amp;b=2|a¦b&gt; &lt;!channel&gt;>"
    )
    assert link("https://cup.example/" + "a" * 1000, "Cup") == "Cup"


def test_a_date_is_in_the_readers_own_time() -> None:
    assert date(1763800000, "Nov 22, 2025") == "<!date^1763800000^{date_short_pretty} at {time}|Nov 22, 2025>"
