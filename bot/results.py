"""What the bot remembers: results behind cards, posts already made, clicks already taken, switched-on channels.

Ids and answers only, never a picture or what people wrote.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    select,
    update,
)

from bot.insights.bing import from_wire, to_wire
from bot.insights.model import ImageObject, Insights
from bot.jobs import ImageRef
from bot.storage import Database, insert, tables

KEEP_SECONDS = 30 * 24 * 3600  # cards.md §5
DOUBLE_CLICK_SECONDS = 2.0  # cards.md §5

_results = Table(
    "results",
    tables,
    Column("rid", String, primary_key=True),
    Column("job", String, nullable=False),
    Column("team", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("thread_ts", String, nullable=False),
    Column("message_ts", String, nullable=False),
    Column("requester", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("image", Text, nullable=False),
    Column("market", String, nullable=False),
    Column("insights", Text, nullable=False),
    Column("picture", String, nullable=False),
    Column("rev", Integer, nullable=False),
    Column("created", Float, nullable=False),
    UniqueConstraint("job"),
    Index("ix_results_requester", "team", "requester", "created"),
    Index("ix_results_thread", "team", "channel", "thread_ts"),
    Index("ix_results_created", "created"),
    Index("ix_results_team", "team", "created"),
    Index("ix_results_channel", "team", "channel", "created"),
    Index("ix_results_picture", "team", "channel", "picture"),
)
_posts = Table(
    "posts",
    tables,
    Column("key", String, primary_key=True),
    Column("team", String, nullable=False),
    Column("ts", String, nullable=False),
    Column("created", Float, nullable=False),
)
_clicks = Table(
    "clicks",
    tables,
    Column("key", String, primary_key=True),
    Column("team", String, nullable=False),
    Column("job", String, nullable=False),
    Column("at", Float, nullable=False),
)
_channels = Table(
    "channels",
    tables,
    Column("team", String, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("answering", Boolean, nullable=False),
    Column("changed", Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Result:
    """One lookup's answer and where it belongs (cards.md §5). `found` is None for a lookup that failed and may be run again.

    `thread_ts` and `message_ts` are the thread of the card and the card itself; `created` in unix seconds.
    """

    rid: str
    team: str
    channel: str
    thread_ts: str
    requester: str
    owner: str
    image: ImageRef
    market: str
    found: Insights | None = None
    message_ts: str = ""
    rev: int = 1
    created: float = 0.0

    def product(self, number: int | None) -> ImageObject | None:
        """The product `p3` means, counted from 1."""
        products = self.found.similar_products if self.found else ()
        return products[number - 1] if number and number <= len(products) else None


class Results:
    """The store behind it. Every question names the team, so that one team's card is no key to another's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- results

    async def keep(self, job: str, result: Result) -> Result:
        """Store the result of a job, once: the same job a second time gets back what it stored first."""
        wire = json.dumps(to_wire(result.found), ensure_ascii=False) if result.found else ""
        row = asdict(replace(result, found=None)) | {"job": job, "image": json.dumps(asdict(result.image)), "insights": wire}
        del row["found"]
        row["picture"] = result.found.token if result.found else ""
        row["created"] = result.created or time.time()
        async with self._database.write() as connection:
            # an earlier attempt that failed leaves a row without an answer, which this one may fill
            stored = insert(_results).values(row)
            filled = {"insights": stored.excluded.insights, "picture": stored.excluded.picture}
            await connection.execute(
                stored.on_conflict_do_update(index_elements=["job"], set_=filled, where=_results.c.insights == "")
            )
            found = (await connection.execute(select(_results).where(_results.c.job == job))).one()
        return _read(found)

    async def revise(self, rid: str, found: Insights) -> Result:
        """The answer as it is now; its blocks get new names."""
        wire = json.dumps(to_wire(found), ensure_ascii=False)
        row = update(_results).where(_results.c.rid == rid).values(insights=wire, picture=found.token, rev=_results.c.rev + 1)
        async with self._database.write() as connection:
            await connection.execute(row)
            return _read((await connection.execute(select(_results).where(_results.c.rid == rid))).one())

    async def of_job(self, job: str) -> Result | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(_results).where(_results.c.job == job))).one_or_none()
        return _read(row) if row else None

    async def get(self, rid: str, team: str, *, old: bool = False) -> Result | None:
        """None if there is no such result, it is another team's, or older than 30 days, unless an old one will do."""
        query = select(_results).where(_results.c.rid == rid, _results.c.team == team)
        if not old:
            query = query.where(_results.c.created > time.time() - KEEP_SECONDS)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _read(row) if row else None

    async def posted(self, rid: str, channel: str, thread_ts: str, message_ts: str) -> None:
        """The card is there: at `message_ts`, in the thread of `thread_ts`."""
        async with self._database.write() as connection:
            await connection.execute(
                update(_results).where(_results.c.rid == rid).values(channel=channel, thread_ts=thread_ts, message_ts=message_ts)
            )

    async def first_in(self, team: str, channel: str, thread_ts: str) -> Result | None:
        """What the first card in a thread is about."""
        query = (
            select(_results)
            .where(_results.c.team == team, _results.c.channel == channel, _results.c.thread_ts == thread_ts)
            .where(_results.c.message_ts != "")
            .order_by(_results.c.created)
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _read(row) if row else None

    async def recent(self, team: str, requester: str, limit: int) -> Sequence[Result]:
        """Somebody's own lookups that got a card, the newest first."""
        query = (
            select(_results)
            .where(_results.c.team == team, _results.c.requester == requester, _results.c.message_ts != "")
            .where(_results.c.created > time.time() - KEEP_SECONDS)
            .order_by(_results.c.created.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [_read(row) for row in (await connection.execute(query)).all()]

    async def of_message(self, team: str, channel: str, ts: str) -> Sequence[Result]:
        """What came of the pictures of a message: in its thread, or asked for by it where answers do not thread."""
        query = select(_results).where(_results.c.team == team, _results.c.channel == channel)
        asked = _results.c.job.startswith(f"photo:{team}:{channel}:{ts}:", autoescape=True)
        async with self._database.read() as connection:
            rows = await connection.execute(query.where((_results.c.thread_ts == ts) | asked).order_by(_results.c.created))
            return [_read(row) for row in rows.all()]

    async def drop(self, rids: Sequence[str]) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(_results).where(_results.c.rid.in_(rids)))

    # --- posts

    async def intend(self, key: str, team: str) -> tuple[bool, str, float]:
        """Record that something is about to be posted: whether nobody intended it before, its ts if known, since when."""
        async with self._database.write() as connection:
            values = {"key": key, "team": team, "ts": "", "created": time.time()}
            row = insert(_posts).values(values).on_conflict_do_nothing().returning(_posts.c.key)
            new = (await connection.execute(row)).first() is not None
            ts, since = (await connection.execute(select(_posts.c.ts, _posts.c.created).where(_posts.c.key == key))).one()
        return new, ts, since

    async def posted_as(self, key: str, ts: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(update(_posts).where(_posts.c.key == key).values(ts=ts))

    async def not_posted(self, key: str) -> None:
        """Slack refused: there is nothing to look for before the next attempt."""
        async with self._database.write() as connection:
            await connection.execute(delete(_posts).where(_posts.c.key == key, _posts.c.ts == ""))

    # --- clicks

    async def take(self, what: str, team: str, job: str, at: float) -> bool:
        """Whether this click is to be acted on: not if the same person made the same one up to 2 s before.

        `what` names person and action, `at` is Slack's clock in seconds. The job that took it may ask again.
        """
        row = insert(_clicks).values(key=what, team=team, job=job, at=at)
        fresh = row.on_conflict_do_update(
            index_elements=["key"],
            set_={"job": row.excluded.job, "at": row.excluded.at},
            where=(_clicks.c.job == row.excluded.job) | (row.excluded.at - _clicks.c.at > DOUBLE_CLICK_SECONDS),
        )
        async with self._database.write() as connection:
            return (await connection.execute(fresh.returning(_clicks.c.key))).first() is not None

    # --- channels

    async def answering(self, team: str, channel: str) -> bool:
        """Whether photos in this channel are answered without being asked.

        On unless somebody switched it off: we hear of a channel only once we were invited, and the invitation itself may
        have got lost, or be older than this database.
        """
        query = select(_channels.c.answering).where(_channels.c.team == team, _channels.c.channel == channel)
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one_or_none() is not False

    async def answered_channels(self, team: str) -> Sequence[str]:
        """Channels that somebody switched on, or invited us to, and nobody switched off since."""
        query = select(_channels.c.channel).where(_channels.c.team == team, _channels.c.answering).order_by(_channels.c.channel)
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def shown_lately(self, team: str, channel: str, token: str, seconds: float) -> bool:
        """Whether a picture, by its token, got a card in a channel in so many seconds."""
        kept = _results.c
        query = select(kept.rid).where(kept.team == team, kept.channel == channel, kept.picture == token)
        query = query.where(kept.created > time.time() - seconds, kept.message_ts != "").limit(1)
        async with self._database.read() as connection:
            return bool(token) and (await connection.execute(query)).first() is not None

    async def lately(self, team: str, channel: str, seconds: float) -> int:
        """How many pictures of a channel were answered in so many seconds."""
        kept = _results.c
        query = select(func.count()).where(kept.team == team, kept.channel == channel, kept.created > time.time() - seconds)
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def turn(self, team: str, person: str, most: int, seconds: float) -> float:
        """In how many seconds a workspace, or one person in it, has had no more than `most` lookups in so many seconds."""
        kept, now = _results.c, time.time()
        query = select(kept.created).where(kept.team == team, kept.created > now - seconds)
        query = query.where(kept.requester == person) if person else query
        async with self._database.read() as connection:
            oldest = (
                await connection.execute(query.order_by(kept.created.desc()).offset(most - 1).limit(1))
            ).scalar_one_or_none()
        return max(0.0, oldest + seconds - now) if oldest else 0.0

    async def switch(self, team: str, channel: str, *, on: bool) -> None:
        values = {"team": team, "channel": channel, "answering": on, "changed": time.time()}
        row = insert(_channels).values(values)
        async with self._database.write() as connection:
            await connection.execute(
                row.on_conflict_do_update(
                    index_elements=["team", "channel"],
                    set_={"answering": row.excluded.answering, "changed": row.excluded.changed},
                )
            )

    # --- forgetting

    async def forget(self, team: str) -> None:
        """Delete all that belongs to a team (threats.md O5)."""
        async with self._database.write() as connection:
            for table in (_results, _posts, _clicks, _channels):
                await connection.execute(delete(table).where(table.c.team == team))

    async def sweep(self) -> None:
        """Delete what is older than its time (threats.md O6)."""
        now = time.time()
        async with self._database.write() as connection:
            await connection.execute(delete(_results).where(_results.c.created < now - KEEP_SECONDS))
            await connection.execute(delete(_posts).where(_posts.c.created < now - KEEP_SECONDS))
            await connection.execute(delete(_clicks).where(_clicks.c.at < now - 24 * 3600))


def _read(row: Row[tuple[object, ...]]) -> Result:
    values = row._asdict()
    del values["job"], values["picture"]
    image = json.loads(values["image"])
    crop, album = image.get("crop"), image.get("album", ())
    values["image"] = ImageRef(**image | {"crop": tuple(crop) if crop else None, "album": tuple(album)})
    wire = values.pop("insights")
    return Result(found=from_wire(json.loads(wire)) if wire else None, **values)
