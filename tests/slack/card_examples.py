"""Every card in every state, from the goods of the demo catalogue: what the tests validate and the golden files show."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from bot.insights.model import (
    OWN,
    AggregateOffer,
    Article,
    Availability,
    Caption,
    Crop,
    ImageObject,
    Insights,
    Offer,
    Query,
    Rating,
    SafeSearch,
    Seller,
    Shortfall,
    Tag,
)
from bot.jobs import ImageRef
from bot.language import speaking
from bot.saved import Saved
from bot.slack.blockkit import Surface
from bot.slack.cards import (
    adding,
    home,
    insights,
    link,
    notices,
    opinions,
    pages,
    regions,
    result,
    saving,
    settings,
    sharing,
    shopping_sources,
    similar_images,
    similar_products,
    views,
)
from bot.slack.cards.context import CardContext, Sort, ViewState
from bot.slack.cards.notices import Kind
from bot.teams import SHORT, Preferences

GOODS = (
    ("Harbour Stripe Straight Mug", "12.45", "14.95", 3, Rating(4.1, 7)),
    ("Speckled Oat Barrel Mug", "15.45", "16.95", 2, Rating(4.3, 10)),
    ("Camp Mug Forest Enamel", "11.95", "12.45", 2, None),
    ("Cobalt Glaze Tall Mug", "17.50", "17.50", 1, Rating(4.8, 1)),
    ("Terracotta Espresso Mug", "7.25", "12.99", 9, Rating(4.2, 1451)),
    ("Slate Demitasse Cup", "14.50", "22.00", 4, None),
    ("Bone White Latte Cup", "11.00", "11.00", 1, None),
    ("Sage Cappuccino Cup & Saucer", "12.00", "19.90", 5, Rating(4.4, 137)),
    ("Ink Blue Tumbler", "9.00", "9.00", 1, None),
    ("Fern Teapot", "34.00", "41.00", 2, None),
)
SEVERAL = ImageRef(file_id="F2", number=2, total=3, album=("F1", "F2", "F3"))
CONTEXT = CardContext("r8Kd2m", 1763800000, "U0ANA", "U0BEN", channel="C0PHOTOS", thread="1763800000.000100")


def product(number: int, *, name: str = "", currency: str = "USD") -> ImageObject:
    title, low, high, stores, rating = GOODS[number % len(GOODS)]
    return ImageObject(
        token=f"mg{number:02}",
        name=name or title,
        content_url=f"https://pictures.example/mg{number:02}.jpg",
        thumbnail_url=f"https://pictures.example/th?id=mg{number:02}&w=480&h=300",
        host_page_url=f"https://cupandcorner.example/p/mg{number:02}",
        host_page_display_url=f"cupandcorner.example/p/mg{number:02}",
        width=1600,
        height=1249,
        aggregate_offer=AggregateOffer(name or title, currency, Decimal(low), Decimal(high), stores, rating),
    )


def bare(name: str) -> ImageObject:
    """All that the wire promises and no more."""
    return ImageObject(token="", name=name, content_url="", thumbnail_url="")


def found(many: int = 10, *, name: str = "", currency: str = "USD") -> Insights:
    """What the engine says about a photo, with so many products and images. A name replaces every text of other people."""
    things = tuple(product(number, name=name, currency=currency) for number in range(many))
    tags = ("mug", "Stoneware", "stoneware", "navy stripes", "handle", "table", "coffee")
    return Insights(
        token="up01",
        caption=Caption(name or "Navy striped mug on a wooden table.", "https://www.cupandcorner.example/p/mg01"),
        best_query=Query(name or "striped mug", name or "Striped mug"),
        tags=tuple(Tag(name or tag) for tag in tags),
        similar_images=things,
        similar_products=things,
    )


NOTHING = Insights("up02")
DAY = date(2025, 11, 21)


def offer(seller: str, price: str, availability: Availability | None, *, currency: str = "USD", logo: str = "") -> Offer:
    host = seller.lower().replace(" ", "").replace("&", "and")
    address = f"https://{host}.example/p/harbour-stripe-straight-mug" if host.isascii() and host.isalnum() else ""
    shop = Seller(seller, f"https://pictures.example/{logo}" if logo else "")
    return Offer("Harbour Stripe Straight Mug", address, shop, Decimal(price) if price else None, currency, availability, DAY)


OFFERS = (
    offer("Valbazaar", "8.75", Availability.OUT_OF_STOCK, logo="valbazaar.webp"),
    offer("Hearthline Home", "18.00", Availability.PRE_ORDER),
    offer("Cup & Corner", "9.99", Availability.IN_STOCK, logo="cupandco.png"),
    offer("Nordhaus Markt", "12.00", Availability.LIMITED, logo="nordhaus.png"),
    offer("Cup & Corner", "9.99", Availability.SOLD_OUT),
    offer("Thames & Fern", "12.00", Availability.IN_STOCK),
    offer("Kitchen Corner", "", None),
)
MIXED = (
    offer("Nordhaus Markt", "7.00", Availability.IN_STOCK, currency="EUR"),
    offer("Thames & Fern", "8.95", Availability.IN_STOCK, currency="GBP"),
    offer("Cup & Corner", "14.95", Availability.IN_STOCK),
    offer("Hearthline Home", "13.95", Availability.DISCONTINUED),
)
CHEAPER = (
    replace(offer("Cup & Corner", "19.00", Availability.IN_STOCK, logo="cupandco.png"), was=Decimal("24.00")),
    replace(offer("Nordhaus Markt", "21.00", Availability.LIMITED), was=Decimal("20.00")),
    offer("Thames & Fern", "22.00", Availability.IN_STOCK),
    replace(offer("Hearthline Home", "18.00", Availability.SOLD_OUT), was=Decimal("25.00")),
)
INFERRED = (CHEAPER[0], replace(offer("Thames & Fern", "18.00", Availability.IN_STOCK), inferred=True))
MANY = tuple(offer(f"Store {number:02}", f"{10 + number}.00", Availability.IN_STOCK) for number in range(30))

STRANGE = {
    "300 characters": "Harbour Stripe Mug " * 15 + "of the house!!!",
    "one long word": "M" * 300,
    "ampersands": "&<>" * 100,
    "CJK": "海の縞模様のまっすぐなマグカップ、三百五十ミリリットル" * 6,
    "emoji": "👩🏽‍🚀🏴󠁧󠁢󠁥󠁮󠁧󠁿🇩🇪☕️" * 20,
    "RTL": "كوب خزفي مخطط باللون الأزرق \u202e\u200fevil\u200e " * 4,
    "a call to everybody": "<!channel> <!here> <@U0ANA> <!subteam^S1> <https://evil.example|look>",
    "markup": "*_~5* mug~_* `code` __init__ > quote",
    "control characters": "Mug\x00\x1b[31m\u2028\r\nred\ud800\ufeff",
    "formats": "{0} %s {context.rid} {{}} %(name)s",
}


class Example(NamedTuple):
    """`name` is `<card>.<state>`, as the golden file is called."""

    name: str
    surface: Surface
    payload: dict[str, Any]


def insight_cards() -> Iterator[Example]:
    some = found()
    cards = {
        "full": (some, CONTEXT),
        "five": (found(5), replace(CONTEXT, rev=2)),
        "one": (found(1), CONTEXT),
        "classic": (some, replace(CONTEXT, style="classic")),
        "classic_three": (found(3), replace(CONTEXT, style="classic")),
        "from_similar_image": (some, replace(CONTEXT, image=ImageRef(token="mg07"))),
        "one_of_several": (some, replace(CONTEXT, image=SEVERAL)),
        "no_pictures": (some, replace(CONTEXT, pictures=False)),
        "no_products": (replace(some, similar_products=()), CONTEXT),
        "bare": (replace(NOTHING, tags=(Tag("mug"), Tag("table")), similar_products=(bare("Plain mug"),)), CONTEXT),
        "nothing": (NOTHING, replace(CONTEXT, requester="")),
        "germany": (found(2, currency="EUR"), replace(CONTEXT, market="de-DE")),
        "no_currency": (found(2, currency=""), CONTEXT),
        "from_the_catalogue": (replace(found(1), source=OWN), CONTEXT),
        "from_a_live_source": (replace(found(1), source="Google Lens"), CONTEXT),
        "partial": (replace(some, similar_products=()), replace(CONTEXT, waiting=True)),
        "took_too_long": (replace(some, similar_products=()), replace(CONTEXT, rev=2, shortfall=Shortfall.LATE)),
        "used_up": (replace(some, similar_products=()), replace(CONTEXT, shortfall=Shortfall.SPENT)),
        "mixed_currencies": (replace(some, similar_products=(product(4, currency="EUR"), *some.similar_products[:2])), CONTEXT),
    }
    for state, (insights_found, context) in cards.items():
        yield Example(f"insights.{state}", "message", insights.card(insights_found, context))


def offer_views() -> Iterator[Example]:
    mug = product(0)
    views: dict[str, Callable[[], dict[str, Any]]] = {
        "loading": lambda: shopping_sources.loading(CONTEXT, mug, 1),
        "error": lambda: shopping_sources.failed(CONTEXT, mug, 1),
        "ok": lambda: shopping_sources.view(CONTEXT, mug, 1, OFFERS),
        "in_stock_first": lambda: shopping_sources.view(CONTEXT, mug, 1, OFFERS, sort=Sort.STOCK),
        "by_name": lambda: shopping_sources.view(CONTEXT, mug, 1, OFFERS, sort=Sort.NAME),
        "shared": lambda: shopping_sources.view(CONTEXT, mug, 1, OFFERS[:3], shared=True),
        "one": lambda: shopping_sources.view(CONTEXT, mug, 1, OFFERS[2:3]),
        "many": lambda: shopping_sources.view(CONTEXT, mug, 1, MANY),
        "more": lambda: shopping_sources.view(CONTEXT, mug, 1, MANY, until=24),
        "mixed_currencies": lambda: shopping_sources.view(CONTEXT, mug, 1, MIXED),
        "cheaper_now": lambda: shopping_sources.view(CONTEXT, mug, 1, CHEAPER),
        "inferred": lambda: shopping_sources.view(CONTEXT, mug, 1, INFERRED),
        "no_prices": lambda: shopping_sources.view(CONTEXT, bare("Plain mug"), 1, OFFERS[-1:]),
        "empty": lambda: shopping_sources.view(CONTEXT, mug, 1, (), search_url="https://search.example/?q=mug"),
        "empty_no_search": lambda: shopping_sources.view(CONTEXT, mug, 1, ()),
    }
    for state, view in views.items():
        yield Example(f"offers.{state}", "modal", view())


def shared_offers() -> Iterator[Example]:
    for state, offers in {"table": OFFERS, "mixed_currencies": MIXED, "many": MANY, "no_prices": OFFERS[-1:]}.items():
        yield Example(f"shared_offers.{state}", "message", shopping_sources.share(CONTEXT, product(0), offers, by="U0ANA"))
        lines = shopping_sources.share(CONTEXT, product(0), offers, by="U0ANA", table=False)
        yield Example(f"shared_offers.{state}_as_lines", "message", lines)


def lists() -> Iterator[Example]:
    for many in (0, 1, 8, 30):
        yield Example(f"similar_products.{many}", "modal", similar_products.view(CONTEXT, found(many), start=0))
        yield Example(f"similar_images.{many}", "modal", similar_images.view(CONTEXT, found(many)))
    yield Example("similar_products.after_the_card", "modal", similar_products.view(CONTEXT, found(10), start=5))
    yield Example("similar_products.third_page", "modal", similar_products.view(CONTEXT, found(30), until=24))
    yield Example("similar_images.fifth_page", "modal", similar_images.view(CONTEXT, found(30), until=30))


def messages() -> Iterator[Example]:
    for kind in notices.Kind:
        yield Example(f"error.{kind.name.lower()}", "message", notices.problem(kind, "r8Kd2m"))
    for state, payload in {
        "remove": notices.only_for("U0BEN"),
        "asked": notices.asked("U0ANA", "https://pictures.example/mug.jpg"),
        "asked_no_picture": notices.asked("U0ANA", "https://pictures.example/mug.jpg", pictures=False),
        "channel_on": notices.channel("U0ANA", "C0PHOTOS", on=True),
        "channel_off": notices.channel("U0ANA", "C0PHOTOS", on=False),
        "undone": notices.undone("U0ANA", "U0BEN", on=True),
        "photo_removed": notices.photo_removed(),
        "hello": notices.hello(),
        "help": notices.help_text(),
        "nothing_for": notices.nothing_for("blue elephant"),
        "looked_for": notices.asked("U0ANA", "", words="blue mug"),
        "say": notices.say("That file is 40 MB. I read pictures up to 20 MB."),
    }.items():
        yield Example(f"notice.{state}", "message", payload)


def homes() -> Iterator[Example]:
    lookups = [
        home.RecentLookup(
            "Navy striped mug on a wooden table", "C0PHOTOS", 1763800000, "https://acme.example/archives/C0PHOTOS/p1"
        ),
        home.RecentLookup("Red espresso cup", "D0ANA", 1763700000),
    ]
    yield Example("home.first_visit", "home", home.view(()))
    yield Example("home.recent", "home", home.view(lookups * 3))


JUG = Article("slack:T0", "r8Kd2m", "Grandma’s jug", Decimal("40.00"), "USD", "https://shop.example/jug")
FORM = views.state_of(CONTEXT)


KEPT = Saved("s8Kd2m", "T0", "U0ANA", product(0), "en-US", watching=True, below=Decimal("12.00"), created=1763800000.0)


def saving_a_product(name: str = "") -> Iterator[Example]:
    mug = product(0, name=name)
    kept = replace(KEPT, product=mug)
    best = replace(OFFERS[2], price=Decimal("9.99"))
    for state, view in {
        "form": saving.form(CONTEXT, mug, 1, None),
        "form_again": saving.form(CONTEXT, mug, 1, kept),
        "form_not_watching": saving.form(CONTEXT, mug, 1, replace(kept, watching=False)),
        "form_without_price": saving.form(CONTEXT, bare(name or "Plain mug"), 1, None),
        "saved": saving.done(CONTEXT, mug, None, ""),
        "watching": saving.done(CONTEXT, mug, Decimal("9.99"), "USD"),
    }.items():
        yield Example(f"save.{state}", "modal", view)
    yield Example("save.dropped", "message", saving.dropped(kept, best, Decimal("12.00"), pictures=True))
    yield Example("save.stopped", "message", saving.stopped(kept))
    yield Example("home.saved", "home", home.view((), [kept, replace(kept, sid="t9Le3n", watching=False)]))


def all_settings() -> Iterator[Example]:
    usual = Preferences("en-US")
    for state, view in {
        "loading": settings.loading("C0PHOTOS"),
        "for_admins": settings.refused(settings.FOR_ADMINS),
        "channel": settings.form("C0PHOTOS", usual),
        "channel_of_an_admin": settings.form(
            "C0PHOTOS", replace(usual, outside=True), elsewhere=["Google Vision", "Google Lens"]
        ),
        "workspace": settings.form("", Preferences("de-DE", SafeSearch.OFF, SHORT), answered=["C0PHOTOS"], adding=True),
        "workspace_fresh": settings.form("", usual),
        "saving": settings.saving(""),
        "saved": settings.saved("", []),
        "saved_but_one": settings.saved("", ["G0SECRET"]),
    }.items():
        yield Example(f"settings.{state}", "modal", view)


def choosing_an_item() -> Iterator[Example]:
    state = ViewState("r8Kd2m", "C0PHOTOS", "1763800000.000100")
    items = (("cup", Crop(0.1, 0.1, 0.4, 0.5)), ("spoon", Crop(0.5, 0.1, 0.7, 0.9)), ("saucer", Crop(0.1, 0.4, 0.5, 0.8)))
    choice = regions.Choice(state, items, "F0BOXES")
    for name, view in {
        "loading": regions.loading(CONTEXT),
        "items": regions.view(choice),
        "part": regions.view(choice, picked="xy"),
        "no_items": regions.view(regions.Choice(state, (), "F0PHOTO")),
        "no_picture": regions.view(regions.Choice(state)),
        "failed": regions.failed(CONTEXT, "I can't open that file. Post the picture here again."),
    }.items():
        yield Example(f"region.{name}", "modal", view)


def additions(title: str = JUG.title) -> Iterator[Example]:
    file, jug = ImageRef(file_id="F0JUG"), replace(JUG, title=title)
    url = ImageRef(url="https://pictures.example/jug.jpg")
    for state, payload in {
        "ask": adding.ask("r8Kd2m", title, "$40", 1),
        "ask_without_words": adding.ask("r8Kd2m", "", "", 1),
        "ask_for_several": adding.ask("r8Kd2m", "", "$40", 3),
        "switched_on": adding.switched(on=True),
        "switched_off": adding.switched(on=False),
        "off": adding.sentence(adding.SWITCHED_OFF),
        "elsewhere": adding.sentence(adding.ELSEWHERE),
        "for_admins": adding.sentence(adding.FOR_ADMINS),
        "not_yours": adding.not_yours("U0ANA"),
        "card": adding.card("r8Kd2m", "U0BEN", jug, market="en-US"),
        "card_bare": adding.card("r8Kd2m", "U0BEN", replace(jug, price=None, link=""), market="en-US"),
        "card_removed": adding.card("r8Kd2m", "U0BEN", jug, market="en-US", removed_by="U0CLEO"),
    }.items():
        yield Example(f"add.{state}", "message", payload)
    for state, view in {
        "form": adding.form(FORM, [file], title=title, price="$40", currency="USD"),
        "form_empty": adding.form(FORM, [url, file], title="", price="", currency="EUR"),
        "form_full": adding.form(FORM, [url], title="jug " * 99, price="9" * 99, link="https://a.example/" + "a" * 300),
        "adding": adding.adding(FORM, title),
        "added": adding.added(FORM, title),
        "failed": adding.failed(FORM, adding.SWITCHED_OFF),
    }.items():
        yield Example(f"add.{state}", "modal", view)


def page(number: int, name: str = "") -> ImageObject:
    title = name or f"Powerboating Dublin, sailing course {number}"
    published = f"2017-01-{number + 1:02}T00:00:00.0000000Z" if number else ""
    return replace(product(number), name=title, date_published=published)


SEARCHES = tuple(Query(words.lower(), words, f"https://search.example/?q={words[:4]}") for words in ("Espresso cups", "Saucers"))


def more_of_the_card(name: str = "") -> Iterator[Example]:
    """What hangs on the card besides products: pages, searches, opinions, sharing."""
    some, pages_of = found(10, name=name), replace(found(1), pages_including=tuple(page(number, name) for number in range(20)))
    queries = tuple(replace(query, display_text=name or query.display_text) for query in SEARCHES)
    for state, view in {
        "result.ask": result.ask(),
        "result.loading": result.loading(),
        "result.without_picture": result.without_picture(),
        "result.failed": result.failed(notices.problem(Kind.DOWNLOAD, "r8Kd2m")),
        "result.ok": result.view(CONTEXT, some, ImageRef(file_id="F0CUP"), can_post=True),
        "result.of_words": result.view(CONTEXT, some, ImageRef(words="cup"), can_post=False),
        "result.no_products": result.view(CONTEXT, NOTHING, ImageRef(url="https://a.example/a.jpg"), can_post=True),
        "pages.ok": pages.view(CONTEXT, pages_of),
        "pages.third_page": pages.view(CONTEXT, pages_of, until=20),
        "pages.empty": pages.view(CONTEXT, NOTHING),
        "related.loading": pages.searching(CONTEXT),
        "related.ok": pages.related(CONTEXT, queries),
        "related.empty": pages.related(CONTEXT, ()),
        "feedback.form": opinions.view(CONTEXT, some),
        "feedback.form_without_products": opinions.view(CONTEXT, NOTHING),
        "share.form": sharing.view(CONTEXT),
        "share.sharing": sharing.sharing(CONTEXT),
        "share.shared": sharing.shared(CONTEXT, "C0KITCHEN"),
        "share.refused": sharing.refused(CONTEXT, "I can’t post in that channel. Invite me there first."),
    }.items():
        yield Example(state, "modal", view)
    link = "https://acme.slack.example/archives/C0PHOTOS/p1"
    yield Example("share.message", "message", sharing.message(some, CONTEXT, by="U0ANA", note=name or "Look at these", link=link))
    yield Example("share.message_bare", "message", sharing.message(NOTHING, CONTEXT, by="U0ANA"))
    yield Example("insights.short", "message", insights.short(some, CONTEXT))
    yield Example("insights.short_one_of_several", "message", insights.short(some, replace(CONTEXT, image=SEVERAL)))
    yield Example("insights.short_nothing", "message", insights.short(NOTHING, CONTEXT))
    yield Example("insights.with_pages", "message", insights.card(pages_of, CONTEXT))


def links() -> Iterator[Example]:
    """What is shown below links of the operator's shop; Slack adds no text of its own."""
    mug, at = product(0), "https://cupandcorner.example/p/mg00"
    here = MANY[0]
    for name, one, offer in (
        ("ok", mug, here),
        ("one_store", replace(mug, aggregate_offer=None, shopping_sources_count=1, rating=None), here),
        ("sold_out", mug, replace(here, availability=Availability.OUT_OF_STOCK)),
        ("no_price", mug, replace(here, price=None)),
    ):
        yield Example(f"link.{name}", "message", shown_below(at, one, offer))


