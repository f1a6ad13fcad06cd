"""Saving products and watching their prices."""

from decimal import Decimal, InvalidOperation

from bot.errors import Unavailable, UserError
from bot.jobs import Click, ReplyTo, Watch, from_payload
from bot.language import marked, spoken, tr
from bot.queue import Job
from bot.results import Result
from bot.saved import Saved
from bot.slack import errands, values
from bot.slack.blocks import Payload
from bot.slack.cards import saving as card
from bot.slack.cards import shopping_sources
from bot.slack.cards.context import ViewState
from bot.slack.desk import Desk
from bot.slack.values import new_rid

LIKE = marked("Write a price such as 9.99.")


async def view(desk: Desk, click: Click, result: Result, number: int) -> Payload | None:
    """The form for a product of a result, as it is saved already or new."""
    product = result.product(number)
    if product is None:
        return None
    to = click.reply_to
    return card.form(desk.context(result), product, number, await desk.saved.find(to.team, to.user, product.token))


async def checked(desk: Desk, click: Click, result: Result | None) -> Payload | None:
    """How to answer the form; None where what it was for is gone."""
    state = ViewState.read(click.view_metadata)
    product = result.product(state.product) if result and state else None
    if result is None or product is None:
        return None
    try:
        below = _below(click)
    except ValueError:
        return {"response_action": "errors", "errors": {"below": tr(LIKE)}}
    ctx = desk.context(result)
    price = card.lowest(product)
    if not _watching(click) or price is None:
        return {"response_action": "update", "view": card.done(ctx, product, None, "")}
    return {"response_action": "update", "view": card.done(ctx, product, below or price[0], price[1])}


async def save(job: Job, desk: Desk, click: Click, result: Result | None) -> None:
    """Keep it and show it in Home."""
    state, to = ViewState.read(click.view_metadata), click.reply_to
    product = result.product(state.product) if result and state else None
    if result is None or product is None:
        return
    price = card.lowest(product)
    watching = _watching(click) and price is not None
    below = (_below(click) or price[0]) if watching and price else None
    kept = Saved(new_rid(), to.team, to.user, product, result.market, watching, below)

    async def keep() -> None:
        await desk.saved.keep(kept)

    await job.step("save", keep)
    await job.step("home", lambda: errands.show_home(desk, to.team, to.user))


async def unsave(job: Job, desk: Desk, click: Click) -> None:
    value, to = values.parse(click.value), click.reply_to
    saved = await desk.saved.get(value.rid, to.team) if value else None
    if saved and saved.person == to.user:
        await job.step("remove", lambda: desk.saved.remove(saved.sid, to.team))
    await job.step("home", lambda: errands.show_home(desk, to.team, to.user))


async def stop(job: Job, desk: Desk, click: Click) -> None:
    """No more messages; the buttons of this one give way to a line that says so."""
    value, to = values.parse(click.value), click.reply_to
    saved = await desk.saved.get(value.rid, to.team) if value else None
    if saved is None or saved.person != to.user:
        return
    await job.step("stop", lambda: desk.saved.stop(saved.sid, to.team))
    await job.step("say", lambda: desk.replies.update(to, click.message_ts, lambda _: card.stopped(saved), language=spoken()))
    await job.step("home", lambda: errands.show_home(desk, to.team, to.user))


async def watch(job: Job, desk: Desk) -> None:
    """Look at one price; tell whoever watches it when it is low enough, at most once a day."""
    order = from_payload(Watch, job.payload)
    saved = await desk.saved.get(order.sid, order.team)
    if saved is None or not saved.watching:
        return None
    try:
        offers = await desk.offers(saved.product, saved.market)
    except UserError:  # it has left the catalogue
        offers = ()
    except Unavailable:
        return None  # tomorrow
    best = shopping_sources.cheapest(offers, saved.market)
    price = best.price if best else None
    if best is None or price is None or not saved.worth_telling(price):
        return await desk.saved.looked(saved.sid)
    before = min(saved.below or price, saved.told if saved.told is not None else saved.below or price)
    to = ReplyTo(saved.team, saved.person, "", saved.person)
    language = await desk.spoken_by(saved.team, saved.person)

    async def told() -> str:
        return await desk.replies.post_once(
            job.key, to, lambda _: card.dropped(saved, best, before, pictures=desk.pictures), language=language
        )

    await job.step("tell", told)
    return await desk.saved.looked(saved.sid, told=price)


async def look_at_prices(desk: Desk, day: str) -> None:
    """Start a look at every watched price that is due; the same day a second time changes nothing."""
    for one in await desk.saved.due():
        await desk.start(Watch(one.team, one.sid), f"watch:{one.sid}:{day}")


def _watching(click: Click) -> bool:
    return card.WATCH in click.entered.get("watch", "").split(",")


def _below(click: Click) -> Decimal | None:
    """Raises ValueError."""
    text = click.entered.get("below", "").strip().replace(",", ".")
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not amount.is_finite() or not 0 < amount < 10**9:
        raise ValueError(text)
    return amount
