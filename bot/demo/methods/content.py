"""Blocks as Slack accepts them: the rules, the pictures, the ids it adds."""

import secrets
from collections.abc import Iterator
from typing import Any

from bot.demo import wire
from bot.demo.methods.call import Refused
from bot.demo.objects import Json
from bot.demo.workspace import Workspace
from bot.slack.blockkit import Surface, validate

_PICKS = {
    f"{many}{kind}_select" for many in ("", "multi_") for kind in ("static", "external", "users", "conversations", "channels")
}
_INPUTS = {f"{kind}_input" for kind in ("plain_text", "number", "url_text", "email_text")}
_PICKERS = {"checkboxes", "radio_buttons", "datepicker", "timepicker", "datetimepicker"}
NEED_ACTION_ID = frozenset({"button", "overflow", "feedback_buttons", "icon_button"} | _PICKS | _INPUTS | _PICKERS)


async def check(workspace: Workspace, payload: Json, surface: Surface, *, error: str) -> None:
    """Refuse what Slack refuses: first by its rules, then because of a picture it cannot download.

    Raises Refused(error) with the messages and pointers. Broken rules are a problem of the app; pictures may fail by themselves.
    """
    blocks = payload.get("blocks") or []
    refused = workspace.faults.refused_types(types := wire.types_in(blocks))
    if refused:
        raise _refusal(error, [f"unsupported type: {name} [json-pointer:{types[name]}]" for name in sorted(refused)])
    problems = validate(payload, surface)
    if any(problem.message == "view_too_large" for problem in problems):
        raise Refused("view_too_large")
    if problems:
        messages = [f"{problem.message} [json-pointer:{problem.pointer}]" for problem in problems]
        for message in messages:
            workspace.problem(f"invalid blocks in a {surface}: {message}")
        raise _refusal(error, messages)
    pictures = list(_pictures(blocks, "/blocks"))
    bad = await workspace.pictures.bad(url for url, _ in pictures)
    messages = [f"downloading image failed [json-pointer:{pointer}]" for url, pointer in pictures if url in bad]
    messages += [
        f"invalid slack file [json-pointer:{at}]"
        for wanted, at in _slack_files(blocks, "/blocks")
        if not _shown(workspace, wanted)
    ]
    if messages:
        raise _refusal(error, messages)


def _refusal(error: str, messages: list[str]) -> Refused:
    return Refused(error, errors=messages, response_metadata={"messages": [f"[ERROR] {message}" for message in messages]})


def _members(part: Any, pointer: str) -> Iterator[tuple[Json, str]]:
    """Every object in a payload with its pointer."""
    if isinstance(part, dict):
        yield part, pointer
        for name, value in part.items():
            yield from _members(value, f"{pointer}/{name}")
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from _members(value, f"{pointer}/{index}")


def _pictures(blocks: Any, pointer: str) -> Iterator[tuple[str, str]]:
    for part, at in _members(blocks, pointer):
        if isinstance(part.get("image_url"), str):
            yield part["image_url"], f"{at}/image_url"


def _slack_files(blocks: Any, pointer: str) -> Iterator[tuple[Json, str]]:
    for part, at in _members(blocks, pointer):
        if isinstance(part.get("slack_file"), dict):
            yield part["slack_file"], f"{at}/slack_file"


def _shown(workspace: Workspace, wanted: Json) -> bool:
    """Whether a slack_file names a picture that Slack can show: by id, or by its permalink or private address."""
    for file in workspace.files.values():
        addresses = wire.file_json(workspace, file)
        if wanted.get("id") == file.id or wanted.get("url") in {addresses["url_private"], addresses["permalink"]}:
            return file.width > 0 and not file.deleted and file.mimetype in {"image/png", "image/jpeg", "image/gif"}
    return False


def with_ids(blocks: list[Json]) -> list[Json]:
    """The blocks with the ids that Slack makes up where the app gave none."""

    def completed(part: Any, *, block: bool) -> Any:
        if isinstance(part, list):
            return [completed(item, block=block) for item in part]
        if not isinstance(part, dict):
            return part
        inner = {
            name: completed(
                value, block=name in {"blocks", "child_blocks"} or (name == "elements" and part.get("type") == "carousel")
            )
            for name, value in part.items()
        }
        if block and not inner.get("block_id"):
            inner["block_id"] = secrets.token_urlsafe(4)[:5]
        if inner.get("type") in NEED_ACTION_ID and "action_id" not in inner:
            inner["action_id"] = secrets.token_urlsafe(4)[:5]
        return inner

    whole: list[Json] = completed(blocks, block=True)
    return whole
