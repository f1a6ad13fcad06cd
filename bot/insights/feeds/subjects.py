"""Recipes, collections and entities, read from JSON objects under our names."""

from collections.abc import Mapping
from typing import Any

from bot.insights.feeds import values
from bot.insights.feeds.records import BadField, Origin, SubjectRow

_FACTS = {
    "recipe": ("totalTime", "cookTime", "prepTime"),
    "collection": ("source", "followers"),
    "entity": ("type", "jobTitle", "consent"),
}


def subject(kind: str, number: int, record: Mapping[str, Any], origin: Origin) -> SubjectRow:
    """Raises BadField."""
    facts = {name: said for name in _FACTS[kind] if (said := values.text(record.get(name)))}
    if creator := _name_of(record.get("creator") or record.get("author")):
        facts["creator"] = creator
    value, count = values.rating(record)
    if value is not None:
        facts |= {"ratingValue": str(value), "reviewCount": str(count or 0)}
    for name in ("totalTime", "cookTime", "prepTime"):
        if name in facts and not values.duration(facts[name]):
            raise BadField(name, f"{facts[name]!r} is not a duration. Write it like PT1H45M.")
    if kind == "entity":
        facts["type"] = _type(record.get("type") or record.get("@type"))
    if facts.get("type") == "Person" and not facts.get("consent"):
        raise BadField("consent", "A person is enrolled only with a note of their consent: who gave it, when, for what.")
    subject_id = values.needed(record, "id")
    products = _list(record, "related_products" if kind == "recipe" else "products")
    return SubjectRow(
        number=number,
        kind=kind,
        id=subject_id,
        name=values.needed(record, "name"),
        url=values.link(values.needed(record, "url"), origin.base),
        description=values.plain(record.get("description")),
        facts=facts,
        pictures=values.pictures([record.get("image") or "", *_list(record, "images")], origin.base),
        products=tuple(filter(None, map(values.text, products))),
    )


def _type(said: Any) -> str:
    """schema.org's name, however it is written: a person is one as `person`, by address, or as one of several types."""
    names = [values.text(one).rpartition("/")[2].rpartition(":")[2] for one in (said if isinstance(said, list) else [said])]
    return "Person" if "person" in map(str.casefold, names) else next(filter(None, names), "Thing")


def _list(record: Mapping[str, Any], name: str) -> list[Any]:
    found = record.get(name)
    return found if isinstance(found, list) else []


def _name_of(person: Any) -> str:
    """schema.org lets a creator be a name or a Person."""
    return values.text(person.get("name") if isinstance(person, dict) else person)
