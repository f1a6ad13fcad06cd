"""What all our modals share: frame, private_metadata, pages of rows."""

from collections.abc import Sequence
from dataclasses import replace

from bot.language import tr
from bot.slack.blocks import Block, Payload, divider, plain
from bot.slack.cards.context import CardContext, ViewState

TITLE = 24


def state_of(ctx: CardContext) -> ViewState:
    return ViewState(ctx.rid, ctx.channel, ctx.thread)


def modal(name: str, title: str, blocks: list[Block], state: ViewState, *, submit: str = "", close: str = "") -> Payload:
    """`close` is Done where nothing else is said."""
    view: Payload = {
        "type": "modal",
        "callback_id": f"insights.{name}",
        "title": plain(title, TITLE),
        "close": plain(close or tr("Done"), TITLE),
        "private_metadata": state.dump(),
        "blocks": blocks,
    }
    if submit:
        view["submit"] = plain(submit, TITLE)
    return view


def window(state: ViewState, *, page: int, pages: int, total: int) -> ViewState:
    """The rows to show: those asked for, and no more than `pages` pages, the newest of them, so that the view stays small."""
    until = min(total, max(state.until, state.start + page))
    return replace(state, start=max(0, min(state.start, until), until - page * pages), until=until)


def divided(rows: Sequence[list[Block]]) -> list[Block]:
    """Rows with a divider between each two."""
    return [block for number, row in enumerate(rows) for block in ([divider(), *row] if number else row)]
