"""What is kept about teams and people is found wherever it lies, whichever command looks."""

import subprocess
import sys

import pytest

FIND = """
from {module} import *
from bot.records import PERSON
from bot.storage import tables
print(*(table.name for table in tables.sorted_tables if {{"team", *PERSON}} & set(table.c.keys())))
"""


def tables_with_an_owner(module: str) -> set[str]:
    """As a process sees them that has loaded this module alone."""
    return set(
        subprocess.run(
            [sys.executable, "-c", FIND.format(module=module)], check=True, capture_output=True, text=True
        ).stdout.split()
    )


@pytest.mark.parametrize("command", ["bot.commands.teams", "bot.records"])
def test_a_small_command_knows_every_table_that_the_whole_product_knows(command: str) -> None:
    found = tables_with_an_owner(command)
    assert found == tables_with_an_owner("bot.app")
    assert {"saved", "opinions", "live_answers"} <= found
