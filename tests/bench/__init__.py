"""Measurements, each a ratio of two things measured side by side in one run: `make bench`. Nothing here is a test."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as bot/__main__.py does, before NumPy is loaded
