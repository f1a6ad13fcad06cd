"""What happens to a picture on its way: each change takes and gives an RGB picture, the same for the same seed."""

import io
from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Change = Callable[[Image.Image, Random], Image.Image]


def resized(image: Image.Image, chance: Random) -> Image.Image:
    scale = chance.choice([0.35, 0.5, 0.7]) * 512 / max(image.size)
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.BICUBIC)


def cropped(share: float) -> Change:
    """A part with `share` of each side, from the middle or a corner."""

    def change(image: Image.Image, chance: Random) -> Image.Image:
        width, height = round(image.width * share), round(image.height * share)
        x, y = chance.choice([(0.5, 0.5), (0, 0), (1, 0), (0, 1), (1, 1)])
        left, top = round((image.width - width) * x), round((image.height - height) * y)
        return image.crop((left, top, left + width, top + height))

    return change


def squeezed(image: Image.Image, chance: Random) -> Image.Image:
    del chance
    out = io.BytesIO()
    image.save(out, "JPEG", quality=30)
    return Image.open(out).convert("RGB")


def recoloured(image: Image.Image, chance: Random) -> Image.Image:
    """Another white balance, brightness and saturation, as a filter or another screen makes it."""
    tint = np.array([chance.uniform(0.88, 1.12) for _ in range(3)])
    pixels = (np.asarray(image, dtype=np.float32) * tint).clip(0, 255).astype(np.uint8)
    bright = ImageEnhance.Brightness(Image.fromarray(pixels)).enhance(chance.uniform(0.85, 1.15))
    return ImageEnhance.Color(bright).enhance(chance.uniform(0.8, 1.25))


def mirrored(image: Image.Image, chance: Random) -> Image.Image:
    del chance
    return ImageOps.mirror(image)


