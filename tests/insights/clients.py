"""A client with a key against the real server, for tests of the wire."""

import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientResponse, ClientSession, FormData, web

from bot.insights.server import error_middleware, routes
from tests.worlds import CATALOGUE, Engine

KEY = "k" * 32
MUG = (CATALOGUE / "images" / "mg01.jpg").read_bytes()
DETAILS = "/bing/v7.0/images/details"
HEX = re.compile(r"[0-9A-F]{32}")


class Client:
    """A client with a key."""

    def __init__(self, session: ClientSession, url: str, token: str) -> None:
        self.session, self.url, self.token = session, url, token

    async def ask(self, method: str = "GET", path: str = DETAILS, **options: Any) -> tuple[ClientResponse, dict[str, Any]]:
        headers = {"Ocp-Apim-Subscription-Key": KEY} | options.pop("headers", {})
        async with self.session.request(method, self.url + path, headers=headers, **options) as response:
            body = await response.read()
        assert response.status < 500
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        assert HEX.fullmatch(response.headers["BingAPIs-TraceId"])
        return response, json.loads(body)

    async def refused(
        self, status: int, parameter: str = "", method: str = "GET", path: str = DETAILS, **options: Any
    ) -> dict[str, Any]:
        response, answer = await self.ask(method, path, **options)
        assert (response.status, answer["_type"]) == (status, "ErrorResponse")
        error: dict[str, Any] = answer["errors"][0]
        assert error.get("parameter", "") == parameter
        assert error["code"]
        assert error["message"]
        assert all(isinstance(value, str) for value in error.values())
        assert response.headers["Cache-Control"] == "no-store"
        return error


@asynccontextmanager
async def serving(engine: Engine, keys: list[str], *, rate: float = 0.0) -> AsyncIterator[str]:
    app = web.Application(middlewares=[error_middleware])
    app.add_routes(routes(engine.service, keys=keys, rate=rate))
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def form(data: bytes, name: str = "image", **options: Any) -> FormData:
    body = FormData()
    body.add_field(name, io.BytesIO(data), **({"filename": "image"} | options))
    return body
