"""The API described: an OpenAPI document made from the wire's models and one table of parameters, and a page to read it on."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import hdrs, web
from pydantic.json_schema import models_json_schema

from bot.insights import docs_page
from bot.insights.bing import wire
from bot.insights.bing.asking import CHOICES, MOST_AT_ONCE, USUAL_COUNT, WHOLE_NUMBERS
from bot.insights.bing.markets import COUNTRIES, DEFAULT_LANGUAGE, DEFAULT_MARKET, LANGUAGES, MARKETS
from bot.insights.gate import KEY_HEADER
from bot.insights.model import Module

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_REF = "#/components/schemas/"
_ANSWERS = (wire.WireInsights, wire.WireKnowledge, wire.WireFound, wire.WireTrending, wire.WireErrorResponse)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of the query string (§3). `refused`: values that are answered with 400 and this name."""

    name: str
    about: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    refused: tuple[str, ...] = ()
    required: bool = False


def _choice(name: str, about: str) -> Parameter:
    return Parameter(name, about, {"type": "string", "enum": list(CHOICES[name])}, ("Nonsense",))


def _whole(name: str, about: str, **schema: Any) -> Parameter:
    return Parameter(name, about, {"type": "integer", "minimum": 0, "maximum": 9_999_999_999, **schema}, ("-1", "1.5", "many"))


def _edge(name: str, about: str, default: int) -> Parameter:
    schema = {"type": "number", "minimum": 0, "maximum": 1, "default": default}
    return Parameter(name, about, schema, ("-0.1", "1.1", "left", "NaN"))


AUDIENCE = (
    Parameter("mkt", "The market; the best fit for an unknown one.", {"type": "string", "examples": list(MARKETS)}),
    Parameter("cc", "A country, with Accept-Language; mkt wins over it.", {"type": "string", "examples": list(COUNTRIES)}),
    Parameter(
        "setLang",
        "The language of interface words and links.",
        {"type": "string", "default": DEFAULT_LANGUAGE, "examples": list(LANGUAGES)},
    ),
    _choice("safeSearch", "Moderate when it is left out. Only Off shows images that are not family friendly."),
)
DETAILS = (
    Parameter("insightsToken", "Names the picture by its token; wins over imgUrl."),
    Parameter("imgUrl", "Names the picture by its address, 1 MB at most."),
    Parameter("q", "The person's words; related searches need them."),
    Parameter(
        "modules",
        "What to answer. RecognizedEntities stands alone.",
        {"type": "array", "items": {"type": "string", "enum": ["All", *Module]}},
        ("Nonsense",),
    ),
    _edge("cal", "Left edge of the crop, a fraction of the width.", 0),
    _edge("cat", "Top edge of the crop, a fraction of the height.", 0),
    _edge("car", "Right edge of the crop, a fraction of the width.", 1),
    _edge("cab", "Bottom edge of the crop, a fraction of the height.", 1),
    _choice("ct", "How a crop is shaped; there is one way."),
)
SEARCH = (
    Parameter("q", "What to look for.", {"type": "string", "minLength": 1}, required=True),
    _whole("count", f"Images in the answer, {MOST_AT_ONCE} at most.", default=USUAL_COUNT),
    _whole("offset", "Images to skip: a previous nextOffset.", default=0),
    Parameter("id", "The imageId that leads the list."),
    *(_choice(name, f"Only images of this {name}.") for name in CHOICES if name not in {"ct", "safeSearch"}),
    *(_whole(name, f"Only images of this {name}.") for name in WHOLE_NUMBERS),
)
HEADERS = (
    ("Accept-Language", "Languages by preference; with cc they choose the market, and without setLang the language of words."),
    ("Pragma", "`no-cache`: the picture is looked at again."),
    ("X-MSEdge-ClientID", "Comes back unchanged; made up when it is left out."),
)
"""What has an effect besides the key; X-MSEdge-ClientIP, X-Search-Location and the SDKs' own headers are taken and have none."""
_MUST: Mapping[str, Mapping[str, Any]] = {
    "Insights": {"required": ["_type", "imageInsightsToken"], "_type": "ImageInsights"},
    "Knowledge": {"required": ["_type", "tags"], "_type": "ImageKnowledge"},
    "Found": {"required": ["_type", "value", "totalEstimatedMatches"], "_type": "Images"},
    "Trending": {"required": ["_type", "categories"], "_type": "TrendingImages"},
    "ErrorResponse": {"required": ["_type", "errors"], "_type": "ErrorResponse"},
    "Error": {"required": ["code", "message"]},
    "ImageTag": {"required": ["displayName", "actions"]},
}
"""What is always there (§6 to §8)."""
_FAILURES = {
    "400": "A parameter is missing or has an invalid value",
    "401": "No subscription key of ours",
    "404": "The address is longer than 2,048 characters",
    "417": "An expectation other than 100-continue",
    "429": "More than the key's rate; Retry-After says when to ask again",
    "500": "Something went wrong on our side",
    "503": "Busy; Retry-After says when to ask again",
}
_POST_FAILURES = {
    "408": "The body took too long to arrive",
    "413": "The body is larger than 4 MB",
    "415": "The body is compressed",
}


