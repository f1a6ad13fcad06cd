"""What went wrong? The form after "Not helpful" (cards.md §9.11)."""

from bot.insights.model import Insights
from bot.language import marked, tr
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, below, option, plain
from bot.slack.cards import products
from bot.slack.cards.context import CardContext
from bot.slack.cards.views import modal, state_of

REASONS = {
    "item": marked("It found the wrong thing"),
    "products": marked("Products don’t match"),
    "prices": marked("Prices or stores are off"),
    "noise": marked("It should not have answered"),
}
WORDS = 500


def view(ctx: CardContext, found: Insights) -> Payload:
    """The reason, which of the products do not match, anything else."""
    reasons = [option(tr(label), reason) for reason, label in REASONS.items()]
    shown = products.named(found)[: products.SHOWN]
    which = [option(mrkdwn.cut(product.name, 60), f"p{number}") for number, product in shown]
    blocks: list[Block] = [
        {
            "type": "input",
            "block_id": "why",
            "label": plain(tr("Reason")),
            "element": {"type": "radio_buttons", "action_id": "v", "options": reasons},
        }
    ]
    if which:
        blocks.append(
            {
                "type": "input",
                "block_id": "which",
                "optional": True,
                "label": plain(tr("Which don’t match?")),
                **below(tr("They come last when this picture is asked about again")),
                "element": {"type": "checkboxes", "action_id": "v", "options": which},
            }
        )
    element = {"type": "plain_text_input", "action_id": "v", "multiline": True, "max_length": WORDS}
    blocks.append(
        {"type": "input", "block_id": "more", "optional": True, "label": plain(tr("Anything else")), "element": element}
    )
    return modal("feedback", tr("What went wrong?"), blocks, state_of(ctx), submit=tr("Send"), close=tr("Cancel"))
