"""Markets, countries and languages, and the best fit among them (insights-api.md §10). Pure."""

_MARKETS = (
    "es-AR en-AU de-AT nl-BE fr-BE pt-BR en-CA fr-CA es-CL da-DK fi-FI fr-FR de-DE zh-HK en-IN en-ID it-IT ja-JP ko-KR "
    "en-MY es-MX nl-NL en-NZ no-NO zh-CN pl-PL en-PH ru-RU en-ZA es-ES sv-SE fr-CH de-CH zh-TW tr-TR en-GB en-US es-US"
)
MARKETS = tuple(_MARKETS.split())
DEFAULT_MARKET = "en-US"
_FIRST_PER_LANGUAGE = {"en": "en-US", "es": "es-ES", "fr": "fr-FR", "de": "de-DE", "pt": "pt-BR", "nl": "nl-NL", "zh": "zh-CN"}


def best_market(mkt: str, cc: str = "", accept_language: str = "", default: str = DEFAULT_MARKET) -> str:
    """The market used, in canonical case: never an error, the best fit instead (§3)."""
    known = {market.lower(): market for market in MARKETS}
    languages = [part.partition(";")[0].strip().lower().partition("-")[0] for part in accept_language.split(",")]
    if mkt:
        language, _, country = mkt.lower().replace("_", "-").partition("-")
        languages, cc = [language], country
    candidates = [f"{language}-{cc.lower()}" for language in languages]
    for candidate in candidates:
        if candidate in known:
            return known[candidate]
    if cc:  # a known country in another language is nearer than another country: currency and shops are the country's
        for market in MARKETS:
            if market.endswith(f"-{cc.upper()}"):
                return market
    if mkt:
        language = languages[0]
        return _FIRST_PER_LANGUAGE.get(language) or next((m for m in MARKETS if m.startswith(f"{language}-")), default)
    return default
