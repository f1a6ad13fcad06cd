"""Recipes: how to make what is in the picture, or what its product is for."""

from bot.insights.context import Context
from bot.insights.model import Rating, Recipe
from bot.insights.shelf import Subject

MOST = 10
NEAREST_PICTURES = 3
"""So many of the most similar pictures may be a recipe's; further down they only look alike."""


def recipes(context: Context) -> tuple[Recipe, ...]:
    """Of this very picture, of the pictures that look most like it, and of its product when that is sure."""
    alike = [hit.picture_id for hit in context.matches.pictures[:NEAREST_PICTURES]]
    pictures = dict.fromkeys([*(picture.id for picture in context.same), *alike])
    found = [one for key in pictures for one in context.shelf.subjects_of_picture.get(key, ())]
    if context.leads and context.near:
        found += context.shelf.subjects_of_product.get(context.near[0].id, ())
    return tuple(_recipe(context, one) for one in dict.fromkeys(found) if one.kind == "recipe")[:MOST]


def _recipe(context: Context, subject: Subject) -> Recipe:
    facts = subject.facts
    return Recipe(
        name=subject.name,
        url=subject.url,
        thumbnail_url=context.thumbnail(subject.pictures),
        description=subject.description,
        creator=facts.get("creator", ""),
        rating=Rating(float(facts["ratingValue"]), int(facts["reviewCount"])) if "ratingValue" in facts else None,
        cook_time=facts.get("cookTime", ""),
        prep_time=facts.get("prepTime", ""),
        total_time=facts.get("totalTime", ""),
    )
