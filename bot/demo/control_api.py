"""What a test in another process, or in another language, needs of the workspace: see what happened, and let things go wrong.

What people do is `/client/…`; here is what people cannot. Every request carries the page's token (`X-Page-Token`).
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.demo import wire
from bot.demo.driver import Driver
from bot.demo.objects import Json
from bot.demo.workspace import Workspace

SETTLED_SECONDS = 30.0
FAULTS = (
    "clear",
    "refuse",
    "rate_limit",
    "fail",
    "lose_answer",
    "delay",
    "refuse_pictures",
    "refuse_blocks",
    "deliver_twice",
    "deliver_as_retry",
    "deliver_reversed",
    "stub_files",
    "unready_files",
)
"""Methods of Faults, with their arguments by name."""

Admit = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Callable[[web.Request], Awaitable[web.StreamResponse]]]


def routes(workspace: Workspace, admitted: Admit) -> list[web.RouteDef]:
    control = _Control(workspace)
    return [
        web.get("/control/state", admitted(control.state)),
        web.post("/control/settled", admitted(control.settled)),
        web.post("/control/fault", admitted(control.fault)),
        web.post("/control/person", admitted(control.person)),
        web.post("/control/invite", admitted(control.invite)),
    ]


class _Control:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._people = Driver(workspace)

    async def state(self, _: web.Request) -> web.Response:
        """Channels with their messages, open views and Home tabs by person, ephemeral messages, calls, problems."""
        at = self._workspace
        return web.json_response(
            {
                "people": {one.name: {"id": one.id, "locale": one.locale} for one in at.people.values() if not one.is_bot},
                "channels": {
                    one.name if one.kind != "im" else f"@{one.name}": [wire.page_message(at, m) for m in at.messages[one.id]]
                    for one in at.channels.values()
                },
                "ephemeral": [wire.page_message(at, m) | {"to": m.ephemeral_to} for m in at.ephemerals],
                "views": {at.people[who].name: [wire.view_json(view) for view in views] for who, views in at.views.items()},
                "homes": {at.people[who].name: wire.view_json(view) for who, view in at.homes.items()},
                "calls": [{"method": one.method, "status": one.status, "error": one.error} for one in at.calls],
                "problems": at.problems,
            }
        )

    async def settled(self, _: web.Request) -> web.Response:
        """Answers when no delivery is under way."""
        try:
            await self._people.settled(SETTLED_SECONDS)
        except AssertionError as error:
            raise web.HTTPGatewayTimeout(text=str(error)) from None
        return web.json_response({"ok": True})

    async def fault(self, request: web.Request) -> web.Response:
        """`{"fault": "rate_limit", "method": "chat.postMessage", "retry_after": 2}`: what Faults can do, by name."""
        wanted = await request.json()
        name = wanted.pop("fault", "")
        if name not in FAULTS:
            raise ValueError(f"There is no fault {name!r}. There are: {', '.join(FAULTS)}.")
        strike = getattr(self._workspace.faults, name)
        types = wanted.pop("types", ())
        inspect.signature(strike).bind(*types, **wanted)  # TypeError names what is wrong
        strike(*types, **wanted)
        return web.json_response({"ok": True})

    async def person(self, request: web.Request) -> web.Response:
        """`{"name": "ben", "locale": "fr-FR"}`: the language of somebody's Slack. The app may know the old one for a day."""
        wanted: Json = await request.json()
        self._people.reads(_word(wanted, "name"), _word(wanted, "locale"))
        return web.json_response({"ok": True})

    async def invite(self, request: web.Request) -> web.Response:
        """`{"channel": "kitchen-refit", "by": "ana"}`."""
        wanted: Json = await request.json()
        await self._people.invite(_word(wanted, "channel"), by=str(wanted.get("by") or "ana"))
        return web.json_response({"ok": True})


def _word(wanted: Any, name: str) -> str:
    value = wanted.get(name) if isinstance(wanted, dict) else None
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is missing.")
    return value
