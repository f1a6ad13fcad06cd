"""Forms as real clients send them (insights-api.md §5)."""

import pytest

from bot.insights.multipart import read_form

JPEG = b"\xff\xd8\xff\xe0 some\r\n--bytes \x00\xff"


def form(*parts: tuple[str, bytes], boundary: str = "XyZ") -> bytes:
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n" for head, data in parts)
    return body + b"--" + boundary.encode() + b"--\r\n"


IMAGE = 'Content-Disposition: form-data; name="image"; filename="image"\r\nContent-Type: application/octet-stream'


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=XyZ",
        'multipart/data-form; boundary="XyZ"',
        "multipart/form-data",
        "",
        "multipart/form-data; boundary=wrong",
    ],
)
def test_s5_the_picture_is_found_whatever_the_header_says(content_type: str) -> None:
    assert read_form(form((IMAGE, JPEG)), content_type).picture == JPEG


@pytest.mark.parametrize(
    "head",
    [
        "Content-Disposition: form-data; name=image",
        'Content-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: text/plain',
        'Content-Disposition: form-data; name="sourceImg"',
        'content-disposition:form-data;name="image"',
    ],
)
def test_s5_names_and_types_of_parts_do_not_matter(head: str) -> None:
    assert read_form(form((head, JPEG)), "multipart/form-data; boundary=XyZ").picture == JPEG


def test_s5_the_part_named_image_goes_before_another_picture() -> None:
    other = ('Content-Disposition: form-data; name="thumb"', b"GIF89a other")
    assert read_form(form(other, (IMAGE, JPEG)), "multipart/form-data; boundary=XyZ").picture == JPEG


def test_s5_without_a_picture_there_is_none() -> None:
    text = ('Content-Disposition: form-data; name="knowledgeRequest"', b"{}")
    for body in (form(text), b"", b"not a form", b"--", form(*[(IMAGE, JPEG)] * 21)):
        assert read_form(body, "multipart/form-data; boundary=XyZ").picture == b""
