"""What can go wrong on Slack's side, asked for by a test and used up as it happens."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One bad answer of the Web API. `error` alone is a refusal; `status` is a broken answer; `lost` takes effect first."""

    error: str = ""
    status: int = 200
    retry_after: float = 0.0
    delay: float = 0.0
    lost: bool = False


class Faults:
    """Ask for a fault with one of the methods; it strikes as often as told, in the order asked for.

    A method is named as in the Web API ("chat.postMessage"); three more places have names too: "response_url", "upload_url"
    and "files" (downloads).
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """No faults from here on."""
        self._methods: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._pictures: list[str] = []
        self._types: set[str] = set()
        self.duplicates = 0
        self.renamed_duplicates = 0
        self.retried = 0
        self.reorder = 0
        self.stubs = 0
        self.unready = 0

    def refuse(self, method: str, error: str, *, times: int = 1) -> None:
        """Answer `{"ok": false, "error": error}`."""
        self._methods[method].extend([Fault(error=error)] * times)

    def rate_limit(self, method: str, *, retry_after: float = 1, times: int = 1) -> None:
        """Answer 429 with `Retry-After` (seconds)."""
        self._methods[method].extend([Fault(error="ratelimited", status=429, retry_after=retry_after)] * times)

    def fail(self, method: str, *, status: int = 503, times: int = 1) -> None:
        """Answer an HTML page with this HTTP status."""
        self._methods[method].extend([Fault(status=status)] * times)

    def lose_answer(self, method: str, *, times: int = 1) -> None:
        """Do what was asked, then cut the connection without an answer."""
        self._methods[method].extend([Fault(lost=True)] * times)

    def delay(self, method: str, seconds: float, *, times: int = 1) -> None:
        """Let the call wait before it takes effect."""
        self._methods[method].extend([Fault(delay=seconds)] * times)

    def refuse_pictures(self, *, containing: str = "") -> None:
        """From now on Slack cannot download pictures whose address contains this; empty means none at all."""
        self._pictures.append(containing)

    def refuse_blocks(self, *types: str) -> None:
        """From now on these block types ("carousel") are unknown to Slack."""
        self._types.update(types)

    def deliver_twice(self, *, times: int = 1, same_event_id: bool = True) -> None:
        """Send the next events a second time, under the same or (seen in the field) another event_id."""
        if same_event_id:
            self.duplicates += times
        else:
            self.renamed_duplicates += times

    def deliver_as_retry(self, *, times: int = 1) -> None:
        """Send the next events only as first retry (`X-Slack-Retry-Num: 1`), as if the first try had been lost on the way."""
        self.retried += times

    def deliver_reversed(self, count: int) -> None:
        """Hold the next `count` events back, then send them last first."""
        self.reorder = count

    def stub_files(self, *, times: int = 1) -> None:
        """Announce the next files as Slack Connect does: an id and `file_access: check_file_info`, nothing more."""
        self.stubs += times

    def unready_files(self, *, times: int = 1) -> None:
        """Answer the next `files.info` calls without addresses, as while Slack still processes an upload."""
        self.unready += times

    def take(self, method: str) -> Fault | None:
        """The next fault of a method, used up by asking."""
        queue = self._methods[method]
        return queue.popleft() if queue else None

    def used(self, counter: str) -> bool:
        """Count one of the counters down; False when it stood at nought."""
        left: int = getattr(self, counter)
        if left:
            setattr(self, counter, left - 1)
        return left > 0

    def picture_refused(self, url: str) -> bool:
        return any(part in url for part in self._pictures)

    def refused_types(self, types: Iterable[str]) -> set[str]:
        return self._types.intersection(types)
