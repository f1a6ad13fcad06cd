"""Build what answers Slack: Bolt and our listeners, each lent the desk of the workspace that speaks."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import Error, Unavailable
from bot.slack import events
from bot.slack.listeners import LISTENERS
from bot.slack.workspaces import Workspaces

log = logging.getLogger(__name__)

Dispatch = Callable[[dict[str, Any]], Awaitable[BoltResponse]]
"""Hand a request's payload, verified and parsed, to whichever listener it is for."""


def build(client: AsyncWebClient, workspaces: Workspaces) -> Dispatch:
    """Bolt with our listeners. Requests must be verified before (web.py, socket.py).

    process_before_response holds Slack's 200 until the listener has returned, and a listener returns when its order is
    committed; one that raises becomes a 500, which web.py turns into "try again".
    """

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:  # Bolt does not take a method
        return await workspaces.authorize(enterprise_id, team_id)

    # Bolt finds SLACK_BOT_TOKEN in the environment by itself, and warns at every start that it does not need it
    logging.getLogger("slack_bolt").addFilter(lambda record: "`token` will be unused" not in record.getMessage())
    app = AsyncApp(
        logger=logging.getLogger("slack_bolt"),
        name="image-insights",
        # without the token: Bolt takes it from authorize and would warn of two
        client=AsyncWebClient(base_url=client.base_url, session=client.session),
        authorize=authorize,  # type: ignore[arg-type]  # None is allowed: a team that is not ours
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )

    @app.error
    async def failed(error: Exception) -> None:
        if isinstance(error, BoltError | Unavailable):
            log.warning("a request is not answered: %s", error)
        else:
            log.error("a listener failed", exc_info=error)

    for listen in LISTENERS:
        listen(app)

    async def lend(payload: dict[str, Any]) -> Mapping[str, Any]:
        return {"desk": await workspaces.desk(events.team(payload), events.organisation(payload))}

    return dispatcher(app, lend)


def dispatcher(app: AsyncApp, lend: Callable[[dict[str, Any]], Awaitable[Mapping[str, Any]]]) -> Dispatch:
    """The way into an app; its listeners may take by name what they are lent for a payload."""

    async def dispatch(payload: dict[str, Any]) -> BoltResponse:
        # "socket_mode" is Bolt's word for a body that is parsed and verified already; parsing it again as a form would stumble
        # over the word "payload" in a command (slack-platform.md §3.4)
        try:
            lent = await lend(payload)
        except (Error, SQLAlchemyError):
            log.exception("a request is not answered; Slack sends it again")
            return BoltResponse(status=503)
        return await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=payload, context={**lent}))

    return dispatch
