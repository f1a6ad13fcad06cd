"""The same answers as JSON-LD, for `Accept: application/ld+json` (insights-api.md §2). Pure."""

from typing import Any

CONTEXT = {
    "@vocab": "https://schema.org/",
    "readLink": {"@type": "@id"},
    "url": {"@type": "@id"},
    "webSearchUrl": {"@type": "@id"},
}
"""Bing's objects are schema.org's (Offer, AggregateOffer, ImageObject, Recipe, Person …); what schema.org lacks stays a term of
the same vocabulary. No source shows Bing's own JSON-LD, so this form is ours."""
_KEYS = {"_type": "@type", "id": "@id"}


def to_json_ld(answer: dict[str, Any]) -> dict[str, Any]:
    """Every name stays but `_type` and `id`, which JSON-LD spells `@type` and `@id`."""
    return {"@context": CONTEXT, **_renamed(answer)}


def _renamed(node: Any) -> Any:
    if isinstance(node, dict):
        return {_KEYS.get(name, name): _renamed(value) for name, value in node.items()}
    return [_renamed(value) for value in node] if isinstance(node, list) else node
