"""Secrets at rest: sealed with AES-GCM for one owner, several keys at once so that they can be changed (threats.md O2)."""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.config import Settings
from bot.errors import ConfigurationError, Error

LEAST = 32
NONCE = 12  # bytes, as NIST SP 800-38D recommends
FILE = "secret_keys"
MOST = 3
"""Keys the file keeps: another process may still be sealing with the one before."""


class CannotOpen(Error):
    """Sealed with a key that is not among ours, for somebody else, or damaged."""


class Vault:
    """`keys`, newest first: the first seals, all open. Without any they are kept in `file`, which is made when it is needed."""

    def __init__(self, keys: Sequence[str], file: Path) -> None:
        """Raises ConfigurationError for a key that is too short to be one."""
        if any(len(key) < LEAST for key in keys):
            raise ConfigurationError(
                f"SECRET_KEYS must be {LEAST} characters or longer each. Make one with: python -m bot keys new"
            )
        self._given = tuple(keys)
        self._file = file

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Raises ConfigurationError also where several machines would have a key each."""
        if isinstance(settings.database, str) and not settings.secret_keys:
            raise ConfigurationError("SECRET_KEYS must be set with a Postgres. Make one with: python -m bot keys new")
        return cls([key.get_secret_value() for key in settings.secret_keys], settings.data_dir / FILE)

    def seal(self, text: str, owner: str) -> str:
        """Only open() with the same owner gives it back. Raises ConfigurationError when the key cannot be kept."""
        name, cipher = next(iter(self._ciphers(make=True).items()))
        nonce = secrets.token_bytes(NONCE)
        sealed = cipher.encrypt(nonce, text.encode(), owner.encode())
        return f"{name}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, owner: str) -> str:
        """Raises CannotOpen."""
        name, _, text = sealed.partition(".")
        cipher = self._ciphers().get(name)
        if cipher is None:
            raise CannotOpen(f"sealed with key {name}, which is not in SECRET_KEYS")
        try:
            data = base64.urlsafe_b64decode(text)
            return cipher.decrypt(data[:NONCE], data[NONCE:], owner.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error):
            raise CannotOpen("damaged, or sealed for somebody else") from None

    def is_newest(self, sealed: str) -> bool:
        return sealed.partition(".")[0] == next(iter(self._ciphers(make=True)))

    def renew(self) -> bool:
        """Put a new key before those in the file; False where they are given and only the operator can."""
        if self._given:
            return False
        self._keep([new_key(), *self._kept()][:MOST])
        return True

    def _ciphers(self, *, make: bool = False) -> dict[str, AESGCM]:
        """By name. The file is read each time: another process may have changed it."""
        keys = self._given or self._kept()
        if make and not keys:
            keys = [new_key()]
            self._keep(keys)
        return {hashlib.sha256(b"name:" + key.encode()).hexdigest()[:8]: AESGCM(_bytes(key)) for key in keys}

    def _kept(self) -> Sequence[str]:
        try:
            return [line for line in self._file.read_text("ascii").splitlines() if line]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise ConfigurationError(f"{self._file} cannot be read ({error.strerror}). Set SECRET_KEYS.") from None

    def _keep(self, keys: Sequence[str]) -> None:
        """Written beside and put in its place: a crash leaves the old keys or the new ones."""
        fresh = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as out:
                out.write("\n".join(keys) + "\n")
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(self._file)
        except OSError as error:
            raise ConfigurationError(
                f"{self._file} cannot be written ({error.strerror}). Set SECRET_KEYS, or DATA_DIR."
            ) from None


def new_key() -> str:
    return secrets.token_urlsafe(LEAST)


def _bytes(key: str) -> bytes:
    return hashlib.sha256(b"key:" + key.encode()).digest()
