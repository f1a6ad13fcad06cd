"""Answers to Slack: posted once, repaired when refused, and each kind of refusal with its own end (threats.md R8)."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from aiohttp import ClientError, ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.errors import Error, MissingScope, RateLimited, Unavailable
from bot.jobs import ReplyTo, Unfurl
from bot.language import speaking
from bot.results import Results
from bot.slack import repair
from bot.slack.blocks import Payload

log = logging.getLogger(__name__)

Style = Literal["carousel", "classic"]
Draw = Callable[[Style], Payload]
"""A card in either style: classic is the same content without carousel and table (cards.md §9.2)."""

CALL_SECONDS = 10.0
REACTION_TRIES = 3
REPAIRS = 3  # pictures are taken out one refusal at a time this often, then all at once (cards.md §4.3)
CLASSIC_SECONDS = 24 * 3600.0
CLOCKS_APART_SECONDS = 300.0  # Slack's clock and ours, when looking for a post whose answer was lost
METADATA = "image_insights_reply"

REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "invalid_arguments"})
REFUSED |= {"invalid_attachments", "only_one_table_allowed", "view_too_large"}
LATER = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
TOKEN = frozenset({"account_inactive", "token_revoked", "token_expired", "invalid_auth", "not_authed", "missing_scope"})
NOT_THERE = frozenset({"channel_not_found", "not_in_channel"})
TRIGGER_GONE = frozenset({"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"})


class CannotPost(Error):
    """Slack says no and will say it again. `code` is its word."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Slack refused: {code}")
        self.code = code


class LacksScope(CannotPost, MissingScope):
    """No for want of a permission, which is said to whoever waits."""

    def __init__(self, needed: str, install: str) -> None:
        MissingScope.__init__(self, needed, install)
        self.code = "missing_scope"


class _Refused(Error):
    """Something in the content is wrong; sending less may help."""

    def __init__(self, code: str, answer: Mapping[str, Any]) -> None:
        super().__init__(f"Slack refused the content: {code}")
        self.code = code
        self.texts = repair.messages(answer)