def document(base_url: str) -> dict[str, Any]:
    """OpenAPI 3.1. `base_url`: where this server is reached, without a slash at the end."""
    _, made = models_json_schema([(model, "serialization") for model in _ANSWERS], ref_template=_REF + "{model}")
    schemas = _sent(json.loads(json.dumps(made["$defs"]).replace("Wire", "")))
    for name, must in _MUST.items():
        schemas[name]["required"] = must["required"]
        if "_type" in must:
            schemas[name]["properties"]["_type"] = {"const": must["_type"]}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image Insights",
            "version": "7.0",
            "description": "Bing Image Insights and Visual Search, switched off in 2025, over a catalogue of your own.",
        },
        "servers": [{"url": f"{base_url}/bing/v7.0"}, {"url": f"{base_url}/v7.0"}],
        "security": [{"key": []}],
        "paths": {
            "/images/details": {
                "get": _operation("details", "Insights about a picture", "Insights", DETAILS),
                "post": _operation("detailsOfUpload", "Insights about a sent picture", "Insights", DETAILS, _form("image")),
            },
            "/images/visualsearch": {
                "post": _operation("visualSearch", "What a picture shows", "Knowledge", (), _form("image", "knowledgeRequest")),
            },
            "/images/search": {"get": _operation("search", "Images of the catalogue by words", "Found", SEARCH)},
            "/images/trending": {"get": _operation("trending", "What people look for, by category", "Trending", ())},
            "/th": _thumbnail(base_url),
            "/healthz": _health(base_url, "Whether the service is alive", "200"),
            "/readyz": _health(base_url, "Whether everything it needs is there", "200", "503"),
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": KEY_HEADER}},
        },
    }


def _operation(
    name: str, summary: str, answer: str, own: tuple[Parameter, ...], body: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    failures = _FAILURES | (_POST_FAILURES if body else {})
    about = f"The answer, for the market asked ({DEFAULT_MARKET} by default)"
    found: dict[str, Any] = {"description": about, "headers": _headers("BingAPIs-Market")}
    found["content"] = {
        "application/json": {"schema": {"$ref": _REF + answer}},
        "application/ld+json": {"schema": {"type": "object", "required": ["@context", "@type"]}},
    }
    error = {"application/json": {"schema": {"$ref": _REF + "ErrorResponse"}}}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [
            *(_parameter(one) for one in (*own, *AUDIENCE)),
            *(_header(*one) for one in HEADERS if one[0] != "Accept"),
        ],
        **({"requestBody": body} if body else {}),
        "responses": {
            "200": found,
            **{
                status: {
                    "description": why,
                    "headers": _headers("BingAPIs-Market", *(["Retry-After"] if status in {"429", "503"} else [])),
                    "content": error,
                }
                for status, why in failures.items()
            },
        },
    }


