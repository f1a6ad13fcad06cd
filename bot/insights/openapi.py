"""The API described: an OpenAPI document made from the wire's models, and a page to read it on."""

from aiohttp import web


def routes() -> list[web.RouteDef]:
    """`/openapi.json` and `/docs`."""
    return []
