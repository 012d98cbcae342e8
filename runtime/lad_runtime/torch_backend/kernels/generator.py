"""A torch generator from a seed of 64 bits."""

import torch


def seeded_generator(seed: int) -> torch.Generator:
    """A CPU generator for 0 ≤ seed < 2⁶⁴. torch uses the lower 32 bits alone, so the upper bits are xored into them."""
    return torch.Generator().manual_seed((seed ^ (seed >> 32)) & 0xFFFF_FFFF)
