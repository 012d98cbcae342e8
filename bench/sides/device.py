"""Where a side computes."""

import torch

DTYPES = {"cpu": torch.float32, "cuda": torch.bfloat16}
"""What a base is loaded as."""

PRECISIONS = {"cpu": "fp32", "cuda": "bf16"}
"""The same, as lad-generic names it."""


def finish_device() -> None:
    """Waits for what an accelerator has been given to do, so that a clock counts it."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
