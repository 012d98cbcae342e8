"""The machine's processor. Text that the system does not provide is empty."""

from functools import cache
from pathlib import Path


@cache
def processor_name() -> str:
    """The model name, such as `Intel(R) Xeon(R) Processor`."""
    return _fields().get("model name", "")


@cache
def processor_features() -> str:
    """What distinguishes processors of one name: maker, family, model, stepping and instruction sets."""
    names = ("vendor_id", "cpu family", "model", "stepping", "CPU part", "flags", "Features")
    return " ".join(value for name in names if (value := _fields().get(name)))


@cache
def is_intel() -> bool:
    return _fields().get("vendor_id") == "GenuineIntel"


@cache
def _fields() -> dict[str, str]:
    """The first core's fields in /proc/cpuinfo."""
    try:
        first, _, _ = Path("/proc/cpuinfo").read_text().partition("\n\n")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
