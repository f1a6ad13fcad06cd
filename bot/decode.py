"""The decoder's child process: hostile bytes in, upright pixels out. Started by pixels.py, never imported by the server.

It holds no secret, opens no file or socket once it runs, and may be killed at any moment (threats.md §4).
Messages both ways: a length-prefixed JSON object, then the bytes it speaks of.
"""

import codecs
import contextlib
import fcntl
import io
import json
import re
import resource
import signal
import struct
import sys
import warnings
from collections.abc import Sequence
from typing import Any, BinaryIO

import pi_heif  # type: ignore[import-untyped]  # ships no stubs
import PIL.AvifImagePlugin
import PIL.BmpImagePlugin
import PIL.GifImagePlugin
import PIL.JpegImagePlugin
import PIL.MpoImagePlugin
import PIL.PngImagePlugin
import PIL.TiffImagePlugin
import PIL.WebPImagePlugin  # noqa: F401 (all plugins now: nothing can be opened later)
from PIL import Image

HEAD = struct.Struct(">II")
"""Length of the JSON object, length of the bytes after it."""

MEMORY_BYTES = 700 * 1024 * 1024
PIPE_BYTES = 2**20  # instead of 64 kB: a picture is handed over in one piece or two, and wakes its reader as often
CPU_SECONDS = 1.5
SLOW_CPU_SECONDS = 4.0
"""For HEIC, AVIF and WebP, which cannot be decoded smaller: an honest HEIC of 12 megapixels takes 1.1 s."""
MAX_PIXELS = 50_000_000
MAX_SIDE = 30_000
MAX_SCANS = 100
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "HEIF", "AVIF")

_WHITE_16 = 65535
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA
_NO_LENGTH = frozenset({0x01, 0xD8})
_JPEG_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
_STEPS = 8
"""Colours along a padded edge: few enough that nothing in the picture is drawn out into stripes."""
_SUBJECT_SIDE = 32
"""Cells a side that the subject is looked for in: a thousand, a millisecond."""
_ENOUGH = 0.98
"""Windows that hold so much of the best one's subject are as good as it."""
_PNG_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf"})

Box = tuple[float, float, float, float]


class Refused(Exception):
    """The picture is not used; `kind` is what pixels.py raises."""

    def __init__(self, kind: str, text: str = "") -> None:
        super().__init__(text)
        self.kind = kind


def jpeg_scans(data: bytes) -> int:
    """Scans of the first picture in a JPEG file: thumbnails in its metadata and whatever follows it are not counted."""
    at, scans = 2, 0
    while found := _JPEG_MARKER.search(data, at):
        marker, at = found[1][0], found.end()
        if marker == _END_OF_IMAGE:
            break
        scans += marker == _START_OF_SCAN
        if marker not in _NO_LENGTH:
            at += int.from_bytes(data[at : at + 2], "big")
    return scans


def plain_png(data: bytes) -> bytes:
    """The file without its ancillary chunks, so that a damaged text or profile cannot fail a good picture."""
    parts, at = [data[:8]], 8
    while at + 8 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] in _PNG_NEEDED:
            parts.append(data[at:end])
        at = end
    return b"".join(parts)


def source_box(upright: Box, orientation: int) -> Box:
    """Where a part of the upright picture lies in the picture as stored; both as fractions."""
    left, top, right, bottom = upright
    match orientation:
        case 2:
            return 1 - right, top, 1 - left, bottom
        case 3:
            return 1 - right, 1 - bottom, 1 - left, 1 - top
        case 4:
            return left, 1 - bottom, right, 1 - top
        case 5:
            return top, left, bottom, right
        case 6:
            return top, 1 - right, bottom, 1 - left
        case 7:
            return 1 - bottom, 1 - right, 1 - top, 1 - left
        case 8:
            return 1 - bottom, left, 1 - top, right
        case _:
            return upright


