"""What is written in a picture: text, barcodes and QR codes, read in a child process that can be killed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bot.insights.model import Reading

READ_SIDE = 1024


class Reader:
    """Reads pictures one after the other."""

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        yield cls()

    async def read(self, rgb: NDArray[np.uint8]) -> Reading:
        """What is written in an upright picture (h, w, 3)."""
        del rgb
        return Reading()
