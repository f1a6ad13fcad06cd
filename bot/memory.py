"""How the process keeps its memory."""

import contextlib
import ctypes

M_MMAP_THRESHOLD, LARGE = -3, 2**20


def give_back() -> None:
    """Let glibc return every large block at once, and not keep larger and larger ones in its heap.

    Without it a catalogue of 100,000 pictures takes a fifth more memory after it was read. Elsewhere it does nothing.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
