"""Sizes in words."""

_UNITS = (("MiB", 2**20), ("KiB", 2**10))


def told_apart(needed: int, total: int, budget: int) -> tuple[str, str, str]:
    """Three sizes in the largest unit, MiB at most, in which something is needed and the total differs from the budget."""
    for unit, nbytes in _UNITS:
        texts = [f"{size / nbytes:,.1f} {unit}" for size in (needed, total, budget)]
        if texts[1] != texts[2] and not texts[0].startswith("0.0 "):
            return texts[0], texts[1], texts[2]
    return f"{needed:,} bytes", f"{total:,} bytes", f"{budget:,} bytes"
