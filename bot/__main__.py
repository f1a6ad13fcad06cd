"""`python -m bot COMMAND`."""

import os

# Before NumPy is loaded: its BLAS would spin on every core for a product of small matrices, at twice the processor time a photo
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from bot.cli import main
from bot.memory import give_back

if __name__ == "__main__":
    give_back()
    main()
