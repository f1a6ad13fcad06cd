"""Errors to Sentry, where SENTRY_DSN is set: what broke and where, never a secret, a text or a picture (threats.md O3)."""

import logging
import re
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.utils import BadDsn

from bot.errors import ConfigurationError
from bot.logs import CONTROL, SECRETS

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

FLUSH_SECONDS = 2.0
IDS = re.compile(r"\b[UWTCGDE](?=[A-Z0-9]*[0-9])[A-Z0-9]{8,}\b")
"""Slack's names for people, teams and conversations, which a job's key is made of."""


def report(dsn: str) -> None:
    """From here on, what is logged as an error goes there too. Raises ConfigurationError for an address that is none."""
    if not dsn:
        return
    try:
        sentry_sdk.init(
            dsn=dsn,
            send_default_pii=False,
            include_local_variables=False,  # they hold tokens, texts and pictures
            max_request_body_size="never",
            max_breadcrumbs=0,
            default_integrations=False,
            integrations=[LoggingIntegration(event_level=logging.ERROR)],
            before_send=_clean,
            server_name="image-insights",
        )
    except BadDsn:
        raise ConfigurationError("SENTRY_DSN is not valid. Copy it from the project's settings at Sentry.") from None


def flush() -> None:
    """Send what is left before the process ends."""
    sentry_sdk.flush(timeout=FLUSH_SECONDS)


def _clean(event: "Event", _: "Hint") -> "Event | None":
    cleaned: Any = _scrubbed(event)
    for name in ("request", "user", "extra", "modules"):
        cleaned.pop(name, None)
    return cleaned  # type: ignore[no-any-return]  # an Event again


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return IDS.sub("[id]", CONTROL.sub("?", SECRETS.sub("[redacted]", value)))
    if isinstance(value, dict):
        return {name: _scrubbed(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(part) for part in value]
    return value
