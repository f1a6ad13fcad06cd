"""The reader's child process: pixels in, text and codes out. Started by reading.py, never imported by the server.

It is handed arrays that decode.py has made, never the bytes of a file, and may be killed at any moment.
"""

import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

HEAD = struct.Struct(">II")
MEMORY_BYTES = 3 * 1024 * 1024 * 1024
"""Of addresses, most of which nobody touches: onnxruntime and OpenCV map generously."""
TEXT_SIDE = 640
"""Pixels in which text is looked for: a third of the memory of 1,024."""
LEAST_SCORE = 0.75
"""Of a line of text: below, patterns are read as words."""
LEAST_LETTERS = 2

Box = list[list[float]]


class Tools:
    """Loaded when first used, because a code costs a twentieth of a text in memory and time."""

    def __init__(self) -> None:
        self._engine: Any = None

    def text(self, rgb: NDArray[np.uint8]) -> list[dict[str, Any]]:
        if self._engine is None:
            import logging  # noqa: PLC0415 (a second and 80 MB, for those who read text)

            from rapidocr import RapidOCR  # noqa: PLC0415

            logging.disable(logging.CRITICAL)
            self._engine = RapidOCR(
                params={
                    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                    "EngineConfig.onnxruntime.enable_cpu_mem_arena": False,
                    "Global.use_cls": False,
                    "Det.limit_side_len": TEXT_SIDE,
                    "Det.limit_type": "max",
                    "Rec.rec_batch_num": 1,
                }
            )
        found = self._engine(
            np.ascontiguousarray(rgb[:, :, ::-1]), use_det=True, use_cls=False, use_rec=True, return_word_box=True
        )
        if found.txts is None:
            return []
        words = found.word_results or ((),) * len(found.txts)
        return [
            {"text": text, "box": _box(box), "words": [{"text": word, "box": _box(place)} for word, _, place in parts if place]}
            for text, score, box, parts in zip(found.txts, found.scores, found.boxes, words, strict=True)
            if score >= LEAST_SCORE and sum(char.isalnum() for char in text) >= LEAST_LETTERS
        ]

    def codes(self, rgb: NDArray[np.uint8]) -> list[dict[str, Any]]:
        import zxingcpp  # noqa: PLC0415

        return [
            {"text": code.text, "kind": str(code.format).rpartition(".")[2], "box": _corners(code.position)}
            for code in zxingcpp.read_barcodes(rgb)
            if code.valid and code.text
        ]


def _box(points: Iterable[Iterable[Any]]) -> Box:
    return [[float(value) for value in point] for point in points]


def _corners(place: Any) -> Box:
    return [
        [float(point.x), float(point.y)] for point in (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    ]


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        sys.exit(0)  # the parent is gone
    return data


def main() -> None:
    """Serve orders on stdin until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    tools = Tools()
    while True:
        order_length, data_length = HEAD.unpack(_exactly(stdin, HEAD.size))
        order = json.loads(_exactly(stdin, order_length))
        rgb = np.frombuffer(_exactly(stdin, data_length), np.uint8).reshape(order["shape"])
        words = json.dumps({"found": tools.text(rgb) if order["sort"] == "text" else tools.codes(rgb)}).encode()
        stdout.write(HEAD.pack(len(words), 0) + words)
        stdout.flush()


if __name__ == "__main__":
    main()
