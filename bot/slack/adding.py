"""Pictures of conversations into the catalogue: "add this, $40", a form to confirm it, a way back."""

from dataclasses import replace

from bot.errors import Unavailable, UserError
from bot.insights.model import Article
from bot.insights.refining import price_of
from bot.jobs import Add, Adding, Click, ImageRef, ReplyTo, from_payload
from bot.language import marked, tr
from bot.money import currency_of
from bot.queue import Job
from bot.slack import events, mrkdwn, values
from bot.slack.blocks import Payload
from bot.slack.cards import adding as card
from bot.slack.cards.context import ViewState
from bot.slack.desk import Desk
from bot.slack.replies import CannotPost, outside_thread
from bot.slack.values import new_rid
from bot.teams import Addition

LIKE = marked("Write a price like 40, 39.95 or 25 EUR.")
SELLER = "Slack"
"""Whom an offer is from that leads to a message."""


async def switch(job: Job, desk: Desk) -> None:
    """`/insights adding on` and `off`, for admins."""
    order = from_payload(Adding, job.payload)
    to = order.reply_to

    async def switched() -> bool:
        if not (await desk.people.get(to.team, to.user)).admin:
            return False
        await desk.teams.switch_adding(to.team, on=order.on)
        return True

    allowed = await job.step("switch", switched)
    said = card.switched(on=order.on) if allowed else card.sentence(card.FOR_ADMINS)
    await job.step("say", lambda: desk.replies.tell(to, lambda _: said))


async def ask(job: Job, desk: Desk) -> None:
    """Somebody said "add this": the button that opens the form, or why there is none."""
    order = from_payload(Add, job.payload)
    to = order.reply_to
    seen = outside_thread(to) if to.thread_ts == order.message_ts else to

    async def begun() -> str:
        if problem := await _refusal(desk, to.team, to.user):
            return problem
        images = await _images(order, desk)
        if not images:
            return card.NO_PICTURE
        kept = Addition(new_rid(), to.team, to.channel, to.thread_ts, order.message_ts, to.user, images, order.title, order.price)
        return (await desk.teams.begin(job.key, kept)).rid

    answer = await job.step("begin", begun)
    addition = await desk.teams.addition(answer, to.team)
    if addition is None:
        return await job.step("refuse", lambda: desk.replies.tell(seen, lambda _: card.sentence(answer)))
    said = card.ask(addition.rid, addition.title, addition.price, len(addition.images))
    return await job.step("ask", lambda: desk.replies.tell(seen, lambda _: said))


async def opened(job: Job, desk: Desk, click: Click) -> None:
    """The form, with what is known so far."""
    addition = await _of(desk, click)
    if addition is None:
        return await job.step("gone", lambda: desk.replies.tell(click.reply_to, lambda _: card.sentence(card.GONE)))
    view = card.form(
        _state(addition),
        addition.images,
        title=addition.title,
        price=addition.price,
        link=addition.link,
        description=addition.description,
        currency=currency_of(desk.market) or "USD",
    )
    await job.step("open", lambda: desk.replies.open_view(click.trigger_id, view, on_top=False))
    return None


async def checked(desk: Desk, click: Click) -> Payload:
    """What to answer a submitted form with: what is wrong in which field, or that it is being added."""
    wrong = {}
    title, link = mrkdwn.clean(click.entered.get("title", "")), click.entered.get("link", "").strip()
    if not title:
        wrong["title"] = tr("Write what it is.")
    try:
        price_of(click.entered.get("price", ""), desk.market)
    except ValueError:
        wrong["price"] = tr(LIKE)
    if link and not mrkdwn.web_url(link):
        wrong["link"] = tr("Start it with https://.")
    if wrong:
        return {"response_action": "errors", "errors": wrong}
    state = ViewState.read(click.view_metadata) or ViewState(values.NONE)
    return {"response_action": "update", "view": card.adding(state, title)}


async def add(job: Job, desk: Desk, click: Click) -> None:
    """Look at the pictures, put the article into the catalogue and tell the thread; the form again changes it."""
    state = ViewState.read(click.view_metadata)
    addition = await desk.teams.addition(state.rid, click.reply_to.team) if state else None

    async def show(view: Payload) -> None:
        await desk.replies.update_view(click.view_id, view)

    if state is None or addition is None or addition.person != click.reply_to.user:
        return await job.step("gone", lambda: show(card.failed(ViewState(values.NONE), tr(card.GONE))))
    said = replace(
        addition,
        title=mrkdwn.cut(click.entered.get("title", ""), card.TITLE),
        price=click.entered.get("price", "").strip(),
        link=mrkdwn.web_url(click.entered.get("link", "")),
        description=click.entered.get("description", "").strip(),
    )
    try:
        problem = await job.step("add", lambda: _put(desk, said))
    except Unavailable:
        await show(card.failed(state, tr("That takes longer than it should. I go on trying, and the thread hears of it.")))
        raise
    if problem:
        return await job.step("failed", lambda: show(card.failed(state, tr(problem))))
    await job.step("tell", lambda: _tell(desk, said))
    return await job.step("done", lambda: show(card.added(state, said.title)))


