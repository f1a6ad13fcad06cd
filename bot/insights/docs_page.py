"""The OpenAPI document as a page for people: made on the server, no script, nothing from elsewhere. Pure."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--ink:#1d1c1d;--soft:#5c5b5f;--line:#dcdce0;--page:#fff;--box:#f6f6f8;
--link:#0b5cad;--get:#0a6e4f;--post:#8a4b00}
@media(prefers-color-scheme:dark){:root{--ink:#e9e8ea;--soft:#a9a8ad;--line:#3a3a40;--page:#17181b;--box:#202126;
--link:#7db8f5;--get:#6fd3ae;--post:#f0b36a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:62rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:2rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.3rem;margin:2.75rem 0 .75rem;padding-top:1.25rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
p{margin:.5rem 0;max-width:46rem}
a{color:var(--link)}
nav ul{list-style:none;padding:0;margin:1rem 0;display:flex;flex-wrap:wrap;gap:.35rem 1.25rem}
code{overflow-wrap:anywhere}
code,pre{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{overflow-wrap:normal;background:var(--box);border:1px solid var(--line);border-radius:8px;padding:.9rem 1rem;overflow-x:auto}
.method{display:inline-block;min-width:3.2rem;font-weight:700;color:var(--get)}
.post{color:var(--post)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
th{text-align:left;color:var(--soft);font-weight:600}
td,th{padding:.45rem .75rem .45rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td:first-child{white-space:nowrap}
.soft{color:var(--soft)}
"""
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
_MOST_VALUES = 14


def html(document: Mapping[str, Any], base_url: str) -> str:
    """The whole page. `base_url`: where this server is reached."""
    operations = [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict)
    ]
    info = document["info"]
    root = document["servers"][0]["url"]
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>{escape(info['title'])}: the API</title><style>{_STYLE}</style><main>"
        f"<h1>{escape(info['title'])}: the API</h1><p>{escape(info['description'])} "
        "The description for machines is at <a href='openapi.json'>openapi.json</a>.</p>"
        + _moving(base_url, root)
        + "<nav aria-label=Operations><ul>"
        + "".join(f"<li><a href='#{_anchor(*one[:2])}'>{escape(one[0])} {escape(one[1])}</a></li>" for one in operations)
        + "</ul></nav>"
        + "".join(_operation(method, path, operation, root, base_url) for method, path, operation in operations)
        + "</main></html>"
    )


def _moving(base_url: str, root: str) -> str:
    """How a program written for Bing is pointed here."""
    python = (
        "from azure.cognitiveservices.search.imagesearch import ImageSearchClient\n"
        "from msrest.authentication import CognitiveServicesCredentials\n\n"
        f'client = ImageSearchClient("{base_url}", CognitiveServicesCredentials("YOUR-KEY"))'
    )
    return (
        "<h2>Pointing an old program here</h2>"
        "<p>Change its address and its key, nothing else. The key goes into the header <code>Ocp-Apim-Subscription-Key</code>; "
        "the operator chooses it with <code>INSIGHTS_KEYS</code>. Without keys it answers programs on its own machine.</p>"
        f"<p>Instead of <code>https://api.cognitive.microsoft.com/bing/v7.0</code> use <code>{escape(root)}</code>; "
        f"instead of <code>https://api.bing.microsoft.com/v7.0</code> use <code>{escape(base_url)}/v7.0</code>.</p>"
        f"<pre tabindex=0>{escape(python)}</pre>"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any], root: str, base_url: str) -> str:
    api = operation.get("security") != []
    address = f"{root if api else base_url}{path}"
    return (
        f"<h2 id='{_anchor(method, path)}'><span class='method {method.lower()}'>{method}</span> <code>{escape(path)}</code></h2>"
        f"<p>{escape(operation['summary'])}.</p><pre tabindex=0>{escape(_curl(method, address, operation, api=api))}</pre>"
        + _parameters(operation.get("parameters", ()))
        + _body(operation.get("requestBody"))
        + "<h3>Answers</h3>"
        + _table(
            ("Status", "Meaning"),
            ((status, escape(answer["description"])) for status, answer in operation["responses"].items()),
        )
    )


def _curl(method: str, address: str, operation: Mapping[str, Any], *, api: bool) -> str:
    key = ' -H "Ocp-Apim-Subscription-Key: $KEY"' if api else ""
    if method == "POST":
        query = "?modules=All" if address.endswith("details") else ""
        return f'curl{key} -F image=@photo.jpg "{address}{query}"'
    wanted = {parameter["name"] for parameter in operation.get("parameters", ())}
    examples = (
        {"imgUrl": "https://shop.example/mug.jpg", "modules": "SimilarProducts,Tags"} if "imgUrl" in wanted else {"q": "mug"}
    )
    query = "&".join(f"{name}={value}" for name, value in examples.items() if name in wanted)
    return f'curl{key} "{address}{"?" + query if query else ""}"'


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> str:
    rows = [(f"<code>{escape(one['name'])}</code>", _where(one), _about(one)) for one in parameters]
    return "<h3>Parameters</h3>" + _table(("Name", "Kind", "What it does"), rows) if rows else ""


def _where(one: Mapping[str, Any]) -> str:
    kind = "comma list" if one["schema"].get("type") == "array" else str(one["schema"].get("type", "string"))
    return escape(("header" if one["in"] == "header" else kind) + (", required" if one.get("required") else ""))


def _about(one: Mapping[str, Any]) -> str:
    schema = one["schema"]
    values = schema.get("enum") or schema.get("items", {}).get("enum") or schema.get("examples") or []
    shown = [str(value) for value in values[:_MOST_VALUES]] + (["…"] if len(values) > _MOST_VALUES else [])
    more = f" <span class=soft>{escape(', '.join(shown))}</span>" if shown else ""
    usual = f" <span class=soft>Usually {escape(str(schema['default']))}.</span>" if "default" in schema else ""
    return escape(one.get("description", "")) + more + usual


def _body(body: Mapping[str, Any] | None) -> str:
    if not body:
        return ""
    properties = body["content"]["multipart/form-data"]["schema"]["properties"]
    rows = []
    for name, schema in properties.items():
        example = schema.get("examples")
        said = escape(schema.get("description", "")) or f"JSON, such as <code>{escape(json.dumps(example[0]))}</code>"
        rows.append((f"<code>{escape(name)}</code>", said))
    return "<h3>Parts of the form (<code>multipart/form-data</code>)</h3>" + _table(("Part", "What it holds"), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Cells are HTML already."""
    top = "".join(f"<th scope=col>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div class=wide tabindex=0><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"


def _anchor(method: str, path: str) -> str:
    return f"{method.lower()}{path.replace('/', '-')}"
