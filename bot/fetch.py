"""The one fetcher of addresses that come from outside (threats.md §3). Nothing else opens such an address."""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import urljoin
from weakref import WeakValueDictionary

from aiohttp import AddrInfoType, ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.errors import CannotFetch, TooLarge, UserError
from bot.language import marked

MAX_BYTES = 20 * 1024 * 1024
MAX_URL = 2000
MAX_REDIRECTS = 3
PORTS = frozenset({80, 443, 8080, 8443})
RESOLVE_SECONDS, CONNECT_SECONDS, SILENCE_SECONDS, TOTAL_SECONDS = 4.0, 3.0, 4.0, 9.0
DOWNLOAD_SILENCE_SECONDS, DOWNLOAD_SECONDS = 30.0, 3600.0
"""A feed may be made while it is sent, and be gigabytes."""
AT_ONCE, AT_ONCE_PER_HOST = 32, 4
DOWNLOADS_AT_ONCE = 8
"""Apart from the places above: a slow feed must not keep somebody's picture waiting."""
WRITE_BYTES = 1024 * 1024
MAX_LABEL = 200
HEADERS = {"User-Agent": "image-insights/1 (fetches pictures people ask about)", "Accept-Encoding": "identity", "Accept": "*/*"}

T = TypeVar("T")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DENIED_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4"),
    )
)
_ALLOWED_6 = ipaddress.IPv6Network("2000::/3")
_DENIED_6 = tuple(ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_AUTHORITY = re.compile(r"https?://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?=[/?#]|$)", re.IGNORECASE)
_NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label like this makes the whole host a number to some resolvers (127.1, 0x7f.1)."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator lets us reach though it is not public: hosts exactly, networks by resolved address."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, entries: Iterable[str]) -> Self:
        entries = tuple(entry.lower() for entry in entries)
        return cls(
            frozenset(entry for entry in entries if "/" not in entry),
            tuple(ipaddress.ip_network(entry) for entry in entries if "/" in entry),
        )

    def permits(self, host: str, port: int, addresses: Iterable[Address]) -> bool:
        """Ports and addresses by F2, F5 and F6. Every address has to pass, and there has to be one."""
        addresses = tuple(addresses)
        if not addresses:
            return False
        if host in self.hosts:
            return True
        return all(
            any(address in network for network in self.networks) or (port in PORTS and is_public(address))
            for address in addresses
        )


@dataclass(frozen=True, slots=True)
class Target:
    """An address judged fit to be resolved. `url` is the very object that is connected to."""

    url: URL
    host: str
    port: int
    literal: Address | None = None


@dataclass(frozen=True, slots=True)
class Downloaded:
    """How a download ended. `etag` and `modified` (Last-Modified), as said, are for asking again later."""

    status: Literal["ok", "not_modified"]
    etag: str = ""
    modified: str = ""
    content_type: str = ""


def is_public(address: Address) -> bool:
    """Public unicast by our own list: `is_global` says yes to several internal ranges (threats.md F5)."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _DENIED_4)
    return address in _ALLOWED_6 and not any(address in network for network in _DENIED_6) and address.scope_id is None


def judge(text: str) -> Target:
    """Read an address as F1 and F3 want it. Raises CannotFetch, with the same sentence for every reason."""
    found = _AUTHORITY.match(text)
    if len(text) > MAX_URL or _FORBIDDEN.search(text) or not found:
        raise CannotFetch
    try:
        url = URL(text)
        host, port = url.raw_host or "", url.port or 0
    except ValueError:
        raise CannotFetch from None
    written = found["host"].lower().strip("[]")
    # what aiohttp will connect to must be what was judged, letter by letter
    if host != written or url.user or url.password or url.scheme not in {"http", "https"}:
        raise CannotFetch
    if not 0 < port <= 65535 or (found["port"] and int(found["port"]) != port):  # noqa: PLR2004 (TCP's last port)
        raise CannotFetch
    literal = _literal(host)
    if literal is None and (not _NAME.fullmatch(host) or _NUMBER.fullmatch(host.rpartition(".")[2])):
        raise CannotFetch
    return Target(url, host, port, literal)


def _literal(host: str) -> Address | None:
    """The address, when it is written in its one canonical form."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if str(address) != host:
        raise CannotFetch
    return address


def may_have_slack_token(target: Target) -> bool:
    """Only Slack's own origin ever sees a bot token (threats.md F9)."""
    domains = ("slack.com", "slack-gov.com")
    ours = any(target.host == domain or target.host.endswith(f".{domain}") for domain in domains)
    return ours and target.url.scheme == "https" and target.port == 443  # noqa: PLR2004 (https)


class _Pinned(AbstractResolver):
    """Answers with the addresses that were judged, whatever DNS says by now."""

    def __init__(self, host: str, addresses: Iterable[Address]) -> None:
        self._host = host
        self._addresses = tuple(addresses)

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:  # noqa: ARG002 (aiohttp's signature; we were asked for all families)
        if host != self._host:
            raise OSError("another host than the one judged")
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,  # noqa: PLR2004 (IPv4)
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        pass


