"""What a picture shows, for one person: the modal of the shortcuts (cards.md §9.13)."""

from bot.insights.model import Insights
from bot.jobs import ImageRef
from bot.language import marked, tr
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, actions, below, context, divider, image, plain, section
from bot.slack.buttons import more_products, similar_images
from bot.slack.cards import insights, products
from bot.slack.cards.context import CardContext, ViewState
from bot.slack.cards.views import modal, state_of
from bot.slack.values import NONE, block_id

SHOWN = 3
_TITLE = marked("Image insights")
_NOBODY = ViewState(NONE)


def ask() -> Payload:
    """What the global shortcut opens: an address or words."""
    element = {"type": "plain_text_input", "action_id": "v", "placeholder": plain("https://…"), "max_length": 2000}
    block: Block = {"type": "input", "block_id": "what", "label": plain(tr("Picture, product page or words")), "element": element}
    block |= below(tr("An address, or words such as blue mug under $20"))
    return modal("ask", tr("Look up a picture"), [block], _NOBODY, submit=tr("Look up"), close=tr("Cancel"))


def loading() -> Payload:
    return modal("loading", tr(_TITLE), [context(tr("Looking at the photo…"))], _NOBODY, close=tr("Cancel"))


def without_picture() -> Payload:
    return modal("none", tr(_TITLE), [section(tr("There is no picture in that message."))], _NOBODY)


def failed(notice: Payload) -> Payload:
    """A notice's words; its buttons mean nothing here."""
    return modal("none", tr(_TITLE), [block for block in notice["blocks"] if block["type"] != "actions"], _NOBODY)


def view(ctx: CardContext, found: Insights, photo: ImageRef, *, can_post: bool) -> Payload:
    """The card as rows, and a way to post it where the photo is."""
    shown, price = products.named(found), insights.lowest(found, ctx)
    line = products.found(len(shown), price) if shown else tr("No similar products found.")
    lines = (f"*{mrkdwn.words(insights.title(found), insights.TITLE)}*", insights.tags(found))
    rows = [block for number, product in shown[:SHOWN] for block in products.rows(product, number, ctx)]
    more = more_products.element(ctx.rid, SHOWN) if len(shown) > SHOWN else None
    others = similar_images.element(ctx.rid) if found.similar_images else None
    blocks = [
        section("\n".join(part for part in lines if part), accessory=_picture(photo), block_id=block_id(ctx.rid, "top")),
        section(line, block_id=block_id(ctx.rid, "ph")),
        *rows,
        divider(),
        *actions([more, others], block_id=block_id(ctx.rid, "sact")),
        *([context(tr("Only you see this. Post it to let the thread see the results."))] if can_post else []),
    ]
    return modal("result", tr(_TITLE), blocks, state_of(ctx), submit=tr("Post in thread") if can_post else "")


def _picture(photo: ImageRef) -> Block | None:
    alt = tr("The photo you asked about")
    if photo.file_id:
        return {"type": "image", "slack_file": {"id": photo.file_id}, "alt_text": alt}
    return image(photo.url, alt) if photo.url else None
