"""torch's generator from a seed of 64 bits."""

import torch


def seeded_generator(seed: int) -> torch.Generator:
    """A CPU generator for 0 ≤ seed < 2⁶⁴. torch's own reads the lower 32 bits alone, so the upper ones are folded into them."""
    return torch.Generator().manual_seed((seed ^ (seed >> 32)) & 0xFFFF_FFFF)
