"""The one fetcher (threats.md §3): which addresses it opens, what it sends, and how much it takes."""

import asyncio
import gc
import gzip
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot import fetch
from bot.errors import CannotFetch, TooLarge, UserError
from bot.fetch import Allowed, Downloaded, Fetcher, is_public, judge, may_have_slack_token

LOOPBACK = ("127.0.0.1",)

# Written down apart from fetch.py, by address instead of by network (IANA's special-purpose registries).
INTERNAL = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "5f00::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.15.0.1",
    "172.32.0.1",
    "100.63.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "2a00:1450:4001::1",
]
NETWORKS_4 = (
    ("0.0.0.0", 8),
    ("10.0.0.0", 8),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("169.254.0.0", 16),
    ("172.16.0.0", 12),
    ("192.0.0.0", 24),
    ("192.0.2.0", 24),
    ("192.88.99.0", 24),
    ("192.168.0.0", 16),
    ("198.18.0.0", 15),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("224.0.0.0", 4),
    ("240.0.0.0", 4),
)


def blocked_by_arithmetic(number: int) -> bool:
    """The same rules as shifts of a 32-bit number: another way to be right."""
    return any(number >> (32 - bits) == int(ipaddress.IPv4Address(base)) >> (32 - bits) for base, bits in NETWORKS_4)


@given(st.integers(0, 2**32 - 1))
def test_f5_ipv4_addresses_are_public_unless_a_registry_says_otherwise(number: int) -> None:
    assert is_public(ipaddress.IPv4Address(number)) is not blocked_by_arithmetic(number)


@given(st.sampled_from(NETWORKS_4), st.integers(0, 2**32 - 1))
def test_f5_every_address_of_an_internal_network_is_refused(network: tuple[str, int], offset: int) -> None:
    base, bits = network
    assert not is_public(ipaddress.IPv4Address(int(ipaddress.IPv4Address(base)) + offset % 2 ** (32 - bits)))


@given(st.integers(0, 2**32 - 1).filter(blocked_by_arithmetic))
def test_f5_no_ipv6_spelling_of_an_internal_address_passes(number: int) -> None:
    for prefix in (0, 0xFFFF << 32, 0xFFFF << 48, 0x0064FF9B << 96, 0x2002 << 112 | number << 80):
        assert not is_public(ipaddress.IPv6Address(prefix | number))


@pytest.mark.parametrize("address", INTERNAL)
def test_f5_internal_addresses_are_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    assert not Allowed().permits("shop.example", 443, [ipaddress.ip_address(address)])


@pytest.mark.parametrize("address", PUBLIC)
def test_f5_public_addresses_pass(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
    assert Allowed().permits("shop.example", 443, [ipaddress.ip_address(address)])


def test_f4_one_internal_address_among_public_ones_refuses_all() -> None:
    assert not Allowed().permits("shop.example", 443, map(ipaddress.ip_address, ["8.8.8.8", "10.0.0.1"]))
    assert not Allowed().permits("shop.example", 443, [])


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example/a.jpg",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "data:image/png;base64,AAAA",
        "//shop.example/a",
        "http:/shop.example/a",
        "http:shop.example",
        "http://",
        "http:///a",
        "shop.example/a.jpg",
        "javascript:alert(1)",
        "http://user@shop.example/",
        "http://user:pass@shop.example/",
        "http://127.0.0.1@shop.example/",
        "http://a\\@b.example/",
        "http://shop.example\\@10.0.0.1/",
        "http://shop.example/a b",
        "http://shop.example/\n",
        "http://shop.example/\x00",
        " http://a.example/",
        "http://sh%6fp.example/",
        "http://müller.example/",
        "http://１２７.0.0.1/",
        "http://shop.example:0/",
        "http://shop.example:99999/",
        "http://shop.example:80:80/",
        "http://shop.example:/x:",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://017700000001/",
        "http://127.0.0.01/",
        "http://127.0.0.1./",
        "http://1.2.3.4.5/",
        "http://shop.example.1/",
        "http://[::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::1/",
        "http://shop..example/",
        "http://-shop.example/",
        "http://shop.example/" + "a" * 2000,
        "",
    ],
)
def test_f1_f3_misspelled_addresses_are_refused_before_anything_is_resolved(url: str) -> None:
    with pytest.raises(CannotFetch):
        judge(url)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://shop.example/a.jpg", "shop.example", 443),
        ("HTTP://Shop.Example:8080/ä/b?q=%20#x", "shop.example", 8080),
        ("http://93.184.216.34/", "93.184.216.34", 80),
        ("https://[2606:4700::1111]:8443/x", "2606:4700::1111", 8443),
        ("https://xn--mller-kva.example/a", "xn--mller-kva.example", 443),
        ("https://cdn_1.shop.example", "cdn_1.shop.example", 443),
    ],
)
def test_f1_addresses_people_paste_are_read(url: str, host: str, port: int) -> None:
    target = judge(url)
    assert (target.host, target.port) == (host, port)
    assert target.url.raw_host == host


