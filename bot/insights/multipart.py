"""Forms with a picture in them as real clients send them, boundary or not (insights-api.md §5, §8). Pure."""

import re
from dataclasses import dataclass, field

MAX_PARTS = 20
MAX_FIELD_BYTES = 64 * 1024
_BOUNDARY = re.compile(r'boundary="?([^";,\r\n]{1,200})"?', re.IGNORECASE)
_NAME = re.compile(rb'[;\s]name="?([^";\r\n]*)"?', re.IGNORECASE)
_FILENAME = re.compile(rb"[;\s]filename\*?=", re.IGNORECASE)
_NESTED = re.compile(rb"^content-type:\s*multipart/", re.IGNORECASE | re.MULTILINE)
_MAGIC = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|BM|II\*\x00|MM\x00\*|....ftyp(?:hei|hev|mif1|msf1|avi)", re.DOTALL
)


class BadFormError(ValueError):
    """The body is not a form that can be read."""


@dataclass(frozen=True, slots=True)
class Part:
    """Its bytes as they came: what a part says of its own type or encoding decides nothing."""

    name: str
    is_file: bool
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """What a form of ours may hold; empty when it does not."""

    picture: bytes = field(default=b"", repr=False)
    knowledge_request: str = ""


def looks_like_picture(data: bytes) -> bool:
    return bool(_MAGIC.match(data))


def parts(body: bytes, content_type: str) -> list[Part]:
    """The parts of a form. Without a boundary in the header the body's first line is it. Raises BadFormError."""
    said = _BOUNDARY.search(content_type)
    boundary = said[1].strip().encode("utf-8", "replace") if said else b""
    if not boundary or b"--" + boundary not in body[: len(boundary) + 256]:
        boundary = body.lstrip(b"\r\n")[:256].partition(b"\n")[0].strip()[2:]
    if not boundary or not body.lstrip(b"\r\n").startswith(b"--" + boundary):
        raise BadFormError
    found: list[Part] = []
    for chunk in (b"\n" + body.lstrip(b"\r\n")).split(b"\n--" + boundary)[1:]:
        if chunk.startswith(b"--"):
            break
        head, split, data = chunk.partition(b"\r\n\r\n")
        if not split:
            head, split, data = chunk.partition(b"\n\n")
        if not split or len(found) == MAX_PARTS or _NESTED.search(head):
            raise BadFormError
        name = _NAME.search(head)
        is_file = bool(_FILENAME.search(head))
        found.append(Part(name[1].decode("utf-8", "replace") if name else "", is_file, data.removesuffix(b"\r")))
    if sum(len(part.data) for part in found if not looks_like_picture(part.data) and not part.is_file) > MAX_FIELD_BYTES:
        raise BadFormError
    return found


def read_form(body: bytes, content_type: str) -> Form:
    """The picture is the part named image, else the first that looks like one, else the first file; a bare picture is taken too.

    A body that is no form holds nothing.
    """
    if not content_type.lower().startswith("multipart/") and looks_like_picture(body):
        return Form(body)
    try:
        found = parts(body, content_type)
    except BadFormError:
        return Form()
    asked = [part for part in found if part.name.lower() == "knowledgerequest"]
    others = [part for part in found if part not in asked]
    named = [part for part in others if part.name.lower() == "image"]
    likely = [part for part in others if looks_like_picture(part.data)]
    files = [part for part in others if part.is_file and part.data]
    picture = next((part.data for part in (*named, *likely, *files)), b"")
    return Form(picture, asked[0].data.decode("utf-8-sig", "replace") if asked else "")
