"""All that the modules read to answer about one picture, gathered once."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from bot.insights.encoder import Look
from bot.insights.matching import SAME_THING, Hit, Matches, shared
from bot.insights.model import Band, Crop, ImageObject, Match, Reason
from bot.insights.shelf import Product, ShopOffer, StoredPicture
from bot.insights.twins import Alike, twins
from bot.insights.view import MarketView
from bot.insights.words import said_colours, same_colour, singular

NEAREST = 5
"""So many of the nearest products are asked what kind, material and colour they are."""

AGREE = 3
"""So many of the NEAREST must be of one kind before it is the kind of the thing."""

LEAD = 0.04
"""A product whose score is this far above every other speaks alone."""


@dataclass(frozen=True)
class Context(MarketView):
    """One picture's look and matches, and the catalogue they point into, as who asks may see it.

    look and matches are of the whole picture, part of what lies in crop: the same without a crop. Words and pages are about
    the whole, what looks similar is about the part. own: the catalogue picture that was asked about, when it was one.
    exact: products whose code was read in the picture. named: pictures of what has all the words of the query.
    read: how many words of a product's title or brand are written in the picture, by product id. brands: those written there.
    hidden: the picture is adult, and who asks does not want to see what looks like it.
    alike: whether two pictures of the catalogue are the same.
    """

    look: Look
    matches: Matches
    part: Matches
    crop: Crop
    own: StoredPicture | None
    query: str
    exact: frozenset[str] = frozenset()
    hidden: bool = False
    read: Mapping[str, int] = field(default_factory=dict)
    brands: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    alike: Alike = lambda _one, _other: False

    @cached_property
    def same_hits(self) -> tuple[Hit, ...]:
        """The very picture in the catalogue: the one that was asked about, whole copies, then copies of a part."""
        own = (Hit(self.own.id, self.own.product_id, 1.0),) if self.own else ()
        hits = {hit.picture_id: hit for hit in reversed((*own, *self.matches.copies))}
        return tuple(sorted(hits.values(), key=lambda hit: (hit.partial, -hit.score)))

    @cached_property
    def same(self) -> tuple[StoredPicture, ...]:
        """The pictures of same_hits."""
        return tuple(self.shelf.pictures[hit.picture_id] for hit in self.same_hits if hit.picture_id in self.shelf.pictures)

    @cached_property
    def best(self) -> Product | None:
        """The product that is most like the picture, or like its crop."""
        if self.part is self.matches:
            return self.near[0] if self.near else None
        found = (self.shelf.products.get(hit.product_id) for hit in self.part.products)
        return next((product for product in found if product and self.shows(product)), None)

    @cached_property
    def leading(self) -> frozenset[str]:
        """Ids of products that the picture, or its crop, surely shows: known ones, or clearly the best."""
        known = ({hit.product_id for hit in self.same_hits} | self.exact) - {""}
        hits = self.part.products
        if hits and hits[0].score >= max((hit.score for hit in hits[1:]), default=0.0) + LEAD:
            known.add(hits[0].product_id)
        return frozenset(known)

    @cached_property
    def twins(self) -> Mapping[str, tuple[Product, ...]]:
        """By product id: what is the same thing in another shop, as far as picture and name tell."""
        whole = self.matches.products if self.part is not self.matches else ()
        found = twins((*self.part.products, *whole), self.shelf.products, self.alike)
        return {key: shown for key, some in found.items() if (shown := tuple(one for one in some if self.shows(one)))}

    def more_offers(self, _product: Product) -> Sequence[ShopOffer]:
        return [replace(offer, inferred=True) for twin in self.twins.get(_product.id, ()) for offer in twin.offers]

    def shows_picture(self, picture: StoredPicture) -> bool:
        """Whether a picture may be in a list."""
        return not self.hidden and self.shows(self.shelf.product_of(picture.id))

    def similar(self, picture: StoredPicture, *, page: tuple[str, str] | None = None, sums: bool = False) -> ImageObject:
        """`image`, with how far it matches and why."""
        return replace(self.image(picture, page=page, sums=sums), match=self.judge(picture))

    def judge(self, picture: StoredPicture) -> Match | None:
        """How far a picture matches and why; None for one that did not come by its looks."""
        hit = self._hits.get(picture.id)
        product = self.shelf.products.get(picture.product_id)
        copied = any(one.picture_id == picture.id or (product and one.product_id == product.id) for one in self.same_hits)
        code = product is not None and product.id in self.exact
        if hit is None and not (copied or code):
            return None
        reasons = [reason for reason, holds in ((Reason.COPY, copied), (Reason.CODE, code)) if holds]
        known = bool(reasons)
        if product and product.id in self.read:
            reasons.append(Reason.TEXT)
        same_kind = bool(product and product.kind and hit and self._is_of_kind(product, hit))
        if same_kind:
            reasons.append(Reason.KIND)
        if product and any(same_colour(said, self.look.colour) for said in said_colours(product.color)):
            reasons.append(Reason.COLOUR)
        band = Band.SAME_KIND if same_kind else Band.SIMILAR
        if known or (hit and hit.sure):
            band = Band.SAME_ITEM
        return Match(band, tuple(reasons), round(min(1.0, hit.score), 3) if hit else 1.0)

    @cached_property
    def _hits(self) -> Mapping[str, Hit]:
        return {hit.picture_id: hit for hit in (*self.part.pictures, *self.part.products)}

    def _is_of_kind(self, product: Product, hit: Hit) -> bool:
        """Of the kind that the picture is said to show, or that most of its neighbours are of."""
        said = self.part is self.matches and singular(product.kind) == self.kind
        return said or product.kind == self._kind_around(hit)

    def _kind_around(self, hit: Hit) -> str:
        """The kind that most of the nearest products of the same thing are of; empty when they disagree."""
        if hit.box not in self._kinds_by_box:
            near = [one for one in self.part.products if shared(one.box, hit.box) > SAME_THING]
            found = (self.shelf.products.get(one.product_id) for one in sorted(near, key=lambda one: -one.score)[:NEAREST])
            kinds = Counter(product.kind for product in found if product)
            kind, count = next(iter(kinds.most_common(1)), ("", 0))
            self._kinds_by_box[hit.box] = kind if count >= AGREE else ""
        return self._kinds_by_box[hit.box]

    @cached_property
    def _kinds_by_box(self) -> dict[Crop, str]:
        return {}

    def in_order(self, hits: Sequence[Hit]) -> Sequence[Hit]:
        """The same: what the query names first (§3, q), what is known to be in the picture, what is written there, then the rest.

        What does not look similar is not in it, whatever is asked.
        """
        known = {hit.product_id for hit in self.same_hits} - {""} if self.part is self.matches else set()
        known |= self.exact
        if not (self.named or known or self.read):
            return hits

        def place(hit: Hit) -> tuple[bool, bool, int]:
            return hit.picture_id not in self.named, hit.product_id not in known, -self.read.get(hit.product_id, 0)

        return sorted(hits, key=place)

    def in_whole(self, box: Crop) -> Crop:
        """A box of the crop as fractions of the whole picture (§4, region and crop)."""
        width, height = self.crop.right - self.crop.left, self.crop.bottom - self.crop.top
        return Crop(
            self.crop.left + box.left * width,
            self.crop.top + box.top * height,
            self.crop.left + box.right * width,
            self.crop.top + box.bottom * height,
        )

    def thumbnail(self, pictures: Sequence[str]) -> str:
        """The address of the first picture, small; empty without one."""
        found = next((self.shelf.pictures[key] for key in pictures if key in self.shelf.pictures), None)
        return self.links.thumbnail(found)[0] if found else ""

    @cached_property
    def near(self) -> tuple[Product, ...]:
        """The nearest products, best first; the asked picture's own leads."""
        ids = [self.own.product_id] if self.own else []
        ids += [hit.product_id for hit in self.matches.copies] + [hit.product_id for hit in self.matches.products]
        found = (self.shelf.products.get(key) for key in dict.fromkeys(ids))
        return tuple(product for product in found if product and self.shows(product))[:NEAREST]

    @cached_property
    def certain(self) -> Product | None:
        """The product of this very picture: asked about by name, a copy of it, or known by its code."""
        copies = {hit.product_id for hit in self.same_hits} | self.exact
        return next((product for product in self.near if product.id in copies), None)

    @cached_property
    def leads(self) -> bool:
        """Whether the first of the nearest is known or so clearly the best that the others have no say."""
        scores = [hit.score for hit in self.matches.products]
        return self.certain is not None or (bool(scores) and scores[0] >= max(scores[1:], default=0.0) + LEAD)

    def agreed(self, read: Callable[[Product], str]) -> str:
        """What a leading product says, or else what most of the nearest say, the best of them among these."""
        said = [read(product) for product in ((self.certain,) if self.certain else self.near)]
        if not said or not said[0]:
            return ""
        count = Counter(said)[said[0]]
        return said[0] if self.leads or (count > 1 and count * 2 >= len(said)) else ""

    @cached_property
    def kind(self) -> str:
        """What it is: `espresso cup`; empty when the nearest disagree."""
        return singular(self.agreed(lambda product: product.kind))

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """What is in the picture: the kind, or where several things lie apart, the kinds of the first two."""
        if self.kind or self.matches.things < 2:  # noqa: PLR2004 (one thing, about which the nearest disagree)
            return (self.kind,) if self.kind else ()
        best = (singular(product.kind) for product in self.near[: self.matches.things] if product.kind)
        return tuple(dict.fromkeys(best))[:2]

    @cached_property
    def material(self) -> str:
        """The main one: `plastic` of `plastic, leatherette`."""
        main = self.agreed(lambda product: product.material.partition(",")[0].strip())
        return main if main.isupper() else main.lower()

    @cached_property
    def colour(self) -> str:
        """The maker's word where we know the product; else what we see, when the best neighbour says the same.

        A photo shows more than one thing: a colour that no neighbour confirms may be the table's.
        """
        if self.certain and self.certain.color:
            return " and ".join(said_colours(self.certain.color))
        if not self.near:
            return self.look.colour
        return next((said for said in said_colours(self.near[0].color) if same_colour(said, self.look.colour)), "")

    @cached_property
    def described(self) -> str:
        """Colour, material and kind in words: `blue stoneware mug`; of several things the kinds alone; empty without one."""
        if not self.kind:
            return " and ".join(self.kinds)
        words: list[str] = []
        for part in (self.colour, self.material, self.kind):
            words += [word for word in part.split() if word not in words or word == "and"]
        return " ".join(words)
