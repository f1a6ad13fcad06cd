"""A phone's 12-megapixel photo: decoded smaller, against decoded whole."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from bot import decode
from tests.bench.measure import Figure, in_thread, side_by_side
from tests.worlds import photo

SIDE = 512
ORDER = {"as": "rgb", "side": SIDE, "crop": (0.0, 0.0, 1.0, 1.0)}


def resized(name: str, width: int, height: int) -> bytes:
    """A demo photo as a JPEG of this size, as a camera would write it."""
    out = io.BytesIO()
    Image.open(io.BytesIO(photo(name))).resize((width, height), Image.Resampling.BICUBIC).save(out, "JPEG", quality=92)
    return out.getvalue()


def naive(data: bytes) -> np.ndarray:
    """All pixels first, then fewer."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    image = image.resize((SIDE, SIDE * image.height // image.width), Image.Resampling.BICUBIC)
    return np.asarray(image)


async def figures() -> Sequence[Figure]:
    data = resized("photo-01.jpg", 4000, 3000)
    whole, ours = await side_by_side(in_thread(lambda: naive(data)), in_thread(lambda: decode.answer(data, ORDER)), times=5)
    detail = f"{whole:.0f} ms naive, {ours:.0f} ms ours"
    return [Figure("12 MP JPEG: naive decoding / ours", whole / ours, 4.0, detail, at_least=True)]
