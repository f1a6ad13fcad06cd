"""Similar images: the modal with pictures that look alike, page by page (cards.md §9.8)."""

from dataclasses import replace

from bot.insights.model import ImageObject, Insights
from bot.language import tr, trn
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, actions, divider, section
from bot.slack.buttons import more_images, use_image
from bot.slack.cards import products
from bot.slack.cards.context import CardContext
from bot.slack.cards.views import divided, modal, state_of, window
from bot.slack.values import block_id

PAGE, PAGES = 6, 3


def view(ctx: CardContext, found: Insights, *, start: int = 0, until: int = 0) -> Payload:
    """Images `start` to `until`, at least a page; the next page is appended by asking for more."""
    images = found.similar_images
    state = window(replace(state_of(ctx), start=start, until=until), page=PAGE, pages=PAGES, total=len(images))
    shown = list(enumerate(images))[state.start : state.until]
    more = more_images.element(ctx.rid, state.until) if state.until < len(images) else None
    heading = trn("{n} visually similar image", "{n} visually similar images", len(images))
    blocks = [
        section(f"*{heading}*" if images else tr("No similar images found."), block_id=block_id(ctx.rid, "il")),
        *divided([_row(ctx, picture, number) for number, picture in shown]),
        *([divider()] if more else []),
        *actions([more], block_id=block_id(ctx.rid, "im", state.start)),
    ]
    return modal("images", tr("Similar images"), blocks, state)


def _row(ctx: CardContext, picture: ImageObject, number: int) -> list[Block]:
    name = mrkdwn.plainly(picture.name) or tr("Image")
    lines = (
        f"*{mrkdwn.link(picture.host_page_url, name, 80)}*",
        mrkdwn.words(picture.host_page_display_url or mrkdwn.host(picture.host_page_url), 60),
        f"{picture.width} × {picture.height}" if picture.width and picture.height else "",
    )
    photo = products.shown(picture.thumbnail_url, name, ctx, products.SMALL)
    named = block_id(ctx.rid, f"im{number}")
    use = actions([use_image.element(ctx.rid, number, name)], block_id=f"{named}:a") if picture.token else []
    return [section("\n".join(line for line in lines if line), accessory=photo, block_id=named), *use]
