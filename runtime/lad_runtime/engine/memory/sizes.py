"""Sizes of memory as text."""

_UNITS = (("MiB", 2**20), ("KiB", 2**10))


def told_apart(needed: int, total: int, budget: int) -> tuple[str, str, str]:
    """Three sizes in one unit: the largest (up to MiB) in which `needed` is not 0.0 and `total` differs from `budget`."""
    for unit, nbytes in _UNITS:
        texts = [f"{size / nbytes:,.1f} {unit}" for size in (needed, total, budget)]
        if texts[1] != texts[2] and not texts[0].startswith("0.0 "):
            return texts[0], texts[1], texts[2]
    return f"{needed:,} bytes", f"{total:,} bytes", f"{budget:,} bytes"
