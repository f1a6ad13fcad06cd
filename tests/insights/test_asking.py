"""What a client asks is read as Bing read it (insights-api.md §1, §3, §4, §8, §10; threats.md H6)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import InvalidValue
from bot.insights import bing
from bot.insights.model import EVERYTHING, WHOLE, Crop, ImageFilter, Module, SafeSearch, Skill


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", bing.UNNAMED),
        ("All", EVERYTHING),
        ("all", EVERYTHING),
        ("Tags, shoppingSOURCES ,", {Module.TAGS, Module.SHOPPING_SOURCES}),
        ("Caption,Collection", {Module.CAPTION, Module.COLLECTIONS}),
        ("Collections,Recipes", {Module.COLLECTIONS, Module.RECIPES}),
        ("RecognizedEntities", {Module.RECOGNIZED_ENTITIES}),
        ("RecognizedEntities,Tags", {Module.TAGS}),
    ],
)
def test_s4_modules(text: str, wanted: frozenset[Module]) -> None:
    assert bing.read_modules(text) == wanted


def test_s4_6_an_unknown_module_is_named() -> None:
    with pytest.raises(InvalidValue) as bad:
        bing.read_modules("Tags,NotAModule")
    assert (bad.value.parameter, bad.value.value) == ("modules", "NotAModule")


def test_s1_parameter_names_are_read_in_any_case() -> None:
    given_ = bing.read_names([("ImgURL", "http://a.example"), ("MODULES", "tags"), ("CAL", "0.25"), ("x", "y"), ("cal", "9")])
    question = bing.read_question(given_)
    assert question.url == "http://a.example"
    assert question.modules == {Module.TAGS}
    assert question.crop == Crop(left=0.25)
    assert bing.read_question({}).crop == WHOLE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cal", "x"),
        ("cal", "-0.1"),
        ("cat", "1.1"),
        ("car", "nan"),
        ("cab", "1e309"),
        ("cal", "٠.٥"),
        ("car", "0"),
        ("cab", "0.0"),
        ("cal", "1"),
    ],
)
def test_s6_h6_a_bad_crop_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidValue) as bad:
        bing.read_question({name: value})
    assert bad.value.parameter in {name, "car", "cab"}


@given(st.text(), st.text(max_size=20), st.text(max_size=40))
def test_s3_a_market_is_never_an_error(mkt: str, cc: str, languages: str) -> None:
    assert bing.best_market(mkt, cc, languages) in bing.MARKETS


@pytest.mark.parametrize(
    ("given_", "market"),
    [
        (("en-us", "", ""), "en-US"),
        (("DE-de", "", ""), "de-DE"),
        (("de", "", ""), "de-DE"),
        (("fr-US", "", ""), "en-US"),
        (("xx-YY", "", ""), "en-US"),
        (("", "CH", "it, fr;q=0.8"), "fr-CH"),
        (("", "JP", "en"), "ja-JP"),
        (("", "", "de"), "en-US"),
        (("", "CH", "it;q=0.9, fr;q=0.2, de;q=0.5"), "de-CH"),
        (("", "PT", "pt"), "es-ES"),
        (("", "SA", "ar"), "en-GB"),
        (("en-GB", "DE", "de"), "en-GB"),
    ],
)
def test_s3_the_market_is_the_best_fit(given_: tuple[str, str, str], market: str) -> None:
    assert bing.best_market(*given_) == market


@pytest.mark.parametrize(
    ("set_lang", "accepted", "language"),
    [
        ("", "", "en"),
        ("fr-ca", "de", "fr"),
        ("xx", "de", "en"),
        ("jp", "", "ja"),
        ("PT-BR", "", "pt-br"),
        ("zh-Hant", "", "zh-hant"),
        ("en-GB", "", "en-gb"),
        ("", "xx, de-AT;q=0.3, fr;q=0.8", "fr"),
        ("", "fr;q=0, nl", "nl"),
    ],
)
def test_s3_s10_the_language_of_words_and_links(set_lang: str, accepted: str, language: str) -> None:
    assert bing.interface_language(set_lang, accepted) == language


@given(st.text(max_size=20), st.text(max_size=40))
def test_s3_a_language_is_never_an_error(set_lang: str, accepted: str) -> None:
    assert bing.interface_language(set_lang, accepted) in bing.LANGUAGES


def test_s10_every_market_is_its_own_best_fit() -> None:
    assert len(bing.MARKETS) == 38
    assert [bing.best_market(market.lower()) for market in bing.MARKETS] == list(bing.MARKETS)


@pytest.mark.parametrize("text", ["strict", "STRICT", "Strict"])
def test_s3_safe_search_in_any_case(text: str) -> None:
    assert bing.read_audience({"safesearch": text}).safe_search is SafeSearch.STRICT
    assert bing.read_audience({}).safe_search is SafeSearch.MODERATE


@pytest.mark.parametrize(("name", "value"), [("safeSearch", "maybe")])
def test_s6_a_word_outside_the_list_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidValue) as bad:
        bing.read_audience({name.lower(): value})
    assert (bad.value.parameter, bad.value.value) == (name, value)


def test_s3_crop_type_is_zero_or_rectangular() -> None:
    assert bing.read_question({"ct": "0"}) == bing.read_question({"ct": "rectangular"}) == bing.read_question({})
    with pytest.raises(InvalidValue) as bad:
        bing.read_question({"ct": "Round"})
    assert bad.value.parameter == "ct"


# ---------------------------------------------------------------- images/search


def test_search_reads_filters_in_any_case() -> None:
    asked = bing.read_search({"q": "mug", "size": "LARGE", "color": "blue", "aspect": "all", "minwidth": "300", "count": "9999"})
    assert (asked.words, asked.count, asked.offset) == ("mug", 150, 0)
    assert asked.only == ImageFilter(size="large", color="blue", min_width=300)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", "Huge"),
        ("color", "mauve"),
        ("width", "-1"),
        ("count", "1.5"),
        ("offset", "٣"),
        ("minFileSize", "1e9"),
        ("license", "x"),
    ],
)
def test_search_refuses_a_bad_filter_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidValue) as bad:
        bing.read_search({"q": "mug", name.lower(): value})
    assert bad.value.parameter == name


def test_search_needs_words() -> None:
    with pytest.raises(bing.Missing) as bad:
        bing.read_search({"q": ""})
    assert bad.value.parameter == "q"


# ---------------------------------------------------------------- knowledgeRequest


def test_s8_everything_in_a_knowledge_request() -> None:
    asked = bing.read_knowledge_request(
        json.dumps(
            {
                "imageInfo": {
                    "url": "https://a.example/x.jpg",
                    "imageInsightsToken": "t",
                    "cropArea": {"top": 0.1, "left": "0.5", "right": 0.9, "bottom": 1},
                },
                "knowledgeRequest": {
                    "filters": {"site": "WWW.Contoso.com"},
                    "invokedSkillsRequestData": {"enableEntityData": "true"},
                    "invokedSkills": ["similarimages"],
                    "offset": 237,
                    "count": "35",
                    "unknown": [1],
                },
            }
        )
    )
    assert (asked.url, asked.token, asked.crop) == ("https://a.example/x.jpg", "t", Crop(0.5, 0.1, 0.9, 1.0))
    assert (asked.site, asked.entity_data, asked.skill) == ("www.contoso.com", True, Skill(Module.SIMILAR_IMAGES, 237, 35))


@pytest.mark.parametrize(
    "text", ["", "{}", '{"imageInfo": null}', '{"imageInfo": {"url": null, "imageInsightsToken": "", "cropArea": null}}']
)
def test_s8_null_and_empty_mean_absent(text: str) -> None:
    assert bing.read_knowledge_request(text) == bing.KnowledgeRequest()


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("[]", "knowledgeRequest"),
        ("{", "knowledgeRequest"),
        ('{"a": NaN}', "knowledgeRequest"),
        ("[" * 100_000, "knowledgeRequest"),
        ('{"a":' * 40 + "1" + "}" * 40, "knowledgeRequest"),
        ('{"imageInfo": "x"}', "knowledgeRequest"),
        ('{"imageInfo": {"url": 3}}', "url"),
        ('{"imageInfo": {"cropArea": {"left": 0, "top": 0, "right": 1}}}', "cropArea"),
        ('{"imageInfo": {"cropArea": {"left": 0.5, "top": 0, "right": 0.5, "bottom": 1}}}', "cropArea"),
        ('{"imageInfo": {"cropArea": {"left": true, "top": 0, "right": 1, "bottom": 1}}}', "cropArea"),
        ('{"imageInfo": {"cropArea": {"left": 1e400, "top": 0, "right": 1, "bottom": 1}}}', "cropArea"),
        ('{"knowledgeRequest": {"invokedSkills": ["Dance"]}}', "invokedSkills"),
        ('{"knowledgeRequest": {"invokedSkills": ["SimilarImages"], "offset": -1}}', "offset"),
        ('{"knowledgeRequest": {"invokedSkills": ["SimilarImages"], "count": ' + "9" * 5000 + "}}", "count"),
    ],
)
def test_s6_h6_a_bad_knowledge_request_names_what_is_wrong(text: str, parameter: str) -> None:
    with pytest.raises(InvalidValue) as bad:
        bing.read_knowledge_request(text)
    assert bad.value.parameter == parameter


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_h6_any_json_is_read_or_refused_by_name(node: Any) -> None:
    named: list[str] = []
    for wrapped in (node, {"imageInfo": node}, {"imageInfo": {"cropArea": node}}, {"knowledgeRequest": node}):
        try:
            assert isinstance(bing.read_knowledge_request(json.dumps(wrapped)), bing.KnowledgeRequest)
        except InvalidValue as refused:
            named.append(refused.parameter)
    assert all(named)
