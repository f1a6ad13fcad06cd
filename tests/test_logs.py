"""No secret reaches the log, whoever logs it, and an event is one line (threats.md O3, O4)."""

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bot import logs

SECRETS = {
    "a bot token": "xoxb-1111-2222-abcdefGHIJ",
    "a user's token": "xoxp-1111-2222-abcdefGHIJ",
    "a token that is renewed": "xoxe.xoxb-1-Mi0yLTEtabc",
    "an app's token": "xapp-1-A111-222-abcdef",
    "a response_url": "https://hooks.slack.com/actions/T1/22/abcDEF",
    "a response_url of the local workspace": "http://127.0.0.1:3000/hooks/abcDEF123",
    "an authorization": "Authorization: Bearer abc.def-ghi",
    "a cookie": "Cookie: session=abcdef",
    "a subscription key": "Ocp-Apim-Subscription-Key: abcdef0123",
    "a code of an installation": "GET /slack/oauth_redirect?code=1234.5678.abc&state=s3cr3tstate",
}
TELLTALE = (
    "abcdefGHIJ",
    "Mi0yLTEtabc",
    "abcdef",
    "abcDEF",
    "abc.def",
    "1234.5678",
    "s3cr3tstate",
)


@pytest.fixture(params=["text", "json"])
def logged(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What is logged, in either form."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("debug", request.param)
    said = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(said)
    yield said
    root.handlers[:], root.level = handlers, level


def fail(secret: str) -> None:
    raise RuntimeError(secret)


@pytest.mark.parametrize("logger", ["bot.slack.replies", "aiohttp.server", "slack_sdk.web", "somebody.else"])
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_o3_no_secret_is_in_a_line_of_any_logger(secret: str, logger: str, logged: io.StringIO) -> None:
    logging.getLogger(logger).error("could not do it: %s", secret)
    try:
        fail(secret)
    except RuntimeError:
        logging.getLogger(logger).exception("it failed")
    said = logged.getvalue()
    assert said.count("[redacted]") >= 2
    assert [word for word in TELLTALE if word in said] == []


def test_o4_an_event_is_one_line_whatever_is_in_it(logged: io.StringIO) -> None:
    logging.getLogger("bot").warning("a name: %s", "Mug\x1b[31m\r\n2026 error bot: all is lost\x00\x9b")
    said = logged.getvalue()
    assert "\x1b" not in said
    assert "\x9b" not in said
    first = said.splitlines()[0]
    if first.startswith("{"):
        assert "all is lost" in json.loads(first)["message"]
        assert len(said.splitlines()) == 1
    else:  # what belongs to a line is indented: nobody can forge another
        assert [line for line in said.splitlines()[1:] if not line.startswith("    ")] == []


def test_o3_a_line_that_cannot_be_made_is_not_quoted(logged: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("bot", logging.WARNING, "a.py", 1, "%d of %d: xoxb-1111-2222-abcdefGHIJ", ("abcdefGHIJ",), None)
    logging.getLogger().handlers[0].handle(record)
    said = logged.getvalue() + capsys.readouterr().err
    assert "could not be written" in said
    assert "abcdefGHIJ" not in said


async def test_o3_a_request_that_is_none_is_not_quoted() -> None:
    """aiohttp's server logs the raw header lines of a malformed request."""
    program = (
        "import asyncio, sys\n"
        "from bot import logs, web\n"
        "async def main():\n"
        "    logs.configure('debug', 'text')\n"
        "    sock = web.bind('127.0.0.1', 0)\n"
        "    async with web.listening(sock, []):\n"
        "        reader, writer = await asyncio.open_connection(*sock.getsockname()[:2])\n"
        "        writer.write(b'GET / HTTP/1.1\\r\\nOcp-Apim-Subscription-Key: v3rysecret\\r\\nbad header line\\r\\n\\r\\n')\n"
        "        await reader.read(300)\n"
        "        writer.close()\n"
        "asyncio.run(main())\n"
    )
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "v3rysecret" not in done.stderr + done.stdout
