"""How long a fresh interpreter takes to import PyTorch: what no worker's start can be shorter than."""

import subprocess
import sys
import time

from bench.sides.serve import Values, serve


class ImportTorch:
    def load(self, request: Values) -> Values:
        return {}

    def prepare(self, request: Values) -> None:
        """There is nothing to compute with."""

    def run(self, request: Values) -> Values:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import torch"], check=True)
        return {"seconds": time.perf_counter() - started}


if __name__ == "__main__":
    serve(ImportTorch())
