"""Bing's spelling, and nothing else: requests read, answers written and read, errors (insights-api.md). Pure."""

from bot.insights.bing.answers import from_wire, to_wire
from bot.insights.bing.asking import MAX_IMAGE_BYTES, UNNAMED, Missing, Question, read_modules, read_question
from bot.insights.bing.images import found_to_wire, trending_to_wire
from bot.insights.bing.jsonld import to_json_ld
from bot.insights.bing.knowledge import knowledge_to_wire
from bot.insights.bing.markets import DEFAULT_MARKET, MARKETS, best_market
from bot.insights.bing.refusals import BUSY, UNAUTHORIZED, UNEXPECTED, Refusal, error_from_wire, refusal_for, refusal_for_status
from bot.insights.bing.wire import WireInsights

__all__ = [
    "BUSY",
    "DEFAULT_MARKET",
    "MARKETS",
    "MAX_IMAGE_BYTES",
    "UNAUTHORIZED",
    "UNEXPECTED",
    "UNNAMED",
    "Missing",
    "Question",
    "Refusal",
    "WireInsights",
    "best_market",
    "error_from_wire",
    "found_to_wire",
    "from_wire",
    "knowledge_to_wire",
    "read_modules",
    "read_question",
    "refusal_for",
    "refusal_for_status",
    "to_json_ld",
    "to_wire",
    "trending_to_wire",
]
