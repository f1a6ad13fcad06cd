"""`make fuzz-guided`: each parser of what strangers send, for a minute, by a fuzzer that watches the branches taken."""

import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 60
NAMES = ("feed", "form", "question", "words")


def main(seconds: str = f"{SECONDS}") -> int:
    worst = 0
    folder = Path(tempfile.mkdtemp(prefix="fuzz"))
    for name in NAMES:
        done = subprocess.run(
            [sys.executable, "-m", "tests.guided.target", name, seconds, str(folder)], capture_output=True, text=True, check=False
        )
        runs = next((line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line), "no")
        print(f"{name:9} {runs:>9} inputs: {'nothing found' if done.returncode == 0 else 'FOUND'}")
        if done.returncode:
            print("\n".join(done.stderr.splitlines()[-30:]))
            print(f"The input is in {folder}.")
        worst = max(worst, abs(done.returncode))
    return min(worst, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
