"""What is read in a picture where a module needs it, and what is remembered of it (design.md §5)."""

import io
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from bot.insights.adult import PACKAGE, AdultScorer
from bot.insights.model import Crop, Insights, Knowledge, Module, Reason, SafeSearch, Skill, Token, Upload
from tests.insights.written import code_picture, jpeg, skin_tones
from tests.worlds import PHOTOS, Engine, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")

GTIN = "2100005001007"
LED = (Module.SIMILAR_PRODUCTS, Module.SHOPPING_SOURCES, Module.SIMILAR_IMAGES)


def barcode(name: str, *, kind: str = "EAN13", text: str = GTIN) -> Upload:
    """A barcode on paper of a colour of its own, so that no other test has sent the same picture."""
    tint = zlib.crc32(name.encode())
    code = code_picture(text, kind)
    code.paste((200 + tint % 40, 200 + tint // 40 % 40, 240), (0, 0, 30, code.height))
    return Upload(jpeg(code))


def product_of(engine: Engine, picture_token: str) -> str:
    product = engine.service.catalogue.serving.shelf.product_of(picture_token.partition("mid_")[2])
    return product.gtin if product else ""


@pytest.mark.parametrize("module", LED)
async def test_a_barcode_leads_to_its_product(engine: Engine, module: Module) -> None:
    found = await engine.service.insights(barcode(f"leads {module}"), [module, Module.BRQ])
    shelf = engine.service.catalogue.serving.shelf
    (product,) = shelf.by_gtin[GTIN.zfill(14)]
    assert found.best_query
    assert found.best_query.text == product.title
    if module is Module.SHOPPING_SOURCES:
        assert {offer.url for offer in found.shopping_sources} == {offer.link for offer in product.offers_in("USD")}
    else:
        pictures = found.similar_products or found.similar_images
        assert product_of(engine, pictures[0].token) == GTIN


@pytest.mark.parametrize(
    ("text", "kind"),
    [(f"https://id.gs1.org/01/0{GTIN}/10/A7", "QRCode"), (f"(01)0{GTIN}(10)A7", "DataMatrix"), (f"(01)0{GTIN}", "DataBarOmni")],
)
async def test_so_do_the_codes_of_gs1(engine: Engine, text: str, kind: str) -> None:
    found = await engine.service.insights(barcode(kind, kind=kind, text=text), [Module.SIMILAR_PRODUCTS])
    assert product_of(engine, found.similar_products[0].token) == GTIN


async def test_its_token_keeps_the_product(engine: Engine) -> None:
    sent = await engine.service.insights(barcode("token"), [Module.SHOPPING_SOURCES])
    again = await engine.service.insights(Token(sent.token), LED)
    assert again.shopping_sources == sent.shopping_sources
    assert product_of(engine, again.similar_products[0].token) == GTIN
    elsewhere = await engine.service.insights(Token(sent.token), LED, crop=Crop(0, 0, 0.2, 0.2))
    assert elsewhere.shopping_sources == ()


async def test_where_no_module_needs_it_no_code_is_read(engine: Engine) -> None:
    picture = barcode("tags first")
    sent = await engine.service.insights(picture, [Module.TAGS, Module.BRQ])
    assert _title(sent) != _title(await engine.service.insights(barcode("other"), [*LED, Module.BRQ]))
    assert (await engine.service.insights(Token(sent.token), LED)).shopping_sources == ()
    now = await engine.service.insights(picture, LED)  # the picture came again, with a question that needs it
    assert now.shopping_sources
    assert (await engine.service.insights(Token(sent.token), LED)).shopping_sources == now.shopping_sources


async def test_a_code_that_nobody_sells_changes_nothing(engine: Engine) -> None:
    found = await engine.service.insights(barcode("unknown", text="4006381333931"), LED)
    assert found.shopping_sources == ()


def _title(found: Insights) -> str:
    return found.best_query.text if found.best_query else ""


def unseen(image: Image.Image, name: str) -> Upload:
    """The picture with a margin that no other test has sent."""
    tint = zlib.crc32(name.encode())
    sheet = Image.new("RGB", (image.width + 2, image.height), (tint % 256, tint // 256 % 256, 128))
    sheet.paste(image, (0, 0))
    return Upload(jpeg(sheet))


async def skin_and_barcode(engine: Engine, name: str, safe_search: SafeSearch) -> Insights:
    """A picture that the score takes for adult, with a barcode, so that there is something to show for it."""
    sheet = Image.new("RGB", (1400, 1100), "white")
    sheet.paste(skin_tones().resize((1400, 1100)), (0, 0))
    sheet.paste(code_picture(GTIN, size=(330, 180)), (0, 920))
    picture = unseen(sheet, name)
    return await engine.service.insights(picture, [*LED, Module.PAGES_INCLUDING, Module.BRQ], safe_search=safe_search)


async def test_strict_shows_no_pictures_for_an_adult_one(engine: Engine) -> None:
    found = await skin_and_barcode(engine, "strict", SafeSearch.STRICT)
    assert (found.similar_images, found.similar_products, found.pages_including) == ((), (), ())
    assert found.best_query
    again = await engine.service.insights(Token(found.token), LED, safe_search=SafeSearch.STRICT)
    assert (again.similar_images, again.similar_products) == ((), ())
    allowed = await engine.service.insights(Token(found.token), LED, safe_search=SafeSearch.OFF)
    assert allowed.similar_images
    assert allowed.similar_products


@pytest.mark.parametrize("safe_search", [SafeSearch.MODERATE, SafeSearch.OFF])
async def test_moderate_and_off_do_not_ask_about_the_picture(engine: Engine, safe_search: SafeSearch) -> None:
    found = await skin_and_barcode(engine, safe_search, safe_search)
    assert product_of(engine, found.similar_products[0].token) == GTIN
    kept = await engine.service._uploads.get(found.token, engine.service.catalogue.serving.encoder.name)
    assert kept.adult is None


async def test_strict_visual_search_says_that_a_picture_is_adult(engine: Engine) -> None:
    picture = unseen(skin_tones(), "visual")
    found = await engine.service.knowledge(picture, safe_search=SafeSearch.STRICT)
    assert found.image
    assert not found.image.family_friendly
    assert (found.similar_images.value, found.similar_products.value, found.more_sizes) == ((), (), None)


async def test_strict_hides_nothing_from_the_demo(engine: Engine) -> None:
    for path in sorted(PHOTOS.glob("*.jpg"))[:6]:
        strict, off = [
            await engine.service.insights(Upload(path.read_bytes()), LED, safe_search=how)
            for how in (SafeSearch.STRICT, SafeSearch.OFF)
        ]
        assert strict == off


async def test_without_its_package_nothing_is_adult(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert AdultScorer.find()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, PACKAGE, raising=False)
    assert AdultScorer.find() is None


# ---------------------------------------------------------------- text


def label(*lines: str, size: int = 40) -> Image.Image:
    """A white label of 640 × 200 with black words."""
    image = Image.new("RGB", (640, 200), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for row, line in enumerate(lines):
        draw.text((20, 20 + 60 * row), line, fill="black", font=font)
    return image


def names_of(found: Knowledge) -> list[str]:
    return [one.name for one in found.similar_products.value]


async def test_a_title_that_is_written_leads_visual_search(engine: Engine) -> None:
    found = await engine.service.knowledge(unseen(label("HARBOUR STRIPE", "Straight Mug"), "title"))
    assert names_of(found)[0] == "Harbour Stripe Straight Mug"
    first = found.similar_products.value[0]
    assert first.match
    assert Reason.TEXT in first.match.reasons


async def test_a_brand_that_is_written_is_a_tag_and_moves_its_goods_forward(engine: Engine) -> None:
    """A photo looks like goods of several makers; the label names one of them."""
    shelf = engine.service.catalogue.serving.shelf
    sheet = Image.open(io.BytesIO(photo("photo-33.jpg")))
    plain = await engine.service.knowledge(unseen(sheet, "no brand"))
    makers = [shelf.product_of(one.token.partition("mid_")[2]) for one in plain.similar_products.value]
    brands = [maker.brand for maker in makers if maker]
    brand = next(one for one in brands if one != brands[0])
    written = sheet.copy()
    written.paste(label(brand).crop((0, 0, 320, 80)), (0, sheet.height - 80))
    found = await engine.service.knowledge(unseen(written, "brand"))
    first = shelf.product_of(found.similar_products.value[0].token.partition("mid_")[2])
    assert first
    assert first.brand == brand
    assert brand in {thing.name for thing in found.things}


async def test_words_of_the_trade_and_of_nobody_name_nothing(engine: Engine) -> None:
    for line in ("mug", "Dishwasher safe", "Net 350 ml"):
        found = await engine.service.knowledge(unseen(label(line), line))
        assert all(one.match and Reason.TEXT not in one.match.reasons for one in found.similar_products.value)


async def test_images_details_does_not_wait_for_text(engine: Engine) -> None:
    picture = unseen(label("HARBOUR STRIPE", "Straight Mug"), "details")
    found = await engine.service.insights(picture, list(Module))
    assert all(one.match is None or Reason.TEXT not in one.match.reasons for one in found.similar_products)


async def test_pages_follow_each_other_where_a_title_is_written(engine: Engine) -> None:
    picture = unseen(label("HARBOUR STRIPE", "Straight Mug"), "pages")
    whole = await engine.service.knowledge(picture)
    page = Skill(Module.SIMILAR_PRODUCTS, 0, 35)
    for again in (picture, Token(whole.token)):
        assert (await engine.service.knowledge(again, skill=page)).similar_products == whole.similar_products


async def test_of_what_is_written_only_the_names_of_goods_are_kept(engine: Engine) -> None:
    found = await engine.service.knowledge(unseen(label("HARBOUR STRIPE", "Ana loves Ben"), "private"))
    assert [line.text for region in found.reading.text for line in region.lines] == ["HARBOUR STRIPE", "Ana loves Ben"]
    kept = await engine.service._uploads.get(found.token, engine.service.catalogue.serving.encoder.name)
    assert [line.text for line in kept.lines or ()] == ["HARBOUR STRIPE"]
