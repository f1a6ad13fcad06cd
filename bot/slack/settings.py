"""How a channel or the workspace wants pictures answered: reading the form's settings, and saving them."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import replace

from bot.insights.bing import MARKETS
from bot.insights.model import SafeSearch
from bot.jobs import Click, ReplyTo, Settings, from_payload
from bot.language import LANGUAGES
from bot.queue import Job
from bot.slack.blocks import Payload
from bot.slack.cards import notices
from bot.slack.cards import settings as card
from bot.slack.cards.context import ViewState
from bot.slack.desk import Desk
from bot.slack.replies import CannotPost
from bot.teams import FULL, SHORT, Preferences

REACTION = re.compile(r"[a-z0-9_+'-]{1,100}")


async def asked(job: Job, desk: Desk) -> None:
    """`/insights settings`: of the channel it was typed in; in a direct message of the workspace."""
    order = from_payload(Settings, job.payload)
    to = order.reply_to
    await open_form(job, desk, to, "" if to.channel.startswith("D") else to.channel, order.trigger_id, on_top=False)


async def open_form(job: Job, desk: Desk, to: ReplyTo, channel: str, trigger_id: str, *, on_top: bool) -> None:
    """The modal at once, then what is set; the workspace's only for admins (threats.md C4)."""
    first = card.loading(channel)
    view_id = await job.step("open", lambda: desk.replies.open_view(trigger_id, first, on_top=on_top))

    async def filled() -> None:
        await desk.replies.update_view(view_id, await _form(desk, to, channel))

    if view_id:
        await job.step("fill", filled)


async def _form(desk: Desk, to: ReplyTo, channel: str) -> Payload:
    if not channel and not (await desk.people.get(to.team, to.user)).admin:
        return card.refused(card.FOR_ADMINS)
    now = await desk.preferences(to.team, channel)
    answered = await desk.results.answered_channels(to.team)
    adding, reaction = await desk.teams.adding(to.team), await desk.teams.reaction(to.team)
    admin = not channel or (await desk.people.get(to.team, to.user)).admin
    elsewhere = desk.elsewhere if admin else ()
    return card.form(channel, now, answered=answered, adding=adding, reaction=reaction, elsewhere=elsewhere)


async def save(job: Job, desk: Desk, click: Click) -> None:
    """Save what was chosen; channels that are answered now, or no longer, are told."""
    state, to, said = ViewState.read(click.view_metadata), click.reply_to, click.entered
    if state is None:
        return None
    if not state.channel and not (await desk.people.get(to.team, to.user)).admin:
        refused = card.refused(card.FOR_ADMINS)
        return await job.step("refuse", lambda: desk.replies.update_view(click.view_id, refused))
    wanted = _read(said, await desk.preferences(to.team, state.channel), whole=not state.channel)
    if "outside" in said and (await desk.people.get(to.team, to.user)).admin:
        wanted = replace(wanted, outside=card.OUTSIDE in said["outside"])
    await job.step("prefer", lambda: desk.teams.prefer(to.team, state.channel, wanted))
    problems: list[str] = []
    if not state.channel:
        await job.step("adding", lambda: desk.teams.switch_adding(to.team, on=card.ADDING in said.get("adding", "")))
        name = said.get("reaction", "").strip().strip(":").lower()
        await job.step("reaction", lambda: desk.teams.choose_reaction(to.team, name if REACTION.fullmatch(name) else ""))
        problems = await job.step("channels", lambda: _switch(job, desk, click))
    view = card.saved(state.channel, problems)
    return await job.step("say", lambda: desk.replies.update_view(click.view_id, view))


def _read(entered: Mapping[str, str], now: Preferences, *, whole: bool) -> Preferences:
    market, safe, size, language = (entered.get(name, "") for name in ("market", "safe", "size", "language"))
    allowed = {SafeSearch.STRICT.value, SafeSearch.MODERATE.value} | ({SafeSearch.OFF.value} if whole else set())
    return replace(
        now,
        market=market if market in MARKETS else now.market,
        safe_search=SafeSearch(safe) if safe in allowed else now.safe_search,
        size=size if size in {FULL, SHORT} else now.size,
        language="" if language == card.AS_MARKET else language if language in LANGUAGES else now.language,
    )


async def _switch(job: Job, desk: Desk, click: Click) -> list[str]:
    """Join and switch on what was added, switch off what was taken away, and say so there; where we cannot is returned."""
    to = click.reply_to
    before = set(await desk.results.answered_channels(to.team))
    wanted = {one for one in click.entered.get("chans", "").split(",") if one}
    problems = []
    for channel in sorted(before ^ wanted):
        on = channel in wanted
        if on and not await desk.replies.join(channel):
            problems.append(channel)
            continue
        await desk.results.switch(to.team, channel, on=on)
        await _announce(f"{job.key}:{channel}", desk, ReplyTo(to.team, channel, user=to.user), on=on)
    return problems


async def _announce(key: str, desk: Desk, to: ReplyTo, *, on: bool) -> None:
    language = await desk.spoken_in(to.team, to.channel)
    with contextlib.suppress(CannotPost):  # the channel was left in the meantime
        await desk.replies.post_once(key, to, lambda _: notices.channel(to.user, to.channel, on=on), language=language)
