"""Where pictures come from, and who sees our token (threats.md F9)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web as aio
from slack_sdk.web.async_client import AsyncWebClient

from bot import web
from bot.errors import CannotFetch, NotAPicture, Unavailable
from bot.fetch import Fetcher
from bot.images import Images
from bot.jobs import ImageRef
from bot.pixels import Pixels
from tests.worlds import photo

TOKEN = "xoxb-secret"
MUG = photo("photo-01.jpg")


@dataclass
class Hosts:
    """Slack and somebody else's host, on two ports: what they serve by path, and what they were asked with."""

    slack: str = ""
    other: str = ""
    files: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)


@asynccontextmanager
async def images() -> AsyncIterator[tuple[Images, Hosts]]:
    hosts = Hosts()

    def serve(name: str) -> aio.RouteDef:
        async def answer(request: aio.Request) -> aio.Response:
            hosts.asked.append((name, request.headers.get("Authorization", "")))
            body = hosts.bodies.get(request.path)
            return aio.Response(body=body) if body is not None else aio.Response(status=404)

        return aio.get("/{name:[^/]+}", answer)

    async def info(request: aio.Request) -> aio.Response:
        answers = hosts.files.get(request.query["file"]) or []
        file = answers.pop(0) if len(answers) > 1 else answers[0] if answers else None
        return aio.json_response({"ok": True, "file": file} if file is not None else {"ok": False, "error": "file_not_found"})

    async with AsyncExitStack() as stack:
        for name in ("slack", "other"):
            sock = web.bind("127.0.0.1", 0)
            setattr(hosts, name, web.address(sock))
            await stack.enter_async_context(
                web.listening(sock, [serve(name), aio.get("/api/files.info", info)], drain_seconds=0.1)
            )
        pixels = await stack.enter_async_context(Pixels.open(workers=1))
        fetcher = await stack.enter_async_context(Fetcher.open(allow=("127.0.0.1",)))
        client = AsyncWebClient(token=TOKEN, base_url=f"{hosts.slack}/api/", retry_handlers=[])
        yield Images(client, fetcher, pixels, TOKEN), hosts


async def test_slacks_file_is_fetched_with_our_token() -> None:
    async with images() as (source, hosts):
        hosts.files["F1"] = [{"url_private": f"{hosts.slack}/mug"}]
        hosts.bodies["/mug"] = MUG
        data = await source.fetch(ImageRef(file_id="F1"))
        assert data == MUG
        assert hosts.asked == [("slack", f"Bearer {TOKEN}")]


async def test_an_external_file_and_an_address_are_fetched_without_it() -> None:
    async with images() as (source, hosts):
        hosts.files["F1"] = [{"mode": "external", "url_private": f"{hosts.other}/mug"}]
        hosts.bodies["/mug"] = MUG
        by_file, by_url = await source.fetch(ImageRef(file_id="F1")), await source.fetch(ImageRef(url=f"{hosts.other}/mug"))
        assert by_file == by_url
        assert hosts.asked == [("other", ""), ("other", "")]


async def test_a_file_without_an_address_yet_is_asked_for_again() -> None:
    async with images() as (source, hosts):
        hosts.files["F1"] = [{"mode": "file_access"}, {"url_private": f"{hosts.slack}/mug"}]
        hosts.bodies["/mug"] = MUG
        assert await source.fetch(ImageRef(file_id="F1")) == MUG


async def test_where_the_original_is_no_picture_of_ours_slacks_thumbnail_serves() -> None:
    async with images() as (source, hosts):
        hosts.files["F1"] = [{"url_private": f"{hosts.slack}/raw", "thumb_360": f"{hosts.slack}/thumb"}]
        hosts.bodies |= {"/raw": b"8BPS a Photoshop file", "/thumb": MUG}
        assert await source.fetch(ImageRef(file_id="F1")) == MUG


async def test_a_login_page_a_document_and_a_deleted_file_each_have_their_error() -> None:
    async with images() as (source, hosts):
        hosts.files |= {"F1": [{"url_private": f"{hosts.slack}/page"}], "F2": [{"url_private": f"{hosts.slack}/letter"}]}
        hosts.bodies |= {"/page": b"\n<!DOCTYPE html><title>Sign in</title>", "/letter": b"%PDF-1.7"}
        with pytest.raises(CannotFetch, match="web page"):
            await source.fetch(ImageRef(file_id="F1"))
        with pytest.raises(NotAPicture):
            await source.fetch(ImageRef(file_id="F2"))
        with pytest.raises(CannotFetch, match="deleted"):
            await source.fetch(ImageRef(file_id="F3"))


@pytest.mark.parametrize("api", ["http://127.0.0.1:9/api/", "{other}/nothing/"])
async def test_slack_being_down_or_talking_nonsense_is_for_later(api: str) -> None:
    async with images() as (source, hosts):
        source._slack = AsyncWebClient(token=TOKEN, base_url=api.format(other=hosts.other), retry_handlers=[])
        with pytest.raises(Unavailable):
            await source.fetch(ImageRef(file_id="F1"))
        with pytest.raises(Unavailable):
            await source.in_thread("C1", "1.1", "2.1")
