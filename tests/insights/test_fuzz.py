"""Whatever comes, the API answers as it says it does and never with a 5xx (threats.md §3, §4, §8). `make fuzz` looks longer."""

import asyncio
import http.client
import json
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bot.insights import openapi
from bot.insights.gate import KEY_HEADER
from tests.insights.clients import HEX, KEY, MUG, serving
from tests.worlds import CATALOGUE, Engine

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
DAMAGED = int(os.environ.get("FUZZ_PICTURES", "150"))
LOOK = settings(
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PICTURES = sorted((CATALOGUE / "images").glob("*.jpg"))[:4]


async def fuzz(strategy: SearchStrategy[Any], look: Callable[[Any], None], *, times: int = EXAMPLES) -> None:
    """Hypothesis in a thread beside the server it asks."""

    @settings(LOOK, max_examples=times)
    @given(strategy)
    def one(value: Any) -> None:
        look(value)

    await asyncio.to_thread(one)


def request(url: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request(method, path, body=body or None, headers={KEY_HEADER: KEY} | (headers or {}))
        response = connection.getresponse()
        data = response.read()
    finally:
        connection.close()
    assert HEX.fullmatch(response.headers["BingAPIs-TraceId"])
    return response.status, data


def answered(status: int, data: bytes) -> None:
    """A 4xx is an ErrorResponse, nothing is a 5xx."""
    assert status < 500, data
    answer = json.loads(data)
    assert answer["_type"] == ("ErrorResponse" if status >= 400 else answer["_type"])
    if status >= 400:
        assert answer["errors"][0]["code"]
        assert all(isinstance(value, str) for value in answer["errors"][0].values())


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("number", range(5), ids=["details", "details by upload", "visual search", "search", "trending"])
async def test_h4_the_api_is_as_it_is_described(engine: Engine, number: int, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(openapi.document(engine.url))
    operations: list[Any] = list(schema.get_all_operations())
    async with serving(engine, [KEY]) as url:

        def look(case: Any) -> None:
            case.call_and_validate(base_url=f"{url}/bing/v7.0", headers={KEY_HEADER: KEY}, checks=CHECKS, timeout=20)

        await fuzz(operations[number].ok().as_strategy(generation_mode=mode), look)


names = st.sampled_from(["image", "Image", "file", "knowledgeRequest", "sourceImg", "", '"', "a\tb", "é"])
contents = st.binary(max_size=400) | st.sampled_from([MUG, MUG[:3000], b"\xff\xd8\xff", b"GIF89a", b"{}", b"<html>", b""])
part_headers = st.lists(
    st.sampled_from(
        [
            b"Content-Type: image/jpeg",
            b"Content-Type: text/plain; charset=utf-8",
            b"Content-Type: multipart/mixed; boundary=x",
            b"Content-Transfer-Encoding: base64",
            b"Content-Encoding: gzip",
            b"X: " + b"y" * 5000,
            b": ",
            b"\x00",
        ]
    ),
    max_size=3,
)


@st.composite
def forms(draw: st.DrawFn) -> tuple[bytes, str]:
    """A body, more or less a form, and what its header says of it."""
    boundary = draw(st.sampled_from(["b", "-" * 70, "x y", "é", '"', "b;c"]))
    mark = boundary.encode("utf-8", "replace")
    quote = draw(st.sampled_from(['"', ""]))
    body = b""
    for _ in range(draw(st.integers(0, 4))):
        name = draw(names)
        filename = draw(st.sampled_from(["", '; filename="image"', "; filename=a.jpg", "; filename*=UTF-8''%41", '; filename="']))
        head = f"Content-Disposition: form-data; name={quote}{name}{quote}{filename}".encode()
        line = draw(st.sampled_from([b"\r\n", b"\n"]))
        body += b"--" + mark + line + line.join([head, *draw(part_headers)]) + line + line + draw(contents) + line
    body += draw(st.sampled_from([b"--" + mark + b"--\r\n", b"", b"--" + mark, b"--" + mark + b"--" + b"\r\n" * 50]))
    if draw(st.booleans()):
        body = body[: draw(st.integers(0, len(body)))]
    media = draw(st.sampled_from(["multipart/form-data", "multipart/data-form", "multipart/mixed", "text/plain", "image/jpeg"]))
    said = draw(st.sampled_from([f"; boundary={boundary}", f'; boundary="{boundary}"', "", "; boundary=", "; charset=utf-8"]))
    return body, (media + said).encode("ascii", "replace").decode()


async def test_h5_any_form_is_read_or_refused(engine: Engine) -> None:
    async with serving(engine, [KEY]) as url:

        def look(form: tuple[bytes, str]) -> None:
            body, content_type = form
            for path in ("/bing/v7.0/images/details", "/v7.0/images/visualsearch"):
                answered(*request(url, "POST", path, body, {"Content-Type": content_type}))

        await fuzz(forms(), look)
        boundary = b"--b\r\nContent-Disposition: form-data; name=image\r\n\r\n" + MUG + b"\r\n--b--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        path = "/bing/v7.0/images/details?modules=SimilarProducts"
        status, data = await asyncio.to_thread(request, url, "POST", path, boundary, headers)
    assert status == 200
    assert json.loads(data)["visuallySimilarProducts"]["value"][0]["name"] == "Harbour Stripe Straight Mug"


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real picture with some of its bytes changed, cut or doubled."""
    data = bytearray(draw(st.sampled_from(PICTURES)).read_bytes())
    for _ in range(draw(st.integers(1, 20))):
        at = draw(st.integers(0, len(data) - 1))
        data[at] = draw(st.integers(0, 255))
    end = draw(st.integers(1, len(data)))
    return bytes(data[:end]) if draw(st.booleans()) else bytes(data)


async def test_p5_damaged_pictures_are_used_or_refused(engine: Engine) -> None:
    async with serving(engine, [KEY]) as url:

        def look(picture: bytes) -> None:
            body = b"--b\r\nContent-Disposition: form-data; name=image\r\n\r\n" + picture + b"\r\n--b--\r\n"
            headers = {"Content-Type": "multipart/form-data; boundary=b"}
            answered(*request(url, "POST", "/bing/v7.0/images/details?modules=Tags", body, headers))

        await fuzz(damaged(), look, times=DAMAGED)


HOSTS = ("127.0.0.1", "localhost", "[::1]", "10.0.0.1", "2130706433", "0x7f.1", "a@b", "169.254.169.254", "é.example")
addresses = st.one_of(
    st.text(max_size=60),
    st.builds(
        lambda scheme, host, port, path: f"{scheme}{host}{port}{path}",
        st.sampled_from(["http://", "https://", "ftp://", "file:///", "http:/", "//", "javascript:"]),
        st.sampled_from(HOSTS),
        st.sampled_from(["", ":80", ":0", ":99999", ":x"]),
        st.text(max_size=10),
    ),
)
tokens = st.text(max_size=80) | st.from_regex(r"(bcid|ccid|mid)_[A-Za-z0-9+/!\\._*-]{0,60}", fullmatch=True)


async def test_f5_h7_any_address_or_token_is_answered_or_refused(engine: Engine) -> None:
    async with serving(engine, [KEY]) as url:

        def look(pair: tuple[str, str]) -> None:
            address, token = pair
            for given_ in ({"imgUrl": address}, {"insightsToken": token}):
                query = urlencode(given_, errors="surrogatepass")
                answered(*request(url, "GET", f"/bing/v7.0/images/details?modules=Tags&{query}"))

        await fuzz(st.tuples(addresses, tokens), look)


header_values = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=200)


async def test_h6_any_header_is_taken(engine: Engine) -> None:
    async with serving(engine, [KEY]) as url:
        named = [
            "Accept",
            "Accept-Language",
            "Pragma",
            "X-MSEdge-ClientID",
            "X-MSEdge-ClientIP",
            "X-Search-Location",
            "User-Agent",
        ]

        def look(headers: dict[str, str]) -> None:
            sent = {name: value.encode("latin-1").decode("latin-1") for name, value in headers.items()}
            status, _ = request(url, "GET", "/bing/v7.0/images/search?q=mug&count=1", headers=sent)
            assert status == 200

        await fuzz(st.dictionaries(st.sampled_from(named), header_values, max_size=4), look)
