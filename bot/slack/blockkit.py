"""Block Kit's rules: what Slack refuses (validate), and what we refuse ourselves (tidy).

Sources: cards.md §2, slack-platform.md §5.1, §5.2, §5.4. The messages are worded as Slack words them.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from bot.slack.mrkdwn import size

Surface = Literal["message", "modal", "home"]

BLOCKS = {"message": 50, "modal": 100, "home": 100}
VIEW_BYTES = 250_000
TABLE_CHARACTERS = 10_000
RICH_TEXT_BYTES = 24_500
MARKDOWN_CHARACTERS = 12_000

_EVERYWHERE = "actions card context divider header image input rich_text section video"
SURFACES: dict[Surface, frozenset[str]] = {
    "message": frozenset(f"{_EVERYWHERE} carousel container context_actions file markdown table".split()),
    "modal": frozenset(f"{_EVERYWHERE} alert".split()),
    "home": frozenset(f"{_EVERYWHERE} carousel container table".split()),
}


class Problem(NamedTuple):
    """`pointer` is an RFC 6901 JSON pointer into the payload, `message` what Slack would say about it."""

    pointer: str
    message: str


def validate(payload: Mapping[str, Any], surface: Surface) -> list[Problem]:
    """Everything Slack would refuse in a message (`text`, `blocks`, …) or a view; nothing when it would accept it."""
    report = _Report(surface)
    if surface == "message":
        _message(payload, report)
    else:
        _VIEWS[surface](payload, "", report)
        if len(json.dumps(payload, ensure_ascii=False, default=str).encode("utf-8", "replace")) > VIEW_BYTES:
            report("", "view_too_large")
    return report.problems


# --- checks: each looks at one value and reports what is wrong with it


@dataclass
class _Report:
    surface: Surface
    problems: list[Problem] = field(default_factory=list)

    def __call__(self, pointer: str, message: str) -> None:
        self.problems.append(Problem(pointer, message))


_Check = Callable[[Any, str, _Report], None]


def _at(pointer: str, key: str | int) -> str:
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def _string(most: int, least: int = 1) -> _Check:
    def check(value: Any, pointer: str, report: _Report) -> None:
        if not isinstance(value, str):
            report(pointer, "must provide a string")
        elif size(value) > most:
            report(pointer, f"must be less than {most + 1} characters")
        elif len(value) < least:
            report(pointer, f"must be more than {least - 1} characters")

    return check


def _boolean(value: Any, pointer: str, report: _Report) -> None:
    if not isinstance(value, bool):
        report(pointer, "must provide a boolean")


def _integer(least: int, most: int) -> _Check:
    def check(value: Any, pointer: str, report: _Report) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            report(pointer, "must provide an integer")
        elif not least <= value <= most:
            report(pointer, f"must be between {least} and {most}")

    return check


def _choice(*allowed: str) -> _Check:
    def check(value: Any, pointer: str, report: _Report) -> None:
        if value not in allowed:
            report(pointer, f"must be one of: {', '.join(allowed)}")

    return check


def _url(value: Any, pointer: str, report: _Report) -> None:
    _string(3000)(value, pointer, report)
    if isinstance(value, str) and value and not _web(value):
        report(pointer, "invalid url")


def _web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(char in url for char in " \n\t<>")


def _list(check: _Check, most: int, least: int = 1) -> _Check:
    def check_list(value: Any, pointer: str, report: _Report) -> None:
        if not isinstance(value, list | tuple):
            report(pointer, "must provide an array")
            return
        if len(value) > most:
            report(pointer, f"no more than {most} items allowed")
        elif len(value) < least:
            report(pointer, f"must provide at least {least} items")
        for number, item in enumerate(value):
            check(item, _at(pointer, number), report)

    return check_list


def _object(required: Mapping[str, _Check], optional: Mapping[str, _Check] | None = None, *more: _Check) -> _Check:
    """An object of exactly these properties; `more` looks at the whole of it."""
    known = {**required, **(optional or {})}

    def check(value: Any, pointer: str, report: _Report) -> None:
        if not isinstance(value, Mapping):
            report(pointer, "must provide an object")
            return
        for name in required:
            if name not in value:
                report(pointer, f"missing required field: {name}")
        for name, part in value.items():
            if name not in known:
                report(pointer, f"invalid additional property: {name}")
            else:
                known[name](part, _at(pointer, name), report)
        for look in more:
            look(value, pointer, report)

    return check


def _typed(shapes: Mapping[str, _Check], allowed: Callable[[_Report], frozenset[str]] | None = None) -> _Check:
    """An object whose `type` says which of the shapes it has."""

    def check(value: Any, pointer: str, report: _Report) -> None:
        if not isinstance(value, Mapping):
            report(pointer, "must provide an object")
        elif "type" not in value:
            report(pointer, "missing required field: type")
        elif not isinstance(kind := value["type"], str) or kind not in (allowed(report) if allowed else shapes):
            report(_at(pointer, "type"), f"unsupported type: {kind}")
        else:
            shapes[kind](value, pointer, report)

    return check


def _shape(
    kind: str, required: Mapping[str, _Check], optional: Mapping[str, _Check] | None = None, *more: _Check
) -> tuple[str, _Check]:
    return kind, _object({"type": _choice(kind), **required}, optional, *more)


def _anything(_value: Any, _pointer: str, _report: _Report) -> None:
    """For parts of blocks whose inside we do not build."""


# --- composition objects


def _plain(most: int) -> _Check:
    return _typed(dict([_shape("plain_text", {"text": _string(most)}, {"emoji": _boolean})]))


def _text(most: int) -> _Check:
    mrkdwn = _shape("mrkdwn", {"text": _string(most)}, {"verbatim": _boolean})
    return _typed(dict([mrkdwn, _shape("plain_text", {"text": _string(most)}, {"emoji": _boolean})]))


_ID = _string(255)
_USERS = _list(_string(255), 10)
_CONFIRM = _object(
    {"title": _plain(100), "text": _text(300), "confirm": _plain(30), "deny": _plain(30)},
    {"style": _choice("primary", "danger")},
)
_SLACK_FILE = _object({}, {"id": _string(255), "url": _url}, lambda v, p, r: _exactly_one(v, p, r, "id", "url"))


def _exactly_one(value: Mapping[str, Any], pointer: str, report: _Report, first: str, second: str) -> None:
    if (first in value) == (second in value):
        report(pointer, f"must define exactly one of `{first}` or `{second}`")


def _one_picture(value: Mapping[str, Any], pointer: str, report: _Report) -> None:
    _exactly_one(value, pointer, report, "image_url", "slack_file")


_PICTURE: dict[str, _Check] = {"image_url": _url, "slack_file": _SLACK_FILE}
_ALT: dict[str, _Check] = {"alt_text": _string(2000)}
_IMAGE = _shape("image", _ALT, _PICTURE, _one_picture)
_IMAGE_ELEMENT = _typed(dict([_IMAGE]))


def _option(text: Callable[[int], _Check], *, url: bool = False) -> _Check:
    optional: dict[str, _Check] = {"description": text(75)} | ({"url": _url} if url else {})
    return _object({"text": text(75), "value": _string(150)}, optional)


_PLAIN_OPTION = _option(_plain)
_GROUP = _object({"label": _plain(75), "options": _list(_PLAIN_OPTION, 100)})


def _choices(value: Mapping[str, Any], pointer: str, report: _Report) -> None:
    """Options or groups, and what is chosen at first equals one of them, exactly."""
    if "option_groups" not in value and "options" not in value:
        report(pointer, "missing required field: options")
    elif "option_groups" in value and "options" in value:
        report(pointer, "must define exactly one of `options` or `option_groups`")
    groups = [group for group in _items(value.get("option_groups")) if isinstance(group, Mapping)]
    offered = [*_items(value.get("options")), *(option for group in groups for option in _items(group.get("options")))]
    if "initial_option" in value and value["initial_option"] not in offered:
        report(_at(pointer, "initial_option"), "must match one of the options")
    for number, chosen in enumerate(_items(value.get("initial_options"))):
        if chosen not in offered:
            report(_at(_at(pointer, "initial_options"), number), "must match one of the options")


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


# --- elements


_BUTTON = _shape(
    "button",
    {"text": _plain(75)},
    {
        "action_id": _ID,
        "url": _url,
        "value": _string(2000),
        "style": _choice("primary", "danger"),
        "confirm": _CONFIRM,
        "accessibility_label": _string(75),
        "visible_to_user_ids": _USERS,
        "agent_prompt": _string(4000),
    },
)
_COMMON: dict[str, _Check] = {"action_id": _ID, "confirm": _CONFIRM, "focus_on_load": _boolean}
_PROMPT: dict[str, _Check] = {**_COMMON, "placeholder": _plain(150)}
_STATIC: dict[str, _Check] = {**_PROMPT, "options": _list(_PLAIN_OPTION, 100), "option_groups": _list(_GROUP, 100)}
_MANY: dict[str, _Check] = {"max_selected_items": _integer(1, 100)}
_FEW: dict[str, _Check] = {"options": _list(_option(_text), 10)}
_FILTER = _object(
    {},
    {
        "include": _list(_choice("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": _boolean,
        "exclude_bot_users": _boolean,
    },
)
_CONVERSATIONS: dict[str, _Check] = {"default_to_current_conversation": _boolean, "filter": _FILTER}
_ANSWERABLE: dict[str, _Check] = {"response_url_enabled": _boolean}
_INITIAL_OPTION: dict[str, _Check] = {"initial_option": _anything}
_INITIAL_OPTIONS: dict[str, _Check] = {"initial_options": _list(_anything, 100)}
_WRITTEN: dict[str, _Check] = {
    "action_id": _ID,
    "placeholder": _plain(150),
    "focus_on_load": _boolean,
    "dispatch_action_config": _anything,
}

_INTERACTIVE = dict(
    [
        _BUTTON,
        _shape("overflow", {"options": _list(_option(_plain, url=True), 5)}, {"action_id": _ID, "confirm": _CONFIRM}),
        _shape("static_select", {}, _STATIC | _INITIAL_OPTION, _choices),
        _shape("multi_static_select", {}, _STATIC | _INITIAL_OPTIONS | _MANY, _choices),
        _shape("external_select", {}, _PROMPT | _INITIAL_OPTION | {"min_query_length": _integer(0, 100)}),
        _shape("multi_external_select", {}, _PROMPT | _INITIAL_OPTIONS | _MANY | {"min_query_length": _integer(0, 100)}),
        _shape("users_select", {}, _PROMPT | {"initial_user": _ID}),
        _shape("multi_users_select", {}, _PROMPT | _MANY | {"initial_users": _list(_ID, 100)}),
        _shape("channels_select", {}, _PROMPT | _ANSWERABLE | {"initial_channel": _ID}),
        _shape("multi_channels_select", {}, _PROMPT | _MANY | {"initial_channels": _list(_ID, 100)}),
        _shape("conversations_select", {}, _PROMPT | _CONVERSATIONS | _ANSWERABLE | {"initial_conversation": _ID}),
        _shape("multi_conversations_select", {}, _PROMPT | _CONVERSATIONS | _MANY | {"initial_conversations": _list(_ID, 100)}),
        _shape("checkboxes", _FEW, _COMMON | _INITIAL_OPTIONS, _choices),
        _shape("radio_buttons", _FEW, _COMMON | _INITIAL_OPTION, _choices),
        _shape("datepicker", {}, _PROMPT | {"initial_date": _string(10)}),
        _shape("timepicker", {}, _PROMPT | {"initial_time": _string(5), "timezone": _string(255)}),
        _shape("datetimepicker", {}, _COMMON | {"initial_date_time": _integer(0, 9_999_999_999)}),
        _shape("workflow_button", {"text": _plain(75), "workflow": _anything}, {"action_id": _ID, "style": _anything}),
    ]
)
_INPUTS = {kind: check for kind, check in _INTERACTIVE.items() if kind not in {"button", "overflow", "workflow_button"}} | dict(
    [
        _shape(
            "plain_text_input",
            {},
            _WRITTEN
            | {
                "initial_value": _string(3000, 0),
                "multiline": _boolean,
                "min_length": _integer(0, 3000),
                "max_length": _integer(1, 3000),
            },
        ),
        _shape("email_text_input", {}, _WRITTEN | {"initial_value": _string(3000, 0)}),
        _shape("url_text_input", {}, _WRITTEN | {"initial_value": _string(3000, 0)}),
        _shape(
            "number_input",
            {"is_decimal_allowed": _boolean},
            _WRITTEN | {"initial_value": _string(255), "min_value": _string(255), "max_value": _string(255)},
        ),
        _shape("rich_text_input", {"action_id": _ID}, _WRITTEN | {"initial_value": _anything}),
        _shape("file_input", {}, {"action_id": _ID, "filetypes": _list(_string(255), 100), "max_files": _integer(1, 10)}),
    ]
)
_FEEDBACK_BUTTON = _object({"text": _plain(75), "value": _string(2000)}, {"accessibility_label": _string(75)})
_CONTEXT_ACTIONS = dict(
    [
        _shape(
            "feedback_buttons",
            {"positive_button": _FEEDBACK_BUTTON, "negative_button": _FEEDBACK_BUTTON},
            {"action_id": _ID},
        ),
        _shape(
            "icon_button",
            {"icon": _choice("trash"), "text": _plain(75)},
            {
                "action_id": _ID,
                "value": _string(2000),
                "confirm": _CONFIRM,
                "accessibility_label": _string(75),
                "visible_to_user_ids": _USERS,
            },
        ),
    ]
)


def _distinct_actions(key: str) -> _Check:
    def check(value: Mapping[str, Any], pointer: str, report: _Report) -> None:
        seen: set[str] = set()
        for number, element in enumerate(_items(value.get(key))):
            name = element.get("action_id") if isinstance(element, Mapping) else None
            if isinstance(name, str):
                if name in seen:
                    report(_at(_at(_at(pointer, key), number), "action_id"), f'`action_id` "{name}" already exists')
                seen.add(name)

    return check


# --- rich text and tables


def _rich_text() -> _Check:
    style = _object({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight", "unlink"), _boolean))
    runs = _typed(
        dict(
            [
                _shape("text", {"text": _string(TABLE_CHARACTERS, 0)}, {"style": style}),
                _shape("link", {"url": _url}, {"text": _string(3000), "unsafe": _boolean, "style": style}),
                _shape("emoji", {"name": _string(255)}, {"unicode": _string(255), "style": style, "skin_tone": _anything}),
                _shape("user", {"user_id": _ID}, {"style": style}),
                _shape("channel", {"channel_id": _ID}, {"style": style}),
                _shape("usergroup", {"usergroup_id": _ID}, {"style": style}),
                _shape("team", {"team_id": _ID}, {"style": style}),
                _shape("broadcast", {"range": _choice("here", "channel", "everyone")}, {"style": style}),
                _shape("color", {"value": _string(7)}, {"style": style}),
                _shape("date", {"timestamp": _integer(0, 9_999_999_999), "format": _string(255)}, {"url": _url, "fallback": _ID}),
            ]
        )
    )
    border = {"border": _integer(0, 1)}
    line = _shape("rich_text_section", {"elements": _list(runs, 1000, 0)})
    parts = dict(
        [
            line,
            _shape("rich_text_preformatted", {"elements": _list(runs, 1000, 0)}, border | {"language": _ID}),
            _shape("rich_text_quote", {"elements": _list(runs, 1000, 0)}, border),
            _shape(
                "rich_text_list",
                {"elements": _list(_typed(dict([line])), 1000, 0), "style": _choice("bullet", "ordered")},
                border | {"indent": _integer(0, 8), "offset": _integer(0, 10_000)},
            ),
        ]
    )
    return _list(_typed(parts), 1000)


def _small(value: Mapping[str, Any], pointer: str, report: _Report) -> None:
    if len(json.dumps(value, default=str)) > RICH_TEXT_BYTES:
        report(pointer, "msg_blocks_too_long")


_RICH_TEXT = _shape("rich_text", {"elements": _rich_text()}, {"block_id": _ID}, _small)
_CELL = _typed(dict([_shape("raw_text", {"text": _string(TABLE_CHARACTERS)}), _RICH_TEXT]))
_COLUMN = _object({}, {"align": _choice("left", "center", "right"), "is_wrapped": _boolean})


def _table_size(value: Mapping[str, Any], pointer: str, report: _Report) -> None:
    rows = _items(value.get("rows"))
    if len({len(_items(row)) for row in rows}) > 1:
        report(_at(pointer, "rows"), "all rows must have the same number of cells")
    if sum(size(text) for text in _strings(rows, "text")) > TABLE_CHARACTERS:
        report(_at(pointer, "rows"), f"must be less than {TABLE_CHARACTERS + 1} characters")


def _strings(value: Any, key: str) -> Iterator[str]:
    """Every string that stands under the key, at any depth."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            if name == key and isinstance(part, str):
                yield part
            else:
                yield from _strings(part, key)
    else:
        for part in _items(value):
            yield from _strings(part, key)


