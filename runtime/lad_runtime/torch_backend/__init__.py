"""The backend that computes with PyTorch. It knows nothing of RPCs or scheduling."""

import os

from lad_runtime.torch_backend.kernels.cpu import is_intel

# On Intel processors, MKL splits the sums of a product with few rows among threads, so that a row's bits depend on the number of
# rows. Its reproducible mode does not, at the same speed. On other processors rows are independent without it, and the mode would
# be six times slower (AMD EPYC, Zen 3: 28 instead of 175 GFLOP/s). MKL reads the variable at its first product.
if is_intel():
    os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
