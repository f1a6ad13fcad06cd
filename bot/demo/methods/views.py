"""views.*: modals with their three seconds and their stack of three, and the Home tab (slack-platform.md §6.3)."""

import secrets
import time
from typing import Any

from bot.demo import wire
from bot.demo.methods import content
from bot.demo.methods.call import Arguments, Method, Refused, invalid_arguments
from bot.demo.objects import Json, Trigger, View
from bot.demo.workspace import Workspace

MOST_STACKED = 3


async def open_view(workspace: Workspace, arguments: Arguments) -> Json:
    body = await _view(workspace, arguments)
    trigger = _trigger(workspace, arguments)
    workspace.close_views(list(workspace.views[trigger.user]))
    return {"view": wire.view_json(open_on_top(workspace, trigger.user, body))}


async def push(workspace: Workspace, arguments: Arguments) -> Json:
    body = await _view(workspace, arguments)
    trigger = _trigger(workspace, arguments)
    stack = workspace.views[trigger.user]
    if not stack or all(view.id != trigger.view_id for view in stack):
        workspace.problem("views.push: the click did not come from an open modal")
        raise invalid_arguments("views can only be pushed from a modal")
    if len(stack) >= MOST_STACKED:
        workspace.problem("views.push: more than three views on top of each other")
        raise Refused("push_limit_reached")
    return {"view": wire.view_json(open_on_top(workspace, trigger.user, body))}


async def update(workspace: Workspace, arguments: Arguments) -> Json:
    body = await _view(workspace, arguments)
    view = _found(workspace, arguments)
    if arguments.text("hash") and arguments.text("hash") != view.hash:
        raise Refused("hash_conflict")
    replace(workspace, view, body)
    return {"view": wire.view_json(view)}


async def publish(workspace: Workspace, arguments: Arguments) -> Json:
    user = arguments.required("user_id")
    if user not in workspace.people or workspace.people[user].is_bot:
        raise Refused("user_not_found")
    body = await _view(workspace, arguments, home=True)
    home = workspace.homes.get(user)
    if home and arguments.text("hash") and arguments.text("hash") != home.hash:
        raise Refused("hash_conflict")
    if home is None:
        home = workspace.homes[user] = View(_new_id(), user, {}, "")
    replace(workspace, home, body)
    return {"view": wire.view_json(home)}


def open_on_top(workspace: Workspace, user: str, body: Json) -> View:
    """Show a modal on top of those the person has open."""
    stack = workspace.views[user]
    view = View(_new_id(), user, _with_ids(body), workspace.new_view_hash())
    view.root_id = stack[0].id if stack else view.id
    view.previous_id = stack[-1].id if stack else ""
    stack.append(view)
    workspace.show_view(view)
    return view


def replace(workspace: Workspace, view: View, body: Json) -> None:
    """Put other content into a view. What was entered stays for inputs that keep block_id and action_id."""
    view.body = _with_ids(body)
    view.hash = workspace.new_view_hash()
    view.revision += 1
    kept = {str(block.get("block_id")) for block in view.blocks}
    view.state = {block_id: values for block_id, values in view.state.items() if block_id in kept}
    workspace.show_view(view)


def _new_id() -> str:
    return f"V07{secrets.token_hex(4).upper()}"


def _with_ids(body: Json) -> Json:
    return {**body, "blocks": content.with_ids(body.get("blocks") or [])}


async def check_view(workspace: Workspace, body: Any, *, home: bool = False) -> Json:
    """A view as Slack accepts it. Raises Refused."""
    if not isinstance(body, dict):
        raise invalid_arguments("must provide an object [json-pointer:/view]")
    kind = "home" if home else "modal"
    if body.get("type") != kind:
        workspace.problem(f"a view of type {body.get('type')!r} where a {kind} is due")
        raise invalid_arguments(f"must be a valid enum value: {kind} [json-pointer:/view/type]")
    await content.check(workspace, body, "home" if home else "modal", error="invalid_arguments")
    return body


async def _view(workspace: Workspace, arguments: Arguments, *, home: bool = False) -> Json:
    body = await check_view(workspace, arguments.json("view", "invalid_arguments"), home=home)
    external = body.get("external_id")
    if external and any(v.body.get("external_id") == external for v in _all(workspace) if v.id != arguments.text("view_id")):
        raise Refused("duplicate_external_id")
    return body


def _all(workspace: Workspace) -> list[View]:
    return [view for stack in workspace.views.values() for view in stack] + list(workspace.homes.values())


def _found(workspace: Workspace, arguments: Arguments) -> View:
    """The view to change. A person may have closed it in the meantime: not_found."""
    if "external_id" in arguments:
        found = next((v for v in _all(workspace) if v.body.get("external_id") == arguments.text("external_id")), None)
    else:
        found = workspace.view(arguments.required("view_id"))
    if found is None:
        raise Refused("not_found")
    return found


def _trigger(workspace: Workspace, arguments: Arguments) -> Trigger:
    trigger = workspace.triggers.get(arguments.required("trigger_id"))
    error = ""
    if trigger is None:
        error = "invalid_trigger_id"
    elif trigger.used:
        error = "exchanged_trigger_id"
    elif time.monotonic() - trigger.created > workspace.timing.trigger:
        error = "expired_trigger_id"
    if trigger is None or error:
        workspace.problem(f"a trigger was used that is no longer good: {error}")
        raise Refused(error)
    trigger.used = True
    return trigger


METHODS = {
    "views.open": Method(open_view),
    "views.push": Method(push),
    "views.update": Method(update),
    "views.publish": Method(publish),
}
