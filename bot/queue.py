"""Durable jobs over DBOS: start once per key, checkpoint steps, survive a crash, retry, give up aloud.

Knows neither Slack nor pictures. A job is a key, a tenant, a kind and a JSON payload; a handler runs it in named steps.
A step that has finished is never run again, and one that was interrupted may run twice.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import random
import signal
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from dbos import DBOS, DBOSClient, DBOSConfig, Serializer, WorkflowStatus
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot import metrics, postgres, tracing
from bot.errors import ConfigurationError, Error, RateLimited, Unavailable, UserError
from bot.seats import FileSeat, PostgresSeat, Seat, SeatLost

log = logging.getLogger(__name__)

T = TypeVar("T")
State = Literal["waiting", "running", "done", "dead", "cancelled"]

APPLICATION = "image-insights"
VERSION = "1"  # pinned, so that a new release picks up what the old one left; raise it when a handler's steps change meaning
JOBS, URGENT = "jobs", "urgent"
LANES = 3  # at most three jobs of a tenant at once: a flood of one does not hold up the others
POLL_SECONDS = 0.1  # a finished job wakes nobody, so this is what a person waits
BUSY_SECONDS = 5.0  # how long a locked file is waited for (threats.md R6)
PAUSES = (1.0, 4.0, 15.0, 60.0)  # before attempts two to five (threats.md R3)
CRASHES = 4  # restarts in the middle of one job before it is given up (threats.md R3: five attempts)
DRAIN_SECONDS = 25.0  # hosts send SIGKILL at 30 (threats.md R4)
MEASURED = 10_000  # jobs that are counted one by one; more is more than enough to be alarmed
BURY_EVERY_SECONDS, SWEEP_EVERY_SECONDS = 2.0, 3600.0
SWEEP_AT_ONCE = 200
KEEP_DONE_HOURS = 72  # keys must outlive Slack's retries by far; never under 48
KEEP_DEAD_HOURS = 14 * 24
THREADS = 32
SCHEMA = "jobs"  # on Postgres, beside our own tables

_STATES: Mapping[str, State] = {
    "ENQUEUED": "waiting",
    "DELAYED": "waiting",
    "PENDING": "running",
    "SUCCESS": "done",
    "ERROR": "dead",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "dead",
    "CANCELLED": "cancelled",
}


class StepFailed(Error):
    """A step raised something nobody expected; the text is for the log."""


class Dead(Error):
    """A job was given up; its text is the reference the person was told."""


@dataclass(slots=True)
class Job:
    """What a handler gets: the order, and the two durable things it may do."""

    key: str
    tenant: str
    kind: str
    payload: dict[str, Any]
    _done: dict[str, Any] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """Short and stable, for people to quote and operators to find."""
        return reference(self.key)

    async def step(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Run once and remember the answer, which must be JSON. Its error is remembered too and raised again.

        Raises what `work` raised as UserError, RateLimited or Unavailable, and anything else as StepFailed.
        """
        if name in self._done:  # an earlier attempt of this job got that far
            value: T = self._done[name]
            return value
        with tracing.span(f"step {name}"):
            outcome = await DBOS.run_step_async({"name": name}, _outcome, f"{self.kind} {self.reference} {name}", work)
        value = _unpack(outcome)
        self._done[name] = value
        return value

    async def sleep(self, seconds: float) -> None:
        """Sleep through restarts: the hour of waking is stored."""
        await DBOS.sleep_async(seconds)


