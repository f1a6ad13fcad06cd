"""Where to buy a product: the modal with its offers, and the message that shares them (cards.md §9.5, §9.5b)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bot import money
from bot.insights.model import Availability, ImageObject, Offer
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, actions, alert, context, divider, image, section
from bot.slack.buttons import link, more_stores, retry_offers, sort_offers
from bot.slack.cards import products
from bot.slack.cards.context import CardContext, Sort, ViewState
from bot.slack.cards.views import divided, modal, state_of, window
from bot.slack.values import block_id

PAGE, PAGES = 8, 2
SHARED = 10  # rows of the shared table
SORTABLE = 3  # fewer offers need no sorting
SELLER = 60

WORDS = {
    Availability.IN_STOCK: "In stock",
    Availability.LIMITED: "Few left",
    Availability.ONLINE_ONLY: "Online only",
    Availability.IN_STORE_ONLY: "In store only",
    Availability.PRE_ORDER: "Pre-order",
    Availability.OUT_OF_STOCK: "Out of stock",
    Availability.SOLD_OUT: "Sold out",
    Availability.DISCONTINUED: "Discontinued",
}
GONE = frozenset({Availability.OUT_OF_STOCK, Availability.SOLD_OUT, Availability.DISCONTINUED})
_SECTION = 600  # of lines; a single one may be longer
TERMS = "without shipping or tax"


def loading(ctx: CardContext, product: ImageObject, number: int) -> Payload:
    """The view to open at once; `number` is the product's, from 1."""
    return _view(ctx, product, replace(state_of(ctx), product=number), [context(":mag: Checking stores…")])


def failed(ctx: CardContext, product: ImageObject, number: int) -> Payload:
    text = "The price service isn’t answering. Nothing was lost: try again in a minute."
    blocks = [alert(text, "error"), *actions([retry_offers.element(ctx.rid, number)])]
    return _view(ctx, product, replace(state_of(ctx), product=number), blocks)


def view(
    ctx: CardContext,
    product: ImageObject,
    number: int,
    offers: Sequence[Offer],
    *,
    sort: Sort = Sort.PRICE,
    start: int = 0,
    until: int = PAGE,
    search_url: str = "",
    shared: bool = False,
) -> Payload:
    """The offers, or that there are none. `search_url` is a web search for the product, for when there are none."""
    state = ViewState(ctx.rid, ctx.channel, ctx.thread, number, sort, start, until)
    listed = ordered(offers, ctx.market, sort)
    if not listed:
        return _view(ctx, product, replace(state, until=0), _nothing(search_url))
    state = window(state, page=PAGE, pages=PAGES, total=len(listed))
    best = cheapest(listed, ctx.market)
    mixed = len(_currencies(listed)) > 1
    shown = list(enumerate(listed))[state.start : state.until]
    blocks = [
        *([alert("Shared in the thread.", "success")] if shared else []),
        _head(ctx, product, number),
        *(actions([sort_offers.element(sort)], block_id=_name(ctx, number, "sort")) if len(listed) >= SORTABLE else []),
        *divided(
            [_offer(ctx, offer, f"{_name(ctx, number, f'o{at}')}:{sort}", at, mixed=mixed, best=best) for at, offer in shown]
        ),
        *actions(
            [more_stores.element(ctx.rid, state.until) if state.until < len(listed) else None],
            block_id=_name(ctx, number, "more"),
        ),
        divider(),
        context(_terms(listed)),
    ]
    return modal("offers", "Where to buy", blocks, state, submit="" if shared or not ctx.channel else "Share in thread")


def share(ctx: CardContext, product: ImageObject, offers: Sequence[Offer], *, by: str, table: bool = True) -> Payload:
    """The message for the thread; without `table` the same as lines of text. `by` is who shares it. Needs an offer."""
    listed = ordered(offers, ctx.market)
    shown, mixed = listed[:SHARED], len(_currencies(listed)) > 1
    rows = [_table(ctx, shown, mixed)] if table else _sections([_line(ctx, offer, mixed) for offer in shown])
    name, best = mrkdwn.cut(product.name, 150), cheapest(listed, ctx.market)
    blocks = [
        section("\n".join(line for line in (f"*Where to buy: {mrkdwn.words(name, 150)}*", _best(ctx, best, mixed)) if line)),
        *rows,
        context(f"Shared by <@{by}> · {TERMS}"),
    ]
    return {"text": _fallback(ctx, name, listed, best, mixed), "blocks": blocks}


