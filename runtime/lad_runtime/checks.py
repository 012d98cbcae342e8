"""Range checks of options: each raises LadError(INVALID_OPTION) that names the option, the value and the remedy."""

import math
import re
from collections.abc import Sequence

from lad_runtime.errors import invalid_option

MAX_FLOAT32 = 3.4028234663852886e38
MAX_UINT64 = 2**64 - 1

MAX_TOKENS = 2**20
"""The most tokens in a window, span or answer, on any base."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_number(
    option: str,
    value: float,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    above: float | None = None,
    below: float | None = None,
) -> None:
    """Requires a finite float32 number with low ≤ value ≤ high; `above` and `below` are exclusive bounds."""
    finite = isinstance(value, int | float) and abs(value) <= MAX_FLOAT32
    inside = (
        finite
        and low <= value <= high
        and (above is None or value > above)
        and (below is None or value < below)
    )
    if not inside:
        allowed = _range("a finite number", low, high, above, below)
        raise invalid_option(option, value, f"it must be {allowed}", f"Give {allowed}.")


def check_whole(option: str, value: int, *, low: int, high: int | None = None) -> None:
    """Requires a whole number with low ≤ value ≤ high."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or value < low or (high is not None and value > high):
        allowed = _range("a whole number", low, math.inf if high is None else high, None, None)
        raise invalid_option(option, value, f"it must be {allowed}", f"Give {allowed}.")


def check_choice(option: str, value: str, choices: Sequence[str]) -> None:
    """Requires one of the named values."""
    if value not in choices:
        raise invalid_option(option, value, "it is not known", f"Give one of {', '.join(choices)}.")


def check_count(option: str, count: int, most: int) -> None:
    """Requires from 1 to `most` parts in one request."""
    if not 1 <= count <= most:
        problem = f"a request holds from 1 to {most}"
        raise invalid_option(option, count, problem, "Split it, or give at least one.")


def check_name(option: str, value: str) -> None:
    """Requires a name that is safe in a path: letters, digits, dot, underscore and hyphen, at most 64."""
    if not _NAME.fullmatch(value):
        raise invalid_option(
            option,
            value,
            "it must begin with a letter or digit and go on with letters, digits, '.', '_' or '-', at most 64 in all",
            'Give a name such as "run-1".',
        )


def _range(kind: str, low: float, high: float, above: float | None, below: float | None) -> str:
    bounds = []
    if above is not None:
        bounds.append(f"above {above:g}")
    elif low > -math.inf:
        bounds.append(f"at least {low}")
    if below is not None:
        bounds.append(f"below {below:g}")
    elif high < math.inf:
        bounds.append(f"at most {high}")
    return " ".join([kind, " and ".join(bounds)]).strip()
