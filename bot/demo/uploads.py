"""Files that come into the workspace: what they are, and their previews."""

import mimetypes
import secrets
import time
from typing import TYPE_CHECKING

from bot.demo.objects import File
from bot.errors import Error

if TYPE_CHECKING:
    from bot.demo.workspace import Workspace

GLANCE = 64  # pixels; enough to learn that it is a picture, and its size
FILETYPES = {"jpeg": "jpg", "svg+xml": "svg", "plain": "text", "tiff": "tif", "heif": "heic"}


def mimetype_of(name: str, data: bytes) -> str:
    """What Slack says a file is: by its first bytes where they tell, else by its name."""
    for magic, kind in ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF87a", "gif"), (b"GIF89a", "gif")):
        if data.startswith(magic):
            return f"image/{kind}"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in {b"heic", b"heix", b"mif1", b"msf1", b"hevc"}:
        return "image/heic"
    guessed = mimetypes.guess_type(name)[0]
    if guessed:
        return guessed
    return "image/heic" if name.lower().endswith((".heic", ".heif")) else "application/octet-stream"


async def keep(workspace: "Workspace", user: str, name: str, data: bytes, *, alt_text: str = "") -> File:
    """Store a file. Only pictures that can be read get a size and thumbs."""
    mimetype = mimetype_of(name, data)
    kind = mimetype.partition("/")[2]
    file = File(
        id=f"F07{secrets.token_hex(4).upper()}",
        name=name,
        title=name.rpartition(".")[0] or name,
        user=user,
        data=data,
        mimetype=mimetype,
        filetype=FILETYPES.get(kind, kind) if mimetype != "application/octet-stream" else "binary",
        created=int(time.time()),
        alt_text=alt_text,
    )
    if mimetype.startswith("image/"):
        try:
            frame = await workspace.pixels.load(data, side=GLANCE)
        except Error:
            pass  # a picture to Slack all the same, only without previews
        else:
            file.width, file.height = frame.width, frame.height
    workspace.files[file.id] = file
    return file


async def thumb(workspace: "Workspace", file: File, side: int) -> bytes:
    """A JPEG of the picture with this longest side, upright. Made when first asked for. Raises NotAPicture."""
    if side not in file.thumbs:
        file.thumbs[side] = await workspace.pixels.jpeg(file.data, side=side)
    return file.thumbs[side]
