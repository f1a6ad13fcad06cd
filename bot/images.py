"""ImageRef to bytes: which address a picture has, who may see our token, what to do when the original cannot be read."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.drawing import numbered
from bot.errors import CannotFetch, MissingScope, NotAPicture, TooLarge, Unavailable, UserError
from bot.fetch import Fetcher
from bot.insights.feeds import pictures_of
from bot.insights.model import Crop
from bot.jobs import ImageRef
from bot.language import marked
from bot.pixels import Pixels

log = logging.getLogger(__name__)

PAUSES = (0.5, 1.0, 2.0, 4.0)  # an upload may be announced before it is processed (slack-platform.md §2)
CALL_SECONDS = 5.0
MOST_OF_PAGE = 1024 * 1024
PAGE_PICTURES = 3
UNSEEN = frozenset({"thread_not_found", "channel_not_found", "not_in_channel", "message_not_found"})
SEEN = 200
"""Messages of a thread that are looked at, to see whether people talked."""
GONE = frozenset({"file_not_found", "file_deleted", "not_visible", "access_denied"})
THUMBS = ("thumb_1024", "thumb_960", "thumb_800", "thumb_720", "thumb_480", "thumb_360")


class Images:
    """Pictures people posted. What leaves this machine is re-encoded by whoever sends it (threats.md P7)."""

    def __init__(self, slack: AsyncWebClient, fetcher: Fetcher, pixels: Pixels, token: str, *, install: str = "") -> None:
        self._slack = slack
        self._fetcher = fetcher
        self._pixels = pixels
        self._token = token
        self._install = install
        self._api = _origin(slack.base_url)

    async def fetch(self, ref: ImageRef) -> bytes:
        """The file as it was posted, or Slack's thumbnail of it where the original is none of our formats.

        Raises NotAPicture, CannotFetch or TooLarge with a sentence for the person, Unavailable when Slack cannot say now.
        """
        if ref.url:
            data = await self._fetcher.get(ref.url)
            return await (self._of_page(ref.url, data) if _is_page(data) else self._checked(data))
        return await self._file(ref.file_id)

    async def _of_page(self, url: str, data: bytes) -> bytes:
        """The picture a page shows of what it is about: its product's, or else the one it names for previews."""
        for address in (await asyncio.to_thread(pictures_of, data[:MOST_OF_PAGE], url))[:PAGE_PICTURES]:
            with contextlib.suppress(UserError):
                return await self._checked(await self._fetcher.get(address))
        raise CannotFetch(
            marked("That address shows a web page without a picture that I can read. Give me the picture's own address.")
        )

    async def part(self, data: bytes, crop: Crop, *, side: int = 1024) -> bytes:
        """A part of a picture, as a picture of its own. Raises as fetch does."""
        return await self._pixels.jpeg(data, side=side, crop=crop)

    async def drawn(self, data: bytes, boxes: Sequence[Crop], *, side: int = 900) -> bytes:
        """The picture with numbered boxes on it, as JPEG. Raises as fetch does."""
        frame = await self._pixels.load(data, side=side)
        return await asyncio.to_thread(numbered, frame.rgb, boxes)

    async def in_thread(self, channel: str, thread_ts: str, message_ts: str) -> Sequence[dict[str, Any]]:
        """Where a request in a thread may mean a picture: the message itself, then the thread's first.

        Empty if we may not see it. Raises Unavailable.
        """
        found: list[dict[str, Any]] = []
        for ts in dict.fromkeys((message_ts, thread_ts)):
            window = {"oldest": ts, "latest": ts, "inclusive": True, "limit": 2}
            answer = await self._ask(self._slack.conversations_replies, UNSEEN, channel=channel, ts=thread_ts, **window)
            if answer is None:
                return []
            found += [message for message in answer.get("messages") or [] if message.get("ts") == ts]
        return found

    async def talked(self, channel: str, thread_ts: str) -> bool:
        """Whether a person has said something in a thread, its head apart. Raises Unavailable."""
        answer = await self._ask(self._slack.conversations_replies, UNSEEN, channel=channel, ts=thread_ts, limit=SEEN)
        said = answer.get("messages") or [] if answer else []
        return any(one.get("user") and not one.get("bot_id") and one.get("ts") != thread_ts for one in said)

    async def _file(self, file_id: str) -> bytes:
        file = await self._info(file_id)
        problem: NotAPicture | CannotFetch | TooLarge = CannotFetch(
            marked("I can't open that file. Post the picture here again.")
        )
        # the original first; the thumbnails that Slack makes of it where the original is none of our formats, or too big
        for url in _addresses(file):
            try:
                return await self._checked(await self._download(url))
            except (NotAPicture, TooLarge) as error:
                problem = error
            except CannotFetch as error:
                problem = error if not isinstance(problem, NotAPicture | TooLarge) else problem
        raise problem

    async def _info(self, file_id: str) -> dict[str, Any]:
        """What Slack knows about a file, once it has an address. The event's own file object is a hint only."""
        for pause in (*PAUSES, None):
            answer = await self._ask(self._slack.files_info, GONE, file=file_id)
            if answer is None:
                raise CannotFetch(marked("I can't open that file: it was deleted, or I am not allowed to see it."))
            file: dict[str, Any] = answer.get("file") or {}
            if _addresses(file):
                return file
            if pause is not None:
                await asyncio.sleep(pause)
        raise CannotFetch(marked("I can't open that file: Slack has not finished receiving it. Post the picture here again."))

    async def _ask(
        self, method: Callable[..., Awaitable[Any]], gone: frozenset[str], **arguments: Any
    ) -> Mapping[str, Any] | None:
        """One question to Slack; None for an answer that will not change. Raises Unavailable."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer: Mapping[str, Any] = (await method(**arguments)).data
                return answer
        except SlackApiError as error:
            if _code(error) in gone:
                return None
            if _code(error) == "missing_scope":
                raise MissingScope(str(error.response.get("needed") or "?"), self._install) from error
            raise Unavailable(f"Slack refused: {_code(error) or error.response.status_code}") from error
        except (ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"Slack: {str(error) or type(error).__name__}") from error

    async def _download(self, url: str) -> bytes:
        """Our token goes to Slack's origin, or the one the operator named as Slack's; never to an external file's host."""
        if _origin(url) == self._api:
            return await self._fetcher.get(url, bearer=self._token, trusted=True)
        return await self._fetcher.get(url, bearer=self._token if _is_slack(url) else "")

    async def _checked(self, data: bytes) -> bytes:
        if _is_page(data):
            raise CannotFetch(marked("That address shows a web page, not a picture. Give me the address of the picture itself."))
        await self._pixels.check(data)
        return data


def _addresses(file: dict[str, Any]) -> Sequence[str]:
    urls = [file.get(name) for name in ("url_private_download", "url_private", *THUMBS)]
    return list(dict.fromkeys(url for url in urls if isinstance(url, str) and url))


def _is_page(data: bytes) -> bool:
    """A login page comes with status 200 too; the bytes decide, not the label."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml version")) and b"<svg" not in start


def _is_slack(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return any(host == domain or host.endswith(f".{domain}") for domain in ("slack.com", "slack-gov.com"))


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _code(error: SlackApiError) -> str:
    """Slack's word for what is wrong; "" where something else answered in its place."""
    return str(error.response.data.get("error") or "") if isinstance(error.response.data, dict) else ""
