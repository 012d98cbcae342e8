"""The machine's processor, as it names itself."""

from functools import cache
from pathlib import Path


@cache
def processor_name() -> str:
    """Such as `Intel(R) Xeon(R) Processor`; empty where the system does not tell."""
    return _field("model name")


@cache
def is_intel() -> bool:
    return _field("vendor_id") == "GenuineIntel"


def _field(name: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
