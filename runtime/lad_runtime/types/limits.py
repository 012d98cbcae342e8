"""What every option is bounded by, whatever the base."""

MAX_UINT64 = 2**64 - 1

MAX_TOKENS = 2**20

"""No window, span or answer is longer, whatever the base."""

MIN_SHARE_WEIGHT, MAX_SHARE_WEIGHT = 1e-3, 1e3
