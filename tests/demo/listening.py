"""An app that writes down what Slack sends it and answers as told."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web


@dataclass
class Request:
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        if self.headers["Content-Type"].startswith("application/json"):
            value: dict[str, Any] = json.loads(self.raw)
            return value
        form = dict(parse_qsl(self.raw.decode(), keep_blank_values=True))
        if "payload" in form:
            payload: dict[str, Any] = json.loads(form["payload"])
            return payload
        return dict(form)

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = self.body["event"]
        return event


@dataclass
class App:
    """`answers` are used up one by one, the last stays: (status, body, seconds to wait)."""

    requests: list[Request] = field(default_factory=list)
    answers: list[tuple[int, Any, float]] = field(default_factory=lambda: [(200, None, 0.0)])
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(Request(dict(request.headers), await request.read()))
        status, body, seconds = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await asyncio.sleep(seconds)
        return web.json_response(body, status=status) if body is not None else web.Response(status=status)

    def events(self, kind: str) -> list[dict[str, Any]]:
        bodies = [r.body for r in self.requests]
        return [body["event"] for body in bodies if body.get("type") == "event_callback" and body["event"]["type"] == kind]
