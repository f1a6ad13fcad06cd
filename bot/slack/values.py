"""The short keys that buttons carry and blocks are named by (cards.md §5): `v1:<rid>:<arg>` and `ii:<rid>:<part>:<rev>`."""

import re
import secrets
import string
from typing import NamedTuple

NONE = "-"
"""The arg of a button that needs none."""

_ALPHABET = string.ascii_letters + string.digits
_ID_LENGTH = 12  # 71 random bits: not to be guessed, and still the value fits an option
_VALUE = re.compile(r"v1:([A-Za-z0-9]{2,12}):([A-Za-z0-9]{1,24}|-)", re.ASCII)
_NUMBER = re.compile(r"[a-z](0|[1-9][0-9]{0,5})", re.ASCII)


class Value(NamedTuple):
    """What a click tells us: the result it belongs to (or `home`, `help`, `ch`), and what was meant."""

    rid: str
    arg: str

    def number(self, letter: str) -> int | None:
        """The number of an arg such as `p3`, if it begins with the letter. Letters: cards.md §5."""
        return int(self.arg[1:]) if self.arg.startswith(letter) and _NUMBER.fullmatch(self.arg) else None


def new_rid() -> str:
    """A name for a new result."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))


def encode(rid: str, arg: str = NONE) -> str:
    """The value of a button. Raises ValueError for what parse would not read back."""
    value = f"v1:{rid}:{arg}"
    if not _VALUE.fullmatch(value):
        raise ValueError(f"not a value: {value!r}")
    return value


def parse(value: object) -> Value | None:
    """Read a value; None for anything we did not write, other versions included."""
    found = _VALUE.fullmatch(value) if isinstance(value, str) else None
    return Value(found[1], found[2]) if found else None


def block_id(rid: str, part: str, rev: int | str | None = None) -> str:
    """The name of a block. `rev` grows with each update of the message, or says which state of a view it belongs to."""
    return f"ii:{rid}:{part}" if rev is None else f"ii:{rid}:{part}:{rev}"