# --- blocks


def _text_or_fields(value: Mapping[str, Any], pointer: str, report: _Report) -> None:
    if "text" not in value and "fields" not in value:
        report(pointer, "must define either `fields` or `text`")


def _filled_card(value: Mapping[str, Any], pointer: str, report: _Report) -> None:
    if not any(name in value for name in ("hero_image", "title", "actions", "body")):
        report(pointer, "must define at least one of `hero_image`, `title`, `actions` or `body`")


_BLOCK_ID: dict[str, _Check] = {"block_id": _ID}
_ACTIONS = _list(_typed(_INTERACTIVE), 25)
_CARD = _shape(
    "card",
    {},
    _BLOCK_ID
    | {
        "hero_image": _IMAGE_ELEMENT,
        "icon": _IMAGE_ELEMENT,
        "slack_icon": _object({"type": _choice("icon"), "name": _string(255)}),
        "title": _text(150),
        "subtitle": _text(150),
        "body": _text(200),
        "subtext": _text(200),
        "actions": _list(_typed(dict([_BUTTON])), 3),
    },
    _filled_card,
    _distinct_actions("actions"),
)
_TEXT_ELEMENT = dict([_IMAGE, _shape("mrkdwn", {"text": _string(3000)}, {"verbatim": _boolean})]) | dict(
    [_shape("plain_text", {"text": _string(3000)}, {"emoji": _boolean})]
)
_IN_CONTAINER = frozenset({"actions", "context", "divider", "header", "image", "input", "rich_text", "section", "table", "video"})

