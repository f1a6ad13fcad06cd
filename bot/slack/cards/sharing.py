"""Share to a channel: the form, and what the channel gets (cards.md §9.12)."""

from bot.insights.model import Insights
from bot.language import tr
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
        {"type": "input", "block_id": "to", "label": plain(tr("Channel")), "element": to},
        {"type": "input", "block_id": "note", "optional": True, "label": plain(tr("Message")), "element": note},
        context(tr("Posts the title, the number of products with the lowest price, and a link to this thread.")),
    ]
    return modal("share", tr("Share"), blocks, state_of(ctx), submit=tr("Share"), close=tr("Cancel"))


def sharing(ctx: CardContext) -> Payload:
    return modal("share", tr("Share"), [section(tr("Sharing…"))], state_of(ctx))


def shared(ctx: CardContext, channel: str) -> Payload:
    return modal("share", tr("Share"), [alert(tr("Shared in {channel}.", channel=f"<#{channel}>"), "success")], state_of(ctx))


def refused(ctx: CardContext, why: str) -> Payload:
    return modal("share", tr("Share"), [alert(why, "error")], state_of(ctx))


def message(found: Insights, ctx: CardContext, *, by: str, note: str = "", link: str = "") -> Payload:
    """The short card with the note of whoever shares it, and where it is from."""
    card = insights.short(found, ctx)
    said = [section(mrkdwn.words(note, NOTE))] if mrkdwn.plainly(note) else []
    source = tr("From <{link}|this thread>", link=link) if link else ""
    line = " · ".join(part for part in (tr("Shared by {person}", person=f"<@{by}>"), source) if part)
    return {"text": card["text"], "blocks": [*said, *card["blocks"], context(line)]}