class _Meter:
    """Counts what comes off the wire, framing and encryption included: what HTTP calls a body can be a small part of it."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def socket(self, info: AddrInfoType) -> socket.socket:
        return _MeteredSocket(self, info)


class _MeteredSocket(socket.socket):
    def __init__(self, meter: _Meter, info: AddrInfoType) -> None:
        super().__init__(info[0], info[1], info[2])
        self._meter = meter

    def recv(self, *args: Any) -> bytes:
        data = super().recv(*args)
        self._count(len(data))
        return data

    def recv_into(self, *args: Any) -> int:
        count = super().recv_into(*args)
        self._count(count)
        return count

    def _count(self, count: int) -> None:
        self._meter.left -= count
        if self._meter.left < 0:
            raise ConnectionAbortedError("more bytes than we read")


class Fetcher:
    """Opens addresses that people and pages name. Holds no cookie, no key, no proxy of the environment."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._downloads = asyncio.Semaphore(DOWNLOADS_AT_ONCE)
        self._per_host: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()  # forgotten when nobody waits
        # threads of its own: a name server that hangs must not take the ones everybody shares
        self._names = ThreadPoolExecutor(8, thread_name_prefix="names")
        self._tls = ssl.create_default_context()

    @classmethod
    @asynccontextmanager
    async def open(cls, *, allow: tuple[str, ...]) -> AsyncIterator[Self]:
        """`allow`: hosts and CIDRs that may be fetched though not public (INSIGHTS_FETCH_ALLOW)."""
        fetcher = cls(Allowed.read(allow))
        try:
            yield fetcher
        finally:
            fetcher._names.shutdown(wait=False, cancel_futures=True)

    async def get(self, url: str, *, bearer: str = "", trusted: bool = False, max_bytes: int = MAX_BYTES) -> bytes:
        """The bytes behind an address.

        `bearer` goes along only to Slack's own origin or a trusted one, and then no redirect is followed: it would lead
        to a login page. `trusted`: the operator named this origin; ports and addresses are not judged.
        Raises CannotFetch, with one sentence for every reason, or TooLarge.
        """
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                return await self._follow(
                    url, lambda response: _body(response, max_bytes), max_bytes, bearer=bearer, trusted=trusted
                )
        except TooLarge:
            raise TooLarge(marked("That picture is too large. I read up to {size}."), size=_size(max_bytes)) from None
        except (ClientError, OSError, TimeoutError, ValueError):
            raise CannotFetch from None

    async def get_if_changed(self, url: str, *, etag: str = "", modified: str = "") -> tuple[bytes, Downloaded]:
        """`get` with what to say the next time; no bytes when nothing has changed since `etag` or `modified`.

        Raises as get does.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
        headers = {name: value for name, value in conditions.items() if value}

        async def take(response: ClientResponse) -> tuple[bytes, Downloaded]:
            labels = _labels(response)
            return b"" if labels.status == "not_modified" else await _body(response, MAX_BYTES), labels

        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                return await self._follow(url, take, MAX_BYTES, headers=headers)
        except TooLarge:
            raise TooLarge(marked("That picture is too large. I read up to {size}."), size=_size(MAX_BYTES)) from None
        except (ClientError, OSError, TimeoutError, ValueError):
            raise CannotFetch from None

    async def download(self, url: str, path: Path, *, max_bytes: int, etag: str = "", modified: str = "") -> Downloaded:
        """Put what is behind an address into a file, without ever holding it; `path` changes only when all of it is there.

        `etag`, `modified`: what an earlier download said; when nothing has changed since, the file is left as it is. What
        is sent packed (gzip) stays packed: whoever reads the file sees to the limits of unpacking.
        Raises CannotFetch or TooLarge, and UserError when the file cannot be written.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
        part = path.with_name(f"{path.name}.part")
        try:
            async with self._downloads, asyncio.timeout(DOWNLOAD_SECONDS):
                done = await self._follow(
                    url,
                    lambda response: _save(response, part, max_bytes),
                    max_bytes,
                    headers={name: value for name, value in conditions.items() if value},
                    silence=DOWNLOAD_SILENCE_SECONDS,
                    turn=False,
                )
            if done.status == "ok":
                await asyncio.to_thread(part.replace, path)
        except TooLarge:
            raise TooLarge(f"{url} is too large. I read up to {_size(max_bytes)}.") from None
        except (CannotFetch, ClientError, OSError, TimeoutError, ValueError):
            raise CannotFetch(f"{url} cannot be opened. Check it in a browser, or save the file and import that.") from None
        finally:
            part.unlink(missing_ok=True)
        return (
            replace(done, etag=done.etag or etag, modified=done.modified or modified) if done.status == "not_modified" else done
        )

    async def _follow(
        self,
        text: str,
        take: Callable[[ClientResponse], Awaitable[T]],
        max_bytes: int,
        *,
        bearer: str = "",
        trusted: bool = False,
        headers: Mapping[str, str] | None = None,
        silence: float = SILENCE_SECONDS,
        turn: bool = True,
    ) -> T:
        """What `take` makes of the answer at the end of the redirects. `turn`: wait for a place at the host."""
        target = judge(text)
        token = bearer if trusted or may_have_slack_token(target) else ""
        sent = {**HEADERS, **(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        for _ in range(MAX_REDIRECTS + 1):
            async with self._turn(target.host) if turn else nullcontext():
                found = await self._one(target, take, max_bytes, trusted=trusted, headers=sent, silence=silence)
            if not isinstance(found, _Elsewhere):
                return found
            after = judge(urljoin(str(target.url), found.location))
            if token or trusted or (target.url.scheme == "https" and after.url.scheme != "https"):
                raise CannotFetch
            target = after
        raise CannotFetch

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        """Few at once to one host, so that a hung one cannot hold everybody's places."""
        places = self._per_host.setdefault(host, asyncio.Semaphore(AT_ONCE_PER_HOST))
        async with places, self._at_once:
            yield

    async def _one(
        self,
        target: Target,
        take: Callable[[ClientResponse], Awaitable[T]],
        max_bytes: int,
        *,
        trusted: bool,
        headers: Mapping[str, str],
        silence: float,
    ) -> "T | _Elsewhere":
        """One request: what `take` makes of the answer, or where a redirect leads."""
        addresses = [target.literal] if target.literal else await self._resolve(target)
        if not trusted and not self._allowed.permits(target.host, target.port, addresses):
            raise CannotFetch
        meter = _Meter(max_bytes + max_bytes // 16 + 64 * 1024)  # the picture, its framing and TLS records, headers
        connector = TCPConnector(
            resolver=_Pinned(target.host, addresses),
            use_dns_cache=False,
            force_close=True,
            ssl=self._tls,
            socket_factory=meter.socket,
        )
        timeout = ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=silence)
        async with ClientSession(
            connector=connector, timeout=timeout, cookie_jar=DummyCookieJar(), trust_env=False, auto_decompress=False
        ) as session:
            try:
                async with session.get(target.url, headers=headers, allow_redirects=False) as response:
                    if response.status in {301, 302, 303, 307, 308}:
                        return _Elsewhere(response.headers.get("Location", ""))
                    return await take(response)
            except (ClientError, OSError):
                if meter.left < 0:
                    raise TooLarge from None
                raise

    async def _resolve(self, target: Target) -> list[Address]:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await loop.run_in_executor(
                self._names, lambda: socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            )
        return [ipaddress.ip_address(str(where[0]).partition("%")[0]) for *_, where in found]


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    location: str


async def _parts(response: ClientResponse, max_bytes: int, encodings: frozenset[str]) -> AsyncIterator[bytes]:
    """A body as it comes. Labels decide nothing but whether there is one."""
    if response.status != 200 or response.headers.get("Content-Encoding", "identity").lower() not in encodings:  # noqa: PLR2004
        raise CannotFetch
    if (response.content_length or 0) > max_bytes:
        raise TooLarge
    count = 0
    async for part in response.content.iter_any():
        count += len(part)
        if count > max_bytes:
            raise TooLarge
        yield part


async def _body(response: ClientResponse, max_bytes: int) -> bytes:
    body = bytearray()
    async for part in _parts(response, max_bytes, frozenset({"identity"})):
        body += part
    return bytes(body)


async def _save(response: ClientResponse, path: Path, max_bytes: int) -> Downloaded:
    """Write a body to `path`."""
    labels = _labels(response)
    if labels.status == "not_modified":
        return labels
    waiting = bytearray()
    with _writing(path):
        file = path.open("wb")  # not by a thread: it would stay open when the waiting is given up meanwhile
    with file:
        async for part in _parts(response, max_bytes, frozenset({"identity", "gzip", "x-gzip"})):
            waiting += part
            if len(waiting) >= WRITE_BYTES:
                with _writing(path):
                    await asyncio.to_thread(file.write, waiting)
                waiting = bytearray()
        with _writing(path):
            file.write(waiting)
            file.flush()
    return labels


def _labels(response: ClientResponse) -> Downloaded:
    """What an answer says of its body. A label too long to be one is as good as none."""
    said = (response.headers.get(name, "") for name in ("ETag", "Last-Modified", "Content-Type"))
    etag, modified, kind = (label if len(label) <= MAX_LABEL else "" for label in said)
    asked = response.request_info.headers.keys() & {"If-None-Match", "If-Modified-Since"}
    unchanged = response.status == 304 and asked  # noqa: PLR2004 (Not Modified)
    return Downloaded("not_modified" if unchanged else "ok", etag, modified, kind)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}. Make room there, or set DATA_DIR.") from None


def _size(max_bytes: int) -> str:
    return f"{max_bytes // 1_000_000} MB" if max_bytes >= 1_000_000 else f"{max_bytes // 1000} kB"  # noqa: PLR2004
