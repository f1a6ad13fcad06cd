"""A picture of a conversation becomes an article of the catalogue: asking, the form, what the thread is told."""

from collections.abc import Sequence

from bot import money
from bot.insights.model import Article
from bot.jobs import ImageRef
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, actions, alert, context, image, plain, section
from bot.slack.buttons import add_product, undo_add
from bot.slack.cards.context import ViewState
from bot.slack.cards.views import modal

TITLE, DESCRIPTION = 150, 3000
SWITCH = "`/insights adding on`"
SWITCHED_OFF = f"Adding to the catalogue is switched off here. An admin can switch it on with {SWITCH}."
ELSEWHERE = "I can’t add that: the catalogue is kept by another service. Ask whoever runs me."
NO_PICTURE = "There is no picture to add. Post it together with the words, or answer in its thread."
FOR_MEMBERS = "Only members of this workspace can add to the catalogue."
FOR_ADMINS = "Only an admin can switch that."
GONE = "There is nothing here to add any more. Post the picture again."


def sentence(text: str) -> Payload:
    """One of the sentences above."""
    return {"text": mrkdwn.plainly(text), "blocks": [section(text)]}


def switched(*, on: bool) -> Payload:
    if on:
        said = "Members of this workspace can now add to the catalogue: post a picture, mention me and say `add this, $40`."
    else:
        said = "Nobody can add to the catalogue from this workspace any more. What was added stays."
    return sentence(said)


def ask(rid: str, title: str, price: str, pictures: int) -> Payload:
    """To whoever said "add this": a modal needs a click of theirs."""
    what = f"*{mrkdwn.words(title, TITLE)}*" if mrkdwn.plainly(title) else "this picture" if pictures == 1 else "these pictures"
    cost = f", {mrkdwn.words(price, 40)}" if price else ""
    return {
        "text": "Add it to the catalogue?",
        "blocks": [section(f"Add {what}{cost} to the catalogue?"), *actions([add_product.element(rid)])],
    }


def form(
    state: ViewState,
    images: Sequence[ImageRef],
    *,
    title: str,
    price: str,
    link: str = "",
    description: str = "",
    currency: str = "USD",
    pictures: bool = True,
) -> Payload:
    """What is to be in the catalogue. currency: of a price that names none."""
    shown = [picture for one in images[:1] if (picture := _picture(one)) is not None] if pictures else []
    more = [context(f"And {len(images) - 1} more of the same")] if len(images) > 1 else []
    blocks = [
        *shown,
        *more,
        _input("title", "Title", "What people would call it", title, most=TITLE),
        _input("price", "Price", f"40 or 39.95 is {currency}; or write 25 EUR", price, most=40, optional=True),
        _input("link", "Link", "Where it can be seen or bought; empty: your message", link, kind="url_text_input", optional=True),
        _input("description", "Description", "", description, most=DESCRIPTION, optional=True, multiline=True),
    ]
    return modal("add", "Add to catalogue", blocks, state, submit="Add", close="Cancel")


def adding(state: ViewState, title: str) -> Payload:
    """While the picture is looked at."""
    return modal("add", "Add to catalogue", [section(f"Adding *{mrkdwn.words(title, TITLE)}* to the catalogue…")], state)


def added(state: ViewState, title: str) -> Payload:
    said = f"*{mrkdwn.words(title, 90, room=120)}* is in the catalogue. Photos of it find it from now on."
    return modal("add", "Add to catalogue", [alert(said, "success")], state)


def failed(state: ViewState, why: str) -> Payload:
    return modal("add", "Add to catalogue", [alert(why, "error")], state)


def card(rid: str, by: str, article: Article, *, market: str, removed_by: str = "") -> Payload:
    """The thread is told what somebody added, with a way back; `removed_by` says who took it."""
    name, link = mrkdwn.words(article.title, TITLE, room=200), article.link
    if removed_by:
        line = f"<@{by}> added {name} to the catalogue. Removed by <@{removed_by}>."
        return {"text": line, "blocks": [section(f"~{name}~"), context(f"Added by <@{by}>, removed by <@{removed_by}>")]}
    shown = article.price is not None and money.priced(article.price, article.currency)
    cost = money.fmt(article.price, article.currency, market) if article.price is not None and shown else ""
    facts = " · ".join(part for part in (cost, mrkdwn.link(link, mrkdwn.host(link))) if part)
    return {
        "text": f"<@{by}> added {name} to the catalogue{f' for {cost}' if cost else ''}.",
        "blocks": [
            section(f"*{name}*\n{facts}" if facts else f"*{name}*"),
            context(f"<@{by}> added this to the catalogue"),
            *actions([undo_add.element(rid, article.title)]),
        ],
    }


def not_yours(by: str) -> Payload:
    return sentence(f"Only <@{by}> or an admin can do that.")


def _picture(ref: ImageRef) -> Block | None:
    if ref.file_id:
        return {"type": "image", "slack_file": {"id": ref.file_id}, "alt_text": "The picture to add"}
    return image(ref.url, "The picture to add") if ref.url else None


def _input(
    name: str,
    label: str,
    hint: str,
    value: str,
    *,
    kind: str = "plain_text_input",
    most: int = 0,
    optional: bool = False,
    multiline: bool = False,
) -> Block:
    element: Block = {"type": kind, "action_id": "v"}
    if value:
        element["initial_value"] = mrkdwn.cut(value, most) if most else value
    if most:
        element["max_length"] = most
    if multiline:
        element["multiline"] = True
    block: Block = {"type": "input", "block_id": name, "label": plain(label), "element": element, "optional": optional}
    return block | ({"hint": plain(hint)} if hint else {})