@given(st.text(min_size=1, max_size=40))
def test_f1_whatever_is_judged_is_what_is_connected_to(host: str) -> None:
    try:
        target = judge(f"http://{host}/a.jpg")
    except CannotFetch:
        return
    assert target.url.raw_host == target.host
    assert target.url.user is None
    assert target.host in f"http://{host}/a.jpg".lower()


@pytest.mark.parametrize("port", [22, 25, 3306, 6379, 9200])
def test_f2_other_ports_are_refused(port: int) -> None:
    assert not Allowed().permits("shop.example", port, [ipaddress.ip_address("8.8.8.8")])


def test_f6_the_operator_may_allow_a_host_or_a_network() -> None:
    allowed = Allowed.read(["intranet.example", "10.1.0.0/16"])
    inside, outside = ipaddress.ip_address("10.1.2.3"), ipaddress.ip_address("10.2.0.1")
    assert allowed.permits("intranet.example", 9000, [outside])
    assert allowed.permits("other.example", 9000, [inside])
    assert not allowed.permits("other.example", 443, [outside])
    assert not allowed.permits("sub.intranet.example", 443, [outside])


@pytest.mark.parametrize(
    ("url", "yes"),
    [
        ("https://files.slack.com/f", True),
        ("https://slack.com/api/", True),
        ("https://acme.slack.com/f", True),
        ("https://files.slack-gov.com/f", True),
        ("http://files.slack.com/f", False),
        ("https://files.slack.com:8443/f", False),
        ("https://evilslack.com/f", False),
        ("https://files.slack.com.evil.example/f", False),
        ("https://evil.example/slack.com", False),
    ],
)
def test_f9_only_slack_may_see_the_token(url: str, yes: bool) -> None:
    assert may_have_slack_token(judge(url)) is yes


# ---------------------------------------------------------------- over the wire