def written_over(image: Image.Image, chance: Random) -> Image.Image:
    """A banner with words over a sixth of it."""
    image = image.copy()
    height = image.height // 6
    top = chance.choice([0, image.height - height, image.height // 2])
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, top, image.width, top + height), fill=chance.choice([(200, 30, 40), (20, 20, 20), (255, 220, 0)]))
    pen.text((image.width // 12, top + height // 5), "SALE -30 %", fill="white", font=ImageFont.load_default(height // 2))
    return image


def screenshot(image: Image.Image, chance: Random) -> Image.Image:
    """On a shop's page: bars, words, and the picture on about half of the screen."""
    screen = Image.new("RGB", (round(image.width * 1.4), round(image.height * 1.5)), chance.choice(["white", "#f4f4f6"]))
    pen = ImageDraw.Draw(screen)
    pen.rectangle((0, 0, screen.width, screen.height // 14), fill=(36, 41, 54))
    screen.paste(image, ((screen.width - image.width) // 2, screen.height // 10))
    font = ImageFont.load_default(max(12, screen.height // 30))
    for line, words in enumerate(("Add to cart", "Free delivery from 50", "Customers also bought")):
        pen.text((screen.width // 8, screen.height // 10 + image.height + (line + 1) * screen.height // 24), words, "black", font)
    return screen


def of_a_screen(image: Image.Image, chance: Random) -> Image.Image:
    """A phone's photo of a screen: aslant, a bit blurred, striped, lit from a side, with the desk around it."""
    side = 640
    image = ImageOps.contain(image, (520, 520))
    frame = Image.new("RGB", (side, side), chance.choice([(92, 84, 76), (40, 42, 48), (150, 146, 140)]))
    left, top = (side - image.width) // 2, (side - image.height) // 2
    ImageDraw.Draw(frame).rectangle((left - 14, top - 14, left + image.width + 14, top + image.height + 14), fill=(12, 12, 14))
    frame.paste(image, (left, top))
    slant = [chance.uniform(-0.06, 0.06) * side for _ in range(8)]
    corners = np.array([(0, 0), (side, 0), (side, side), (0, side)], dtype=np.float64)
    frame = frame.transform(
        (side, side),
        Image.Transform.PERSPECTIVE,
        _perspective(corners + np.array(slant).reshape(4, 2), corners),
        Image.Resampling.BICUBIC,
    )
    pixels = np.asarray(frame.filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float32)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    stripes = 1 + 0.04 * np.sin((x * 0.9 + y * 0.35) * chance.uniform(0.8, 1.4))
    light = 0.85 + 0.3 * (x / side if chance.random() < 0.5 else y / side)
    noise = np.random.default_rng(chance.randrange(2**32)).normal(0, 4, pixels.shape)
    return Image.fromarray((pixels * (stripes * light)[..., None] + noise).clip(0, 255).astype(np.uint8))


def _perspective(found: np.ndarray, wanted: np.ndarray) -> list[float]:
    """The eight numbers that Pillow wants for a transformation that lays `wanted` over `found`."""
    rows = []
    for (x, y), (u, v) in zip(wanted, found, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return [float(value) for value in np.linalg.solve(np.array(rows), found.reshape(8))]


CHANGES: dict[str, Change] = {
    "resized": resized,
    "cropped to 80 %": cropped(0.8),
    "cropped to 60 %": cropped(0.6),
    "JPEG quality 30": squeezed,
    "colour shift": recoloured,
    "mirrored": mirrored,
    "words over it": written_over,
    "screenshot with border": screenshot,
    "photo of a screen": of_a_screen,
}


# ---------------------------------------------------------------- scenes


def cut_out(image: Image.Image) -> Image.Image | None:
    """The thing on a plain ground, RGBA and trimmed; None when the ground is not plain."""
    image = ImageOps.contain(image, (400, 400))
    marked = image.filter(ImageFilter.GaussianBlur(1)).copy()
    ground = (255, 0, 254)
    edge = [(x, y) for x in range(0, image.width, 12) for y in (0, image.height - 1)]
    edge += [(x, y) for y in range(0, image.height, 12) for x in (0, image.width - 1)]
    for place in edge:
        if marked.getpixel(place) != ground:
            ImageDraw.floodfill(marked, place, ground, thresh=24)
    mask = Image.fromarray((~(np.asarray(marked) == ground).all(-1) * 255).astype(np.uint8)).filter(ImageFilter.MedianFilter(5))
    share = float((np.asarray(mask) > 0).mean())
    box = mask.getbbox()
    if box is None or not 0.05 < share < 0.75:
        return None
    thing = image.convert("RGBA")
    thing.putalpha(mask)
    return thing.crop(box)


def scene(things: list[Image.Image], ground: Image.Image, chance: Random) -> tuple[Image.Image, list[tuple[float, ...]]]:
    """Things (RGBA) on a ground, the first the largest: turned, lit, shaded; with their boxes as fractions."""
    width, height = 800, 600
    picture = ImageOps.fit(ground, (width, height)).filter(ImageFilter.GaussianBlur(1.5))
    places = chance.sample([(0.3, 0.45), (0.72, 0.32), (0.7, 0.75), (0.25, 0.8), (0.5, 0.2)], len(things))
    boxes: list[tuple[float, ...]] = [()] * len(things)
    for row in range(len(things) - 1, -1, -1):
        side = height * (chance.uniform(0.42, 0.55) if row == 0 else chance.uniform(0.25, 0.35))
        thing = ImageOps.contain(things[row], (round(side), round(side)))
        thing = thing.rotate(chance.uniform(-25, 25), Image.Resampling.BICUBIC, expand=True)
        colours = ImageEnhance.Brightness(thing.convert("RGB")).enhance(chance.uniform(0.75, 1.15))
        alpha = thing.getchannel("A")
        x, y = round(places[row][0] * width - thing.width / 2), round(places[row][1] * height - thing.height / 2)
        x, y = min(max(x, 0), width - thing.width), min(max(y, 0), height - thing.height)
        shade = alpha.filter(ImageFilter.GaussianBlur(6)).point([value * 2 // 5 for value in range(256)])
        picture.paste((10, 10, 12), (x + 6, y + 10), shade)
        picture.paste(colours, (x, y), alpha)
        boxes[row] = (x / width, y / height, (x + thing.width) / width, (y + thing.height) / height)
    return picture, boxes
