"""The insight card: what a photo shows and where to buy it (cards.md §9.1, §9.2, §9.4)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from babel.dates import format_date

from bot import money
from bot.insights.model import OWN, Insights, Shortfall
from bot.insights.refining import refine
from bot.language import listed, spoken, tr
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, actions, context, divider, section
from bot.slack.buttons import (
    card_menu,
    choose_item,
    more_products,
    pick_photo,
    rate,
    rate_down,
    remove_card,
    retry_card,
    show_products,
    similar_images,
)
from bot.slack.cards import conditions, products
from bot.slack.cards.context import CardContext
from bot.slack.values import block_id

FALLBACK = 300
TITLE = 150
TAGS, TAG = 5, 30
IN_CAROUSEL, IN_ROWS = products.SHOWN, 3

Part = Callable[[Insights, CardContext], list[Block]]


def card(found: Insights, ctx: CardContext, *, small: bool = False) -> Payload:
    """A message that shows everything found, or in short that there is something."""
    if small:
        return short(found, ctx)
    if ctx.waiting:
        return partial(found, ctx)
    return {"text": _fallback(found, ctx), "blocks": [block for part in PARTS for block in part(found, ctx)]}


def partial(found: Insights, ctx: CardContext) -> Payload:
    """What is known while products are still looked for elsewhere (§9.1)."""
    looking = context(":mag: " + tr("Looking for similar products…"), block_id=block_id(ctx.rid, "wait", ctx.rev))
    text = mrkdwn.words(tr("{title}. Still looking for products.", title=title(found)), FALLBACK, room=FALLBACK)
    return {"text": text, "blocks": [*_top(found, ctx), looking]}


def short(found: Insights, ctx: CardContext) -> Payload:
    """The card in two lines, with a way to its products (§9.3)."""
    shown, price = products.named(found), lowest(found, ctx)
    line = products.counted(len(shown), price) if shown else tr("No similar products found.")
    heading = f"*{mrkdwn.words(title(found), TITLE)}*\n{line}"
    named = block_id(ctx.rid, "top", ctx.rev)
    top = section(heading, accessory=show_products.element(ctx.rid, len(shown)) if shown else None, block_id=named)
    asker = tr("for {person}", person=f"<@{ctx.requester}>") if ctx.requester else ""
    small = " · ".join(part for part in (tags(found), asker) if part)
    return {"text": _fallback(found, ctx), "blocks": [top, *([context(small)] if small else []), *_photo(found, ctx)]}


def is_empty(found: Insights) -> bool:
    """Nothing recognised at all: no card, or the notice "nothing" to those who asked."""
    return not (found.caption or found.tags or products.named(found) or found.similar_images)


def title(found: Insights) -> str:
    """The first that exists of caption, best query, first two tags, "Photo" (not escaped). One tag alone says too little."""
    candidates = (
        found.caption.caption if found.caption else "",
        found.best_query.display_text if found.best_query else "",
        listed([tag.name for tag in found.tags[:2]]) if len(found.tags) > 1 else "",
    )
    text = next((text for candidate in candidates if (text := mrkdwn.plainly(candidate).rstrip(". "))), tr("Photo"))
    return mrkdwn.cut(text[0].upper() + text[1:], TITLE)


def lowest(found: Insights, ctx: CardContext) -> str:
    """The lowest price in the main currency, formatted; "" where none is known."""
    offers = [product.aggregate_offer for _, product in products.named(found) if product.aggregate_offer]
    currency = money.main_currency((offer.currency for offer in offers), ctx.market)
    prices = [o.low_price for o in offers if o.currency == currency and money.priced(o.low_price, currency)]
    return money.fmt(min(prices), currency, ctx.market) if prices else ""


def _top(found: Insights, ctx: CardContext) -> list[Block]:
    heading = f"*{mrkdwn.words(title(found), TITLE)}*"
    small_print = tags(found)
    named = block_id(ctx.rid, "top", ctx.rev)
    if origin := _origin(ctx):
        return [section("\n".join(line for line in (heading, mrkdwn.words(origin, 80), small_print) if line), block_id=named)]
    small = [context(small_print, block_id=block_id(ctx.rid, "tags", ctx.rev))] if small_print else []
    return [section(heading, block_id=named), *small]


def tags(found: Insights) -> str:
    """`Tags: cup · saucer`, escaped; "" without any."""
    once: dict[str, str] = {}
    for tag in found.tags:
        if text := mrkdwn.words(tag.name, TAG):
            once.setdefault(text.casefold(), text)
    return tr("Tags: {tags}", tags=" · ".join(list(once.values())[:TAGS])) if once else ""


def _products(found: Insights, ctx: CardContext) -> list[Block]:
    shown = products.named(found)
    if not shown:
        nothing = tr("No similar products found.")
        hint = tr("Choosing one item in the photo often helps.") if _item(found, ctx) else ""
        if ctx.shortfall is not Shortfall.NONE:
            return _missing(ctx)
        return [section(" ".join(part for part in (nothing, hint) if part), block_id=block_id(ctx.rid, "none", ctx.rev))]
    heading = section(products.found(len(shown), lowest(found, ctx)), block_id=block_id(ctx.rid, "ph", ctx.rev))
    if ctx.style == "classic":
        rows = [block for number, product in shown[:IN_ROWS] for block in products.rows(product, number, ctx)]
        return [heading, *rows, divider()]
    cards = [products.card(product, number, ctx) for number, product in shown[:IN_CAROUSEL]]
    return [heading, {"type": "carousel", "block_id": block_id(ctx.rid, "prod", ctx.rev), "elements": cards}]


def _missing(ctx: CardContext) -> list[Block]:
    """Others could have known, and were not heard."""
    named = block_id(ctx.rid, "none", ctx.rev)
    if ctx.shortfall is Shortfall.SPENT:
        nothing, spent = tr("No similar products found."), tr("Today’s lookups are used up. They reset at midnight UTC.")
        return [section(f"{nothing}\n{spent}", block_id=named)]
    again = retry_card.element(ctx.rid, tr("Try again"))
    return [section(tr("Products took too long"), accessory=again, block_id=named)]


def _more(found: Insights, ctx: CardContext) -> Block | None:
    shown = IN_ROWS if ctx.style == "classic" else IN_CAROUSEL
    return more_products.element(ctx.rid, shown) if len(products.named(found)) > shown else None


def _images(found: Insights, ctx: CardContext) -> Block | None:
    return similar_images.element(ctx.rid) if found.similar_images else None


def _item(found: Insights, ctx: CardContext) -> Block | None:
    """Only of a picture, not of words; not of a part again."""
    whole = found.token and not (ctx.image.crop or ctx.image.token)
    return choose_item.element(ctx.rid) if whole else None


def _menu(found: Insights, ctx: CardContext) -> Block | None:
    pages, related = bool(found.pages_including), found.best_query is not None
    return card_menu.element(ctx.rid, pages=pages, related=related, remove=ctx.style == "classic")


ACTIONS: Sequence[Callable[[Insights, CardContext], Block | None]] = (_more, _item, _images, _menu)
"""The buttons below the products, in order; each decides whether it applies."""


def _photo(_: Insights, ctx: CardContext) -> list[Block]:
    """Which of several photos the card is about, and the way to the others (§6)."""
    image = ctx.image
    if not image.album:
        return []
    picker = pick_photo.element(ctx.rid, image.number, len(image.album))
    return actions([picker], block_id=block_id(ctx.rid, "photo", ctx.rev))


def _actions(found: Insights, ctx: CardContext) -> list[Block]:
    return actions((button(found, ctx) for button in ACTIONS), block_id=block_id(ctx.rid, "act", ctx.rev))


def _feedback(found: Insights, ctx: CardContext) -> list[Block]:
    """Thumbs and a bin; clients that do not know them get buttons, and the bin is in the menu (§12)."""
    if not products.named(found):
        return []
    if ctx.style == "classic":
        buttons = (rate.button_up(ctx.rid), rate_down.element(ctx.rid))
        return actions(buttons, block_id=block_id(ctx.rid, "fb", ctx.rev))
    mine = [person for person in dict.fromkeys((ctx.requester, ctx.owner)) if person]
    elements = [rate.element(ctx.rid), *([remove_card.element(ctx.rid, mine)] if mine else [])]
    return [{"type": "context_actions", "block_id": block_id(ctx.rid, "fb", ctx.rev), "elements": elements}]


def _footer(found: Insights, ctx: CardContext) -> list[Block]:
    source = found.caption.data_source_url if found.caption else ""
    moment = datetime.fromtimestamp(ctx.at, UTC)
    parts = (
        tr("Caption: {source}", source=mrkdwn.link(source, mrkdwn.host(source))) if mrkdwn.host(source) else "",
        _source(found),
        tr("For {person}", person=f"<@{ctx.requester}>") if ctx.requester else "",
        ctx.market,
        mrkdwn.date(ctx.at, f"{format_date(moment, locale=spoken())}, {moment:%H:%M} UTC"),
    )
    return [context(" · ".join(part for part in parts if part), block_id=block_id(ctx.rid, "foot", ctx.rev))]


PARTS: Sequence[Part] = (_top, _products, _photo, _actions, _feedback, _footer)
"""The card from top to bottom."""


def _source(found: Insights) -> str:
    """Who found it, where several could have."""
    if found.source == OWN:
        return tr("From the catalogue")
    return tr("From {service}", service=mrkdwn.words(found.source, 40)) if found.source else ""


def _fallback(found: Insights, ctx: CardContext) -> str:
    """What notifications and screen readers get instead of the blocks (cards.md §8)."""
    shown = products.named(found)
    if not shown:
        return mrkdwn.words(tr("{title}. No similar products found.", title=title(found)), FALLBACK, room=FALLBACK)
    best = shown[0][1]
    match = ", ".join(part for part in (mrkdwn.cut(best.name, products.TITLE), products.price(best, ctx)) if part)
    many, price = products.counted(len(shown), ""), lowest(found, ctx)
    counted = tr("{products} from {price}", products=many, price=price) if price else many
    text = tr("{title}. {products}. Top match: {match}.", title=title(found), products=counted, match=match)
    return mrkdwn.words(text, FALLBACK, room=FALLBACK)


def _origin(ctx: CardContext) -> str:
    """The card's second line, where it is not plain which picture it speaks of, or what of it."""
    image = ctx.image
    if image.alone:
        return ""
    if image.crop:
        return tr("From item {item}", item=image.item) if image.item else tr("From a part of the picture")
    which = ""
    if image.token:
        which = tr("From a similar image")
    elif image.total:
        which = tr("Photo {number} of {total}", number=image.number, total=image.total)
    only = conditions.described(refine(image.words), ctx.market)
    return " · ".join(part for part in (which, tr("Only {conditions}", conditions=only) if only else "") if part)
