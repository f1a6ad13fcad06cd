"""Save and watch: the form, what it says afterwards, and the message about a lower price (cards.md §9.10)."""

from dataclasses import replace
from decimal import Decimal

from bot import money
from bot.insights.model import ImageObject, Offer
from bot.language import tr
from bot.saved import Saved
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, actions, alert, context, option, plain, section
from bot.slack.buttons import link, stop_watch
from bot.slack.cards import products
from bot.slack.cards.context import CardContext
from bot.slack.cards.views import modal, state_of

WATCH = "watch"


def lowest(product: ImageObject) -> tuple[Decimal, str] | None:
    """What it costs at least now, if somebody knows."""
    offer = product.aggregate_offer
    return (offer.low_price, offer.currency) if offer and money.priced(offer.low_price, offer.currency) else None


def form(ctx: CardContext, product: ImageObject, number: int, saved: Saved | None) -> Payload:
    """Whether to be told of a lower price, and from which on."""
    price = lowest(product)
    told = option(tr("Tell me when the price drops"), WATCH)
    told["description"] = plain(tr("I check once a day and send a direct message"))
    element: Block = {"type": "checkboxes", "action_id": "v", "options": [told]}
    if saved is None or saved.watching:
        element["initial_options"] = [told]
    watch: Block = {"type": "input", "block_id": "watch", "optional": True, "label": plain(tr("Price watch")), "element": element}
    blocks = [_head(ctx, product)]
    if saved:
        earlier = tr("an earlier day")
        blocks.append(context(tr("Saved on {day}", day=mrkdwn.date(int(saved.created), earlier))))
    if price:
        at = saved.below if saved and saved.below is not None else price[0]
        number_input = {"type": "number_input", "action_id": "v", "is_decimal_allowed": True, "min_value": "0.01"}
        below = number_input | {"initial_value": f"{at:f}"}
        label = plain(tr("Below, in {currency}", currency=price[1]))
        blocks += [watch, {"type": "input", "block_id": "below", "optional": True, "label": label, "element": below}]
    return modal(
        "save", tr("Save product"), blocks, replace(state_of(ctx), product=number), submit=tr("Save"), close=tr("Cancel")
    )


def done(ctx: CardContext, product: ImageObject, below: Decimal | None, currency: str) -> Payload:
    said = tr("Saved.")
    if below is not None:
        said = tr("Saved. I’ll message you when it drops below {price}.", price=money.fmt(below, currency, ctx.market))
    blocks = [
        alert(said, "success"),
        _head(ctx, product),
        context(tr("Saved products are in the Home tab of Image Insights.")),
    ]
    return modal("save", tr("Save product"), blocks, state_of(ctx))


def dropped(saved: Saved, offer: Offer, before: Decimal, *, pictures: bool) -> Payload:
    """A lower price, as a direct message."""
    name = mrkdwn.words(saved.product.name, 100)
    now, was = (money.fmt(one, offer.currency, saved.market) for one in (offer.price or Decimal(0), before))
    seller = mrkdwn.words(offer.seller.name, 60) or mrkdwn.host(offer.url) or tr("a store")
    photo = products.photo(saved.product, CardContext(saved.sid, 0, pictures=pictures), products.SMALL)
    visit = link.element(tr("Visit store"), offer.url, "drop", about=f"{seller}, {now}")
    asked = ""
    if saved.below is not None:
        asked = tr("You asked to know below {price}", price=money.fmt(saved.below, offer.currency, saved.market))
    heading = tr("Price drop: {name}", name=name)
    text = tr("Price drop: {name} is now {now} at {seller}.", name=name, now=now, seller=seller)
    cost = tr("Now *{now}* at {seller}, was {was}", now=now, seller=seller, was=was)
    return {
        "text": text,
        "blocks": [
            section(f"*{heading}*\n{cost}", accessory=photo),
            *actions([visit, stop_watch.element(saved.sid, saved.product.name)]),
            *([context(asked)] if asked else []),
        ],
    }


def stopped(saved: Saved) -> Payload:
    name = mrkdwn.words(saved.product.name, 100)
    line = tr("Stopped watching {name}.", name=name)
    return {"text": line, "blocks": [section(f"*{name}*"), context(tr("Stopped watching"))]}


def _head(ctx: CardContext, product: ImageObject) -> Block:
    price, many = lowest(product), products.stores(product)
    line, stores = "", products.in_stores(many)
    if price:
        cost = money.fmt(*price, ctx.market)
        line = tr("From {price} at {stores}", price=cost, stores=stores) if many else tr("From {price}", price=cost)
    elif many:
        line = tr("At {stores}", stores=stores)
    name = f"*{mrkdwn.words(product.name, 150)}*"
    return section(f"{name}\n{line}" if line else name, accessory=products.photo(product, ctx, products.SMALL))
