"""What every option is bounded by, whatever the base."""

MAX_UINT64 = 2**64 - 1

MAX_TOKENS = 2**20

"""No window, span or answer is longer, whatever the base."""

MAX_PARTS = 4096

"""Canvases of a request, or items to score."""

MAX_REPLY_BYTES = 48 << 20

"""Of the 64 MiB that a message may have."""

MIN_SHARE_WEIGHT, MAX_SHARE_WEIGHT = 1e-3, 1e3
