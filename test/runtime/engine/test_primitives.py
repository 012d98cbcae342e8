"""What `forwardBackward` is given is checked once, against its base, before anything is computed."""

from collections.abc import Iterator

import pytest

from lad_runtime.errors import ErrorCode, LadError
from method_specs import targeted_sequence
from type_specs import forward_spec
from worker_support import Bench

POSITIONS, VOCABULARY = 1024, 261  # of the base `stub`


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("state"))
    yield bench
    bench.worker.engine.stop(10)


@pytest.mark.parametrize(
    ("ids", "targets", "text", "option", "value"),
    [
        ((5, VOCABULARY), (5, 6), f"ids has the token id {VOCABULARY}: base stub has", "ids", VOCABULARY),
        (
            (5, 6),
            (5, VOCABULARY),
            f"targets has the token id {VOCABULARY}: base stub has",
            "targets",
            VOCABULARY,
        ),
        ((5, 6), (5, -2), "targets has the token id -2: base stub has", "targets", -2),
        (
            (5,) * (POSITIONS + 1),
            (5,) * (POSITIONS + 1),
            f"ids makes a sequence of {POSITIONS + 1} tokens",
            "ids",
            POSITIONS + 1,
        ),
    ],
)
def test_what_the_base_does_not_have_is_named_before_anything_is_computed(
    bench: Bench, ids: tuple[int, ...], targets: tuple[int, ...], text: str, option: str, value: int
) -> None:
    base = bench.base()
    assert (base.info.max_positions, base.info.vocab_size) == (POSITIONS, VOCABULARY)
    adapter = bench.adapter(base)
    sequence = targeted_sequence(ids=ids, targets=targets, weights=(1.0,) * len(ids))
    with pytest.raises(LadError, match=text) as caught:
        bench.worker.primitives.forward_backward(adapter.id, 1, (sequence,), forward_spec())
    assert caught.value.code is ErrorCode.INVALID_OPTION
    assert (caught.value.option, caught.value.value) == (option, str(value))
    assert adapter.calls.last == 0


def test_no_sequences_are_no_call(bench: Bench) -> None:
    adapter = bench.adapter(bench.base())
    with pytest.raises(LadError, match="sequences is 0: a call holds from 1 to 4096"):
        bench.worker.primitives.forward_backward(adapter.id, 1, (), forward_spec())
