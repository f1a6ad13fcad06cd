"""What an operator asks on the command line: does Slack know us, can it reach us, what does the bot say to this payload."""

import json
import time
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.errors import ConfigurationError, UserError
from bot.slack.manifest import EVENTS_PATH, INSTALL, scopes

SECONDS = 10.0


async def ask_slack(settings: Settings) -> str:
    """Who Slack says we are. Raises UserError with what to do."""
    if settings.slack_client_id:
        return await _ask_for_many(settings)
    token = settings.slack_bot_token.get_secret_value()
    if not token:
        raise UserError("SLACK_BOT_TOKEN is not set. It is on the app's page under OAuth & Permissions.")
    client = AsyncWebClient(token=token, base_url=settings.slack_api_url, timeout=int(SECONDS))
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        raise UserError(f"Slack refused SLACK_BOT_TOKEN: {error.response.get('error') or 'no answer'}.") from None
    except (TimeoutError, ClientError, OSError):
        raise UserError(f"Slack does not answer at {settings.slack_api_url}. Check the network, or SLACK_API_URL.") from None
    granted = {scope.strip() for scope in str(answer.headers.get("x-oauth-scopes", "")).split(",")}
    wanted = set(scopes(settings.unfurl_domains))
    missing = sorted(wanted - granted) if granted != {""} else []
    if missing:
        raise UserError(f"The app lacks scopes: {', '.join(missing)}. Add them on its page and install it again.")
    if not (settings.slack_signing_secret.get_secret_value() or settings.slack_app_token.get_secret_value()):
        raise UserError("Set SLACK_SIGNING_SECRET (Basic Information), or SLACK_APP_TOKEN for Socket Mode.")
    return f"{answer['user']} in {answer['team']}"


def can_be_installed(settings: Settings) -> None:
    """Raises ConfigurationError naming what many workspaces lack."""
    if not settings.slack_client_secret.get_secret_value():
        raise ConfigurationError("SLACK_CLIENT_ID is set, SLACK_CLIENT_SECRET is not. It is under Basic Information.")
    if not settings.public_url:
        raise ConfigurationError("PUBLIC_URL is not set. Workspaces install the app at PUBLIC_URL/slack/install.")


async def _ask_for_many(settings: Settings) -> str:
    """Whether workspaces can install the app, and Slack is there."""
    can_be_installed(settings)
    try:
        await AsyncWebClient(base_url=settings.slack_api_url, timeout=int(SECONDS)).api_test()
    except (SlackApiError, TimeoutError, ClientError, OSError):
        raise UserError(f"Slack does not answer at {settings.slack_api_url}. Check the network, or SLACK_API_URL.") from None
    return f"workspaces install the app at {settings.public_url.rstrip('/')}{INSTALL}"


async def ask_ourselves(settings: Settings) -> str:
    """Whether PUBLIC_URL leads here. Raises UserError with what to do."""
    if not settings.public_url:
        if settings.slack_app_token.get_secret_value():
            return "not set; Socket Mode needs none (pictures are uploaded to Slack)"
        raise UserError("PUBLIC_URL is not set. Set it to where Slack can reach this server, or use Socket Mode.")
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=SECONDS)) as session,
            session.get(settings.public_url.rstrip("/") + "/healthz") as response,
        ):
            if response.status == 200:  # noqa: PLR2004 (HTTP's word for fine)
                return settings.public_url
            raise UserError(f"{settings.public_url}/healthz answers {response.status}. Is `serve` running behind it?")
    except (TimeoutError, ClientError, OSError):
        raise UserError(f"{settings.public_url} cannot be reached. Is `serve` running behind it?") from None


async def deliver(recorded: Any, *, to: str, secret: str) -> tuple[int, str]:
    """Send a recorded request as Slack does: events as JSON, clicks in a form's `payload`, commands as a form.

    Returns the status and the body. Raises UserError when nobody answers.
    """
    if not isinstance(recorded, dict):
        raise UserError("A Slack request is a JSON object.")
    if not secret:
        raise UserError("SLACK_SIGNING_SECRET is not set; the bot takes signed requests only.")
    kind = "application/x-www-form-urlencoded"
    if "command" in recorded:
        body = urlencode(recorded)
    elif recorded.get("type") in {"event_callback", "url_verification"}:
        kind, body = "application/json", json.dumps(recorded)
    else:
        body = urlencode({"payload": json.dumps(recorded)})
    at = str(int(time.time()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=at, body=body) or ""
    headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": at, "X-Slack-Signature": signature}
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=SECONDS)) as session,
            session.post(to.rstrip("/") + EVENTS_PATH, data=body.encode(), headers=headers) as response,
        ):
            return response.status, await response.text()
    except (TimeoutError, ClientError, OSError):
        raise UserError(f"Nobody answers at {to}. Start the bot first, or name its address with --to.") from None
