"""An import is killed, wherever it is. The next one goes on, and in the end nobody can tell."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from bot.storage import tables
from tests import databases
from tests.worlds import CATALOGUE

ROOT = Path(__file__).parent.parent.parent
PICTURES = 6
CATALOGUE_TABLES = {  # with the columns that tell of the time, or of the order of writing
    "catalogue_products": (),
    "catalogue_offers": ("last_seen",),
    "catalogue_pages": (),
    "catalogue_pictures": ("published", "vector"),
    "catalogue_picture_uses": (),
    "catalogue_prices": ("at",),
    "catalogue_sources": ("imported",),
}


@dataclass(frozen=True)
class Shop:
    """A feed that has changed since it was imported into `before`; `after` is what an undisturbed import makes of it."""

    feed: Path
    before: Path
    after: Path


def said(numbers: Sequence[int], *, dearer: Sequence[int] = ()) -> str:
    """Variants by fours, with few pictures; that of the first twenty is theirs alone."""
    lines = ["id\ttitle\tlink\timage_link\tprice\titem_group_id"]
    for number in numbers:
        price = "12.00" if number in dearer else "9.50"
        picture = "old" if number < 20 else f"{number % PICTURES}"
        lines.append(f"{number}\tMug {number}\thttps://shop.example/{number}\t{picture}.png\t{price} USD\tgroup {number // 4}")
    return "\n".join(lines)


def run(*words: str, data_dir: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "catalogue", *words],
        cwd=ROOT,
        env={"PATH": ""} | databases.environment(data_dir),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    picture = Image.open(CATALOGUE / "images" / "mg01.jpg").convert("RGB").resize((160, 160))
    for at, name in enumerate(["old", *map(str, range(PICTURES))]):
        picture.transpose(Image.Transpose(at)).save(folder / f"{name}.png")
    feed, before, after = folder / "feed.tsv", folder / "before", folder / "after"
    feed.write_text(said(range(120)))
    assert run("import", str(feed), data_dir=before).startswith("120 added")
    feed.write_text(said(range(20, 220), dearer=range(20, 60)))
    databases.copy(before, after)
    assert run("import", str(feed), data_dir=after).startswith("100 added, 40 changed, 60 unchanged, 20 removed")
    return Shop(feed, before, after)


def contents(data_dir: Path) -> dict[str, list[str]]:
    """Every row of the catalogue, and the files of its pictures."""
    found = {"files": sorted(path.name for path in (data_dir / "pictures").rglob("*") if path.is_file())}
    for table, apart in CATALOGUE_TABLES.items():
        kept = ", ".join(column.name for column in tables.tables[table].columns if column.name not in apart)
        found[table] = sorted(map(repr, databases.ask(data_dir, f"SELECT {kept} FROM {table}")))  # noqa: S608 (names of ours)
    return found


def killed(when: str, step: str, number: int, *, feed: Path, data_dir: Path) -> None:
    """An import that ends there."""
    order = {"data_dir": str(data_dir), "source": str(feed), "crash": [when, step, number]}
    done = subprocess.run(
        [sys.executable, "-m", "tests.scenarios.crashing_import", json.dumps(order)], cwd=ROOT, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL


def summary(data_dir: Path) -> tuple[str, str]:
    """What `list` and `stats` say, but for when the sources were imported."""
    return run("list", data_dir=data_dir), run("stats", data_dir=data_dir).partition("Sources")[0]


def test_an_import_killed_again_and_again_goes_on_each_time(shop: Shop, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    databases.copy(shop.before, data_dir)
    killed("before", "reading", 1, feed=shop.feed, data_dir=data_dir)
    killed("after", "grouping", 1, feed=shop.feed, data_dir=data_dir)
    killed("before", "storing its pictures", 1, feed=shop.feed, data_dir=data_dir)
    assert contents(data_dir)["catalogue_offers"] == contents(shop.before)["catalogue_offers"]
    killed("after", "storing a batch", 1, feed=shop.feed, data_dir=data_dir)
    killed("after", "storing its pictures", 1, feed=shop.feed, data_dir=data_dir)  # written, but not for good
    said = run("import", str(shop.feed), data_dir=data_dir)  # the lock went with each process
    assert said.startswith("76 added, 0 changed, 124 unchanged, 20 removed, 0 rejected")  # a batch is 64
    assert contents(data_dir) == contents(shop.after)
    assert summary(data_dir) == summary(shop.after)
    assert not [path for path in data_dir.iterdir() if path.name.startswith("import-")]


@pytest.mark.parametrize(("when", "step"), [("after", "forgetting what is gone"), ("before", "remembering the source")])
def test_what_an_import_had_to_leave_behind_is_cleared_away_by_the_next(shop: Shop, when: str, step: str, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    databases.copy(shop.before, data_dir)
    killed(when, step, 1, feed=shop.feed, data_dir=data_dir)
    assert run("import", str(shop.feed), data_dir=data_dir).startswith("0 added, 0 changed, 200 unchanged, 0 removed")
    assert contents(data_dir) == contents(shop.after)
