"""The golden files that TypeScript reads are what Python computes today."""

import importlib.util

import pytest

from training_support import CONTRACT

_spec = importlib.util.spec_from_file_location("training_golden", CONTRACT / "training_golden.py")
assert _spec is not None and _spec.loader is not None
golden = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(golden)


@pytest.mark.parametrize("name", golden.FILES)
def test_a_golden_file_is_what_its_generator_writes(name):
    assert (CONTRACT / name).read_text() == golden.text(golden.FILES[name]()) + "\n"
