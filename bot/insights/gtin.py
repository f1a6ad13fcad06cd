"""What a barcode or QR code says, as a GTIN: the number under which the whole trade knows an article (GS1). Pure."""

import re
from urllib.parse import urlsplit

_EXACTLY = {
    "EAN-13": {13},
    "EAN-8": {8},
    "UPC-A": {12},
    "UPC-E": {8, 12, 13},  # short as printed, or as the reader has expanded it
    "ITF": {14},  # of any length otherwise, and then no article number
    "ITF-14": {14},
    "ISBN": {10, 13},
}
"""How many digits a retail code of a kind has."""
_ELEMENT = re.compile(r"\(01\)(\d{14})(?!\d)")
_LINK = re.compile(r"/(?:01|gtin)/(\d{14}|\d{12,13}|\d{8})(?=/|$)")
UPC_E_DIGITS, ISBN_10_DIGITS = 8, 10


def gtin_of(text: str, kind: str) -> str:
    """The 14 digits of an article number with a right check digit; empty for anything else.

    Retail codes say it plainly; any other code says it as a GS1 element string, `(01)…`, or as a GS1 Digital Link,
    `https://shop.example/01/…`.
    """
    if kind in _EXACTLY:
        found = text.upper().replace("-", "") if kind == "ISBN" else text
        return _retail(found, kind) if len(found) in _EXACTLY[kind] else ""
    if element := _ELEMENT.search(text):
        return checked(element[1])
    try:
        link = urlsplit(text)
    except ValueError:
        return ""
    named = _LINK.search(link.path) if link.scheme in {"http", "https"} else None
    return checked(named[1]) if named else ""


def _retail(text: str, kind: str) -> str:
    if kind == "UPC-E" and len(text) == UPC_E_DIGITS:
        return checked(expanded(text))
    if kind == "ISBN" and len(text) == ISBN_10_DIGITS:
        return isbn_13(text)
    return checked(text)


def checked(digits: str) -> str:
    """8 to 14 digits as 14, or empty when they are none or the last is not the check digit of the others."""
    if not (digits.isascii() and digits.isdigit()):
        return ""
    padded = digits.zfill(14)
    return padded if _check_digit(padded[:13]) == padded[13] and int(padded) else ""


def _check_digit(thirteen: str) -> str:
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(thirteen))
    return str((10 - total % 10) % 10)


def expanded(upc_e: str) -> str:
    """The UPC-A of a UPC-E of 8 digits (number system, six digits, check digit); empty when it is none."""
    if not re.fullmatch(r"[01]\d{7}", upc_e, re.ASCII):
        return ""
    system, code, last, check = upc_e[0], upc_e[1:6], upc_e[6], upc_e[7]
    if last in "012":
        middle = f"{code[:2]}{last}0000{code[2:]}"
    elif last == "3":
        middle = f"{code[:3]}00000{code[3:]}"
    elif last == "4":
        middle = f"{code[:4]}00000{code[4:]}"
    else:
        middle = f"{code}0000{last}"
    return system + middle + check


def isbn_13(isbn_10: str) -> str:
    """The 14 digits of a book's old number, whose last character may be X; empty when its check digit is wrong."""
    if not re.fullmatch(r"\d{9}[\dX]", isbn_10, re.ASCII):
        return ""
    total = sum((10 - place) * (10 if char == "X" else int(char)) for place, char in enumerate(isbn_10))
    body = f"0978{isbn_10[:9]}"
    return body + _check_digit(body) if total % 11 == 0 else ""
