"""Choose an item: the photo with numbered boxes, and what to look for (cards.md §9.6)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from bot.insights.model import Crop
from bot.language import marked, tr
from bot.slack import mrkdwn
from bot.slack.blocks import Block, Payload, below, context, option, plain, section
from bot.slack.buttons import pick_item
from bot.slack.cards.context import CardContext, ViewState
from bot.slack.cards.views import modal
from bot.slack.values import block_id, encode

ALL, PART = "all", "xy"
LABEL = 24
PARTS = {
    marked("Left half"): "0,0,50,100",
    marked("Right half"): "50,0,100,100",
    marked("Top half"): "0,0,100,50",
    marked("Bottom half"): "0,50,100,100",
    marked("Centre"): "25,25,75,75",
}
BAD_EDGES = marked("Use four numbers from 0 to 100: left, top, right, bottom. Right and bottom must be larger.")


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be chosen in a photo, as the modal remembers it. file: of the picture that the modal shows."""

    state: ViewState
    items: tuple[tuple[str, Crop], ...] = ()
    file: str = ""

    def dump(self) -> str:
        boxes = [[name[:LABEL], *(round(edge * 1000) for edge in _edges(box))] for name, box in self.items]
        return json.dumps(json.loads(self.state.dump()) | {"g": boxes, "f": self.file}, separators=(",", ":"))

    @classmethod
    def read(cls, private_metadata: str) -> Self | None:
        """None for anything `dump` did not write."""
        state = ViewState.read(private_metadata)
        try:
            fields = json.loads(private_metadata)
            items = tuple((str(name), Crop(*(edge / 1000 for edge in edges))) for name, *edges in fields["g"])
            return cls(state, items, str(fields["f"])) if state else None
        except (ValueError, TypeError, KeyError):
            return None


def loading(ctx: CardContext) -> Payload:
    waiting = context(tr("Looking for items in the photo…"))
    return modal("region", tr("Choose an item"), [waiting], ViewState(ctx.rid), close=tr("Cancel"))


def failed(ctx: CardContext, why: str) -> Payload:
    return modal("region", tr("Choose an item"), [section(why)], ViewState(ctx.rid))


def view(choice: Choice, *, picked: str = "") -> Payload:
    """picked: the arg of the radio that is chosen; without items the part is all there is to say."""
    rid = choice.state.rid
    options = {f"g{n}": option(f"{n} · {_label(name)}", encode(rid, f"g{n}")) for n, (name, _) in enumerate(choice.items, 1)}
    options |= {ALL: option(tr("Whole picture"), encode(rid, ALL)), PART: option(tr("A part of the picture"), encode(rid, PART))}
    first = picked if picked in options else next(iter(options)) if choice.items else PART
    radios: Block = {
        "type": "input",
        "block_id": "region",
        "dispatch_action": True,
        "label": plain(tr("What should I look for?")),
        "element": {
            "type": "radio_buttons",
            "action_id": pick_item.ACTION_ID,
            "options": [*options.values()],
            "initial_option": options[first],
        },
    }
    photo: list[Block] = []
    if choice.file:
        alt = _alt(choice.items)
        photo = [{"type": "image", "block_id": block_id(rid, "rimg"), "slack_file": {"id": choice.file}, "alt_text": alt}]
    more = _part() if first == PART else []
    view = modal(
        "region", tr("Choose an item"), [*photo, radios, *more], choice.state, submit=tr("Find similar"), close=tr("Cancel")
    )
    return view | {"private_metadata": choice.dump()}


def _part() -> list[Block]:
    parts = [option(tr(label), value) for label, value in PARTS.items()]
    element: Block = {"type": "static_select", "action_id": "v", "options": parts, "initial_option": parts[0]}
    edges: Block = {"type": "plain_text_input", "action_id": "v", "placeholder": plain("10, 20, 80, 90"), "max_length": 40}
    return [
        {"type": "input", "block_id": "part", "label": plain(tr("Part")), "element": element},
        {
            "type": "input",
            "block_id": "edges",
            "optional": True,
            "label": plain(tr("Exact edges in percent")),
            **below(tr("Left, top, right, bottom. Replaces the part.")),
            "element": edges,
        },
    ]


def _label(name: str) -> str:
    said = mrkdwn.cut(mrkdwn.plainly(name), LABEL) or tr("Item")
    return said[0].upper() + said[1:]


def _alt(items: Sequence[tuple[str, Crop]]) -> str:
    named = ", ".join(f"{n} {_label(name).lower()}" for n, (name, _) in enumerate(items, 1))
    return mrkdwn.cut(tr("Your photo with numbered boxes: {items}", items=named) if named else tr("Your photo"), 150)


def _edges(box: Crop) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom
