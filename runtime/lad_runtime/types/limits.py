"""What every option is bounded by, whatever the base."""

from lad_runtime.checks import MAX_TOKENS as MAX_TOKENS
from lad_runtime.checks import MAX_UINT64 as MAX_UINT64

MAX_PARTS = 4096

"""Canvases of a request, or items to score."""

MAX_REPLY_BYTES = 48 << 20

"""Of the 64 MiB that a message may have."""

MIN_SHARE_WEIGHT, MAX_SHARE_WEIGHT = 1e-3, 1e3
