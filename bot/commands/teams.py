"""`export` and `keys rotate`: what is kept about workspaces."""

import json

from bot import records, terminal
from bot.config import Settings
from bot.installations import Installations
from bot.storage import Database
from bot.vault import Vault


async def run_export(settings: Settings, team: str) -> None:
    async with Database.open(settings.database) as database:
        async for record in records.of_team(database, team):
            terminal.say(json.dumps(record, ensure_ascii=False, default=str))


async def run_keys_rotate(settings: Settings) -> None:
    vault = Vault.of(settings)
    made = vault.renew()
    async with Database.open(settings.database) as database:
        count = await Installations(database, vault).reseal()
    terminal.say(f"{count} tokens sealed again with {'a new key' if made else 'the first of SECRET_KEYS'}")
