"""What goes wrong, as an ErrorResponse, and back (insights-api.md §6). Pure."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import CannotFetch, Error, InvalidValue, NotAPicture, RateLimited, TooLarge, Unavailable, UnknownToken, UserError
from bot.insights.bing.asking import Missing


@dataclass(frozen=True, slots=True)
class Refusal:
    """An ErrorResponse: its HTTP status and what it says (§6)."""

    status: int
    code: str
    sub_code: str = ""
    message: str = ""
    more_details: str = ""
    parameter: str = ""
    value: str = ""
    retry_after: int = 0

    def wire(self) -> dict[str, Any]:
        said = {
            "code": self.code,
            "subCode": self.sub_code,
            "message": self.message,
            "moreDetails": self.more_details,
            "parameter": self.parameter,
            "value": self.value,
        }
        return {"_type": "ErrorResponse", "errors": [{name: text for name, text in said.items() if text}]}


UNAUTHORIZED = Refusal(
    401,
    "InvalidAuthorization",
    "AuthorizationMissing",
    "Authorization is required.",
    "Subscription key is not recognized.",
)
REDUNDANT = Refusal(
    401,
    "InvalidAuthorization",
    "AuthorizationRedundancy",
    "Authorization is redundant.",
    "Send one subscription key, once.",
)
UNEXPECTED = Refusal(500, "ServerError", "UnexpectedError", "Something went wrong on our side.")
BUSY = Refusal(503, "ServerError", "ResourceError", "The service is busy.", "Ask again in a moment.", retry_after=1)


def refusal_for(error: Exception, *, picture: str, visual_search: bool = False) -> Refusal:
    """What an error of ours says on the wire. `picture`: the parameter that named it; Visual Search has names of its own."""
    invalid = Refusal(400, "InvalidRequest", "ParameterInvalidValue", "Parameter has invalid value.")
    match error:
        case Missing():
            return Refusal(
                400, "InvalidRequest", "ParameterMissing", "Required parameter is missing.", str(error), error.parameter
            )
        case InvalidValue():
            return _about(invalid, str(error), error.parameter, error.value)
        case UnknownToken():
            return _about(invalid, str(error), "imageInsightsToken" if visual_search else "insightsToken")
        case CannotFetch():
            return _about(invalid, "The address cannot be opened, or may not be.", "url" if visual_search else "imgUrl")
        case NotAPicture() | TooLarge():
            return _about(invalid, str(error), picture)
        case UserError():
            return Refusal(400, "InvalidRequest", "ParameterInvalidValue", "The request cannot be answered.", str(error))
        case RateLimited():
            wait = max(1, math.ceil(error.retry_after))
            return Refusal(429, "RateLimitExceeded", "", "Too many requests.", "Ask again later.", retry_after=wait)
        case Unavailable():
            return BUSY
        case _:
            return UNEXPECTED


def _about(base: Refusal, details: str, parameter: str, value: str = "") -> Refusal:
    shown = value.encode("utf-8", "replace").decode()[:200]
    return Refusal(base.status, base.code, base.sub_code, base.message, details, parameter, shown)


def refusal_for_status(status: int) -> Refusal:
    """For what the web framework refuses by itself."""
    words = {
        404: "There is nothing at this address.",
        405: "This method is not allowed here.",
        408: "The request took too long to arrive.",
        413: "The request is too large.",
        415: "This content type or encoding is not read here.",
        417: "This expectation is not met here.",
    }
    if status >= 500:  # noqa: PLR2004 (server errors)
        return Refusal(status, UNEXPECTED.code, UNEXPECTED.sub_code, UNEXPECTED.message)
    return Refusal(status, "InvalidRequest", "", words.get(status, "The request cannot be answered."))


def error_from_wire(status: int, body: bytes, retry_after: str = "") -> Error:
    """What a foreign answer that is not an ImageInsights means: three shapes of error, HTML, nothing at all (§6)."""
    if status == 429 or (status == 403 and retry_after):  # noqa: PLR2004
        wait = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 1.0
        return RateLimited("The insights service asks me to slow down.", min(wait, 3600.0))
    said = _first_error(body)
    if status == 400:  # noqa: PLR2004
        parameter = str(said.get("parameter", ""))
        if parameter.lower() in {"insightstoken", "imageinsightstoken"} and "picture again" not in str(said.get("moreDetails")):
            return UnknownToken()
        if parameter.lower() in {"imgurl", "url"}:
            return CannotFetch()
        details = str(said.get("moreDetails") or said.get("message") or "The insights service does not accept this.")[:300]
        if parameter == "image":
            return TooLarge(details) if "large" in details.lower() else NotAPicture()
        if parameter:
            return InvalidValue(parameter, str(said.get("value", "")), details)
    if status in {401, 403}:
        return Unavailable("The insights service does not accept our key. Check INSIGHTS_KEY.")
    return Unavailable(f"The insights service cannot answer (status {status}).")


def _first_error(body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    errors = answer.get("errors") if isinstance(answer, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else answer
    return first if isinstance(first, dict) else {}
