"""What computes: PyTorch, and nothing that knows of RPCs or of scheduling."""

import os

from lad_runtime.torch_backend.kernels.cpu import is_intel

# On Intel's processors MKL divides the sum of a product of few rows between threads, so that a row's bits depend on how many there
# are. Told to be reproducible it does not, at the same speed. On others it keeps rows apart as it is, and would compute at a sixth
# of its speed in that mode (AMD EPYC, Zen 3: 28 in place of 175 GFLOP/s). It reads this at its first product.
if is_intel():
    os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
