"""Where to buy a product: the modal with its offers, and the message that shares them (cards.md §9.5, §9.5b)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bot import money
from bot.insights.model import Availability, ImageObject, Offer
from bot.language import listed, marked, tr
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
    Availability.IN_STOCK: marked("In stock"),
    Availability.LIMITED: marked("Few left"),
    Availability.ONLINE_ONLY: marked("Online only"),
    Availability.IN_STORE_ONLY: marked("In store only"),
    Availability.PRE_ORDER: marked("Pre-order"),
    Availability.OUT_OF_STOCK: marked("Out of stock"),
    Availability.SOLD_OUT: marked("Sold out"),
    Availability.DISCONTINUED: marked("Discontinued"),
}
_IN_SENTENCE = {
    Availability.IN_STOCK: marked("in stock"),
    Availability.LIMITED: marked("few left"),
    Availability.ONLINE_ONLY: marked("online only"),
    Availability.IN_STORE_ONLY: marked("in store only"),
    Availability.PRE_ORDER: marked("pre-order"),
    Availability.OUT_OF_STOCK: marked("out of stock"),
    Availability.SOLD_OUT: marked("sold out"),
    Availability.DISCONTINUED: marked("discontinued"),
}
GONE = frozenset({Availability.OUT_OF_STOCK, Availability.SOLD_OUT, Availability.DISCONTINUED})
_SECTION = 600  # of lines; a single one may be longer


def stock(availability: Availability | None) -> str:
    return tr(WORDS[availability]) if availability else ""


def loading(ctx: CardContext, product: ImageObject, number: int) -> Payload:
    """The view to open at once; `number` is the product's, from 1."""
    return _view(ctx, product, replace(state_of(ctx), product=number), [context(":mag: " + tr("Checking stores…"))])


def failed(ctx: CardContext, product: ImageObject, number: int) -> Payload:
    text = tr("The price service isn’t answering. Nothing was lost: try again in a minute.")
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
    rows = ordered(offers, ctx.market, sort)
    if not rows:
        return _view(ctx, product, replace(state, until=0), _nothing(search_url))
    state = window(state, page=PAGE, pages=PAGES, total=len(rows))
    best = cheapest(rows, ctx.market)
    mixed = len(_currencies(rows)) > 1
    shown = list(enumerate(rows))[state.start : state.until]
    blocks = [
        *([alert(tr("Shared in the thread."), "success")] if shared else []),
        _head(ctx, product, number),
        *(actions([sort_offers.element(sort)], block_id=_name(ctx, number, "sort")) if len(rows) >= SORTABLE else []),
        *divided(
            [_offer(ctx, offer, f"{_name(ctx, number, f'o{at}')}:{sort}", at, mixed=mixed, best=best) for at, offer in shown]
        ),
        *actions(
            [more_stores.element(ctx.rid, state.until) if state.until < len(rows) else None],
            block_id=_name(ctx, number, "more"),
        ),
        divider(),
        context(_terms(rows)),
    ]
    return modal("offers", tr("Where to buy"), blocks, state, submit="" if shared or not ctx.channel else tr("Share in thread"))


def share(ctx: CardContext, product: ImageObject, offers: Sequence[Offer], *, by: str, table: bool = True) -> Payload:
    """The message for the thread; without `table` the same as lines of text. `by` is who shares it. Needs an offer."""
    whole = ordered(offers, ctx.market)
    shown, mixed = whole[:SHARED], len(_currencies(whole)) > 1
    rows = [_table(ctx, shown, mixed)] if table else _sections([_line(ctx, offer, mixed) for offer in shown])
    name, best = mrkdwn.cut(product.name, 150), cheapest(offers, ctx.market)
    heading = tr("*Where to buy: {name}*", name=mrkdwn.words(name, 150))
    blocks = [
        section("\n".join(line for line in (heading, _best(ctx, best, mixed)) if line)),
        *rows,
        context(tr("Shared by {person} · without shipping or tax", person=f"<@{by}>")),
    ]
    return {"text": _fallback(ctx, name, whole, best, mixed), "blocks": blocks}


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
    return modal("offers", tr("Where to buy"), [_head(ctx, product, state.product), *blocks], state)


def _name(ctx: CardContext, number: int, part: str) -> str:
    return block_id(ctx.rid, f"p{number}", part)


def _head(ctx: CardContext, product: ImageObject, number: int) -> Block:
    return products.head(product, ctx, _name(ctx, number, "head"), sentence=True)


