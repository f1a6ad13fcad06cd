"""A spreadsheet somebody keeps, with a folder of pictures."""

import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bot.insights.feeds import files_of
from tests.insights.feeds.shops import Read, read

HEADER = ["SKU", "Name", "Price (EUR)", "URL", "EAN", "Farbe"]


def book(*rows: list[Any], header: list[str] | None = None, above: int = 0) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    for _ in range(above):
        sheet.append(["Our goods"])
    for row in (header or HEADER, *rows):
        sheet.append(row)
    made.create_sheet("Notes").append(["remember the milk"])
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def shop(folder: Path, content: bytes, *pictures: str, name: str = "goods.xlsx") -> Read:
    for picture in pictures:
        path = folder / picture
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a picture")
    return read(folder, content, name, at=None)


JUG = ["K-1", "Krug", 24.9, "https://lindenhof.example/k1", 2100005001007, "blau"]


@pytest.mark.parametrize("above", [0, 3])
def test_a_spreadsheet_is_read_with_the_pictures_named_by_its_goods(tmp_path: Path, above: int) -> None:
    content = book(JUG, [None] * 6, [12345, *JUG[1:]], above=above)
    names = ("k-1_back.png", "K-1-2.JPG", "K-1.jpg", "K-10.jpg", "K-1.txt", "photos/12345 (2).webp", "photos/12345.webp")
    found = shop(tmp_path, content, *names)
    assert found.rejected == []
    one, two = found.rows
    assert (one.id, one.title, one.price, one.currency, one.gtin, one.color) == (
        "K-1",
        "Krug",
        "24.9",
        "EUR",
        "2100005001007",
        "blau",
    )
    assert [Path(path).name for path in one.pictures] == ["K-1.jpg", "K-1-2.JPG", "k-1_back.png"]
    assert (two.id, [Path(path).name for path in two.pictures]) == ("12345", ["12345.webp", "12345 (2).webp"])
    assert (one.number, two.number) == (above + 2, above + 4)


def test_a_csv_has_pictures_beside_it_too(tmp_path: Path) -> None:
    table = "SKU;Name;Link;Preis;Währung\nA/7;Teller;https://lindenhof.example/a7;9,90;EUR\n"
    found = shop(tmp_path, table.encode("cp1252"), "A_7.jpg", name="waren.csv")
    assert [Path(path).name for path in found.row.pictures] == ["A_7.jpg"]


def test_an_id_and_a_sku_side_by_side_are_told_apart(tmp_path: Path) -> None:
    table = "SKU,Product ID,Name,Link\nK-1,77,Jug,https://lindenhof.example/77\n"
    row = shop(tmp_path, table.encode(), "K-1.jpg", name="goods.csv").row
    assert (row.id, [Path(path).name for path in row.pictures]) == ("77", ["K-1.jpg"])


def test_a_row_without_a_picture_anywhere_says_so(tmp_path: Path) -> None:
    assert shop(tmp_path, book(JUG), "K-2.jpg").said == [(2, "image_link")]


def test_a_picture_that_a_row_names_comes_before_those_beside_it(tmp_path: Path) -> None:
    found = shop(tmp_path, book([*JUG, "photos/blue.jpg"], header=[*HEADER, "Bild"]), "K-1.jpg", "photos/blue.jpg")
    assert [Path(path).name for path in found.row.pictures] == ["blue.jpg"]


def test_a_spreadsheet_from_elsewhere_names_no_picture_here(tmp_path: Path) -> None:
    (tmp_path / "K-1.jpg").write_bytes(b"mine")
    assert read(tmp_path, book(JUG), "goods.xlsx").said == [(2, "image_link")]


def test_a_link_out_of_the_folder_is_no_picture_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"mine")
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "K-1.jpg").symlink_to(tmp_path / "secret")
    assert shop(folder, book(JUG)).said == [(2, "image_link")]


def test_cells_of_every_kind_are_words(tmp_path: Path) -> None:
    found = shop(tmp_path, book([True, date(2026, 1, 2), 9, JUG[3], "x", 1.5]), "true.jpg")
    assert (found.row.id, found.row.title, found.row.price, found.row.color) == ("true", "2026-01-02T00:00:00", "9", "1.5")


def test_what_is_no_spreadsheet_is_told(tmp_path: Path) -> None:
    whole = book(JUG)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("feed.csv", "id,title")
    for content, word in (
        (whole[:-200], "damaged"),
        (whole[:3000], "damaged"),
        (out.getvalue(), "Unpack"),
        (book(header=["a"]), "columns"),
    ):
        (bad,) = shop(tmp_path, content).rejected
        assert word in bad.reason


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        packed.writestr("xl/sharedStrings.xml", "x" * 70_000_000)
    assert "too large" in shop(tmp_path, out.getvalue()).rejected[0].reason


def test_a_folder_lists_what_can_be_read_products_first(tmp_path: Path) -> None:
    names = (
        *("pages.jsonl", "photos.jsonl", "merchants.json", "a.tsv", "waren.xlsx", "~$waren.xlsx", "K-1.jpg", "products.jsonl"),
        *("feeds/b.xml.gz", "feeds/c.jsonl", "feeds/readme.md", "recipes.json", "products-2.json"),
    )
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [str(one.relative_to(tmp_path)) for one in files_of(tmp_path)] == [
        *("products-2.json", "products.jsonl", "feeds/b.xml.gz", "feeds/c.jsonl", "a.tsv", "waren.xlsx"),
        *("pages.jsonl", "recipes.json"),
    ]