def _open(data: bytes) -> Image.Image:
    """Header only. Raises Refused."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        data = plain_png(data)
    elif data.startswith(b"\xff\xd8") and data.count(b"\xff\xda") > MAX_SCANS and jpeg_scans(data) > MAX_SCANS:
        raise Refused("not_a_picture")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused("too_large") from None
    width, height = image.size
    if width < 1 or height < 1:
        raise Refused("not_a_picture")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise Refused("too_large")
    return image


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 (broken metadata never fails a good picture, whatever it breaks)
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004 (EXIF's eight)


def _resizable(image: Image.Image) -> Image.Image:
    """The same picture in a mode that can be scaled without changing what is seen: L, RGB, RGBA or CMYK."""
    if image.mode in {"P", "RGB", "L", "1"} and "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"I", "F"}:
        low, high = (float(edge) for edge in image.getextrema()[:2])  # type: ignore[arg-type]  # one band: two numbers
        if image.mode == "I" and low >= 0 and high <= _WHITE_16:  # 16 bit in a wider mode
            low, high = 0, _WHITE_16
        scale = 255 / ((high - low) or 1)
        return image.point(lambda value: value * scale - low * scale).convert("L")
    if image.mode in {"LA", "La", "PA", "RGBa"}:
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB", "RGBA", "CMYK"} else image.convert("RGB")


def _scaled(image: Image.Image, part: Box, size: tuple[int, int]) -> Image.Image:
    """The part, in `size` pixels, as RGB on white. All as stored, not yet upright."""
    image = _resizable(image)
    width, height = image.size
    left, top, right, bottom = part
    box = (left * width, top * height, max(right * width, left * width + 1), max(bottom * height, top * height + 1))
    box = (min(box[0], width - 1), min(box[1], height - 1), min(box[2], width), min(box[3], height))
    image = image.resize(size, Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _shape(width: float, height: float, order: dict[str, Any]) -> tuple[Box, tuple[int, int]]:
    """Which part of an upright picture of this size is shown, and in how many pixels."""
    left, top, right, bottom = order["crop"]
    if order.get("box"):  # fill the box, cutting equally on both sides
        box_width, box_height = order["box"]
        have, want = (right - left) * width / ((bottom - top) * height), box_width / box_height
        if have > want:
            cut = (right - left) * (1 - want / have) / 2
            left, right = left + cut, right - cut
        else:
            cut = (bottom - top) * (1 - have / want) / 2
            top, bottom = top + cut, bottom - cut
        return (left, top, right, bottom), (box_width, box_height)
    part_width, part_height = (right - left) * width, (bottom - top) * height
    most_width, most_height = order.get("pad") or (order["side"], order["side"])
    shrink = min(1.0, most_width / part_width, most_height / part_height)
    return (left, top, right, bottom), (max(1, round(part_width * shrink)), max(1, round(part_height * shrink)))


def subject_start(energy: Sequence[float], share: float) -> float:
    """Where along a side (0 to 1) a window of this share starts that holds most of the energy, its middle inside it."""
    cells = len(energy)
    size = max(1, round(share * cells))
    held = [sum(energy[at : at + size]) for at in range(cells - size + 1)]
    total = sum(energy)
    if not total:
        return (1 - share) / 2
    middle = sum((at + 0.5) * value for at, value in enumerate(energy)) / total
    good = [at for at, value in enumerate(held) if value >= _ENOUGH * max(held)]
    best = min(good, key=lambda at: abs(at + size / 2 - middle))
    return min(best / cells, 1 - share)


def _around_subject(upright: Image.Image, part: Box, within: Box) -> Box:
    """The part, moved within its bounds to where the picture differs most from the colours of its edges."""
    left, top, right, bottom = within
    width, height = upright.size
    box = (left * width, top * height, right * width, bottom * height)
    small = _resizable(upright).convert("RGB").resize((_SUBJECT_SIDE, _SUBJECT_SIDE), Image.Resampling.BOX, box=box)
    raw, last = small.tobytes(), _SUBJECT_SIDE - 1
    cells = [(at % _SUBJECT_SIDE, at // _SUBJECT_SIDE, raw[3 * at : 3 * at + 3]) for at in range(_SUBJECT_SIDE**2)]
    edge = [colour for column, row, colour in cells if {column, row} & {0, last}]
    ground = [sorted(band)[len(edge) // 2] for band in zip(*edge, strict=True)]
    columns, rows = [0.0] * _SUBJECT_SIDE, [0.0] * _SUBJECT_SIDE
    for column, row, colour in cells:
        distance = sum((one - other) ** 2 for one, other in zip(colour, ground, strict=True))
        columns[column] += distance
        rows[row] += distance
    across, down = (part[2] - part[0]) / (right - left), (part[3] - part[1]) / (bottom - top)
    x, y = left + subject_start(columns, across) * (right - left), top + subject_start(rows, down) * (bottom - top)
    return x, y, x + part[2] - part[0], y + part[3] - part[1]


def decode(data: bytes, order: dict[str, Any]) -> tuple[dict[str, Any], Image.Image]:
    """The upright part that the order asks for, and what the source was. Raises Refused, and whatever Pillow raises."""
    return _decoded(_open(data), order)


def decode_twice(data: bytes, order: dict[str, Any]) -> tuple[dict[str, Any], Image.Image, Image.Image]:
    """`decode`, and the same again with `look` for the longest side; a JPEG is cheaper to decode anew at that size."""
    image = _open(data)
    about, pixels = _decoded(image, order)
    _, small = _decoded(_open(data) if about["format"] == "jpeg" else image, order | {"side": order["look"]})
    return about, pixels, small


def _decoded(image: Image.Image, order: dict[str, Any]) -> tuple[dict[str, Any], Image.Image]:
    kind = {"MPO": "jpeg"}.get(image.format or "", (image.format or "").lower())
    orientation = _orientation(image)
    stored = image.size
    width, height = stored if orientation < 5 else stored[::-1]  # noqa: PLR2004 (5 to 8 lie on their side)
    upright_part, size = _shape(width, height, order)
    part = source_box(upright_part, orientation)
    size = size if orientation < 5 else (size[1], size[0])  # noqa: PLR2004
    # a JPEG is decoded at 1/2, 1/4 or 1/8 where that is enough: a fifth of the work for a phone's photo
    image.draft(None, (max(1, round(size[0] / (part[2] - part[0]))), max(1, round(size[1] / (part[3] - part[1])))))
    image.load()
    if order.get("smart"):
        upright = image.transpose(_TURNS[orientation]) if orientation in _TURNS else image
        part = source_box(_around_subject(upright, upright_part, order["crop"]), orientation)
    pixels = _scaled(image, part, size)
    if orientation in _TURNS:
        pixels = pixels.transpose(_TURNS[orientation])
    pixels.info = {}  # Pillow would write a comment or a profile of the source into what it saves
    return {"width": width, "height": height, "format": kind}, pixels


def _padded(pixels: Image.Image, width: int, height: int) -> Image.Image:
    """The picture in the middle of a box, continued to both sides by its own outermost pixels, blurred along the edge."""
    left, top = (width - pixels.width) // 2, (height - pixels.height) // 2
    ground = Image.new("RGB", (width, height))
    if left:
        for x, edge in ((0, 0), (left + pixels.width, pixels.width - 1)):
            strip = pixels.crop((edge, 0, edge + 1, pixels.height)).resize((1, _STEPS), Image.Resampling.BOX)
            ground.paste(strip.resize((width - pixels.width - left if x else left, height), Image.Resampling.BILINEAR), (x, 0))
    if top:
        for y, edge in ((0, 0), (top + pixels.height, pixels.height - 1)):
            strip = pixels.crop((0, edge, pixels.width, edge + 1)).resize((_STEPS, 1), Image.Resampling.BOX)
            ground.paste(strip.resize((width, height - pixels.height - top if y else top), Image.Resampling.BILINEAR), (0, y))
    ground.paste(pixels, (left, top))
    return ground


def _jpeg(pixels: Image.Image, max_bytes: int) -> bytes:
    """Encode, in steps of quality and then of size until it fits. Raises Refused when nothing fits."""
    while True:
        for quality in (88, 75, 60):
            out = io.BytesIO()
            pixels.save(out, "JPEG", quality=quality)
            if not max_bytes or out.tell() <= max_bytes:
                return out.getvalue()
        if max(pixels.size) < 64:  # noqa: PLR2004 (smaller shows nothing)
            raise Refused("too_large")
        pixels = pixels.resize((max(1, pixels.width * 3 // 4), max(1, pixels.height * 3 // 4)), Image.Resampling.BICUBIC)


def answer(data: bytes, order: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """One order carried out; every way a picture can be bad ends in a word."""
    try:
        if order["as"] == "header":
            _open(data)
            return {}, b""
        if order["as"] == "two":
            about, pixels, small = decode_twice(data, order)
            shapes = {"shape": [pixels.height, pixels.width, 3], "small": [small.height, small.width, 3]}
            return about | shapes, pixels.tobytes() + small.tobytes()
        about, pixels = decode(data, order)
        if order["as"] == "jpeg":
            if order.get("pad"):
                pixels = _padded(pixels, *order["pad"])
            return about, _jpeg(pixels, order.get("max_bytes") or 0)
        if order["as"] == "both":
            jpeg = _jpeg(pixels, 0)
            pixels.thumbnail((order["look"], order["look"]), Image.Resampling.BICUBIC, reducing_gap=3.0)
            return {**about, "shape": [pixels.height, pixels.width, 3]}, pixels.tobytes() + jpeg
        return {**about, "shape": [pixels.height, pixels.width, 3]}, pixels.tobytes()
    except Refused as refused:
        return {"error": refused.kind}, b""
    except MemoryError:
        return {"error": "too_large"}, b""
    except Exception:  # noqa: BLE001 (decoders raise anything: OSError, SyntaxError, ValueError, struct.error, …)
        return {"error": "not_a_picture"}, b""


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:  # the parent is gone
        sys.exit(0)
    return data


def main() -> None:
    """Serve orders on stdin until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    pi_heif.register_heif_opener(thumbnails=False)
    Image.preinit()
    for name in ("ascii", "latin-1", "utf-8", "utf-16"):
        codecs.lookup(name)  # imported now: nothing can be opened later
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))  # no file, no socket, no child from here on
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    for stream in (stdin, stdout):
        with contextlib.suppress(OSError, AttributeError):  # Linux only, and only up to what the system allows
            fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    while True:
        order_length, data_length = HEAD.unpack(_exactly(stdin, HEAD.size))
        order = json.loads(_exactly(stdin, order_length))
        data = _exactly(stdin, data_length)
        # processor time, not time: a busy machine does not fail a good picture. The kernel kills, even inside a C loop
        slow = data[:4] == b"RIFF" or data[4:8] == b"ftyp"
        signal.setitimer(signal.ITIMER_PROF, order.get("cpu_seconds") or (SLOW_CPU_SECONDS if slow else CPU_SECONDS))
        about, payload = answer(data, order)
        signal.setitimer(signal.ITIMER_PROF, 0)
        words = json.dumps(about).encode()
        stdout.write(HEAD.pack(len(words), len(payload)) + words)
        stdout.write(payload)
        stdout.flush()


if __name__ == "__main__":
    main()
