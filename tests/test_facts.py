"""docs/insights-api.md: every fact has its status, its code and its test, and names none that is not there."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
CODE, TESTS = ROOT / "bot" / "insights", ROOT / "tests"
STATUS = re.compile(r"(kept|different|ours)\b.*")


def rows() -> list[list[str]]:
    """The cells of every row that is numbered: id, fact, here, code, test."""
    lines = (ROOT / "docs" / "insights-api.md").read_text("utf-8").splitlines()
    found = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if re.match(r"\| \d+\.\d+ \|", line)]
    return [[cell.strip() for cell in cells] for cells in found]


@cache
def names(path: Path) -> frozenset[str]:
    """What a file defines at its top, methods left out."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Assign(targets=targets):
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return frozenset(found)


def missing(root: Path, reference: str, separator: str) -> bool:
    name, _, member = reference.partition(separator)
    path = root / name
    return not path.is_file() or not member or member not in names(path)


def test_every_section_has_its_facts_numbered_from_one() -> None:
    ids = [tuple(map(int, cells[0].split("."))) for cells in rows()]
    sections = {section: [number for one, number in ids if one == section] for section, _ in ids}
    assert list(sections) == list(range(1, 12))
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in sections.values())


def test_every_fact_says_whether_it_is_kept_and_what_differs_says_why() -> None:
    assert [cells[0] for cells in rows() if len(cells) != 5 or not cells[1] or not STATUS.fullmatch(cells[2])] == []
    assert [cells[0] for cells in rows() if cells[2].startswith(("different", "ours")) and ": " not in cells[2]] == []


def test_the_code_of_every_fact_is_there() -> None:
    assert [cells[0] for cells in rows() if missing(CODE, cells[3].strip("`"), ":")] == []


def test_every_test_that_is_named_is_there() -> None:
    named = {cells[0]: re.findall(r"`([^`]+)`", cells[4]) for cells in rows()}
    assert [number for number, tests in named.items() if not tests] == []
    gone = {(number, test) for number, tests in named.items() for test in tests if missing(TESTS, test, "::")}
    assert sorted(gone) == []
