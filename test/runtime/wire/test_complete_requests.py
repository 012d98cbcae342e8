"""Requests arrive complete: what a client leaves out is no value that the worker chooses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "support" / "request_values.py"


@pytest.fixture(scope="module")
def defaults() -> dict[str, list[str]]:
    """By each class that a request is read into: its fields with a default."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    shown = subprocess.run([sys.executable, SCRIPT], env=env, check=True, capture_output=True, text=True)
    return dict(json.loads(shown.stdout))


def test_every_value_of_a_request_is_looked_at_and_what_it_is_made_of(defaults: dict[str, list[str]]) -> None:
    """Those that services read themselves, those of what computes, and those within others."""
    assert {
        "TrainingSpec",
        "ScoreTask",
        "ScoreItem",
        "TargetedSequence",
        "LadNoise",
        "RemaskPolicy",
        "Message",
    } <= defaults.keys()


def test_no_field_of_a_requests_value_has_a_default(defaults: dict[str, list[str]]) -> None:
    assert {kind: names for kind, names in defaults.items() if names} == {}