async def removed(job: Job, desk: Desk, click: Click) -> None:
    """Take it out again: whoever added it may, and admins."""
    to = click.reply_to
    addition = await _of(desk, click)
    if addition is None or desk.goods is None:
        said = card.sentence(card.ELSEWHERE if addition else card.GONE)
        return await job.step("gone", lambda: desk.replies.tell(to, lambda _: said))
    if to.user != addition.person and not (await desk.people.get(to.team, to.user)).admin:
        return await job.step("refuse", lambda: desk.replies.tell(to, lambda _: card.not_yours(addition.person)))
    goods = desk.goods
    await job.step("take out", lambda: goods.take_out(addition.source, addition.rid))
    language = await desk.spoken_in(to.team, to.channel)

    def draw(_: object) -> Payload:
        return _card(desk, addition, removed_by=to.user)

    await job.step("tell", lambda: desk.replies.update(to, click.message_ts, draw, language=language))
    return None


async def _refusal(desk: Desk, team: str, user: str) -> str:
    """Why somebody may not add to the catalogue; empty when they may."""
    if desk.goods is None:
        return card.ELSEWHERE
    if not await desk.teams.adding(team):
        return card.SWITCHED_OFF
    return "" if (await desk.people.get(team, user)).member else card.FOR_MEMBERS


async def _images(order: Add, desk: Desk) -> tuple[ImageRef, ...]:
    """What is to be added: what the message shows, or else what its thread hangs on."""
    to = order.reply_to
    if order.images or not order.in_thread:
        return order.images
    for raw in await desk.images.in_thread(to.channel, to.thread_ts, order.message_ts):
        said = events.message({"channel": to.channel} | raw)
        if said and (shown := events.pictures(said)):
            return tuple(replace(image, number=0, total=0) for image in shown)
    first = await desk.results.first_in(to.team, to.channel, to.thread_ts)
    return (first.image,) if first and not first.image.token else ()


async def _put(desk: Desk, addition: Addition) -> str:
    """Into the catalogue with it; what the person has to know when that cannot be."""
    if (problem := await _refusal(desk, addition.team, addition.person)) or desk.goods is None:
        return problem
    article = _article(desk, addition)
    if not article.link:
        link = await desk.replies.permalink(addition.channel, addition.message_ts)
        article = replace(article, link=link, seller=SELLER)
    try:
        pictures = [await desk.images.fetch(one) for one in addition.images]
        await desk.goods.put(article, pictures)
    except UserError as error:
        return str(error)
    await desk.teams.change(addition)
    return ""


async def _tell(desk: Desk, addition: Addition) -> None:
    """Once in the thread; where it was said before, it is changed."""
    to = ReplyTo(addition.team, addition.channel, addition.thread_ts, addition.person)
    language = await desk.spoken_in(to.team, to.channel)
    try:
        ts = await desk.replies.post_once(f"add:{addition.rid}", to, lambda _: _card(desk, addition), language=language)
        if addition.card_ts:
            await desk.replies.update(to, ts, lambda _: _card(desk, addition), language=language)
    except CannotPost:
        return  # the form says it as well
    await desk.teams.change(replace(addition, card_ts=ts))


def _article(desk: Desk, addition: Addition) -> Article:
    price, currency = price_of(addition.price, desk.market)
    title, link, description = addition.title, addition.link, addition.description
    return Article(addition.source, addition.rid, title, price, currency, link, description, mrkdwn.host(link))


def _card(desk: Desk, addition: Addition, *, removed_by: str = "") -> Payload:
    article = _article(desk, addition)
    return card.card(addition.rid, addition.person, article, market=desk.market, removed_by=removed_by)


async def _of(desk: Desk, click: Click) -> Addition | None:
    value = values.parse(click.value)
    return await desk.teams.addition(value.rid, click.reply_to.team) if value else None


def _state(addition: Addition) -> ViewState:
    return ViewState(addition.rid, addition.channel, addition.thread_ts)
