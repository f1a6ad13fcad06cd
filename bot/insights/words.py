"""Words of shops as common nouns and common colours. Pure."""

_PLURAL_ONLY = frozenset({"headphones", "earphones", "scissors", "trousers", "jeans", "shorts", "sunglasses", "binoculars"})
_COLOURS = {
    "white": "ivory porcelain snow",
    "beige": "cream oat natural sand ecru linen birch ash",
    "grey": "gray silver graphite charcoal slate concrete anthracite steel",
    "black": "graphite charcoal ebony anthracite",
    "red": "coral rust terracotta crimson burgundy",
    "orange": "coral rust terracotta amber apricot copper",
    "yellow": "mustard ochre gold amber lemon brass",
    "green": "mint olive celadon sage emerald forest",
    "teal": "petrol turquoise celadon mint aqua",
    "blue": "navy cobalt turquoise petrol azure indigo",
    "navy": "blue indigo midnight",
    "purple": "lilac lavender violet plum",
    "pink": "coral blush rose lilac",
    "brown": "oak walnut tan terracotta copper rust acacia wood cork birch",
}


def singular(kind: str) -> str:
    """`Espresso Cups` as a common noun: `espresso cup`."""
    *before, last = kind.lower().split() or [""]
    if last in _PLURAL_ONLY or last.endswith("ss"):
        pass
    elif last.endswith("ies") and len(last) > 4:  # noqa: PLR2004 (pies stay pies)
        last = f"{last[:-3]}y"
    elif last.endswith(("sses", "shes", "ches", "xes")):
        last = last[:-2]
    elif last.endswith("s"):
        last = last[:-1]
    return " ".join([*before, last])


def said_colours(color: str) -> list[str]:
    """`cream/navy` as the maker's words, at most two."""
    return [part.strip() for part in color.lower().replace(",", "/").split("/") if part.strip()][:2]


def same_colour(said: str, seen: str) -> bool:
    """Whether a maker's word can mean the colour that is seen, one of the everyday words."""
    return bool(seen) and any(word == seen or word in _COLOURS.get(seen, "").split() for word in said.split())