def ordered(offers: Sequence[Offer], market: str, sort: Sort = Sort.PRICE) -> list[Offer]:
    """As shown: unavailable last; the market's currency first; then as asked. The same seller at the same price only once."""
    main = money.main_currency((offer.currency for offer in offers), market)

    def price(offer: Offer) -> tuple[Any, ...]:
        known = money.priced(offer.price, offer.currency)
        return (
            not known,
            offer.price if known else 0,
            offer.availability is not Availability.IN_STOCK,
            _seller(offer).casefold(),
        )

    keys: dict[Sort, Callable[[Offer], tuple[Any, ...]]] = {
        Sort.PRICE: price,
        Sort.STOCK: lambda offer: (offer.availability is not Availability.IN_STOCK, *price(offer)),
        Sort.NAME: lambda offer: (_seller(offer).casefold(), *price(offer)),
    }

    def key(offer: Offer) -> tuple[Any, ...]:
        return (offer.availability in GONE, offer.currency != main, offer.currency, *keys[sort](offer))

    once: dict[tuple[Any, ...], Offer] = {}
    for offer in sorted(offers, key=key):
        once.setdefault((_seller(offer).casefold(), offer.price, offer.currency), offer)
    return list(once.values())


def cheapest(offers: Sequence[Offer], market: str) -> Offer | None:
    """The cheapest that can be bought, in the main currency."""
    buyable = [o for o in offers if o.availability not in GONE and money.priced(o.price, o.currency)]
    main = money.main_currency((offer.currency for offer in buyable), market)
    return next((offer for offer in ordered(buyable, market) if offer.currency == main), None)


def _view(ctx: CardContext, product: ImageObject, state: ViewState, blocks: list[Block]) -> Payload:
    return modal("offers", "Where to buy", [_head(ctx, product, state.product), *blocks], state)


def _name(ctx: CardContext, number: int, part: str) -> str:
    return block_id(ctx.rid, f"p{number}", part)


def _head(ctx: CardContext, product: ImageObject, number: int) -> Block:
    return products.head(product, ctx, _name(ctx, number, "head"), joint=" at ")


def _nothing(search_url: str) -> list[Block]:
    search = link.element("Search the web", search_url, "search")
    hint = "Try another product, or search the web for it." if search else "Try another product."
    return [section(f"*No store lists this product right now*\n{hint}"), *actions([search])]


def _seller(offer: Offer) -> str:
    return mrkdwn.plainly(offer.seller.name) or mrkdwn.host(offer.url) or "Store"


def _price(ctx: CardContext, offer: Offer, mixed: bool) -> str:
    if offer.price is None or not money.priced(offer.price, offer.currency):
        return "Price at store"
    return money.fmt(offer.price, offer.currency, ctx.market, code=mixed)


def _was(ctx: CardContext, offer: Offer, mixed: bool) -> str:
    """What it cost before, where that is more than it costs now."""
    if offer.was is None or offer.price is None or offer.availability in GONE or offer.was <= offer.price:
        return ""
    known = money.priced(offer.was, offer.currency) and money.priced(offer.price, offer.currency)
    return f"was {money.fmt(offer.was, offer.currency, ctx.market, code=mixed)}" if known else ""