@asynccontextmanager
async def served(**pages: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes([web.get(f"/{name}", page) for name, page in pages.items()])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw(answer: bytes) -> AsyncIterator[str]:
    """A server that says exactly these bytes, whatever it is asked."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def saying(body: bytes = b"picture", **options: Any) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, **options)

    return page


async def test_f6_an_allowed_host_is_fetched_on_any_port() -> None:
    async with served(a=saying(b"bytes")) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        assert await fetcher.get(f"{url}/a") == b"bytes"


async def test_f5_this_machine_is_not_fetched_by_literal_or_by_name() -> None:
    async with served(a=saying()) as url, Fetcher.open(allow=()) as fetcher:
        port = url.rpartition(":")[2]
        for host in ("127.0.0.1", "localhost", "[::1]"):
            with pytest.raises(CannotFetch):
                await fetcher.get(f"http://{host}:{port}/a")


async def test_f4_the_connection_goes_to_the_address_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers differently the second time gains nothing."""
    real, asked = socket.getaddrinfo, []

    def changing(host: str, port: int, *args: Any, **kwargs: Any) -> object:
        if host != "rebind.example":
            return real(host, port, *args, **kwargs)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "10.0.0.1", port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    seen: list[str] = []

    async def page(request: web.Request) -> web.StreamResponse:
        seen.append(request.host)
        return web.Response(body=b"ok")

    async with served(a=page) as url, Fetcher.open(allow=("127.0.0.0/8",)) as fetcher:
        port = url.rpartition(":")[2]
        assert await fetcher.get(f"http://rebind.example:{port}/a") == b"ok"
    assert asked == ["rebind.example"]
    assert seen == [f"rebind.example:{port}"]


async def test_f7_redirects_are_followed_three_times_and_judged_each_time() -> None:
    async def hop(request: web.Request) -> web.StreamResponse:
        left = int(request.query["n"])
        raise web.HTTPFound(f"/hop?n={left - 1}" if left else "/end")

    async def away(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("http://localhost:1/secret")

    async def scheme(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("file:///etc/passwd")

    async with served(hop=hop, end=saying(b"end"), away=away, scheme=scheme) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        assert await fetcher.get(f"{url}/hop?n=2") == b"end"
        for path in ("hop?n=3", "away", "scheme"):
            with pytest.raises(CannotFetch):
                await fetcher.get(f"{url}/{path}")


async def test_f8_f9_nothing_of_ours_goes_to_a_stranger() -> None:
    seen: list[dict[str, str]] = []

    async def page(request: web.Request) -> web.StreamResponse:
        seen.append({name.lower(): value for name, value in request.headers.items()})
        response = web.Response(body=b"ok")
        response.set_cookie("a", "b")
        return response

    async with served(a=page) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        await fetcher.get(f"{url}/a", bearer="xoxb-secret")
        await fetcher.get(f"{url}/a")
    for headers in seen:
        assert set(headers) == {"host", "user-agent", "accept-encoding", "accept", "connection"}
        assert headers["accept-encoding"] == "identity"


async def test_f9_a_trusted_origin_gets_the_token_and_no_redirect_is_followed() -> None:
    seen: list[str] = []

    async def page(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization", ""))
        return web.Response(body=b"ok")

    async def login(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/a")

    async with served(a=page, login=login) as url, Fetcher.open(allow=()) as fetcher:
        assert await fetcher.get(f"{url}/a", bearer="xoxb-1", trusted=True) == b"ok"
        with pytest.raises(CannotFetch):
            await fetcher.get(f"{url}/login", bearer="xoxb-1", trusted=True)
    assert seen == ["Bearer xoxb-1"]


@pytest.mark.parametrize(
    "page",
    [
        saying(gzip.compress(b"x" * 1000), headers={"Content-Encoding": "gzip"}),
        saying(b"gone", status=404),
        saying(b"part", status=206),
        saying(b"oops", status=500),
    ],
)
async def test_f11_f12_only_a_plain_200_counts(page: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
    async with served(a=page) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        with pytest.raises(CannotFetch):
            await fetcher.get(f"{url}/a")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 5000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n",
    ],
    ids=["said", "unsaid", "chunked"],
)
async def test_f10_too_much_is_refused_whatever_was_said_about_it(answer: bytes) -> None:
    async with raw(answer) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        with pytest.raises(TooLarge):
            await fetcher.get(f"{url}/a", max_bytes=4000)


async def test_f10_bytes_that_are_no_body_are_counted() -> None:
    """A chunk's extension is framing: megabytes of it around a body of a few bytes."""
    chunks = (b"1;" + b"e" * 4000 + b"\r\nx\r\n") * 100
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    async with raw(answer) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        with pytest.raises(TooLarge):
            await fetcher.get(f"{url}/a", max_bytes=4000)


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", b"HTTP/1.1 302 Found\r\n\r\n"],
)
async def test_broken_answers_are_refused_with_the_same_sentence(answer: bytes) -> None:
    async with raw(answer) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        with pytest.raises(CannotFetch) as refused:
            await fetcher.get(f"{url}/a")
    assert str(refused.value) == str(CannotFetch())


async def test_f13_one_host_gets_at_most_four_at_once() -> None:
    running, most, go = 0, 0, asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 4:
            go.set()
        await go.wait()
        await asyncio.sleep(0)
        running -= 1
        return web.Response(body=b"ok")

    async with served(a=slow) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        assert await asyncio.gather(*(fetcher.get(f"{url}/a") for _ in range(10))) == [b"ok"] * 10
    assert most == 4


# ---------------------------------------------------------------- into a file


async def test_a_download_is_in_its_file_with_what_was_said_about_it(tmp_path: Path) -> None:
    feed = b"id\ttitle\n" * 500_000
    labels = {"ETag": '"v1"', "Last-Modified": "Sun, 01 Nov 2026 10:00:00 GMT", "Content-Type": "text/tab-separated-values"}

    async def moved(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/feed")

    async with served(feed=saying(feed, headers=labels), moved=moved) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        done = await fetcher.download(f"{url}/moved", tmp_path / "feed.tsv", max_bytes=len(feed))
    assert done == Downloaded("ok", *labels.values())
    assert (tmp_path / "feed.tsv").read_bytes() == feed


async def test_what_has_not_changed_is_not_downloaded_again(tmp_path: Path) -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        if request.headers.get("If-None-Match") == '"v1"' or request.headers.get("If-Modified-Since") == "Sunday":
            return web.Response(status=304)
        return web.Response(body=b"new", headers={"ETag": '"v2"'})

    path = tmp_path / "feed"
    path.write_bytes(b"old")
    async with served(a=page) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        assert await fetcher.download(f"{url}/a", path, max_bytes=10, etag='"v1"') == Downloaded("not_modified", '"v1"')
        assert await fetcher.download(f"{url}/a", path, max_bytes=10, modified="Sunday") == Downloaded(
            "not_modified", "", "Sunday"
        )
        assert path.read_bytes() == b"old"
        assert (await fetcher.download(f"{url}/a", path, max_bytes=10, etag='"v0"')).etag == '"v2"'
    assert path.read_bytes() == b"new"


async def test_a_download_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "feed"
    path.write_bytes(b"old")
    short = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"
    many = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 5000
    unasked = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    for answer, refusal in ((short, CannotFetch), (many, TooLarge), (unasked, CannotFetch)):
        async with raw(answer) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
            with pytest.raises(refusal, match=url):
                await fetcher.download(f"{url}/a", path, max_bytes=4000)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("feed", b"old")]  # noqa: ASYNC240 (a test)


async def test_a_download_that_is_given_up_at_any_step_leaves_nothing_open_or_behind(tmp_path: Path) -> None:
    async with served(a=saying(b"x" * 10)) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        for steps in range(1, 60):
            task = asyncio.create_task(fetcher.download(f"{url}/a", tmp_path / "a", max_bytes=10))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    gc.collect()  # a file that is still open is an error here
    assert {one.name for one in tmp_path.iterdir()} <= {"a"}  # noqa: ASYNC240 (a test)


async def test_what_is_sent_packed_stays_packed(tmp_path: Path) -> None:
    packed = gzip.compress(b"x" * 1_000_000)
    async with served(a=saying(packed, headers={"Content-Encoding": "gzip"})) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        await fetcher.download(f"{url}/a", tmp_path / "a", max_bytes=len(packed))
    assert (tmp_path / "a").read_bytes() == packed


async def test_a_download_goes_nowhere_a_picture_may_not_go(tmp_path: Path) -> None:
    async with served(a=saying()) as url, Fetcher.open(allow=()) as fetcher:
        with pytest.raises(CannotFetch):
            await fetcher.download(f"{url}/a", tmp_path / "a", max_bytes=100)


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    async with served(a=saying()) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
        with pytest.raises(UserError, match="DATA_DIR"):
            await fetcher.download(f"{url}/a", tmp_path / "none" / "a", max_bytes=100)


@pytest.mark.parametrize("host", ["2a00:0:0::1", "2a00:0000::1", "2A00::1", "0:0:0:0:0:0:0:1"])
def test_f3_an_ipv6_address_has_one_spelling(host: str) -> None:
    with pytest.raises(CannotFetch):
        fetch._literal(host)
    if host != host.upper():
        with pytest.raises(CannotFetch):
            judge(f"http://[{host}]/a.jpg")


async def test_f4_no_other_name_is_resolved_than_the_one_that_was_judged() -> None:
    pinned = fetch._Pinned("shop.example", [ipaddress.ip_address("93.184.215.14")])
    assert [found["host"] for found in await pinned.resolve("shop.example", 443)] == ["93.184.215.14"]
    with pytest.raises(OSError, match="another host"):
        await pinned.resolve("metadata.internal", 80)
    await pinned.close()


def test_f10_bytes_are_counted_however_they_are_read() -> None:
    """TLS reads into a buffer of its own, plain HTTP does not."""
    here, there = socket.socketpair()
    with here, there:
        reading = fetch._MeteredSocket.__new__(fetch._MeteredSocket)
        socket.socket.__init__(reading, fileno=there.detach())
        reading._meter = fetch._Meter(limit=10)
        with reading:
            here.sendall(b"x" * 8)
            assert reading.recv_into(bytearray(8)) == 8
            here.sendall(b"x" * 8)
            with pytest.raises(OSError, match="more bytes"):
                reading.recv_into(bytearray(8))


async def test_what_is_asked_for_again_fails_as_it_does_the_first_time() -> None:
    many = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 100
    for answer, refusal in ((b"nonsense\r\n\r\n", CannotFetch), (many, TooLarge)):
        async with raw(answer) as url, Fetcher.open(allow=LOOPBACK) as fetcher:
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(fetch, "MAX_BYTES", 10)
                with pytest.raises(refusal):
                    await fetcher.get_if_changed(f"{url}/a", etag='"v1"')
