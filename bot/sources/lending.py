"""A picture at an address of ours for as long as a live source looks at it; there is no other way to show it to Google Lens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bot.sources.ledger import Ledger
from bot.sources.lens import Lend

PATH = "/lent"


def lender(ledger: Ledger, public_url: str) -> Lend:
    """public_url: where the service reaches us."""

    @asynccontextmanager
    async def lend(picture: bytes) -> AsyncIterator[str]:
        async with ledger.lending(picture) as name:
            yield f"{public_url.rstrip('/')}{PATH}/{name}.jpg"

    return lend


def routes(ledger: Ledger) -> list[web.RouteDef]:
    async def picture(request: web.Request) -> web.Response:
        data = await ledger.lent(request.match_info["name"])
        if data is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex"}
        return web.Response(body=data, content_type="image/jpeg", headers=headers)

    return [web.get(PATH + r"/{name:[A-Za-z0-9_-]{32}}.jpg", picture)]
