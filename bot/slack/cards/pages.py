"""Pages with this image, and related searches: two modals (cards.md §9.9)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from babel.dates import format_date

from bot.insights.model import ImageObject, Insights, Query
from bot.language import spoken, tr, trn
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, actions, context, divider, section
from bot.slack.buttons import more_pages, search_words
from bot.slack.cards.context import CardContext
from bot.slack.cards.views import divided, modal, state_of, window
from bot.slack.values import block_id

PAGE, PAGES = 8, 3
MOST_SEARCHES = 8


def view(ctx: CardContext, found: Insights, *, start: int = 0, until: int = 0) -> Payload:
    """Pages `start` to `until`, the newest first, one row a page; the next are appended by asking for more."""
    pages = sorted(found.pages_including, key=lambda page: page.date_published, reverse=True)
    state = window(replace(state_of(ctx), start=start, until=until), page=PAGE, pages=PAGES, total=len(pages))
    more = more_pages.element(ctx.rid, state.until) if state.until < len(pages) else None
    heading = trn("*{n} page includes this image*", "*{n} pages include this image*", len(pages))
    blocks = [
        section(heading if pages else tr("No page includes this image."), block_id=block_id(ctx.rid, "pgl")),
        *divided([_page(page) for page in pages[state.start : state.until]]),
        *([divider()] if more else []),
        *actions([more], block_id=block_id(ctx.rid, "pgm", state.start)),
    ]
    return modal("pages", tr("Pages with the image"), blocks, state)


def _page(page: ImageObject) -> list[Block]:
    host = mrkdwn.words(page.host_page_display_url, 60) or mrkdwn.host(page.host_page_url)
    when = _published(page.date_published)
    name = mrkdwn.link(page.host_page_url, mrkdwn.plainly(page.name) or mrkdwn.host(page.host_page_url) or tr("Page"), 150)
    line = " · ".join(part for part in (host, tr("published {day}", day=when) if when else "") if part)
    return [section(f"*{name}*"), *([context(line)] if line else [])]


def _published(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    except ValueError:
        return ""
    return f"<!date^{int(moment.timestamp())}^{{date_short}}|{format_date(moment, locale=spoken())}>"


def searching(ctx: CardContext) -> Payload:
    """Until the searches are known."""
    return modal("related", tr("Related searches"), [context(":mag: " + tr("Looking for related searches…"))], state_of(ctx))


def related(ctx: CardContext, queries: Sequence[Query]) -> Payload:
    """Each runs here; its name leads to the page of the same search."""
    rows = [
        section(
            mrkdwn.link(query.web_search_url, query.display_text, 60) or mrkdwn.words(query.text, 60),
            accessory=search_words.element(ctx.rid, number, query.display_text or query.text),
            block_id=block_id(ctx.rid, f"rs{number}"),
        )
        for number, query in enumerate(queries[:MOST_SEARCHES])
    ]
    heading = f"*{tr('Related searches')}*" if rows else tr("Nobody has looked for anything like this yet.")
    return modal("related", tr("Related searches"), [section(heading), *rows], state_of(ctx))
