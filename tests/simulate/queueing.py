"""Photos of many workspaces waiting for workers, as our queue lets them: event by event, with invented time."""

import heapq
import random
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.queue import LANES, POLL_SECONDS


@dataclass(frozen=True, slots=True)
class Load:
    """rates: photos a second, of each workspace. services: seconds of a core that a photo takes, one of them at random."""

    rates: Sequence[float]
    services: Sequence[float]
    cores: int
    seconds: float
    seed: int = 1


@dataclass(slots=True)
class Outcome:
    """waits: seconds from the event until the card, by workspace."""

    waits: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    busy: float = 0.0

    def quantile(self, share: float, workspaces: Sequence[int] | None = None) -> float:
        """Of all, or of these workspaces only; 0 where nothing was asked."""
        all_of_them = sorted(wait for one in (workspaces or list(self.waits)) for wait in self.waits[one])
        return all_of_them[min(len(all_of_them) - 1, int(share * len(all_of_them)))] if all_of_them else 0.0


def simulate(load: Load) -> Outcome:
    """One job of a lane at a time, three lanes a workspace, lanes in the order of their oldest photo, a core a job.

    A worker notices a job at its next poll.
    """
    chance, outcome = random.Random(load.seed), Outcome()
    events: list[tuple[float, int, str, tuple[int, int]]] = []
    order = 0
    for workspace, rate in enumerate(load.rates):
        at = chance.expovariate(rate) if rate else load.seconds
        while at < load.seconds:
            events.append((at + chance.uniform(0, POLL_SECONDS), order, "comes", (workspace, chance.randrange(LANES))))
            at += chance.expovariate(rate)
            order += 1
    heapq.heapify(events)
    waiting: dict[tuple[int, int], deque[float]] = defaultdict(deque)
    ready: list[tuple[float, tuple[int, int]]] = []  # lanes that could go on, by their oldest photo
    running: set[tuple[int, int]] = set()
    free = load.cores
    while events:
        now, _, what, lane = heapq.heappop(events)
        if what == "comes":
            waiting[lane].append(now)
            if lane not in running and len(waiting[lane]) == 1:
                heapq.heappush(ready, (now, lane))
        else:
            free += 1
            running.discard(lane)
            if waiting[lane]:
                heapq.heappush(ready, (waiting[lane][0], lane))
        while free and ready:
            _, chosen = heapq.heappop(ready)
            came, takes = waiting[chosen].popleft(), chance.choice(load.services)
            running.add(chosen)
            free -= 1
            order += 1
            outcome.busy += takes
            outcome.waits[chosen[0]].append(now + takes - came)
            heapq.heappush(events, (now + takes, order, "ends", chosen))
    return outcome


def shares(workspaces: int, photos_a_second: float) -> list[float]:
    """What each of them asks a second: the second largest half as much as the largest, the third a third."""
    weights = [1 / rank for rank in range(1, workspaces + 1)]
    return [photos_a_second * weight / sum(weights) for weight in weights]