def shown_below(url: str, mug: ImageObject, offer: Offer) -> dict[str, Any]:
    preview = link.preview(CONTEXT, url, mug, offer)
    return {"text": preview["fallback"], "blocks": preview["blocks"]}


def in_other_languages() -> Iterator[Example]:
    """The card and its offers as people of other channels read them."""
    for language, market, currency in (
        ("de", "de-DE", "EUR"),
        ("fr", "fr-FR", "EUR"),
        ("es", "es-ES", "EUR"),
        ("ja", "ja-JP", "JPY"),
    ):
        context, some = replace(CONTEXT, market=market), found(3, currency=currency)
        offers = tuple(replace(one, currency=currency) for one in OFFERS)
        with speaking(language):
            yield Example(f"{language}.insights", "message", insights.card(some, context))
            yield Example(f"{language}.offers", "modal", shopping_sources.view(context, some.similar_products[0], 1, offers))
            yield Example(f"{language}.settings", "modal", settings.form("", Preferences(market, language=language)))


FAMILIES = (
    more_of_the_card,
    insight_cards,
    offer_views,
    shared_offers,
    links,
    lists,
    messages,
    homes,
    saving_a_product,
    all_settings,
    choosing_an_item,
    additions,
    in_other_languages,
)
"""Every function here that makes examples of our own."""


