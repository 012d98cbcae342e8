"""The worker's command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Arguments:
    socket: str | None
    listen: str | None
    device: str
    token_stdin: bool
    token_file: Path | None
    threads: int  # 0: by the size of the base
    state: Path | None
    or_next_state: bool  # if another worker uses `state`, take the first free one of state-2, state-3, …
    memory_budget: int  # bytes; 0: a share of the device's memory
    lease_seconds: int  # 0: no lease
    log_level: str
    resume_runs: bool  # those that an earlier worker of the state folder left


def parse_arguments(arguments: list[str]) -> Arguments:
    """Parses the arguments; exits with status 2 and the usage on stderr if they are not valid."""
    parser = argparse.ArgumentParser(prog="python -m lad_runtime", description="The PyTorch worker of lad.")
    address = parser.add_mutually_exclusive_group(required=True)
    address.add_argument(
        "--socket", metavar="PATH", help="listen on a unix socket; its folder must have mode 0700"
    )
    address.add_argument("--listen", metavar="HOST:PORT", help="listen on TCP; port 0 takes any that is free")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    token = parser.add_mutually_exclusive_group(required=True)
    token.add_argument(
        "--token-stdin",
        action="store_true",
        help="read the token from the first line of stdin, and die with the process at its other end",
    )
    token.add_argument("--token-file", metavar="FILE", type=Path, help="read the token from a file")
    parser.add_argument(
        "--threads",
        metavar="N",
        type=_whole(0, 1024),
        default=0,
        help="CPU threads (default 0: by the base's size)",
    )
    parser.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        help="keep data sets and checkpoints here, while no other worker does (default: a temporary folder)",
    )
    parser.add_argument(
        "--or-next-state",
        action="store_true",
        help="where another worker has DIR, take the first of DIR-2, DIR-3, … that is free; which it is stands on stdout",
    )
    parser.add_argument(
        "--memory-budget",
        metavar="BYTES",
        type=_whole(0, 1 << 50),
        default=0,
        help="refuse what would make bases, adapters, optimizer states and snapshots exceed this (default: 80 %% of the device's "
        "memory)",
    )
    parser.add_argument(
        "--lease-seconds",
        metavar="S",
        type=_whole(0, 86_400),
        default=0,
        help="stop when no client has held the worker for so long (default: never)",
    )
    parser.add_argument(
        "--resume-runs",
        metavar="yes|no",
        nargs="?",
        const=True,
        default=False,
        type=_is_yes,
        help="resume the training runs that the end of the last worker of DIR has interrupted",
    )
    parser.add_argument("--log-level", choices=["debug", "info", "warning", "error"], default="info")
    return Arguments(**vars(parser.parse_args(arguments)))


def _is_yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")
    return text == "yes"


class _whole:
    """An argument type: a whole number within bounds."""

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high

    def __call__(self, text: str) -> int:
        if not text.isdecimal() or not self._low <= int(text) <= self._high:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number from {self._low} to {self._high}"
            )
        return int(text)