def _nothing(search_url: str) -> list[Block]:
    search = link.element(tr("Search the web"), search_url, "search")
    hint = tr("Try another product, or search the web for it.") if search else tr("Try another product.")
    nothing = tr("No store lists this product right now")
    return [section(f"*{nothing}*\n{hint}"), *actions([search])]


def _seller(offer: Offer) -> str:
    return mrkdwn.plainly(offer.seller.name) or mrkdwn.host(offer.url) or tr("Store")


def _price(ctx: CardContext, offer: Offer, mixed: bool) -> str:
    if offer.price is None or not money.priced(offer.price, offer.currency):
        return tr("Price at store")
    return money.fmt(offer.price, offer.currency, ctx.market, code=mixed)


def _was(ctx: CardContext, offer: Offer, mixed: bool) -> str:
    """What it cost before, where that is more than it costs now."""
    if offer.was is None or offer.price is None or offer.availability in GONE or offer.was <= offer.price:
        return ""
    known = money.priced(offer.was, offer.currency) and money.priced(offer.price, offer.currency)
    return tr("was {price}", price=money.fmt(offer.was, offer.currency, ctx.market, code=mixed)) if known else ""


def _offer(ctx: CardContext, offer: Offer, name: str, at: int, *, mixed: bool, best: Offer | None) -> list[Block]:
    price, seller, gone = _price(ctx, offer, mixed), _seller(offer), offer.availability in GONE
    visit = (
        None if gone else link.element(tr("Visit store"), offer.url, f"offer.{at}", about=f"{mrkdwn.cut(seller, 40)}, {price}")
    )
    strong = f"~{price}~" if gone else f"*{price}*"
    first = section(f"{strong} · {mrkdwn.words(seller, SELLER)}", accessory=visit, block_id=name)
    logo = image(offer.seller.logo_url, tr("{seller} logo", seller=mrkdwn.cut(seller, SELLER))) if ctx.pictures else None
    facts = (
        stock(offer.availability),
        tr("*lowest price*") if offer is best else "",
        _was(ctx, offer, mixed),
        tr("matched by picture and name") if offer.inferred else "",
        tr("checked {day}", day=money.day(offer.last_updated, ctx.today, ctx.market)) if offer.last_updated else "",
    )
    line = " · ".join(fact for fact in facts if fact)
    return [first, context(logo, line or mrkdwn.words(seller, SELLER))] if logo or line else [first]


def _currencies(offers: Sequence[Offer]) -> list[str]:
    return list(dict.fromkeys(o.currency for o in offers if money.priced(o.price, o.currency)))


def _terms(offers: Sequence[Offer]) -> str:
    codes = _currencies(offers)
    if codes:
        return tr(
            "Prices in {currencies}, without shipping or tax. Stores can change them at any time.", currencies=listed(codes)
        )
    return tr("Prices without shipping or tax. Stores can change them at any time.")


def _best(ctx: CardContext, best: Offer | None, mixed: bool) -> str:
    if best is None:
        return ""
    price, seller = _price(ctx, best, mixed), mrkdwn.link(best.url, _seller(best), SELLER)
    return _with_stock(tr("Lowest price *{price}* at {seller}", price=price, seller=seller), best)


def _line(ctx: CardContext, offer: Offer, mixed: bool) -> str:
    price, gone = _price(ctx, offer, mixed), offer.availability in GONE
    name = mrkdwn.words(_seller(offer), SELLER) if gone else mrkdwn.link(offer.url, _seller(offer), SELLER)
    return _with_stock(f"• {f'~{price}~' if gone else f'*{price}*'} {name}", offer)


def _with_stock(said: str, offer: Offer) -> str:
    if not offer.availability:
        return said
    return tr("{offer}, {availability}", offer=said, availability=tr(_IN_SENTENCE[offer.availability]))


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
    head = [_cell(tr("Store")), _cell(f"{tr('Price')} ({codes[0]})" if len(codes) == 1 and not mixed else tr("Price"))]
    head.append(_cell(tr("Availability")))
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
    return [store, _cell(price), _cell(stock(offer.availability) or "–")]


def _cell(text: str) -> Block:
    return {"type": "raw_text", "text": text}


def _fallback(ctx: CardContext, name: str, offers: Sequence[Offer], best: Offer | None, mixed: bool) -> str:
    if best is None:
        text = tr("Where to buy {name}: {stores}.", name=name, stores=products.in_stores(len(offers)))
    else:
        price, seller = _price(ctx, best, mixed), mrkdwn.cut(_seller(best), SELLER)
        offer = _with_stock(tr("lowest price {price} at {seller}", price=price, seller=seller), best)
        text = tr("Where to buy {name}: {offer}.", name=name, offer=offer)
    return mrkdwn.words(text, 300, room=300)
