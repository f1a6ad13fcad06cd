"""Bing's spelling, and nothing else: requests read, answers written and read, errors (insights-api.md). Pure."""

from bot.insights.bing.answers import found_from_wire, from_wire, things_from_wire, to_wire
from bot.insights.bing.asking import (
    MAX_IMAGE_BYTES,
    UNNAMED,
    Audience,
    ImageSearch,
    KnowledgeRequest,
    Missing,
    Question,
    read_audience,
    read_knowledge_request,
    read_modules,
    read_names,
    read_question,
    read_search,
)
from bot.insights.bing.images import found_to_wire, trending_to_wire
from bot.insights.bing.jsonld import to_json_ld
from bot.insights.bing.knowledge import knowledge_to_wire
from bot.insights.bing.markets import DEFAULT_MARKET, LANGUAGES, MARKETS, best_market, interface_language
from bot.insights.bing.refusals import (
    BUSY,
    REDUNDANT,
    UNAUTHORIZED,
    UNEXPECTED,
    Refusal,
    error_from_wire,
    refusal_for,
    refusal_for_status,
)
from bot.insights.bing.wire import WireInsights

__all__ = [
    "BUSY",
    "DEFAULT_MARKET",
    "LANGUAGES",
    "MARKETS",
    "MAX_IMAGE_BYTES",
    "REDUNDANT",
    "UNAUTHORIZED",
    "UNEXPECTED",
    "UNNAMED",
    "Audience",
    "ImageSearch",
    "KnowledgeRequest",
    "Missing",
    "Question",
    "Refusal",
    "WireInsights",
    "best_market",
    "error_from_wire",
    "found_from_wire",
    "found_to_wire",
    "from_wire",
    "interface_language",
    "knowledge_to_wire",
    "read_audience",
    "read_knowledge_request",
    "read_modules",
    "read_names",
    "read_question",
    "read_search",
    "refusal_for",
    "refusal_for_status",
    "things_from_wire",
    "to_json_ld",
    "to_wire",
    "trending_to_wire",
]
