"""Errors at Sentry: what broke and where, and nothing of what people said (threats.md O3)."""

import asyncio
import gzip
import json
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk
from aiohttp import web as aio

from bot import sentry, web
from bot.errors import ConfigurationError
from tests.test_cli import one_line_error, run

TOKEN, HOOK = "xoxb-1111-2222-abcdefGHIJ", "https://hooks.slack.com/actions/T1/2/abcDEF"


@asynccontextmanager
async def project() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A project of Sentry's that keeps what it is told."""
    told: list[dict[str, Any]] = []

    async def envelope(request: aio.Request) -> aio.Response:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        told.extend(json.loads(line) for line in body.splitlines()[2::2] if line.startswith(b"{"))
        return aio.json_response({"id": "1"})

    sock = web.bind("127.0.0.1", 0)
    async with web.listening(sock, [aio.post("/api/42/envelope/", envelope)]):
        yield web.address(sock).replace("http://", "http://public@") + "/42", told
    sentry_sdk.init(None)


def look_up(photo: bytes, token: str) -> None:
    raise RuntimeError(f"Slack said no to {token}")


async def test_an_error_is_reported_without_secrets_and_without_what_was_at_hand() -> None:
    picture = secrets.token_hex()
    async with project() as (dsn, told):
        sentry.report(dsn)
        try:
            look_up(picture.encode(), TOKEN)
        except RuntimeError:
            logging.getLogger("bot.lookup").exception("looking failed for %s", HOOK)
        logging.getLogger("bot.queue").error(
            "job %s is dead (key %s)", "F6A2AD26", "click:T07LOCALWS:U07TORRESANA:insights.help.open"
        )
        await asyncio.to_thread(sentry.flush)
        said = json.dumps(told)
        assert "RuntimeError" in said
        assert "look_up" in said
        assert "looking failed for" in said
        assert "F6A2AD26" in said
        assert [word for word in ("abcdefGHIJ", "abcDEF", picture, "T07LOCALWS", "U07TORRESANA") if word in said] == []
        assert [event for event in told if {"request", "user", "modules"} & set(event)] == []


async def test_a_warning_is_not_reported() -> None:
    async with project() as (dsn, told):
        sentry.report(dsn)
        logging.getLogger("bot").warning("a short outage")
        await asyncio.to_thread(sentry.flush)
        assert told == []


def test_an_address_that_is_none_is_named(tmp_path: Path) -> None:
    assert "SENTRY_DSN" in one_line_error(run("check", data_dir=tmp_path, SENTRY_DSN="sentry"))
    with pytest.raises(ConfigurationError, match="SENTRY_DSN"):
        sentry.report("https://nobody.example/x")