Handler = Callable[[Job], Awaitable[None]]
Telling = Callable[[Job, UserError | Dead], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job as an operator sees it."""

    key: str
    tenant: str
    kind: str
    state: State
    created: datetime
    payload: dict[str, Any]

    @property
    def reference(self) -> str:
        """As people were told it."""
        return reference(self.key)


class Jobs:
    """The queue. It takes jobs as soon as it is open, and runs them while `running` (not in `serve --no-worker`)."""

    def __init__(self, where: Path | str, engine: Engine, client: DBOSClient, writer: "_Writer") -> None:
        self._where = where
        self._engine = engine
        self._client = client
        self._writer = writer
        self._running: dict[asyncio.Task[Any], str] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, where: Path | str) -> AsyncIterator[Self]:
        """Open the queue, a file of its own or the address of a Postgres, made or brought up to date if need be.

        Raises ConfigurationError when it cannot be opened.
        """
        _quiet()
        engine = _engine(where)
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="jobs") as thread:
            try:
                client = await loop.run_in_executor(thread, _connect, where, engine)
                connection = await loop.run_in_executor(thread, engine.connect)
            except Exception as error:
                engine.dispose()
                if isinstance(where, str):
                    raise ConfigurationError(postgres.explain(str(error))) from error
                raise ConfigurationError(f"The job queue {where} cannot be opened ({error}). Change DATA_DIR.") from error
            try:
                yield cls(where, engine, client, _Writer(client, connection, thread))
            finally:
                await loop.run_in_executor(thread, connection.close)
                await loop.run_in_executor(thread, client.destroy)
                engine.dispose()

    async def start(
        self, key: str, tenant: str, kind: str, payload: dict[str, Any], *, urgent: bool = False, after: float = 0.0
    ) -> None:
        """Commit a job; it is durable when this returns. The same key a second time changes nothing, also after completion.

        `urgent` is for what somebody waits for with a finger on the button: it does not queue behind the tenant's lookups.
        It is not run before `after` seconds are over, and holds nobody up until then.
        Raises Unavailable when the file cannot be written: locked for too long, or the disk is full.
        """
        options: dict[str, Any] = {
            "workflow_name": "job",
            "workflow_id": key,
            "queue_name": URGENT if urgent else JOBS,
            "app_version": VERSION,
        }
        if after > 0:
            options["delay_seconds"] = after
        if not urgent:
            options["queue_partition_key"] = f"{tenant}:{zlib.crc32(key.encode()) % LANES}"
        await self._writer.commit(options, key, tenant, kind, payload)
        tracing.accepted(key, kind, reference(key))

    async def get(self, key: str) -> JobStatus | None:
        found = await self._client.list_workflows_async(workflow_ids=[key])
        return _status(found[0]) if found else None

    async def list(self, *, state: State | None = None, limit: int = 100) -> Sequence[JobStatus]:
        """The newest jobs first, of one state or of all."""
        words = [word for word, name in _STATES.items() if state in {None, name}]
        found = await self._client.list_workflows_async(status=words, limit=limit, sort_desc=True, name="job")
        return [_status(one) for one in found]

    async def measure(self) -> None:
        """How much waits and runs, and since when, for /metrics."""
        words = [word for word, state in _STATES.items() if state in {"waiting", "running"}]
        found = await self._client.list_workflows_async(
            status=words, limit=MEASURED, name="job", load_input=False, load_output=False
        )
        ages: dict[str, list[float]] = {"waiting": [], "running": []}
        for one in found:
            ages[_STATES[one.status]].append(time.time() - (one.created_at or 0) / 1000)
        for state, some in ages.items():
            metrics.queued.labels(state).set(len(some))
        metrics.queue_age.set(max(ages["waiting"], default=0.0))

    async def cancel(self, key: str) -> None:
        """A waiting job never runs; a running one stops before its next step."""
        await self._client.cancel_workflow_async(key)

    async def delete(self, keys: Sequence[str]) -> None:
        """Forget jobs with their payloads and steps."""
        for first in range(0, len(keys), SWEEP_AT_ONCE):
            await self._client.delete_workflows_async(list(keys[first : first + SWEEP_AT_ONCE]))

    async def again(self, dead: JobStatus) -> None:
        """Start a job that was given up anew, under the same key: what it has posted already it finds again."""
        await self.delete([dead.key, f"bury:{dead.key}"])
        await self.start(dead.key, dead.tenant, dead.kind, dead.payload)

    # --- running -------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(
        self,
        handlers: Mapping[str, Handler],
        tell: Telling,
        *,
        pauses: Sequence[float] = PAUSES,
        drain: float = DRAIN_SECONDS,
    ) -> AsyncIterator[None]:
        """Take up what a crash left and run jobs, each by the handler of its kind, until the end; then let them finish.

        `tell` says a UserError's text, or that the job was given up (Dead), to whoever asked; its own failure is only logged.
        Several processes may run the same queue, on many machines where it is in Postgres; what one of them leaves behind
        the others take over.
        A process can run one queue at a time.
        """
        seat = await asyncio.to_thread(_sit_down, self._where)
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": _url(self._where),
            "dbos_system_schema": SCHEMA,
            "system_database_engine": self._engine,
            "serializer": Json(),
            "application_version": VERSION,
            "executor_id": seat.name,
            "enable_otlp": False,
            "log_level": "WARNING",
            "max_executor_threads": THREADS,
            "notification_listener_polling_interval_sec": 0.25,
            "use_listen_notify": False,  # nothing of ours waits for messages between jobs
        }
        dbos = DBOS(config=config)

        @DBOS.workflow(name="job", max_recovery_attempts=CRASHES)
        async def run(key: str, tenant: str, kind: str, payload: dict[str, Any]) -> None:
            with self._counted(key):
                await _run(Job(key, tenant, kind, payload), handlers, tell, pauses)

        @DBOS.workflow(name="bury", max_recovery_attempts=CRASHES)
        async def bury(key: str, tenant: str, kind: str, payload: dict[str, Any]) -> None:
            with self._counted(f"bury:{key}"):
                await _give_up(Job(key, tenant, kind, payload), tell)

        DBOS.launch()  # inside the running loop, so that handlers run on it
        keeping = asyncio.create_task(self._keep_house(seat))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            for stop in dbos.background_thread_stop_events:  # claim nothing more
                stop.set()
            await self._drain(drain)
            loop = asyncio.get_running_loop()
            with ThreadPoolExecutor(1) as closing:
                await loop.run_in_executor(closing, lambda: DBOS.destroy(destroy_registry=True))
            loop.set_default_executor(ThreadPoolExecutor())  # DBOS had put its own there, which is closed now
            seat.leave()

    @contextlib.contextmanager
    def _counted(self, key: str) -> Any:
        task = asyncio.current_task()
        assert task is not None
        self._running[task] = key
        try:
            yield
        finally:
            del self._running[task]

    async def _drain(self, seconds: float) -> None:
        """Let running jobs end; leave the rest to whoever takes this seat next, or sees it empty."""
        left: set[asyncio.Task[Any]] = {task for task in self._running if not task.done()}
        if left:
            _, left = await asyncio.wait(left, timeout=seconds)
        for task in left:
            task.cancel()
        if left:
            log.warning("%d jobs were interrupted and will continue in another process, or at the next start", len(left))
            await asyncio.gather(*left, return_exceptions=True)

    async def _keep_house(self, seat: Seat) -> None:
        """Take over from processes that died, give up aloud on jobs that crashed us too often, and forget old ones."""
        swept = 0.0
        buried: set[str] = set()
        astray: set[str] = set()
        while True:
            try:
                # what DBOS's own recovery service calls; the public resume_workflow would forget how often a job crashed
                await asyncio.to_thread(seat.take_over, DBOS._recover_pending_workflows)  # noqa: SLF001
                for one in await self._client.list_workflows_async(
                    status="MAX_RECOVERY_ATTEMPTS_EXCEEDED", name="job", limit=100, sort_desc=True
                ):
                    if one.workflow_id not in buried:
                        await self._bury(_status(one))
                        buried.add(one.workflow_id)
                astray = await self._fetch_back(seat, astray)
                if time.monotonic() - swept > SWEEP_EVERY_SECONDS or not swept:
                    await self._sweep()
                    swept = time.monotonic()
            except SeatLost as lost:
                log.critical("%s: this process ends", lost)
                signal.raise_signal(signal.SIGTERM)
                return
            except Exception:  # the file may be locked for a moment; the next round tries again
                log.exception("keeping the job queue failed")
            await asyncio.sleep(BURY_EVERY_SECONDS)

    async def _fetch_back(self, seat: Seat, before: set[str]) -> set[str]:
        """Start again what this process has claimed but does not run: its end could not be written down.

        What was astray `before` too is; a job that is only just claimed is not counted yet. Returns what is astray now.
        """
        claimed = await self._client.list_workflows_async(
            status="PENDING", executor_id=seat.name, limit=MEASURED, load_input=False, load_output=False
        )
        astray = {one.workflow_id for one in claimed} - set(self._running.values())
        for key in astray & before:
            log.warning("job %s ended without a word and is started again", reference(key.removeprefix("bury:")))
            await self._client.resume_workflow_async(key, queue_name=URGENT)
        return astray - before

    async def _bury(self, dead: JobStatus) -> None:
        options: dict[str, Any] = {
            "workflow_name": "bury",
            "workflow_id": f"bury:{dead.key}",  # once, however many processes see it
            "queue_name": URGENT,
            "app_version": VERSION,
        }
        await self._writer.commit(options, dead.key, dead.tenant, dead.kind, dead.payload)

    async def _sweep(self) -> None:
        for hours, words in (
            (KEEP_DONE_HOURS, ["SUCCESS", "CANCELLED"]),
            (KEEP_DEAD_HOURS, ["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]),
        ):
            before = datetime.fromtimestamp(time.time() - hours * 3600, UTC).isoformat()
            while True:
                old = await self._client.list_workflows_async(
                    status=words, completed_before=before, limit=SWEEP_AT_ONCE, load_input=False, load_output=False
                )
                await self.delete([one.workflow_id for one in old])
                if len(old) < SWEEP_AT_ONCE:
                    break


@dataclass(slots=True)
class _Batch:
    """Jobs that are committed together. `committed` exists once somebody has set about it."""

    jobs: list[tuple[dict[str, Any], tuple[Any, ...]]] = field(default_factory=list)
    committed: asyncio.Future[None] | None = None


class _Writer:
    """Commits new jobs: on a connection and a thread of its own, so that neither is waited for.

    Whatever comes during one commit goes into the next together: the disk is what takes time.
    """

    def __init__(self, client: DBOSClient, connection: Connection, thread: ThreadPoolExecutor) -> None:
        self._client = client
        self._connection = connection
        self._thread = thread
        self._next = _Batch()
        self._one = asyncio.Lock()

    async def commit(self, options: dict[str, Any], *arguments: Any) -> None:
        """Returns when it is durable. Raises Unavailable."""
        batch = self._next
        batch.jobs.append((options, arguments))
        async with self._one:
            if batch.committed is None:
                self._next = _Batch()
                batch.committed = asyncio.get_running_loop().run_in_executor(self._thread, self._write, batch)
            try:
                await asyncio.shield(batch.committed)  # the others of the batch want to know, whoever gives up waiting
            except SQLAlchemyError as error:
                why = error.orig if isinstance(error, DBAPIError) else type(error).__name__  # its own text quotes the whole job
                raise Unavailable(f"the job queue cannot be written to ({why})") from None

    def _write(self, batch: _Batch) -> None:
        try:
            self._put(batch)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            self._put(batch)  # the server was restarted since the last commit; a key that got through changes nothing

    def _put(self, batch: _Batch) -> None:
        with self._connection.begin():
            for options, arguments in batch.jobs:
                self._client.enqueue_in_transaction(self._connection, options, *arguments)  # type: ignore[arg-type]  # a TypedDict built in two steps


async def _run(job: Job, handlers: Mapping[str, Handler], tell: Telling, pauses: Sequence[float]) -> None:
    """One job to its end: done, told why not, or dead."""
    with metrics.job_seconds.labels(job.kind).time(), tracing.job(job.key, job.kind, job.reference):
        await _attempts(job, handlers, tell, pauses)


async def _attempts(job: Job, handlers: Mapping[str, Handler], tell: Telling, pauses: Sequence[float]) -> None:
    for attempt in range(len(pauses) + 1):
        try:
            await _handler(handlers, job)(job)
        except UserError as error:
            log.info("job %s %s refused: %s", job.kind, job.reference, error)
            metrics.jobs_ended.labels(job.kind, "refused").inc()
            await _tell(job, tell, error)
            return
        except Exception as error:  # noqa: BLE001 (whatever it is, another attempt may help)
            log.warning("job %s %s attempt %d failed: %s", job.kind, job.reference, attempt + 1, error)
            if attempt == len(pauses):
                break
            after = error.retry_after if isinstance(error, RateLimited) else pauses[attempt] * random.uniform(0.9, 1.1)  # noqa: S311 (jitter)
            await job.sleep(after)
        else:
            metrics.jobs_ended.labels(job.kind, "done").inc()
            return
    await _give_up(job, tell)


def _handler(handlers: Mapping[str, Handler], job: Job) -> Handler:
    try:
        return handlers[job.kind]
    except KeyError:
        raise StepFailed(f"nobody handles jobs of kind {job.kind}") from None


async def _give_up(job: Job, tell: Telling) -> None:
    log.error("job %s %s is dead (key %s)", job.kind, job.reference, job.key)
    metrics.jobs_ended.labels(job.kind, "dead").inc()
    dead = Dead(job.reference)
    await _tell(job, tell, dead)
    raise dead


async def _tell(job: Job, tell: Telling, what: UserError | Dead) -> None:
    async def told() -> None:
        await tell(job, what)

    try:
        await job.step("tell", told)
    except Exception:  # the person cannot be reached; the job's end stands
        log.exception("job %s %s could not tell anybody", job.kind, job.reference)


async def _outcome(what: str, work: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
    """What a step came to, as JSON, so that a replay sees exactly what the first run saw."""
    try:
        return {"value": await work()}
    except UserError as error:
        return {"refused": error.text, "values": error.values}
    except RateLimited as error:
        return {"later": str(error), "after": error.retry_after}
    except Unavailable as error:
        return {"later": str(error)}
    except Exception as error:
        log.exception("step %s failed", what)
        return {"failed": f"{type(error).__name__}: {error}"}


def _unpack(outcome: dict[str, Any]) -> Any:
    match outcome:
        case {"value": value}:
            return value
        case {"refused": text}:
            raise UserError(text, **outcome.get("values", {}))
        case {"later": text, "after": seconds}:
            raise RateLimited(text, seconds)
        case {"later": text}:
            raise Unavailable(text)
        case _:
            raise StepFailed(outcome.get("failed", "unknown"))


class Json(Serializer):
    """What DBOS stores, readable by anything and running nothing when read (its default is pickle)."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=_plain, ensure_ascii=False)

    def deserialize(self, serialized_data: str) -> Any:
        return json.loads(serialized_data)

    def name(self) -> str:
        return "json"


def _plain(value: Any) -> Any:
    if isinstance(value, BaseException):
        return {"error": type(value).__name__, "text": str(value)}
    raise TypeError(f"{type(value).__name__} is not JSON")


def reference(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8].upper()


def _status(found: WorkflowStatus) -> JobStatus:
    key, tenant, kind, payload = (found.input or {"args": (found.workflow_id, "", "", {})})["args"]
    created = datetime.fromtimestamp((found.created_at or 0) / 1000, UTC)
    return JobStatus(key, tenant, kind, _STATES[found.status], created, payload)


def _sit_down(where: Path | str) -> Seat:
    return FileSeat.take(where.with_name("workers")) if isinstance(where, Path) else PostgresSeat.take(where)


def _url(where: Path | str) -> str:
    return f"sqlite:///{where}" if isinstance(where, Path) else where


def _connect(where: Path | str, engine: Engine) -> DBOSClient:
    """Bring the tables up to date and register the queues: DBOS looks for new ones only once a second."""
    if isinstance(where, Path):
        where.parent.mkdir(parents=True, exist_ok=True)
    with engine.connect():  # switches a file to WAL before anything is written
        pass
    DBOS.migrate(_url(where), schema=SCHEMA)
    client = DBOSClient(system_database_engine=engine, dbos_system_schema=SCHEMA, serializer=Json(), application_name=APPLICATION)
    client.register_queue(JOBS, partition_concurrency=1, worker_concurrency=16, polling_interval_sec=POLL_SECONDS)
    client.register_queue(URGENT, worker_concurrency=THREADS, polling_interval_sec=POLL_SECONDS)
    return client


def _engine(where: Path | str) -> Engine:
    if isinstance(where, str):
        engine = create_engine(
            where, pool_size=8, max_overflow=0, pool_pre_ping=True, hide_parameters=True, connect_args=postgres.arguments()
        )
        event.listen(engine, "handle_error", postgres.wait_for_the_server)
        return engine
    engine = create_engine(
        _url(where),
        pool_size=3,
        max_overflow=0,
        hide_parameters=True,  # jobs hold response_urls, and errors are logged
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connect_pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        # FULL: NORMAL loses acknowledged commits at a power cut (threats.md R1)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _quiet() -> None:
    """DBOS prints to the console by itself unless its logger has a handler; let ours have it, from warnings up."""
    dbos = logging.getLogger("dbos")
    if not dbos.handlers:
        dbos.addHandler(logging.NullHandler())
    dbos.propagate = True
    dbos.setLevel(logging.WARNING)
