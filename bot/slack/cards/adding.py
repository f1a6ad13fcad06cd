"""A picture of a conversation becomes an article of the catalogue: asking, the form, what the thread is told."""

from collections.abc import Sequence

from bot import money
from bot.insights.model import Article
from bot.jobs import ImageRef
from bot.language import marked, tr, trn
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, actions, alert, below, context, image, plain, section
from bot.slack.buttons import add_product, undo_add
from bot.slack.cards.context import ViewState
from bot.slack.cards.views import modal

TITLE, DESCRIPTION = 150, 3000
SWITCHED_OFF = marked("Adding to the catalogue is switched off here. An admin can switch it on with `/insights adding on`.")
ELSEWHERE = marked("I can’t add that: the catalogue is kept by another service. Ask whoever runs me.")
NO_PICTURE = marked("There is no picture to add. Post it together with the words, or answer in its thread.")
FOR_MEMBERS = marked("Only members of this workspace can add to the catalogue.")
FOR_ADMINS = marked("Only an admin can switch that.")
GONE = marked("There is nothing here to add any more. Post the picture again.")


def sentence(text: str) -> Payload:
    """One of the sentences above."""
    return _said(tr(text))


def _said(text: str) -> Payload:
    return {"text": mrkdwn.plainly(text), "blocks": [section(text)]}


def switched(*, on: bool) -> Payload:
    if on:
        said = marked(
            "Members of this workspace can now add to the catalogue: post a picture, mention me and say `add this, $40`."
        )
    else:
        said = marked("Nobody can add to the catalogue from this workspace any more. What was added stays.")
    return sentence(said)


def ask(rid: str, title: str, price: str, pictures: int) -> Payload:
    """To whoever said "add this": a modal needs a click of theirs."""
    what = f"*{mrkdwn.words(title, TITLE)}*" if mrkdwn.plainly(title) else trn("this picture", "these pictures", pictures)
    what += f", {mrkdwn.words(price, 40)}" if price else ""
    return {
        "text": tr("Add it to the catalogue?"),
        "blocks": [section(tr("Add {what} to the catalogue?", what=what)), *actions([add_product.element(rid)])],
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
    more = [context(trn("And {n} more of the same", "And {n} more of the same", len(images) - 1))] if len(images) > 1 else []
    cost = tr("40 or 39.95 is {currency}; or write 25 EUR", currency=currency)
    where = tr("Where it can be seen or bought; empty: your message")
    blocks = [
        *shown,
        *more,
        _input("title", tr("Title"), tr("What people would call it"), title, most=TITLE),
        _input("price", tr("Price"), cost, price, most=40, optional=True),
        _input("link", tr("Link"), where, link, kind="url_text_input", optional=True),
        _input("description", tr("Description"), "", description, most=DESCRIPTION, optional=True, multiline=True),
    ]
    return modal("add", tr("Add to catalogue"), blocks, state, submit=tr("Add"), close=tr("Cancel"))


def adding(state: ViewState, title: str) -> Payload:
    """While the picture is looked at."""
    said = tr("Adding *{title}* to the catalogue…", title=mrkdwn.words(title, TITLE))
    return modal("add", tr("Add to catalogue"), [section(said)], state)


def added(state: ViewState, title: str) -> Payload:
    name = mrkdwn.words(title, 90, room=120)
    said = tr("*{title}* is in the catalogue. Photos of it find it from now on.", title=name)
    return modal("add", tr("Add to catalogue"), [alert(said, "success")], state)


def failed(state: ViewState, why: str) -> Payload:
    return modal("add", tr("Add to catalogue"), [alert(why, "error")], state)


def card(rid: str, by: str, article: Article, *, market: str, removed_by: str = "") -> Payload:
    """The thread is told what somebody added, with a way back; `removed_by` says who took it."""
    name, link = mrkdwn.words(article.title, TITLE, room=200), article.link
    if removed_by:
        people = {"person": f"<@{by}>", "other": f"<@{removed_by}>"}
        line = tr("{person} added {title} to the catalogue. Removed by {other}.", title=name, **people)
        return {"text": line, "blocks": [section(f"~{name}~"), context(tr("Added by {person}, removed by {other}", **people))]}
    shown = article.price is not None and money.priced(article.price, article.currency)
    cost = money.fmt(article.price, article.currency, market) if article.price is not None and shown else ""
    facts = " · ".join(part for part in (cost, mrkdwn.link(link, mrkdwn.host(link))) if part)
    line = tr("{person} added {title} to the catalogue.", person=f"<@{by}>", title=name)
    if cost:
        line = tr("{person} added {title} to the catalogue for {price}.", person=f"<@{by}>", title=name, price=cost)
    return {
        "text": line,
        "blocks": [
            section(f"*{name}*\n{facts}" if facts else f"*{name}*"),
            context(tr("{person} added this to the catalogue", person=f"<@{by}>")),
            *actions([undo_add.element(rid, article.title)]),
        ],
    }


def not_yours(by: str) -> Payload:
    return _said(tr("Only {person} or an admin can do that.", person=f"<@{by}>"))


def _picture(ref: ImageRef) -> Block | None:
    if ref.file_id:
        return {"type": "image", "slack_file": {"id": ref.file_id}, "alt_text": tr("The picture to add")}
    return image(ref.url, tr("The picture to add")) if ref.url else None


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
    return block | below(hint)
