"""Small orders besides lookups and clicks: switch a channel, say hello, explain, publish Home, forget a team."""

import time
from functools import partial

from bot.jobs import Explain, Forget, Home, Removed, ReplyTo, Switch, Welcome, from_payload, kind
from bot.language import marked, tr
from bot.queue import Job
from bot.slack.cards import home, insights, notices
from bot.slack.cards.home import RecentLookup
from bot.slack.cards.notices import Kind
from bot.slack.desk import Desk
from bot.slack.replies import NOT_THERE, CannotPost

DIRECT = marked("In a direct message I answer every photo. Channels are switched with this command where they are.")


async def switch(job: Job, desk: Desk) -> None:
    """Switched first, so that whoever reads the notice can rely on it. Where we are no member nothing comes to be answered."""
    order = from_payload(Switch, job.payload)
    to = order.reply_to
    if to.channel.startswith("D"):
        return await job.step("direct", lambda: desk.replies.tell(to, lambda _: notices.say(tr(DIRECT))))

    async def announced() -> None:
        language = await desk.spoken_in(to.team, to.channel)
        try:
            await desk.replies.post_once(
                job.key, to, lambda _: notices.channel(to.user, to.channel, on=order.on), language=language
            )
        except CannotPost as error:
            if error.code not in NOT_THERE:
                raise
            await desk.replies.tell(to, lambda _: notices.problem(Kind.ACCESS))

    await job.step("switch", lambda: desk.results.switch(to.team, to.channel, on=order.on))
    return await job.step("announce", announced)


async def welcome(job: Job, desk: Desk) -> None:
    to = from_payload(Welcome, job.payload).reply_to
    await job.step("switch", lambda: desk.results.switch(to.team, to.channel, on=True))
    if to.user:
        await job.step("hello", lambda: desk.replies.tell(to, lambda _: notices.hello()))


async def explain(job: Job, desk: Desk) -> None:
    to = from_payload(Explain, job.payload).reply_to
    await job.step("explain", lambda: desk.replies.tell(to, lambda _: notices.help_text()))


async def publish_home(job: Job, desk: Desk) -> None:
    order = from_payload(Home, job.payload)
    await job.step("publish", lambda: show_home(desk, order.team, order.user))


async def show_home(desk: Desk, team: str, user: str) -> None:
    """Publish what somebody's Home tab shows now."""
    recent = [
        RecentLookup(
            title=insights.title(result.found),
            channel=result.channel,
            at=int(result.created or time.time()),
            url=await desk.replies.permalink(result.channel, result.message_ts),
        )
        for result in await desk.results.recent(team, user, home.RECENT)
        if result.found
    ]
    saved = await desk.saved.of(team, user, home.SAVED)
    await desk.replies.publish_home(user, home.view(recent, saved, pictures=desk.pictures))


async def removed(job: Job, desk: Desk) -> None:
    """The cards of a photo that somebody deleted go too; where people talked under it, a line stays in their place (§6)."""
    order = from_payload(Removed, job.payload)
    cards = await desk.results.of_message(order.team, order.channel, order.message_ts)
    talked = bool(cards) and await desk.images.talked(order.channel, order.message_ts)

    async def take_away(card: str) -> None:
        if not talked:
            return await desk.replies.delete(order.channel, card)
        to, language = ReplyTo(order.team, order.channel), await desk.spoken_in(order.team, order.channel)
        return await desk.replies.update(to, card, lambda _: notices.photo_removed(), language=language)

    for card in dict.fromkeys(one.message_ts for one in cards if one.message_ts):
        await job.step(f"card {card}", partial(take_away, card))
    await job.step("drop", lambda: desk.results.drop([one.rid for one in cards]))


async def forget(job: Job, desk: Desk) -> None:
    order = from_payload(Forget, job.payload)

    await job.step("forget", lambda: forget_team(desk, order.team, before=order.at, but=job.key))


async def forget_team(desk: Desk, team: str, *, before: float = 0.0, but: str = "") -> None:
    """Delete all that belongs to a team, its jobs too, `but` the one that does it.

    Slack tells twice that we were removed (threats.md O5): the other job may be at it as well, and is left to its end.
    """
    teams = await desk.forget(team, before=before)
    theirs = [one for one in await desk.jobs.list(limit=100_000) if one.tenant in teams and one.key != but]
    await desk.jobs.delete([one.key for one in theirs if (one.kind, one.state) != (kind(Forget(team)), "running")])
