"""Share to a channel: the form, and what the channel gets (cards.md §9.12)."""

from bot.insights.model import Insights
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, alert, context, plain, section
from bot.slack.cards import insights
from bot.slack.cards.context import CardContext
from bot.slack.cards.views import modal, state_of

NOTE = 1000


def view(ctx: CardContext) -> Payload:
    to: Block = {
        "type": "conversations_select",
        "action_id": "v",
        "default_to_current_conversation": True,
        "response_url_enabled": True,
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    note: Block = {"type": "plain_text_input", "action_id": "v", "multiline": True, "max_length": NOTE}
    blocks: list[Block] = [
        {"type": "input", "block_id": "to", "label": plain("Channel"), "element": to},
        {"type": "input", "block_id": "note", "optional": True, "label": plain("Message"), "element": note},
        context("Posts the title, the number of products with the lowest price, and a link to this thread."),
    ]
    return modal("share", "Share", blocks, state_of(ctx), submit="Share", close="Cancel")


def sharing(ctx: CardContext) -> Payload:
    return modal("share", "Share", [section("Sharing…")], state_of(ctx))


def shared(ctx: CardContext, channel: str) -> Payload:
    return modal("share", "Share", [alert(f"Shared in <#{channel}>.", "success")], state_of(ctx))


def refused(ctx: CardContext, why: str) -> Payload:
    return modal("share", "Share", [alert(why, "error")], state_of(ctx))


def message(found: Insights, ctx: CardContext, *, by: str, note: str = "", link: str = "") -> Payload:
    """The short card with the note of whoever shares it, and where it is from."""
    card = insights.short(found, ctx)
    said = [section(mrkdwn.words(note, NOTE))] if mrkdwn.plainly(note) else []
    source = f" · From <{link}|this thread>" if link else ""
    return {"text": card["text"], "blocks": [*said, *card["blocks"], context(f"Shared by <@{by}>{source}")]}