_BLOCKS = dict(
    [
        _shape(
            "section",
            {},
            _BLOCK_ID
            | {
                "text": _text(3000),
                "fields": _list(_text(2000), 10),
                "accessory": _typed(dict([_IMAGE]) | _INTERACTIVE),
                "expand": _boolean,
            },
            _text_or_fields,
        ),
        _shape("header", {"text": _plain(150)}, _BLOCK_ID),
        _shape("divider", {}, _BLOCK_ID),
        _shape("context", {"elements": _list(_typed(_TEXT_ELEMENT), 10)}, _BLOCK_ID),
        _shape("actions", {"elements": _ACTIONS}, _BLOCK_ID, _distinct_actions("elements")),
        _shape("context_actions", {"elements": _list(_typed(_CONTEXT_ACTIONS), 5)}, _BLOCK_ID, _distinct_actions("elements")),
        _shape("image", _ALT, _BLOCK_ID | _PICTURE | {"title": _plain(2000)}, _one_picture),
        _shape(
            "input",
            {"label": _plain(2000), "element": _typed(_INPUTS)},
            _BLOCK_ID | {"hint": _plain(2000), "optional": _boolean, "dispatch_action": _boolean},
        ),
        _RICH_TEXT,
        _CARD,
        _shape("carousel", {"elements": _list(_typed(dict([_CARD])), 10)}, _BLOCK_ID),
        _shape(
            "table",
            {"rows": _list(_list(_CELL, 20), 100)},
            _BLOCK_ID | {"column_settings": _list(_COLUMN, 20)},
            _table_size,
        ),
        _shape("alert", {"text": _text(200)}, _BLOCK_ID | {"level": _choice("default", "info", "warning", "error", "success")}),
        _shape("markdown", {"text": _string(MARKDOWN_CHARACTERS)}, _BLOCK_ID),
        _shape("file", {"external_id": _ID, "source": _choice("remote")}, _BLOCK_ID),
        _shape(
            "video",
            {"alt_text": _string(2000), "title": _plain(200), "thumbnail_url": _url, "video_url": _url},
            _BLOCK_ID
            | {
                "author_name": _string(50),
                "description": _plain(200),
                "provider_icon_url": _url,
                "provider_name": _string(50),
                "title_url": _url,
            },
        ),
    ]
)


