"""Choosing one thing of a photo, and looking for that alone."""

from bot.drawing import apart
from bot.errors import Unavailable, UserError
from bot.insights.model import Crop, Token, Upload
from bot.jobs import Click
from bot.language import marked, tr
from bot.queue import Job
from bot.results import Result
from bot.slack import values
from bot.slack.blocks import Payload
from bot.slack.cards import regions as card
from bot.slack.cards.context import ViewState
from bot.slack.desk import Desk

NOT_NOW = marked("I can’t look at that photo now. Try again in a minute.")


async def opened(job: Job, desk: Desk, result: Result, view_id: str) -> None:
    """The photo with numbered boxes, once it is fetched, looked at, drawn and uploaded."""

    async def filled() -> None:
        try:
            view = card.view(await _choice(desk, result))
        except UserError as error:
            view = card.failed(desk.context(result), tr(error.text, **error.values))
        except Unavailable:
            view = card.failed(desk.context(result), tr(NOT_NOW))
        await desk.replies.update_view(view_id, view)

    await job.step("fill", filled)


async def _choice(desk: Desk, result: Result) -> card.Choice:
    state = ViewState(result.rid, result.channel, result.thread_ts)
    token = result.found.token if result.found else ""
    if result.image.token:
        return card.Choice(state)
    data = await desk.images.fetch(result.image)
    things = await desk.insights.things(Token(token) if token else Upload(data), market=result.market)
    chosen = [things[at] for at in apart([thing.box for thing in things])]
    items = tuple((thing.name, thing.box) for thing in chosen)
    if not items:
        return card.Choice(state, file=result.image.file_id)
    file = await desk.replies.upload(await desk.images.drawn(data, [box for _, box in items]), "items.jpg", tr("Numbered items"))
    return card.Choice(state, items, file)


def picked(click: Click) -> Payload | None:
    """The modal with or without the fields for a part."""
    choice, value = card.Choice.read(click.view_metadata), values.parse(click.value)
    return card.view(choice, picked=value.arg) if choice and value else None


def part_of(click: Click) -> tuple[Crop, str] | None:
    """What was chosen and what it is called; None where the modal is not ours. Raises ValueError for edges that are none."""
    choice, value = card.Choice.read(click.view_metadata), values.parse(click.entered.get("region", ""))
    if choice is None or value is None:
        return None
    number = value.number("g")
    if number and number <= len(choice.items):
        name, box = choice.items[number - 1]
        return box, f"{number}, {name.lower()}"
    if value.arg == card.PART:
        return _edges(click.entered.get("edges", "").strip() or click.entered.get("part", "")), ""
    return Crop(), ""


def _edges(text: str) -> Crop:
    """Four percentages. Raises ValueError."""
    left, top, right, bottom = (float(part.strip().removesuffix("%")) / 100 for part in text.replace(";", ",").split(","))
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(text)
    return Crop(left, top, right, bottom)
