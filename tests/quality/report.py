"""The misses as pictures, on one page."""

import base64
import html
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from tests.quality.cases import World
from tests.quality.measures import Answer

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d1c1d;background:#fff}
table{border-collapse:collapse;margin:1rem 0}th,td{padding:.3rem .7rem;border-bottom:1px solid #ddd;text-align:left}
td:not(:first-child){font-variant-numeric:tabular-nums}
.misses{display:grid;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr));gap:1rem}
figure{margin:0;border:1px solid #ddd;border-radius:8px;padding:.6rem}figure div{display:flex;gap:.4rem;align-items:end}
img{height:110px;max-width:45%;object-fit:contain;border-radius:4px}figcaption{font-size:.85rem;margin-top:.4rem}
@media(prefers-color-scheme:dark){body{background:#1a1d21;color:#d1d2d3}th,td,figure{border-color:#444}}
"""
MOST = 60


def write(path: Path, tables: Sequence[tuple[str, Sequence[Sequence[str]]]], misses: Iterable[tuple[World, Answer]]) -> None:
    """One file without anything beside it: tables as (title, rows with the head first), then the misses."""
    parts = [f"<!doctype html><meta charset=utf-8><title>How good the answers are</title><style>{STYLE}</style>"]
    parts.append("<h1>How good the answers are</h1>")
    for title, (head, *rows) in tables:
        cells = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        names = "".join(f"<th>{html.escape(one)}</th>" for one in head)
        parts.append(f"<h2>{html.escape(title)}</h2><table><tr>{names}</tr>{cells}</table>")
    figures = [_miss(world, answer) for world, answer in misses]
    parts.append(f"<h2>Misses ({len(figures)})</h2><div class=misses>{''.join(figures[:MOST])}</div>")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts), "utf-8")


def _miss(world: World, answer: Answer) -> str:
    """What was sent, what should have come first, what came."""
    images = {one["id"]: world.folder / one["image"] for one in world.products}
    wanted = [(f"wanted: {name}", images[name].read_bytes()) for name in answer.case.products[:1]]
    got = [(f"first: {name}", images[name].read_bytes()) for name in answer.products[:1]]
    shown = "".join(_picture(data, alt) for alt, data in [(answer.case.name, answer.case.data), *wanted, *got])
    said = f"{answer.bands[0]} {answer.scores[0]:.2f}" if answer.bands else "nothing shown"
    wanted_name = answer.case.products[0] if answer.case.products else "nothing"
    words = f"{answer.case.group}: {answer.case.name}; wanted {wanted_name}, got {(*answer.products, 'nothing')[0]} ({said})"
    return f"<figure><div>{shown}</div><figcaption>{html.escape(words)}</figcaption></figure>"


def _picture(data: bytes, alt: str) -> str:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    image.thumbnail((220, 220))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return f"<img alt='{html.escape(alt, quote=True)}' src='data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}'>"