def _inner_block(value: Any, pointer: str, report: _Report) -> None:
    _typed(_BLOCKS, lambda _: _IN_CONTAINER)(value, pointer, report)


_CONTAINER_CHECK = _shape(
    "container",
    {"child_blocks": _list(_inner_block, 10)},
    _BLOCK_ID
    | {
        "title": _text(150),
        "rich_text_title": _anything,
        "subtitle": _text(150),
        "icon": _IMAGE_ELEMENT,
        "width": _choice("narrow", "standard", "wide", "full"),
        "is_collapsible": _boolean,
        "default_collapsed": _boolean,
        "has_header_divider": _boolean,
    },
)
_TOP = _typed(_BLOCKS | dict([_CONTAINER_CHECK]), lambda report: SURFACES[report.surface])


def _blocks(value: Any, pointer: str, report: _Report) -> None:
    _list(_TOP, BLOCKS[report.surface], 0 if report.surface == "message" else 1)(value, pointer, report)
    seen: set[str] = set()
    for at, block in _each_block(value, pointer):
        name = block.get("block_id")
        if isinstance(name, str) and name in seen:
            report(_at(at, "block_id"), f'`block_id` "{name}" already exists')
        elif isinstance(name, str):
            seen.add(name)


def _each_block(value: Any, pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every block with its pointer, those inside carousels and containers too."""
    for number, block in enumerate(_items(value)):
        if isinstance(block, Mapping):
            yield (at := _at(pointer, number)), block
            for key, outer in (("elements", "carousel"), ("child_blocks", "container")):
                if block.get("type") == outer:
                    yield from _each_block(block.get(key), _at(at, key))


# --- surfaces


def _message(payload: Mapping[str, Any], report: _Report) -> None:
    """The parts of chat.postMessage's arguments that are content; the rest is not looked at."""
    text, blocks = payload.get("text"), payload.get("blocks")
    if not text and not blocks and not payload.get("attachments"):
        report("", "no_text")
    if text is not None:
        _string(40_000, 0)(text, "/text", report)
    if blocks is not None:
        _blocks(blocks, "/blocks", report)
        kinds = [block.get("type") for block in _items(blocks) if isinstance(block, Mapping)]
        for number in [number for number, kind in enumerate(kinds) if kind == "table"][1:]:
            report(_at("/blocks", number), "only_one_table_allowed")
        markdown = [b for b in _items(blocks) if isinstance(b, Mapping) and b.get("type") == "markdown"]
        if sum(size(text) for text in _strings(markdown, "text")) > MARKDOWN_CHARACTERS:
            report("/blocks", f"must be less than {MARKDOWN_CHARACTERS + 1} characters")


def _submittable(value: Mapping[str, Any], _pointer: str, report: _Report) -> None:
    for number, block in enumerate(_items(value.get("blocks"))):
        if isinstance(block, Mapping) and block.get("type") == "input" and "submit" not in value:
            report(_at(_at("/blocks", number), "input"), "must define `submit` to use an `input` block in modals")


_VIEW: dict[str, _Check] = {"private_metadata": _string(3000, 0), "callback_id": _string(255, 0), "external_id": _string(255, 0)}
_VIEWS: dict[str, _Check] = {
    "modal": _object(
        {"type": _choice("modal"), "title": _plain(24), "blocks": _blocks},
        _VIEW
        | {
            "close": _plain(24),
            "submit": _plain(24),
            "clear_on_close": _boolean,
            "notify_on_close": _boolean,
        },
        _submittable,
    ),
    "home": _object({"type": _choice("home"), "blocks": _blocks}, _VIEW),
}


# --- our own rules


_OURS: dict[Surface, int] = {"message": 14, "modal": 60, "home": 60}
_ELEMENTS = {"actions": 5, "context": 4, "carousel": 5}
_LABEL, _OPTION, _VALUE, _NAME, _ALT_TEXT, _SECTION, _HEADER, _FALLBACK, _METADATA = 24, 60, 75, 60, 150, 600, 60, 300, 300
_CARD_LINES = {"title": 150, "subtitle": 60, "body": 80}  # a title is 60 to the eye, and may grow as it is escaped
_FRAME = 20
_LINK = re.compile(r"<[^|>]*\|")  # an address is not read


def tidy(payload: Mapping[str, Any], surface: Surface) -> list[str]:
    """Where a card of ours breaks our own, stricter rules (cards.md §2 column "ours", §6, §8). For tests."""
    return list(_untidy(payload, surface))


def _untidy(payload: Mapping[str, Any], surface: Surface) -> Iterator[str]:
    blocks = payload.get("blocks", ())
    if len(blocks) > _OURS[surface]:
        yield f"{len(blocks)} blocks, ours are at most {_OURS[surface]}"
    if surface == "message":
        text = payload.get("text", "")
        if not text.strip() or len(text) > _FALLBACK:
            yield f"fallback text of {len(text)} characters"
        if text.startswith("Looking"):
            yield "a fallback text says what was found, never that one is looking"
    for name in ("title", "submit", "close"):
        if name in payload and (len(label := payload[name]["text"]) > _FRAME or label.endswith("…")):
            yield f"{name} too long: {label}"
    if len(payload.get("private_metadata", "")) > _METADATA:
        yield "private_metadata too long"
    objects = list(_objects(blocks))
    if sum(found.get("style") == "primary" for found in objects) > 1:
        yield "more than one primary button"
    for found in objects:
        yield from _untidy_object(found)


def _untidy_object(found: Mapping[str, Any]) -> Iterator[str]:
    kind = found.get("type")
    if len(found.get("elements", ())) > _ELEMENTS.get(str(kind), 1000):
        yield f"too many elements in {kind}"
    for name in ("block_id", "action_id"):
        if len(str(found.get(name, ""))) > _NAME:
            yield f"{name} too long: {found[name]}"
    if len(found.get("alt_text", "")) > _ALT_TEXT:
        yield f"alt_text too long: {found['alt_text']}"
    if kind == "button":
        label, said = found["text"]["text"], found.get("accessibility_label")
        if len(label) > _LABEL or label.endswith("…"):
            yield f"button label too long: {label}"
        if said is not None and not said.startswith(label):
            yield f"accessibility_label must start with the visible label: {said}"
        if len(found.get("value", "")) > _VALUE:
            yield f"value too long: {found['value']}"
    if "value" in found and kind is None and (len(found["value"]) > _VALUE or len(found["text"]["text"]) > _OPTION):
        yield f"option too long: {found['value']}"
    if kind == "section" and "text" in found and len(_LINK.sub("", found["text"]["text"])) > _SECTION:
        yield f"section too long: {found['text']['text']}"
    if kind == "header" and len(found["text"]["text"]) > _HEADER:
        yield f"header too long: {found['text']['text']}"
    if kind == "card":
        for name, most in _CARD_LINES.items():
            if name in found and len(found[name]["text"]) > most:
                yield f"card {name} too long: {found[name]['text']}"
        if len(found.get("actions", ())) > 2:  # noqa: PLR2004 (cards.md §2)
            yield "too many actions in a card"
    if kind == "table" and (len(found["rows"]) > 11 or len(found["rows"][0]) > 3):  # noqa: PLR2004 (cards.md §2)
        yield "table too large"
    if kind == "plain_text" and found.get("emoji", True):
        yield f"plain_text without emoji: false: {found['text']}"
    if kind == "mrkdwn" and any(
        odd in found["text"] for odd in ("None", "N/A", "<!channel", "<!here", "<!everyone", "<!subteam")
    ):
        yield f"text that nobody wrote: {found['text']}"


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in the value, at any depth."""
    if isinstance(value, Mapping):
        yield value
        value = tuple(value.values())
    for part in _items(value):
        yield from _objects(part)
