"""The web server: a socket, routes of everybody, health. What the routes do is written where it belongs."""

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.errors import ConfigurationError, Error

Check = Callable[[], Awaitable[str | None]]
"""Returns when all is well, with what is worth knowing; raises Error with the reason otherwise."""
CHECK_SECONDS = 3.0


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything else starts, so that a taken one is said at once.

    Raises ConfigurationError naming what to change.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
        except OSError:
            sock.close()
            raise
    except socket.gaierror:
        raise ConfigurationError(f"HOST {host!r} is not an address of this machine.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"Port {port} is taken. Stop the other program, or choose another with --port or PORT."
            ) from None
        raise ConfigurationError(f"Cannot listen on {host}:{port}: {error.strerror}. Change HOST or PORT.") from None
    return sock


def address(sock: socket.socket) -> str:
    """Where a client on this machine reaches the socket: `http://127.0.0.1:3000`."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not bound)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def health(checks: Mapping[str, Check]) -> list[web.RouteDef]:
    """`/healthz` says that we are alive, `/readyz` whether everything we need is there (503 with the reason while not)."""

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(_: web.Request) -> web.Response:
        async def outcome(check: Check) -> tuple[bool, str]:
            try:
                return True, await asyncio.wait_for(check(), CHECK_SECONDS) or ""
            except TimeoutError:
                return False, f"no answer within {CHECK_SECONDS:.0f} s"
            except Error as error:
                return False, str(error)

        found = dict(zip(checks, await asyncio.gather(*map(outcome, checks.values())), strict=True))
        good = all(well for well, _ in found.values())
        said = {name: text for name, (_, text) in found.items() if text}
        return web.json_response({"status": "ok" if good else "unavailable", **said}, status=200 if good else 503)

    return [web.get("/healthz", alive), web.get("/readyz", ready)]


@asynccontextmanager
async def listening(
    sock: socket.socket,
    routes: Iterable[web.AbstractRouteDef],
    *,
    middlewares: Iterable[Middleware] = (),
    max_body: int = 2**20,
    drain_seconds: float = 10.0,
) -> AsyncIterator[None]:
    """Serve the routes on the socket; at the end stop accepting first and give running requests time to finish."""
    app = web.Application(middlewares=middlewares, client_max_size=max_body)
    app.add_routes(routes)
    # aiohttp would unpack a compressed body of any size in the event loop (threats.md H5)
    runner = web.AppRunner(app, auto_decompress=False, access_log=None, shutdown_timeout=drain_seconds)
    await runner.setup()
    try:
        await web.SockSite(runner, sock).start()
        yield
    finally:
        await runner.cleanup()


def settle() -> None:
    """What is open now lives as long as the process: the garbage collector need not walk through it while Slack waits."""
    gc.collect()
    gc.freeze()


async def until_stopped(ready: Callable[[], object]) -> None:
    """Wait for Ctrl+C or SIGTERM; a second Ctrl+C ends the process at once. `ready` is called when both are listened for."""
    settle()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopped.set()
        loop.remove_signal_handler(signal.SIGINT)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    ready()
    await stopped.wait()
