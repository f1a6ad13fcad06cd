"""Insights for one person's eyes: the shortcuts' modal, which can be posted in the thread (cards.md §9.13)."""

from dataclasses import replace
from typing import Any

from bot.jobs import Click, ImageRef, Lookup, Peek, ReplyTo, from_payload
from bot.language import marked, tr
from bot.lookup import Looking, error_of
from bot.queue import Job
from bot.slack import events, mrkdwn
from bot.slack.blocks import Payload
from bot.slack.cards import insights as card
from bot.slack.cards import notices, result
from bot.slack.cards.context import ViewState
from bot.slack.cards.notices import Kind
from bot.slack.desk import Desk
from bot.slack.replies import NOT_THERE, CannotPost

NOT_THIS = marked("Write the address of a picture or a product page, or some words.")


async def peek(job: Job, desk: Desk) -> None:
    """The modal at once, then what was found."""
    order = from_payload(Peek, job.payload)
    first = result.loading() if order.image else result.without_picture()
    view_id = await job.step("open", lambda: desk.replies.open_view(order.trigger_id, first, on_top=False))
    if order.image and view_id:
        await _fill(job, desk, Lookup(order.image, order.reply_to, order.message_ts, order.owner, asked=True), view_id)


async def _fill(job: Job, desk: Desk, order: Lookup, view_id: str) -> None:
    seen = await job.step("look", Looking(job, order, desk).look)

    async def filled() -> None:
        await desk.replies.update_view(view_id, await _view(desk, order, seen))

    await job.step("fill", filled)


async def _view(desk: Desk, order: Lookup, seen: dict[str, Any]) -> Payload:
    kept = await desk.results.get(seen["rid"], order.reply_to.team) if seen["end"] == "card" else None
    if kept and kept.found:
        return result.view(desk.context(kept, "classic"), kept.found, kept.image, can_post=bool(order.message_ts))
    if seen["end"] == "problem":
        return result.failed(notices.explain(error_of(seen)))
    return result.failed(notices.problem(Kind.NO_PART))


def checked(click: Click) -> Payload:
    """What to answer the form of the global shortcut with."""
    if not mrkdwn.clean(click.entered.get("what", "")):
        return {"response_action": "errors", "errors": {"what": tr(NOT_THIS)}}
    return {"response_action": "update", "view": result.loading()}


async def asked(job: Job, desk: Desk, click: Click) -> None:
    """An address or words, written into the form of the global shortcut."""
    what = mrkdwn.clean(click.entered.get("what", ""))[: events.MOST_ADDRESS]
    image = ImageRef(url=what) if what.startswith(("http://", "https://")) else ImageRef(words=what[: events.MOST_WORDS])
    await _fill(job, desk, Lookup(image, click.reply_to, asked=True), click.view_id)


async def post(job: Job, desk: Desk, click: Click) -> None:
    """The card in the thread of the message, for everybody."""
    state = ViewState.read(click.view_metadata)
    kept = await desk.results.get(state.rid, click.reply_to.team) if state else None
    if kept is None or kept.found is None:
        return
    found, to = kept.found, ReplyTo(kept.team, kept.channel, kept.thread_ts, click.reply_to.user)

    await desk.prepare(kept)

    async def posted() -> None:
        try:
            ts = await desk.replies.post_once(
                f"{job.key}:card",
                to,
                lambda style: card.card(found, desk.context(kept, style)),
                language=await desk.spoken_in(to.team, to.channel),
            )
        except CannotPost as error:
            if error.code not in NOT_THERE:
                raise
            await desk.replies.tell(replace(to, channel=to.user, thread_ts=""), lambda _: notices.problem(Kind.ACCESS))
        else:
            await desk.results.posted(kept.rid, to.channel, to.thread_ts, ts)

    await job.step("post", posted)
