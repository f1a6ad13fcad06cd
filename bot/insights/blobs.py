"""The catalogue's pictures in object storage, so that several machines share them: `BLOB_URL=s3://bucket/folder`, by fsspec.

Credentials and the address of an S3-compatible server come from the environment as its clients know it (AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL).
"""

import asyncio
from functools import lru_cache
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from bot.errors import ConfigurationError, Unavailable
from bot.insights.client import Breaker
from bot.insights.pictures import checked

KEPT = 512
"""Pictures at hand: some 100 kB each. A name is a hash of what is in it, so what is kept is never old."""
SECONDS = 3.0
_OPTIONS: dict[str, dict[str, Any]] = {
    # its client would try five times, a minute each, on a thread that nobody waits for any more
    "s3": {"config_kwargs": {"retries": {"max_attempts": 1}, "connect_timeout": 1, "read_timeout": SECONDS}},
}


class PictureBlobs:
    """As PictureFiles, somewhere else. Raises Unavailable when that cannot be reached."""

    def __init__(self, system: AbstractFileSystem, root: str) -> None:
        self._system = system
        self._root = root.rstrip("/")
        self._cat = lru_cache(maxsize=KEPT)(self._read)
        self._breaker = Breaker()

    @classmethod
    def at(cls, url: str) -> "PictureBlobs":
        """Raises ConfigurationError for an address that nobody here can open."""
        try:
            system, root = url_to_fs(url, skip_instance_cache=True, **_OPTIONS.get(url.partition(":")[0], {}))
        except ImportError as error:
            package = "s3fs" if url.startswith("s3:") else error.name or "another package"
            raise ConfigurationError(f"BLOB_URL needs {package}. Install it: pip install 'image-insights[s3]'") from None
        except ValueError:
            raise ConfigurationError("BLOB_URL must look like s3://bucket/folder.") from None
        return cls(system, root)

    def _name(self, content: str) -> str:
        return f"{self._root}/{checked(content)[:2]}/{content}.jpg"

    def _read(self, content: str) -> bytes:
        data: bytes = self._system.cat_file(self._name(content))
        return data

    async def read(self, content: str) -> bytes:
        """Raises FileNotFoundError, ValueError for what is no name of ours."""
        checked(content)
        return bytes(await self._asked(self._cat, content))

    async def write(self, content: str, data: bytes) -> None:
        """Objects appear whole or not at all."""
        await self._asked(self._system.pipe_file, self._name(content), data)

    async def delete(self, content: str) -> None:
        try:
            await self._asked(self._system.rm_file, self._name(content))
        except FileNotFoundError:
            return

    async def _asked(self, work: Any, *arguments: Any) -> Any:
        self._breaker.check()
        try:
            answer = await asyncio.wait_for(asyncio.to_thread(work, *arguments), SECONDS)
        except FileNotFoundError:
            self._breaker.say(answered=True)
            raise
        except Exception as error:  # noqa: BLE001 (each storage has errors of its own; none is the picture's)
            self._breaker.say(answered=False)
            raise Unavailable(f"The storage at BLOB_URL does not answer ({type(error).__name__}).") from None
        self._breaker.say(answered=True)
        return answer