def _thumbnail(base_url: str) -> dict[str, Any]:
    side = {"type": "integer", "minimum": 1, "maximum": 2000}
    named = (
        ("id", True, "The picture, as addresses in answers name it.", {"type": "string", "pattern": "^OIP\\.[0-9a-f]{64}$"}),
        ("w", False, "Width in pixels; with h alone or w alone the shape stays.", side),
        ("h", False, "Height in pixels.", side),
        ("c", False, "4 cuts the middle to w × h, 7 cuts around the subject.", {"type": "integer", "enum": [4, 7]}),
        ("p", False, "1 pads to w × h instead of cutting.", {"type": "integer", "enum": [0, 1]}),
    )
    parameters = [
        {"name": name, "in": "query", "required": required, "description": about, "schema": schema}
        for name, required, about, schema in named
    ]
    picture = {"description": "The picture", "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
    responses = {
        "200": picture,
        "304": {"description": "As the ETag says"},
        "404": {"description": "No such picture or size"},
        "503": {"description": "Busy; ask again in a moment"},
    }
    operation = {"operationId": "thumbnail", "summary": "A picture, whole or small", "security": []}
    return {"servers": [{"url": base_url}], "get": operation | {"parameters": parameters, "responses": responses}}


def _health(base_url: str, summary: str, *statuses: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object", "required": ["status"]}}}
    responses = {status: {"description": "ok" if status == "200" else "unavailable", "content": content} for status in statuses}
    return {"servers": [{"url": base_url}], "get": {"summary": summary, "security": [], "responses": responses}}


def _header(name: str, about: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": about, "schema": {"type": "string"}}


def _parameter(one: Parameter) -> dict[str, Any]:
    listed = {"style": "form", "explode": False} if one.schema.get("type") == "array" else {}
    return {
        "name": one.name,
        "in": "query",
        "description": one.about,
        "required": one.required,
        "schema": dict(one.schema),
        **listed,
    }


def _headers(*more: str) -> dict[str, Any]:
    return {name: {"schema": {"type": "string"}} for name in ("BingAPIs-TraceId", "X-MSEdge-ClientID", *more)}


_KNOWLEDGE_REQUEST: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "imageInfo": {
            "type": "object",
            "properties": {
                "url": {"type": "string"},
                "imageInsightsToken": {"type": "string"},
                "cropArea": {
                    "type": "object",
                    "required": ["left", "top", "right", "bottom"],
                    "properties": {
                        edge: {"type": "number", "minimum": 0, "maximum": 1} for edge in ("left", "top", "right", "bottom")
                    },
                },
            },
        },
        "knowledgeRequest": {
            "type": "object",
            "properties": {
                "filters": {"type": "object", "properties": {"site": {"type": "string"}}},
                "invokedSkillsRequestData": {"type": "object", "properties": {"enableEntityData": {"type": "string"}}},
                "invokedSkills": {
                    "type": "array",
                    "maxItems": 1,
                    "items": {"enum": [Module.SIMILAR_IMAGES, Module.SIMILAR_PRODUCTS]},
                },
                "offset": {"type": "integer", "minimum": 0},
                "count": {"type": "integer", "minimum": 0, "default": USUAL_COUNT},
            },
        },
    },
    "examples": [{"imageInfo": {"cropArea": {"left": 0.1, "top": 0.2, "right": 0.6, "bottom": 0.9}}}],
}


def _form(*parts: str) -> dict[str, Any]:
    """§5, §8: one picture of at most 1 MB, and what is asked about it as JSON text."""
    known: Mapping[str, Mapping[str, Any]] = {
        "image": {"type": "string", "format": "binary", "description": "JPEG, PNG, GIF, BMP or WebP, 1,048,576 bytes at most"},
        "knowledgeRequest": _KNOWLEDGE_REQUEST,
    }
    types = {"image": "application/octet-stream, image/*", "knowledgeRequest": "application/json, text/plain"}
    schema = {"type": "object", "properties": {name: dict(known[name]) for name in parts}}
    encoding = {name: {"contentType": types[name]} for name in parts}
    return {"content": {"multipart/form-data": {"schema": schema, "encoding": encoding}}}


def _sent(node: Any) -> Any:
    """As we send it (§1): nothing is null, no number is a string."""
    if isinstance(node, list):
        return [_sent(one) for one in node]
    if not isinstance(node, dict):
        return node
    kinds = [one for one in node.get("anyOf", []) if one != {"type": "null"}]
    if {"type": "integer"} in kinds and {"type": "number"} in kinds:
        kinds = [{"type": "number"}]
    rest = {name: _sent(value) for name, value in node.items() if name not in {"anyOf", "oneOf", "default"}}
    if "oneOf" in node:  # the base class of actions fits whatever the others fit
        kinds = node["oneOf"]
    if len(kinds) == 1:
        return rest | _sent(kinds[0])
    return rest | ({"anyOf": _sent(kinds)} if kinds else {})


def routes(base_url: str) -> list[web.RouteDef]:
    """`/openapi.json`, and `/docs` for people; neither needs a key."""
    described = document(base_url)
    text = json.dumps(described).encode()
    page = docs_page.html(described, base_url).encode()

    def serve(body: bytes, content_type: str, **more: str) -> Handler:
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"} | more

        async def handle(request: web.Request) -> web.StreamResponse:
            if etag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
                return web.Response(status=304, headers=headers)
            return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)

        return handle

    policy = {"Content-Security-Policy": docs_page.POLICY, "Referrer-Policy": "no-referrer"}
    return [
        web.get("/openapi.json", serve(text, "application/json")),
        web.get("/docs", serve(page, "text/html", **policy)),
    ]
