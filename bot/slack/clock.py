"""How far our clock and Slack's are apart: signatures are refused when it is five minutes (threats.md S8)."""

import logging
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

from aiohttp import TraceConfig, TraceRequestEndParams

from bot import metrics

log = logging.getLogger(__name__)

FAR = 60.0
WARN_EVERY = 3600.0


class Clock:
    """Learns from the Date of each of Slack's answers."""

    def __init__(self) -> None:
        self._apart: float | None = None
        self._warned = float("-inf")

    def listening(self) -> TraceConfig:
        """For the session that talks to Slack."""

        async def ended(_: object, __: SimpleNamespace, params: TraceRequestEndParams) -> None:
            self.heard(params.response.headers.get("Date", ""), time.time())

        config = TraceConfig()
        config.on_request_end.append(ended)
        return config

    def heard(self, date: str, now: float) -> None:
        """date: as HTTP writes it, whole seconds; anything else says nothing."""
        try:
            told = parsedate_to_datetime(date)
        except ValueError:
            return
        self._apart = now - (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
        metrics.clock_apart.set(self._apart)
        if abs(self._apart) > FAR and time.monotonic() - self._warned > WARN_EVERY:
            self._warned = time.monotonic()
            log.warning("%s; requests are refused at 300 s", self.said)

    @property
    def said(self) -> str:
        """What /readyz says; nothing while the clocks agree."""
        if self._apart is None or abs(self._apart) <= FAR:
            return ""
        return f"this machine's clock is {abs(self._apart):.0f} s {'ahead of' if self._apart > 0 else 'behind'} Slack's; set it"