def examples() -> list[Example]:
    return [example for family in FAMILIES for example in family()]


def strange_examples(text: str, currency: str = "USD") -> Iterator[Example]:
    """Every card that shows texts of other people, all of which are this one."""
    for style in ("carousel", "classic"):
        for many in (0, 1, 10):
            context = replace(
                CONTEXT, style=style, image=ImageRef("F1", crop=(0, 0, 1, 1), item=text) if many == 1 else ImageRef("F1")
            )
            card = insights.card(found(many, name=text, currency=currency), context)
            yield Example(f"insights.{style}.{many}", "message", card)
    some, mug = found(10, name=text, currency=currency), product(0, name=text, currency=currency)
    offers = [
        replace(old, seller=Seller(text, f"https://pictures.example/{n}.png"), currency=currency) for n, old in enumerate(MANY)
    ]
    yield Example("offers.loading", "modal", shopping_sources.loading(CONTEXT, mug, 1))
    yield Example("offers.ok", "modal", shopping_sources.view(CONTEXT, mug, 1, offers))
    yield Example("offers.empty", "modal", shopping_sources.view(CONTEXT, mug, 1, ()))
    yield Example("shared.table", "message", shopping_sources.share(CONTEXT, mug, offers, by="U0ANA"))
    yield Example("shared.lines", "message", shopping_sources.share(CONTEXT, mug, offers, by="U0ANA", table=False))
    yield Example("products", "modal", similar_products.view(CONTEXT, some))
    yield Example("images", "modal", similar_images.view(CONTEXT, some))
    yield Example("home", "home", home.view([home.RecentLookup(text, "C0PHOTOS", 1763800000, "https://acme.example/p1")]))
    yield Example("say", "message", notices.say(text))
    yield Example("link", "message", shown_below("https://shop.example/", mug, replace(offers[0], name=text)))
    yield from (
        one for one in additions(text) if one.name in {"add.ask", "add.adding", "add.added", "add.card", "add.card_removed"}
    )
