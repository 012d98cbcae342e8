"""Where a side computes."""

import torch

DTYPES = {"cpu": torch.float32, "cuda": torch.bfloat16}
"""What a base is loaded as."""


def finish_device() -> None:
    """Waits for what an accelerator has been given to do, so that a clock counts it."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
