"""What is stored about a team or a person, over all tables: to hand it over, or to delete it (threats.md O5)."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import delete, select

from bot import installations, opinions, results, saved, teams
from bot.slack import gallery
from bot.sources import ledger
from bot.storage import Database, tables

KEEPERS = (gallery, installations, ledger, opinions, results, saved, teams)
"""Who keeps something about teams or people: without them, their tables would not be known here."""
PERSON = ("person", "requester")


async def of_team(database: Database, team: str) -> AsyncIterator[dict[str, Any]]:
    """Every row of the team, with the name of its table. Tokens lie in a table without teams and are not among them."""
    for table in tables.sorted_tables:
        if "team" not in table.c:
            continue
        async with database.read() as connection:
            for row in await connection.execute(select(table).where(table.c.team == team)):
                yield {"table": table.name, **row._asdict()}


async def forget_person(database: Database, person: str) -> int:
    """Delete what a person asked, saved, said and was about to add, in every workspace. Returns how many rows that were."""
    gone = 0
    for table in tables.sorted_tables:
        for column in PERSON:
            if column in table.c:
                async with database.write() as connection:
                    gone += (await connection.execute(delete(table).where(table.c[column] == person))).rowcount
    return gone
