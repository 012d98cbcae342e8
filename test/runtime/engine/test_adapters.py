"""Adapters that do not go with their base."""

from pathlib import Path

import pytest

from fake_backend import FakeBackend
from lad_runtime.engine.worker import make_worker
from lad_runtime.errors import LadError
from type_specs import adapter_spec, base_spec


@pytest.mark.parametrize(
    ("rank", "target", "message"),
    [
        (65, "q_proj", "rank is 65: it must be a whole number at least 1 and at most 64"),
        (4, "lm_head", "targets is lm_head: the base has no such projection. Give some of q_proj, v_proj"),
    ],
)
def test_an_adapter_that_its_base_does_not_allow_is_refused(
    tmp_path: Path, rank: int, target: str, message: str
) -> None:
    worker = make_worker(FakeBackend(), tmp_path)  # type: ignore[arg-type]
    base = worker.bases.load(base_spec(name="fake"), lambda _: None)
    with pytest.raises(LadError, match=message):
        worker.adapters.create(base.id, adapter_spec(rank=rank, alpha=4.0, targets=(target,)))
    worker.drain(30)