class Replies:
    """The one place that writes to Slack.

    Every method raises RateLimited or Unavailable when trying later may help, and CannotPost when it will not.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        results: Results,
        *,
        style: Literal["auto", "carousel", "classic"],
        hooks: ClientSession | None = None,
        install: str = "",
        lost: Callable[[Sequence[str]], Awaitable[None]] | None = None,
    ) -> None:
        """install: where an admin gives us what we lack. lost: is told of files of ours that Slack does not show any more."""
        self._client = client
        self._results = results
        self._style = style
        self._hooks = hooks
        self._install = install
        self._lost = lost
        self._classic_until: dict[str, float] = {}

    # --- messages

    async def post_once(self, key: str, to: ReplyTo, draw: Draw, *, language: str) -> str:
        """Post under a key and return the ts; the same key again finds the first post, also when its answer was lost.

        language: of everybody there, whoever it was that asked.
        """
        fresh, ts, since = await self._results.intend(key, to.team)
        if not fresh and not ts:
            ts = await self._find(key, to, since)
        if not ts:
            metadata = {"event_type": METADATA, "event_payload": {"key": _digest(key)}}
            try:
                with speaking(language):
                    answer = await self._send(self._client.chat_postMessage, to.team, draw, **_place(to), metadata=metadata)
            except (RateLimited, CannotPost):
                await self._results.not_posted(key)
                raise
            ts = str(answer.get("ts"))
        await self._results.posted_as(key, ts)
        return ts

    async def update(self, to: ReplyTo, ts: str, draw: Draw, *, language: str) -> None:
        """Draw a message of ours anew, in the language of everybody there."""
        with speaking(language):
            await self._send(self._client.chat_update, to.team, draw, channel=to.channel, ts=ts)

    async def tell(self, to: ReplyTo, draw: Draw) -> None:
        """Say something to the person who asked and nobody else: where they asked, or else in a direct message."""
        if to.response_url:
            try:
                return await self.respond(to, draw)
            except CannotPost as error:  # after half an hour, or five answers
                log.info("a response_url is used up: %s", error)
        if to.channel.startswith("D") or not to.user:
            return await self._say(to, draw)
        if not to.channel:  # asked in a modal or the Home tab
            return await self._say(replace(to, channel=to.user, thread_ts=""), draw)
        try:
            await self._send(self._client.chat_postEphemeral, to.team, draw, **_place(to), user=to.user)
        except CannotPost as error:
            log.info("nothing ephemeral in %s: %s", to.channel, error)
            await self._say(replace(to, channel=to.user, thread_ts=""), draw)
        return None

    async def _say(self, to: ReplyTo, draw: Draw) -> None:
        """A plain message. Where even that is refused for good, nobody can be told."""
        try:
            await self._send(self._client.chat_postMessage, to.team, draw, **_place(to))
        except CannotPost as error:
            log.warning("nobody could be told in %s: %s", to.channel, error)

    async def respond(self, to: ReplyTo, draw: Draw) -> None:
        """Answer through the response_url: only to the person, also where we are no member. Always classic (cards.md §9.2)."""
        place = {"thread_ts": to.thread_ts} if to.thread_ts else {}  # without it the answer lands in the channel
        whole = draw("classic")
        for payload in (whole, repair.without_pictures(whole), {"text": whole["text"]}):
            try:
                await self._hook(to.response_url, {"response_type": "ephemeral", "replace_original": False} | place | payload)
            except _Refused as refused:
                log.warning("a response_url refused content: %s", refused)
            else:
                return
        raise CannotPost("invalid_blocks")

    async def publish(self, to: ReplyTo, draw: Draw, *, language: str) -> None:
        """Post for everybody through a response_url: in a conversation that somebody chose and we are no member of."""
        with speaking(language):
            card = draw("classic")
        await self._hook(to.response_url, {"response_type": "in_channel", "replace_original": False} | card)

    async def delete(self, channel: str, ts: str) -> None:
        """A message of ours; gone already is fine."""
        try:
            await self._call(self._client.chat_delete, channel=channel, ts=ts)
        except CannotPost as error:
            if error.code != "message_not_found":
                raise

    async def take_back(self, response_url: str) -> None:
        """Remove the ephemeral message that a command was acknowledged with."""
        await self._hook(response_url, {"delete_original": True})

    async def react(self, channel: str, ts: str, name: str, *, on: bool) -> None:
        """Put a reaction on a message or take it off. Not allowed, or there already: never mind (cards.md §6)."""
        method = self._client.reactions_add if on else self._client.reactions_remove
        for _ in range(1 if on else REACTION_TRIES):  # one that stays on would say that we are still looking
            try:
                await self._call(method, channel=channel, timestamp=ts, name=name)
            except Unavailable as error:
                await asyncio.sleep(min(error.retry_after, CALL_SECONDS) if isinstance(error, RateLimited) else 1.0)
            except Error as error:
                return log.debug("no reaction: %s", error)
            else:
                return None
        return None

    async def join(self, channel: str) -> bool:
        """Become a member of a public channel; False where somebody has to invite us."""
        try:
            await self._call(self._client.conversations_join, channel=channel)
        except CannotPost:
            return await self._is_member(channel)
        return True

    async def _is_member(self, channel: str) -> bool:
        try:
            answer = await self._call(self._client.conversations_info, channel=channel)
        except CannotPost:
            return False
        return bool((answer.get("channel") or {}).get("is_member"))

    async def permalink(self, channel: str, ts: str) -> str:
        try:
            answer = await self._call(self._client.chat_getPermalink, channel=channel, message_ts=ts)
        except CannotPost:
            return ""
        return str(answer.get("permalink") or "")

    async def unfurl(self, order: Unfurl, previews: Mapping[str, Payload]) -> None:
        """Show something below links. Where the message is gone, or others may not preview, nothing is."""
        place = (
            {"unfurl_id": order.unfurl_id, "source": order.source}
            if order.unfurl_id and order.source
            else {"channel": order.channel, "ts": order.message_ts}
        )
        whole = {url: dict(preview) for url, preview in previews.items()}
        bare = {url: repair.without_pictures(preview) for url, preview in whole.items()}
        for unfurls in (whole, bare):
            try:
                await self._call(self._client.chat_unfurl, unfurls=unfurls, **place)
            except _Refused as refused:
                log.warning("Slack refused a preview (%s): %s", refused.code, "; ".join(refused.texts) or "no reason given")
            except CannotPost as error:
                return log.info("no preview in %s: %s", order.channel, error)
            else:
                return None
        return None

    async def upload(self, data: bytes, name: str, alt: str) -> str:
        """A picture of ours, for views and cards: its file id; "" where we may not upload."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer = await self._client.files_upload_v2(content=data, filename=name, alt_txt=alt)
        except (SlackApiError, ClientError, OSError, TimeoutError) as error:
            log.warning("a picture could not be uploaded: %s", str(error) or type(error).__name__)
            return ""
        return str((answer.get("file") or {}).get("id") or "")

    # --- views

    async def open_view(self, trigger_id: str, view: Payload, *, on_top: bool) -> str:
        """Open a modal, on top of the one it was asked for in; returns its id, "" when the trigger's three seconds are over."""
        method = self._client.views_push if on_top else self._client.views_open
        try:
            answer = await self._show(method, view, trigger_id=trigger_id)
        except CannotPost as error:
            if error.code in TRIGGER_GONE:
                return ""
            raise
        return str((answer.get("view") or {}).get("id", ""))

    async def update_view(self, view_id: str, view: Payload) -> None:
        """Nothing happens where the person has closed it in the meantime."""
        try:
            await self._show(self._client.views_update, view, view_id=view_id)
        except CannotPost as error:
            if error.code != "not_found":
                raise

    async def publish_home(self, user: str, view: Payload) -> None:
        await self._show(self._client.views_publish, view, user_id=user)

    # --- how

    async def _send(self, method: Callable[..., Awaitable[Any]], team: str, draw: Draw, **arguments: Any) -> Mapping[str, Any]:
        """Send what Slack accepts of it: without the refused pictures, in classic rows, at last as plain text (threats.md B4)."""
        style = self._style_for(team)
        payload = draw(style)
        for attempt in range(2 * REPAIRS + 2):
            try:
                return await self._call(method, **arguments, **payload, **_quiet(method))
            except _Refused as refused:
                log.warning("Slack refused content (%s): %s", refused.code, "; ".join(refused.texts) or "no reason given")
                repaired, taken = repair.without_refused_pictures(payload, refused.texts)
                await self._forget(payload, taken)
                bare = repair.without_pictures(payload)
                if taken and attempt < REPAIRS:
                    payload = repaired
                elif style == "carousel" and repair.names_carousel(refused.texts, payload):
                    self._remember_classic(team)
                    style = "classic"
                    payload = draw(style)
                elif bare != payload:
                    payload = bare
                elif style == "carousel":
                    style = "classic"
                    payload = draw(style)
                elif "blocks" in payload:
                    payload = {"text": payload["text"][:3900]}
                else:
                    raise CannotPost(refused.code) from None
        raise CannotPost("invalid_blocks")

    async def _show(self, method: Callable[..., Awaitable[Any]], view: Payload, **arguments: Any) -> Mapping[str, Any]:
        """The same for views, which have no text to fall back to."""
        for attempt in range(REPAIRS + 2):
            try:
                return await self._call(method, **arguments, view=view)
            except _Refused as refused:
                log.warning("Slack refused a view (%s): %s", refused.code, "; ".join(refused.texts) or "no reason given")
                repaired, taken = repair.without_refused_pictures(view, refused.texts)
                await self._forget(view, taken)
                smaller = repaired if taken and attempt < REPAIRS else repair.without_pictures(view)
                if smaller == view:
                    raise CannotPost(refused.code) from None
                view = smaller
        raise CannotPost("invalid_arguments")

    async def _forget(self, payload: Payload, taken: Sequence[str]) -> None:
        """The next card uploads them anew."""
        if self._lost and (files := repair.files(payload, taken)):
            await self._lost(files)

    def _style_for(self, team: str) -> Style:
        if self._style != "auto":
            return self._style
        return "classic" if time.monotonic() < self._classic_until.get(team, 0.0) else "carousel"

    def _remember_classic(self, team: str) -> None:
        log.warning("team %s gets classic rows for a day: Slack refused the carousel", team)
        self._classic_until[team] = time.monotonic() + CLASSIC_SECONDS

    async def _find(self, key: str, to: ReplyTo, since: float) -> str:
        """A post of ours whose answer never came, by its metadata; "" if it is not there or we may not look."""
        window = {"oldest": f"{since - CLOCKS_APART_SECONDS:.6f}", "include_all_metadata": True, "limit": 200}
        try:
            if to.thread_ts:
                answer = await self._call(self._client.conversations_replies, channel=to.channel, ts=to.thread_ts, **window)
            else:
                answer = await self._call(self._client.conversations_history, channel=to.channel, **window)
        except CannotPost as error:
            log.warning("cannot look for an earlier post: %s", error)
            return ""
        for message in answer.get("messages") or []:
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == METADATA and metadata.get("event_payload", {}).get("key") == _digest(key):
                return str(message["ts"])
        return ""

    async def _call(self, method: Callable[..., Awaitable[Any]], **arguments: Any) -> Mapping[str, Any]:
        """One Web API call with a deadline, its refusals sorted."""
        name = getattr(method, "__name__", "?").replace("_", ".")
        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer: Mapping[str, Any] = (await method(**arguments)).data
                return answer
        except SlackApiError as error:
            data: Mapping[str, Any] = error.response.data if isinstance(error.response.data, dict) else {}
            code, status = str(data.get("error") or ""), error.response.status_code
            if status == 429 or code == "ratelimited":  # noqa: PLR2004
                raise RateLimited(name, _seconds(error.response.headers)) from error
            if code == "missing_scope":
                raise LacksScope(str(data.get("needed") or "?"), self._install) from error
            if code in REFUSED:
                raise _Refused(code, data) from error
            if not code or code in LATER or status >= 500:  # noqa: PLR2004 (an HTML answer has no code)
                raise Unavailable(f"{name}: {code or status}") from error
            if code in TOKEN:
                log.error("%s: the token cannot be used (%s); install the app again", name, code)  # noqa: TRY400 (no stack needed)
            raise CannotPost(code) from error
        except (ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"{name}: {str(error) or type(error).__name__}") from error

    async def _hook(self, url: str, body: Payload) -> None:
        """POST to a response_url, which came with a verified request."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer = await AsyncWebhookClient(url, session=self._hooks, retry_handlers=[]).send_dict(body)
        except (ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"response_url: {error}") from error
        if answer.status_code == 429:  # noqa: PLR2004
            raise RateLimited("response_url", _seconds(answer.headers))
        if answer.status_code >= 500:  # noqa: PLR2004
            raise Unavailable(f"response_url: {answer.status_code}")
        if "invalid_blocks" in answer.body or "msg_too_long" in answer.body:
            raise _Refused(answer.body, {})
        if answer.status_code != 200:  # noqa: PLR2004
            raise CannotPost(answer.body or str(answer.status_code))


def _seconds(headers: Mapping[str, Any]) -> float:
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "1")
    text = text[0] if isinstance(text, list) else text
    try:
        return min(max(float(text), 0.0), 3600.0)
    except (TypeError, ValueError):
        return 1.0


def _place(to: ReplyTo) -> dict[str, Any]:
    return {"channel": to.channel} | ({"thread_ts": to.thread_ts} if to.thread_ts else {})


def _quiet(method: Callable[..., Awaitable[Any]]) -> dict[str, Any]:
    """No previews of links, no names made into mentions (threats.md B1). Only posting knows these."""
    return {"unfurl_links": False, "unfurl_media": False} if method.__name__ == "chat_postMessage" else {}


def _digest(key: str) -> str:
    """Metadata is readable by every member: a name for the key, not the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def outside_thread(to: ReplyTo) -> ReplyTo:
    """An ephemeral message in a thread shows only where the thread exists already (cards.md §6)."""
    return replace(to, thread_ts="")