def _offer(ctx: CardContext, offer: Offer, name: str, at: int, *, mixed: bool, best: Offer | None) -> list[Block]:
    price, seller, gone = _price(ctx, offer, mixed), _seller(offer), offer.availability in GONE
    visit = None if gone else link.element("Visit store", offer.url, f"offer.{at}", about=f"{mrkdwn.cut(seller, 40)}, {price}")
    strong = f"~{price}~" if gone else f"*{price}*"
    first = section(f"{strong} · {mrkdwn.words(seller, SELLER)}", accessory=visit, block_id=name)
    logo = image(offer.seller.logo_url, f"{mrkdwn.cut(seller, SELLER)} logo") if ctx.pictures else None
    facts = (
        WORDS[offer.availability] if offer.availability else "",
        "*lowest price*" if offer is best else "",
        _was(ctx, offer, mixed),
        "matched by picture and name" if offer.inferred else "",
        f"checked {money.day(offer.last_updated, ctx.today, ctx.market)}" if offer.last_updated else "",
    )
    line = " · ".join(fact for fact in facts if fact)
    return [first, context(logo, line or mrkdwn.words(seller, SELLER))] if logo or line else [first]


def _currencies(offers: Sequence[Offer]) -> list[str]:
    return list(dict.fromkeys(o.currency for o in offers if money.priced(o.price, o.currency)))


def _terms(offers: Sequence[Offer]) -> str:
    codes = _currencies(offers)
    known = f" in {' and '.join(filter(None, (', '.join(codes[:-1]), codes[-1])))}," if codes else ""
    return f"Prices{known} {TERMS}. Stores can change them at any time."


def _best(ctx: CardContext, best: Offer | None, mixed: bool) -> str:
    if best is None:
        return ""
    stock = f", {WORDS[best.availability].lower()}" if best.availability else ""
    return f"Lowest price *{_price(ctx, best, mixed)}* at {mrkdwn.link(best.url, _seller(best), SELLER)}{stock}"


def _line(ctx: CardContext, offer: Offer, mixed: bool) -> str:
    price, gone = _price(ctx, offer, mixed), offer.availability in GONE
    stock = f", {WORDS[offer.availability].lower()}" if offer.availability else ""
    name = mrkdwn.words(_seller(offer), SELLER) if gone else mrkdwn.link(offer.url, _seller(offer), SELLER)
    return f"• {f'~{price}~' if gone else f'*{price}*'} {name}{stock}"


def _sections(lines: Sequence[str]) -> list[Block]:
    """The lines in as few sections as hold them."""
    texts = [""]
    for line in lines:
        if mrkdwn.size(texts[-1]) + mrkdwn.size(line) >= _SECTION:
            texts.append("")
        texts[-1] += f"\n{line}" if texts[-1] else line
    return [section(text) for text in texts]


def _table(ctx: CardContext, offers: Sequence[Offer], mixed: bool) -> Block:
    codes = _currencies(offers)
    head = [_cell("Store"), _cell(f"Price ({codes[0]})" if len(codes) == 1 and not mixed else "Price"), _cell("Availability")]
    settings = [{"is_wrapped": True}, {"align": "right"}, {"is_wrapped": True}]
    return {"type": "table", "column_settings": settings, "rows": [head, *(_row(ctx, offer, mixed) for offer in offers)]}


def _row(ctx: CardContext, offer: Offer, mixed: bool) -> list[Block]:
    name, address = mrkdwn.cut(_seller(offer), SELLER), mrkdwn.web_url(offer.url)
    linked = {"type": "rich_text_section", "elements": [{"type": "link", "text": name, "url": address}]}
    store = {"type": "rich_text", "elements": [linked]} if address else _cell(name)
    if offer.price is None or mixed or not money.priced(offer.price, offer.currency):
        price = _price(ctx, offer, mixed)
    else:
        price = money.amount(offer.price, offer.currency, ctx.market)
    return [store, _cell(price), _cell(WORDS[offer.availability] if offer.availability else "–")]


def _cell(text: str) -> Block:
    return {"type": "raw_text", "text": text}


def _fallback(ctx: CardContext, name: str, offers: Sequence[Offer], best: Offer | None, mixed: bool) -> str:
    if best is None:
        found = products.count(len(offers), "store", "stores")
    else:
        stock = f", {WORDS[best.availability].lower()}" if best.availability else ""
        found = f"lowest price {_price(ctx, best, mixed)} at {mrkdwn.cut(_seller(best), SELLER)}{stock}"
    return mrkdwn.words(f"Where to buy {name}: {found}.", 300, room=300)
