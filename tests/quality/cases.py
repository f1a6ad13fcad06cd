"""The pictures that the engine is asked about, with what is right to answer."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from tests.quality.changes import CHANGES, cut_out, scene
from tests.worlds import CATALOGUE, SHARED

SEED = 20
CHANGED = 100  # pictures of a catalogue that go through each change
SCENES = 120
LEFT_OUT = 5  # every fifth product is not in the catalogue


@dataclass(frozen=True, slots=True)
class Case:
    """One picture. products: ids of what it shows and the catalogue has, the main thing's first; boxes: where, as fractions.

    copy_of: the catalogue's picture (path) of which it is a changed copy; partial: of which it shows a part, or the reverse.
    kind: what is right to say the main thing is, when known. parts: pictures (paths) of which it shows a part among other things.
    """

    group: str
    name: str
    data: bytes = field(repr=False)
    products: tuple[str, ...] = ()
    boxes: tuple[tuple[float, ...], ...] = ()
    copy_of: str = ""
    partial: bool = False
    kind: str = ""
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """A catalogue as a feed's records (products.jsonl), where its pictures lie, and what it is asked."""

    name: str
    folder: Path
    products: list[dict[str, Any]] = field(repr=False)
    cases: list[Case] = field(repr=False)


def worlds() -> Iterator[World]:
    yield demo()
    if (SHARED / "catalog" / "products.jsonl").is_file():
        yield goods(SHARED / "catalog")


def demo() -> World:
    """The demo catalogue and its photos; every picture of the catalogue under every change."""
    products = _records(CATALOGUE / "products.jsonl")
    kinds = {one["id"]: _kind(one) for one in products}
    cases = []
    for photo in _records(CATALOGUE / "photos.jsonl"):
        known = [(one["product_id"], tuple(one["box"])) for one in photo["objects"] if one.get("product_id") in kinds]
        largest = sorted(known, key=lambda one: -(one[1][2] - one[1][0]) * (one[1][3] - one[1][1]))
        cases.append(
            Case(
                group="photo" if known else "not in the catalogue: another kind",
                name=photo["id"],
                data=(CATALOGUE / photo["image"]).read_bytes(),
                products=tuple(name for name, _ in largest),
                boxes=tuple(box for _, box in largest),
                kind=kinds[largest[0][0]] if len(known) == 1 else "",
            )
        )
    return World("demo catalogue", CATALOGUE, products, [*cases, *_changed(products, CATALOGUE)])


def goods(folder: Path) -> World:
    """Real photographs: a fifth of the goods left out, further views held back, things cut out and put into scenes."""
    records = _records(folder / "products.jsonl")
    left_out, products, cases = records[::LEFT_OUT], [], []
    for record in records:
        if record not in left_out:
            products.append(record | {"additional_images": []})
            for view in record.get("additional_images", []):
                data = (folder / view).read_bytes()
                cases.append(Case("another view", Path(view).stem, data, (record["id"],), kind=_kind(record)))
    strangers = ((record["id"], (folder / record["image"]).read_bytes(), _kind(record)) for record in left_out)
    cases += [Case("not in the catalogue: same kinds", name, data, kind=kind) for name, data, kind in strangers]
    cases += _scenes(products, left_out, folder)
    return World("real photographs", folder, products, [*cases, *_changed(products, folder)])


def _scenes(products: list[dict[str, Any]], left_out: list[dict[str, Any]], folder: Path) -> Iterator[Case]:
    """Three things on the photo of something that is not in the catalogue; in every fourth scene none of them is in it."""
    chance = Random(SEED)
    things = [(one, cut) for one in products if (cut := cut_out(_open(folder / one["image"])))]
    strangers = [(one, cut) for one in left_out if (cut := cut_out(_open(folder / one["image"])))]
    grounds = [one for one in left_out if one["id"].startswith("CW")]
    for number in range(SCENES):
        known = number % 4 != 3
        chosen = chance.sample(things if known else strangers, 3)
        picture, boxes = scene([cut for _, cut in chosen], _open(folder / chance.choice(grounds)["image"]), chance)
        yield Case(
            group="cluttered scene" if known else "scene of strangers",
            name=f"scene-{number}",
            data=_jpeg(picture),
            products=tuple(one["id"] for one, _ in chosen) if known else (),
            boxes=tuple(boxes) if known else (),
            parts=tuple(one["image"] for one, _ in chosen),
        )


def _changed(products: list[dict[str, Any]], folder: Path) -> Iterator[Case]:
    every = [(one["id"], one["image"]) for one in products]
    step = max(1, len(every) // CHANGED)
    for name, change in CHANGES.items():
        for product, path in every[::step][:CHANGED]:
            picture = change(_open(folder / path), Random(f"{SEED} {name} {path}"))
            yield Case(
                group=f"copy: {name}",
                name=f"{product} {name}",
                data=_jpeg(picture),
                products=(product,),
                copy_of=path,
                partial="cropped" in name or "screen" in name,
            )


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def _kind(product: dict[str, Any]) -> str:
    return str(product["product_type"]).rpartition(">")[2].strip()


def _open(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()
