"""What every option is bounded by, whatever the base."""

from lad_runtime.checks import MAX_TOKENS as MAX_TOKENS
from lad_runtime.checks import MAX_UINT64 as MAX_UINT64

MIN_SHARE_WEIGHT, MAX_SHARE_WEIGHT = 1e-3, 1e3
