"""reactions.*: the app's eyes on a photo."""

import re

from bot.demo.methods.call import Arguments, Method, Refused, room_of
from bot.demo.objects import BOT_USER_ID, Json, Message
from bot.demo.workspace import Workspace

NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


def _target(workspace: Workspace, arguments: Arguments) -> tuple[Message, str]:
    channel = room_of(workspace, arguments)
    name = arguments.required("name").strip(":")
    if not NAME.fullmatch(name):
        raise Refused("invalid_name")
    message = workspace.message(channel.id, arguments.required("timestamp"))
    if message is None:
        raise Refused("message_not_found")
    return message, name


async def add(workspace: Workspace, arguments: Arguments) -> Json:
    message, name = _target(workspace, arguments)
    if not workspace.react(message, BOT_USER_ID, name, on=True):
        raise Refused("already_reacted")
    return {}


async def remove(workspace: Workspace, arguments: Arguments) -> Json:
    message, name = _target(workspace, arguments)
    if not workspace.react(message, BOT_USER_ID, name, on=False):
        raise Refused("no_reaction")
    return {}


METHODS = {"reactions.add": Method(add, "reactions:write"), "reactions.remove": Method(remove, "reactions:write")}
