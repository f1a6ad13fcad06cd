"""Similar products: the modal with all of them, page by page (cards.md §9.7)."""

from dataclasses import replace

from bot.insights.model import Insights
from bot.language import tr
from bot.slack.blocks import Payload, actions, divider, section
from bot.slack.buttons import page_products
from bot.slack.cards import products
from bot.slack.cards.context import CardContext
from bot.slack.cards.views import divided, modal, state_of, window
from bot.slack.values import block_id

PAGE, PAGES = 8, 2


def view(ctx: CardContext, found: Insights, *, start: int = 0, until: int = 0) -> Payload:
    """Products `start` to `until`, at least a page; the next page is appended by asking for more."""
    named = products.named(found)
    state = window(replace(state_of(ctx), start=start, until=until), page=PAGE, pages=PAGES, total=len(named))
    shown = named[state.start : state.until]
    more = page_products.element(ctx.rid, state.until) if state.until < len(named) else None
    order = tr("Best visual match first")
    heading = f"*{products.counted(len(named), '')}*\n{order}"
    blocks = [
        section(heading if named else tr("No similar products found."), block_id=block_id(ctx.rid, "pl")),
        *divided([products.rows(product, number, ctx) for number, product in shown]),
        *([divider()] if more else []),
        *actions([more], block_id=block_id(ctx.rid, "pm", state.start)),
    ]
    return modal("products", tr("Similar products"), blocks, state)
