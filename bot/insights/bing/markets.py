"""Markets, countries and languages, and the best fit among them (insights-api.md §10). Pure."""

import re

_MARKETS = (
    "es-AR en-AU de-AT nl-BE fr-BE pt-BR en-CA fr-CA es-CL da-DK fi-FI fr-FR de-DE zh-HK en-IN en-ID it-IT ja-JP ko-KR "
    "en-MY es-MX nl-NL en-NZ no-NO zh-CN pl-PL en-PH ru-RU en-ZA es-ES sv-SE fr-CH de-CH zh-TW tr-TR en-GB en-US es-US"
)
MARKETS = tuple(_MARKETS.split())
DEFAULT_MARKET = "en-US"
_COUNTRIES = "AR AU AT BE BR CA CL DK FI FR DE HK IN ID IT JP KR MY MX NL NZ NO CN PL PT PH RU SA ZA ES SE CH TW TR GB US"
COUNTRIES = tuple(_COUNTRIES.split())
_LANGUAGES = (
    "ar eu bn bg ca zh-hans zh-hant hr cs da nl en en-gb et fi fr gl de gu he hi hu is it ja kn ko lv lt ms ml mr nb pl "
    "pt-br pt-pt pa ro ru sr sk sl es sv ta te th tr uk vi"
)
LANGUAGES = tuple(_LANGUAGES.split())
DEFAULT_LANGUAGE = "en"

_FIRST_PER_LANGUAGE = {"en": "en-US", "es": "es-ES", "fr": "fr-FR", "de": "de-DE", "pt": "pt-BR", "nl": "nl-NL", "zh": "zh-CN"}
_NEAREST = {"PT": "es-ES", "SA": "en-GB"}
"""Countries of the list without a market (§10). Portugal's shops are nearer to Spain's than to Brazil's: same currency."""
_SAME = {"jp": "ja", "zh": "zh-hans", "zh-cn": "zh-hans", "zh-tw": "zh-hant", "zh-hk": "zh-hant", "pt": "pt-pt", "no": "nb"}
_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{1,3})?|1(?:\.0{1,3})?)", re.ASCII)


def accepted_languages(accept_language: str) -> list[str]:
    """The languages of the header in lower case, the preferred first; those with weight 0 are left out (§2)."""
    found: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:32]:
        name, _, rest = part.strip().partition(";")
        weight = _WEIGHT.search(rest)
        if name and name != "*":
            found.append((float(weight[1]) if weight else 1.0, name.strip().lower()))
    return [name for weight, name in sorted(found, key=lambda pair: -pair[0]) if weight]


def best_market(mkt: str, cc: str = "", accept_language: str = "", default: str = DEFAULT_MARKET) -> str:
    """The market used, in canonical case: never an error, the best fit instead (§3). mkt wins over cc."""
    known = {market.lower(): market for market in MARKETS}
    languages = [name.partition("-")[0] for name in accepted_languages(accept_language)]
    if mkt:
        language, _, country = mkt.lower().replace("_", "-").partition("-")
        languages, cc = [language], country
    country = cc.upper()
    for language in languages:
        if market := known.get(f"{language}-{country.lower()}"):
            return market
    if country in _NEAREST:
        return _NEAREST[country]
    if country:  # a known country in another language is nearer than another country: currency and shops are the country's
        for market in MARKETS:
            if market.endswith(f"-{country}"):
                return market
    if mkt:
        return _FIRST_PER_LANGUAGE.get(languages[0]) or next((m for m in MARKETS if m.startswith(f"{languages[0]}-")), default)
    return default


def interface_language(set_lang: str, accept_language: str = "") -> str:
    """Of interface words and links: setLang, else the first accepted language we list, else English (§3, §10).

    A specific culture loads its neutral one: `fr-ca` is `fr`.
    """
    if set_lang:
        return _listed(set_lang.lower().replace("_", "-")) or DEFAULT_LANGUAGE
    return next((found for name in accepted_languages(accept_language) if (found := _listed(name))), DEFAULT_LANGUAGE)


def _listed(name: str) -> str:
    for candidate in (name, _SAME.get(name, ""), name.partition("-")[0], _SAME.get(name.partition("-")[0], "")):
        if candidate in LANGUAGES:
            return candidate
    return ""
