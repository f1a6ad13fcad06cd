"""Pictures with something written in them, for tests."""

import io
from collections.abc import Sequence

import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont


def text_picture(*lines: str, size: tuple[int, int] = (900, 600)) -> Image.Image:
    """Black words on white, a line every 70 pixels."""
    image = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(36)
    for row, line in enumerate(lines):
        draw.text((50, 60 + 70 * row), line, fill="black", font=font)
    return image


def code_picture(text: str, kind: str = "EAN13", *, size: tuple[int, int] = (700, 500)) -> Image.Image:
    """A barcode or QR code in the middle of a white sheet."""
    code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    drawn = Image.fromarray(np.asarray(zxingcpp.write_barcode_to_image(code, scale=3)))
    image = Image.new("RGB", size, "white")
    image.paste(drawn.convert("RGB"), ((size[0] - drawn.width) // 2, (size[1] - drawn.height) // 2))
    return image


def skin_tones() -> Image.Image:
    """Blurred ellipses in the colours of skin: nothing at all, but the adult score takes them for somebody."""
    dice = np.random.default_rng(99)
    tone = np.array([226, 172, 140]) + dice.integers(-25, 25, 3)
    image = Image.new("RGB", (256, 256), tuple(dice.integers(0, 255, 3).tolist()))
    draw = ImageDraw.Draw(image)

    def ellipse(x: int, y: int, width: int, height: int, colour: tuple[int, ...]) -> None:
        draw.ellipse((x - width, y - height, x + width, y + height), fill=colour)

    for _ in range(dice.integers(3, 12)):
        (x, y), (width, height) = dice.integers(0, 256, 2).tolist(), dice.integers(20, 160, 2).tolist()
        ellipse(x, y, width, height, tuple((tone * dice.uniform(0.75, 1.1)).clip(0, 255).astype(int).tolist()))
    for _ in range(dice.integers(0, 4)):
        (x, y), size = dice.integers(40, 216, 2).tolist(), int(dice.integers(4, 20))
        ellipse(x, y, size, size, (160, 90, 80))
    return image.filter(ImageFilter.GaussianBlur(float(dice.uniform(1, 8))))


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.convert("RGB"))


def centre(box: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(x for x, _ in box) / len(box), sum(y for _, y in box) / len(box)
