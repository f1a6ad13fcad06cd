"""Who may ask, and how much: subscription keys, a rate for each, and a bound on what runs at once (threats.md H1 to H3)."""

import hmac
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from multidict import CIMultiDictProxy

from bot.insights.bing import BUSY, REDUNDANT, UNAUTHORIZED, Refusal

KEY_HEADER = "Ocp-Apim-Subscription-Key"
MOST_AT_ONCE = 64
"""Requests in work; each may hold a few megabytes."""
WRONG_KEYS_PER_SECOND = 20.0
MOST_ADDRESSES = 4096


class Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Buckets:
    """A token bucket for each name, a second's worth deep; the least recently used names are forgotten (they are full again)."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, name: str) -> float:
        """Take one: 0, or the seconds until there is one."""
        depth = max(1.0, self._rate)
        now = self._clock()
        left, at = self._kept.pop(name, (depth, now))
        left = min(depth, left + (now - at) * self._rate)
        wait = 0.0 if left >= 1 else (1 - left) / self._rate
        self._kept[name] = (left if wait else left - 1, now)
        if len(self._kept) > MOST_ADDRESSES:
            self._kept.popitem(last=False)
        return wait


class Gate:
    """Stands before every request of the API; nothing of a body is read before it opens."""

    def __init__(self, keys: Sequence[str], *, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        """rate: requests a second for each key; 0 is no limit. Without keys only peers on this machine may ask."""
        self._keys = [key.encode() for key in keys]
        self._good = Buckets(rate, clock) if rate else None
        self._wrong = Buckets(WRONG_KEYS_PER_SECOND, clock)
        self._running = 0

    def enter(self, headers: CIMultiDictProxy[str], remote: str) -> None:
        """Raises Refused: 401 without a key of ours, 429 with Retry-After beyond the rate."""
        key = self._key(headers, remote)
        if key is None:
            wait = self._wrong.wait(remote)
            refusal = REDUNDANT if len(headers.getall(KEY_HEADER, [])) > 1 else UNAUTHORIZED
            raise Refused(_slow_down(wait) if wait else refusal)
        if self._good and key and (wait := self._good.wait(key)):
            raise Refused(_slow_down(wait))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A place among those in work. Raises Refused at once when there is none."""
        if self._running >= MOST_AT_ONCE:
            raise Refused(BUSY)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def _key(self, headers: CIMultiDictProxy[str], remote: str) -> str | None:
        """The key that was accepted, empty for a peer on this machine where no keys are set; None for nobody we know."""
        given = headers.getall(KEY_HEADER, [])
        if self._keys:
            if len(given) != 1:
                return None
            said = given[0].encode("utf-8", "surrogateescape")
            known = [hmac.compare_digest(said, key) for key in self._keys]  # all are compared, always
            return given[0] if any(known) else None
        if headers.keys() & {"X-Forwarded-For", "Forwarded"}:
            return None
        try:
            return "" if ipaddress.ip_address(remote).is_loopback else None
        except ValueError:
            return None


def _slow_down(wait: float) -> Refusal:
    return Refusal(
        429, "RateLimitExceeded", "", "Rate limit is exceeded.", "Ask again later.", retry_after=max(1, -int(-wait // 1))
    )
