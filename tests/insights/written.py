"""Pictures with something written in them, for tests."""

import io
from collections.abc import Sequence

import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont


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


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.convert("RGB"))


def centre(box: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(x for x, _ in box) / len(box), sum(y for _, y in box) / len(box)
