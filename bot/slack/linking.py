"""Links of the operator's own shop, shown with their product and today's price (slack-platform.md §1)."""

import time

from bot.jobs import Unfurl, from_payload
from bot.language import speaking
from bot.queue import Job
from bot.slack.blocks import Payload
from bot.slack.cards import link
from bot.slack.cards.context import CardContext
from bot.slack.desk import Desk

COMPOSER = "COMPOSER"


async def unfurl(job: Job, desk: Desk) -> None:
    """Nothing where no link is one of a product, and in channels that are switched off."""
    order = from_payload(Unfurl, job.payload)
    written = order.channel == COMPOSER
    if desk.shop is None or not (written or await desk.results.answering(order.team, order.channel)):
        return

    async def show() -> None:
        if previews := await _previews(desk, order):
            await desk.replies.unfurl(order, previews)

    await job.step("show", show)


async def _previews(desk: Desk, order: Unfurl) -> dict[str, Payload]:
    preferences = await desk.preferences(order.team, "" if order.channel == COMPOSER else order.channel)
    found = {url: page for url in order.links if desk.shop and (page := await desk.shop.at(url, market=preferences.market))}
    if not desk.pictures:
        await desk.gallery.prepare(order.team, [page.product.thumbnail_url for page in found.values()])
    context = CardContext(
        rid="",
        at=int(time.time()),
        market=preferences.market,
        pictures=desk.pictures,
        files={} if desk.pictures else desk.gallery.known(order.team),
    )
    with speaking(preferences.speaks):
        return {url: link.preview(context, url, page.product, page.offer) for url, page in found.items()}
