"""What reservations and what is held come to together."""

from typing import Any

from fake_backend import FakeAdapter
from lad_runtime.engine.memory.reservations import Reservation, committed
from lad_runtime.types.memory import HeldMemory, TrainingNeeds
from type_specs import adapter_spec

SPEC = adapter_spec(rank=4, alpha=4, targets=("q_proj",))


def held(**options: Any) -> HeldMemory:
    return HeldMemory(**{"lasting": 0, **options})


def trained(state: int = 0, activations: int = 0, tokens: int = 10, now: int = 0) -> Reservation:
    needs = TrainingNeeds(state=state, activations=activations, tokens=tokens)
    return Reservation(adapter=FakeAdapter(SPEC, state_nbytes=now), needs=needs)


def test_what_is_held_counts_but_for_kept_prompts_and_so_does_what_snapshots_will_take() -> None:
    assert committed([], held(lasting=1, snapshots=2, caches=4, reserved=8, kept=16), 10) == 15


def test_a_state_that_is_held_already_is_not_promised_again() -> None:
    assert committed([trained(state=100, now=30)], held(lasting=30), 10) == 100
    assert committed([trained(state=100, now=200)], held(lasting=200), 10) == 200


def test_all_who_will_read_an_adapters_weights_are_promised_one_snapshot_until_there_is_one() -> None:
    adapter, other = (FakeAdapter(SPEC, snapshot_nbytes=10) for _ in range(2))
    reservations = [Reservation(snapshot_of=each) for each in (adapter, adapter, other)]
    assert committed(reservations, held(), 10) == 20
    adapter.snapshot_nbytes = 0  # which is reserved from then on
    assert committed(reservations, held(reserved=10), 10) == 20


def test_caches_count_as_what_is_promised_or_what_is_held_whichever_is_more() -> None:
    reservations = [Reservation(caches=50), Reservation(caches=20)]
    assert committed(reservations, held(caches=30), 10) == 70
    assert committed(reservations, held(caches=90), 10) == 90


def test_micro_batches_of_several_runs_count_up_to_what_one_batch_takes_of_them() -> None:
    runs = [trained(activations=40, tokens=4)] * 3
    assert committed(runs[:2], held(), 10) == 80
    assert committed(runs, held(), 10) == 100


def test_a_micro_batch_beyond_the_token_budget_counts_whole_and_no_other_beside_it() -> None:
    assert (
        committed([trained(activations=300, tokens=30), trained(activations=40, tokens=4)], held(), 10) == 300
    )
