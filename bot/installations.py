"""Where the app is installed: one row a workspace, or one for a whole organisation; tokens sealed (threats.md O2, O7)."""

import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Column, Float, Row, String, Table, Text, delete, select, update

from bot.storage import Database, insert, tables
from bot.vault import Vault

STATE_SECONDS = 600.0
REFRESH_SECONDS = 30.0

_installations = Table(
    "installations",
    tables,
    Column("owner", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("app", String, nullable=False),
    Column("bot", String, nullable=False),
    Column("bot_user", String, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("expires", Float, nullable=False),
    Column("refreshing", Float, nullable=False),
    Column("installed", Float, nullable=False),
)
_workspaces = Table(
    "org_workspaces",
    tables,
    Column("team", String, primary_key=True),
    Column("owner", String, nullable=False, index=True),
)
_states = Table(
    "oauth_states",
    tables,
    Column("digest", String, primary_key=True),
    Column("created", Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Installation:
    """`owner`: the workspace's id, or the organisation's where it was installed for all of it. `expires`: 0 for never."""

    owner: str
    name: str
    app: str
    bot: str
    bot_user: str
    scopes: str
    token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    expires: float = 0.0
    installed: float = 0.0

    @property
    def whole_organisation(self) -> bool:
        return self.owner.startswith("E")


class Installations:
    """The store behind it, and the states of installations that are under way."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def keep(self, one: Installation) -> None:
        """Add it, or put it in the place of the one before. Raises ConfigurationError when there is no key to seal with."""
        values = {name: getattr(one, name) for name in ("owner", "name", "app", "bot", "bot_user", "scopes", "expires")}
        values |= {"sealed": self._sealed(one), "refreshing": 0.0, "installed": one.installed or time.time()}
        async with self._database.write() as connection:
            row = insert(_installations).values(values)
            await connection.execute(row.on_conflict_do_update(index_elements=["owner"], set_=values))

    async def of(self, team: str, organisation: str = "") -> Installation | None:
        """The workspace's own, or else its organisation's, which is remembered for when only the workspace is known.

        Raises CannotOpen.
        """
        async with self._database.read() as connection:
            known = (await connection.execute(select(_workspaces.c.owner).where(_workspaces.c.team == team))).scalar_one_or_none()
            owners = [owner for owner in dict.fromkeys((team, organisation, known)) if owner]
            rows = (await connection.execute(select(_installations).where(_installations.c.owner.in_(owners)))).all()
        found = min(rows, key=lambda row: owners.index(row.owner), default=None)
        if found is None:
            return None
        if found.owner not in {team, known}:
            async with self._database.write() as connection:
                row = insert(_workspaces).values(team=team, owner=found.owner)
                await connection.execute(row.on_conflict_do_update(index_elements=["team"], set_={"owner": found.owner}))
        return self._read(found)

    async def expiring(self, before: float) -> Sequence[str]:
        """Owners whose token ends before a time."""
        query = select(_installations.c.owner).where(_installations.c.expires > 0, _installations.c.expires < before)
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalars().all()

    async def claim(self, owner: str) -> Installation | None:
        """Be the one who refreshes its token: a refresh token works once. None while somebody else does.

        Raises CannotOpen.
        """
        now, kept = time.time(), _installations.c
        query = update(_installations).where(kept.owner == owner, kept.refreshing < now)
        async with self._database.write() as connection:
            row = (
                await connection.execute(query.values(refreshing=now + REFRESH_SECONDS).returning(_installations))
            ).one_or_none()
        return self._read(row) if row else None

    async def refreshed(self, one: Installation, token: str, refresh_token: str, expires: float) -> Installation:
        fresh = replace(one, token=token, refresh_token=refresh_token, expires=expires)
        values = {"sealed": self._sealed(fresh), "expires": expires, "refreshing": 0.0}
        async with self._database.write() as connection:
            await connection.execute(update(_installations).where(_installations.c.owner == one.owner).values(values))
        return fresh

    async def owned(self, owner: str) -> Sequence[str]:
        """The workspaces that were seen of an organisation."""
        async with self._database.read() as connection:
            return (await connection.execute(select(_workspaces.c.team).where(_workspaces.c.owner == owner))).scalars().all()

    async def forget(self, owner: str, *, before: float = 0.0) -> None:
        """`before`: leave one alone that was made later, where a removal is heard of late; Slack's seconds are whole."""
        kept = _installations.c
        old = (kept.installed < before + 1) if before else (kept.owner == owner)
        async with self._database.write() as connection:
            await connection.execute(delete(_installations).where(kept.owner == owner, old))
            await connection.execute(delete(_workspaces).where((_workspaces.c.owner == owner) | (_workspaces.c.team == owner)))

    async def reseal(self) -> int:
        """Seal again what is not sealed with the newest key; returns how many were. Raises CannotOpen."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(_installations))).all()
        old = [row for row in rows if not self._vault.is_newest(row.sealed)]
        for row in old:
            values = {"sealed": self._sealed(self._read(row))}
            unchanged = (_installations.c.owner == row.owner) & (_installations.c.sealed == row.sealed)
            async with self._database.write() as connection:
                await connection.execute(update(_installations).where(unchanged).values(values))
        return len(old)

    # --- installations under way

    async def new_state(self) -> str:
        """For one round trip through Slack, within ten minutes."""
        state = secrets.token_urlsafe(32)
        async with self._database.write() as connection:
            await connection.execute(delete(_states).where(_states.c.created < time.time() - STATE_SECONDS))
            await connection.execute(insert(_states).values(digest=_digest(state), created=time.time()))
        return state

    async def take_state(self, state: str) -> bool:
        """True the first time, in time."""
        query = delete(_states).where(_states.c.digest == _digest(state), _states.c.created > time.time() - STATE_SECONDS)
        async with self._database.write() as connection:
            return (await connection.execute(query.returning(_states.c.digest))).one_or_none() is not None

    def _sealed(self, one: Installation) -> str:
        return self._vault.seal(json.dumps([one.token, one.refresh_token]), one.owner)

    def _read(self, row: Row[tuple[object, ...]]) -> Installation:
        values = row._asdict()
        token, refresh_token = json.loads(self._vault.open(values.pop("sealed"), values["owner"]))
        del values["refreshing"]
        return Installation(token=token, refresh_token=refresh_token, **values)


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
