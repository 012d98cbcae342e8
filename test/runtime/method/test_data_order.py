"""Data order: a pure function of seed and epoch, cut into batches that cross epoch borders."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.method.data_order import batch, permutation

SEEDS = st.integers(0, 2**64 - 1)


@given(SEEDS, st.integers(0, 1000), st.integers(1, 60))
def test_an_epoch_has_every_row_once(seed, epoch, examples):
    assert sorted(permutation(seed, epoch, examples)) == list(range(examples))


@given(SEEDS, st.integers(1, 20), st.integers(1, 9))
def test_batches_end_to_end_are_the_epochs_end_to_end(seed, examples, batch_size):
    steps = 2 * examples
    drawn = list(chain.from_iterable(batch(seed, examples, batch_size, step) for step in range(steps)))
    wanted = [
        (epoch, row) for epoch in range(2 * batch_size) for row in permutation(seed, epoch, examples).tolist()
    ]
    assert [(draw.epoch, draw.row) for draw in drawn] == wanted


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = {tuple(permutation(seed, epoch, 50).tolist()) for seed, epoch in ((0, 0), (0, 1), (1, 0))}
    assert len(orders) == 3


def test_every_row_is_as_likely_to_come_first():
    firsts = [0] * 5
    for epoch in range(2000):
        firsts[permutation(3, epoch, 5)[0]] += 1
    assert max(firsts) < 1.25 * min(firsts)
