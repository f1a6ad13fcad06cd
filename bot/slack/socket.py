"""Socket Mode: Slack's requests over a websocket that we open, to the same listeners. For development and closed networks."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.bolt import Dispatch

log = logging.getLogger(__name__)


@asynccontextmanager
async def connected(dispatch: Dispatch, app_token: str, client: AsyncWebClient) -> AsyncIterator[None]:
    """Listen until the end; the client reconnects by itself. What is not acknowledged comes again."""

    async def received(socket: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        answer = await dispatch(request.payload)
        if answer.status >= 500:  # noqa: PLR2004
            return  # not stored: unacknowledged, it is sent again
        is_json = answer.first_headers().get("content-type", "").startswith("application/json")
        payload = answer.body if answer.body and answer.status == 200 else None  # noqa: PLR2004
        await socket.send_socket_mode_response(
            SocketModeResponse(request.envelope_id, _payload(payload, is_json=is_json) if payload else None)
        )

    # its own copy: the app token must not end up in the client that posts
    web = AsyncWebClient(base_url=client.base_url, session=client.session)
    socket = SocketModeClient(app_token=app_token, web_client=web, logger=logging.getLogger("slack_sdk.socket_mode"))
    socket.socket_mode_request_listeners.append(received)
    await socket.connect()  # type: ignore[no-untyped-call]  # slack_sdk leaves it untyped
    log.info("connected to Slack by Socket Mode")
    try:
        yield
    finally:
        await socket.close()  # type: ignore[no-untyped-call]


def _payload(body: str, *, is_json: bool) -> dict[str, object]:
    read: dict[str, object] = json.loads(body) if is_json else {"text": body}
    return read
