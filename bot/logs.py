"""Logging: one line an event, for people on a terminal or as JSON for machines, and never a secret in it (threats.md O3, O4)."""

import contextlib
import json
import logging
import re
import sys
import time
from typing import Literal, TextIO

SECRETS = re.compile(
    r"xox[abeprs]-[\w.-]+|xoxe\.[\w.-]+|xapp-[\w-]+"
    r"|(?<=hooks\.slack\.com/)\S+|(?<=/hooks/)[\w-]+"
    r"|(?i:(?<=authorization: )[^\r\n]+|(?<=cookie: )[^\r\n]+|(?<=ocp-apim-subscription-key: )[^\r\n]+)"
    r"|(?<=[?&]code=)[^&\s]+|(?<=[?&]state=)[^&\s]+"
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
QUIET = ("aiohttp", "alembic", "asyncio", "dbos", "slack_bolt", "slack_sdk", "sqlalchemy")
"""They log bodies, signatures and header lines at INFO (threats.md O3)."""


class _OneLine(logging.Formatter):
    def __init__(self, style: Literal["text", "json"]) -> None:
        super().__init__()
        self.as_json = style == "json"

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        message = CONTROL.sub("?", SECRETS.sub("[redacted]", message))
        if self.as_json:
            at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            entry = {
                "at": f"{at}.{int(record.msecs):03}Z",
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": message,
            }
            return json.dumps(entry, ensure_ascii=False)
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        message = message.replace("\n", "\n    ")
        return f"{at} {record.levelname.lower():7} {record.name}: {message}"


class _Handler(logging.StreamHandler[TextIO]):
    """A line that cannot be written, or made, is not quoted either: what it was made of may be a secret."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"a log line of {record.name} could not be written ({record.pathname}:{record.lineno})\n")


def configure(level: str, style: Literal["", "text", "json"]) -> None:
    """Send every logger's lines to stderr through one redacting handler."""
    handler = _Handler()
    handler.setFormatter(_OneLine(style or ("text" if sys.stderr.isatty() else "json")))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
