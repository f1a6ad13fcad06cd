"""`make quality`: the figures on the terminal, the misses as pictures in data/quality.html."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.quality import measures, report
from tests.quality.asking import Asked, says_its_kind
from tests.quality.cases import Case, World, worlds
from tests.quality.measures import Answer, Banded, share

PAGE = Path("data") / "quality.html"
EDGES = (0.0, 0.7, 0.75, 0.8, 0.85, 0.9)

Rows = list[list[str]]


async def main() -> None:
    tables: list[tuple[str, Rows]] = []
    misses: list[tuple[World, Answer]] = []
    everything: list[Answer] = []
    for world in worlds():
        print(f"{world.name}: {len(world.products)} products, {len(world.cases)} pictures …", flush=True)
        async with Asked.open(world) as asked:
            answers, plain = await asked.answers(), await asked.plainly()
            slips = [["slips in a word", "words", "found among the first ten"]]
            slips += [[one.slips, str(one.words), _two(one.found / one.words)] for one in asked.typed() if one.words]
        everything += answers
        misses += [(world, one) for one in answers if _missed(one)]
        for title, rows in (*_tables(world, answers, plain), (f"Words, {world.name}", slips)):
            tables.append((title, rows))
            _show(title, rows)
    pooled = [["", "said", "wrong", "coverage"]]
    pooled += [_banded("same item, everything above", measures.same_item(everything))]
    pooled += [_banded("… without copies", measures.same_item([one for one in everything if not one.case.copy_of]))]
    tables.append(("Bands, all together", pooled))
    _show("Bands, all together", pooled)
    report.write(PAGE, tables, misses)
    print(f"\n{len(misses)} misses as pictures: {PAGE}")


def _tables(world: World, answers: Sequence[Answer], plain: Sequence[tuple[Case, tuple[str, ...]]]) -> Iterator[tuple[str, Rows]]:
    groups = [
        (name, [one for one in answers if one.case.group == name]) for name in dict.fromkeys(one.case.group for one in answers)
    ]
    inside = [(name, some) for name, some in groups if some[0].case.products]
    head = ["", "pictures", "R@1", "R@5", "R@10", "mAP", "R@1 of the whole picture alone", "R@1 after one thumb down"]
    rows = [head]
    for name, some in inside:
        ranks = [products for case, products in plain if case.group == name]
        cases = [case for case, _ in plain if case.group == name]
        first = [products[0] in case.products for case, products in zip(cases, ranks, strict=True)]
        figures = [measures.recall_at(some, k) for k in (1, 5, 10)] + [measures.mean_average_precision(some)]
        voted = measures.recall_at(some, 2)  # a wrong first product that is voted down goes to the end: the second leads
        rows.append([name, str(len(some)), *map(_two, figures), _two(sum(first) / len(first)) if first else "", _two(voted)])
    yield f"Photo → product, {world.name}", rows

    outside = [(name, some) for name, some in groups if not some[0].case.products]
    shown = [["", "pictures", "shown something", "called the same item"]]
    for name, some in outside:
        sure = share(some, lambda one: one.bands[:1] == ("SameItem",))
        shown.append([name, str(len(some)), _two(share(some, lambda one: bool(one.products))), _two(sure)])
    yield f"Not in the catalogue, {world.name}", shown

    copies = [(name.removeprefix("copy: "), some) for name, some in groups if some[0].case.copy_of]
    rows = [["", "pictures", "found", "full and partial told apart", "other pictures called a copy", "of another product"]]
    for name, some in copies:
        found, apart = measures.copies_found(some), measures.copies_told_apart(some)
        rows.append([name, str(len(some)), _two(found), _two(apart), *_false(some)])
    originals = [one for one in answers if not one.case.copy_of]
    rows.append(["everything that is no copy", str(len(originals)), "", "", *_false(originals)])
    yield f"Copies, {world.name}", rows

    rows = [["", "said", "wrong", "coverage"]]
    rows += [_banded(f"same item: {name}", measures.same_item(some)) for name, some in groups if not some[0].case.copy_of]
    rows.append(_banded("same item: copies", measures.same_item([one for one in answers if one.case.copy_of])))
    rows.append(_banded("same item: all of this catalogue", measures.same_item(answers)))
    rows.append(_banded("same kind or better, where the kind is known", measures.same_kind(answers)))
    yield f"Bands, {world.name}", rows

    rows = [["score from", "pictures", "right product first"]]
    rows += [[_two(low), str(number), _two(right)] for low, number, right in measures.calibration(originals, EDGES) if number]
    yield f"Calibration without copies, {world.name}", rows

    rows = [["", "of", "right"]]
    kinds = [one for one in answers if one.case.kind and one.case.products]
    rows.append(["tags name the kind", str(len(kinds)), _two(share(kinds, says_its_kind))])
    for name, (found, every) in (
        ("middle of a thing in a box", measures.centres_hit(answers)),
        ("IoU ≥ 0.5", measures.boxes_hit(answers, 0.5)),
    ):
        if every:
            rows.append([name, str(every), _two(found / every)])
    yield f"Tags and regions, {world.name}", rows


def _missed(answer: Answer) -> bool:
    """A wrong product first or nothing shown; for what is not in the catalogue, something called the same item."""
    case = answer.case
    return not set(answer.products[:1]) & set(case.products) if case.products else answer.bands[:1] == ("SameItem",)


def _banded(name: str, band: Banded) -> list[str]:
    return [name, str(band.said), f"{band.wrong:.3f}", _two(band.coverage)]


def _false(answers: Sequence[Answer]) -> tuple[str, str]:
    return str(measures.false_copies(answers)), str(measures.false_merges(answers))


def _two(value: float) -> str:
    return f"{value:.2f}"


def _show(title: str, rows: Rows) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print(f"\n{title}")
    for row in rows:
        print(
            "  "
            + "  ".join(
                cell.ljust(width) if not column else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        )


if __name__ == "__main__":
    asyncio.run(main())
