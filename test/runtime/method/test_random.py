"""Random numbers: the published generator, and pure functions of what they are for."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.method.random import Purpose, expand_key, philox4x32, uniform_lanes, uniforms
from training_support import CONTRACT

UINT64 = st.integers(0, 2**64 - 1)
GOLDEN = json.loads((CONTRACT / "philox.json").read_text())


@pytest.mark.parametrize("answer", GOLDEN["knownAnswers"])
def test_the_generator_gives_its_published_known_answers(answer):
    counter = np.array(answer["counter"], dtype=np.uint64)[:, None]
    keys = np.array(expand_key(*answer["key"]), dtype=np.uint64)[..., None]
    assert philox4x32(counter, keys)[:, 0].tolist() == answer["words"]


def test_the_purposes_have_the_numbers_of_the_contract():
    assert {purpose.name: purpose.value for purpose in Purpose} == GOLDEN["purposes"]


def plain_words(seed: int, purpose: int, subject: int, round: int, lane: int, count: int) -> list[int]:
    """The same sequence in plain integers."""
    key = block((purpose, lane, 0, 0), (seed % 2**32, seed // 2**32))[:2]
    words: list[int] = []
    for number in range((count + 3) // 4):
        words += block((number, round, subject % 2**32, subject // 2**32), key)
    return words[:count]


def block(counter, key):
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c0, 2**32)
        high1, low1 = divmod(0xCD9E8D57 * c2, 2**32)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return [c0, c1, c2, c3]


@given(
    UINT64,
    st.sampled_from(Purpose),
    UINT64,
    st.integers(0, 2**32 - 1),
    st.integers(0, 99),
    st.integers(0, 30),
)
def test_numbers_are_those_of_a_plain_version(seed, purpose, subject, round, lane, count):
    words = uniforms(seed, purpose, subject, round, count, lane) * 2**32
    assert words.tolist() == plain_words(seed, purpose, subject, round, lane, count)


@given(UINT64, st.integers(0, 50), st.integers(0, 50))
def test_a_longer_sequence_starts_with_the_shorter_one(seed, a, b):
    short, long = sorted((a, b))
    whole = uniforms(seed, Purpose.DRAW, 0, 3, long)
    assert uniforms(seed, Purpose.DRAW, 0, 3, short).tolist() == whole[:short].tolist()


def test_lanes_drawn_together_are_those_drawn_alone():
    together = uniform_lanes(5, Purpose.NOISE, 9, 2, 13, (4, 0, 7))
    for row, lane in zip(together, (4, 0, 7), strict=True):
        assert row.tolist() == uniforms(5, Purpose.NOISE, 9, 2, 13, lane).tolist()


def test_seed_purpose_subject_round_and_lane_each_give_other_numbers():
    base = {"seed": 1, "purpose": Purpose.NOISE, "subject": 2, "round": 3, "count": 8, "lane": 4}
    changes = [{"seed": 2}, {"purpose": Purpose.ORDER}, {"subject": 3}, {"round": 4}, {"lane": 5}]
    seen = {tuple(uniforms(**{**base, **change}).tolist()) for change in [{}, *changes]}
    assert len(seen) == 6


def test_numbers_are_uniform_and_uncorrelated():
    u = uniforms(3, Purpose.NOISE, 0, 0, 200_000)
    assert u.min() >= 0 and u.max() < 1
    assert abs(u.mean() - 0.5) < 0.003
    counts, _ = np.histogram(u, bins=64, range=(0, 1))
    assert (
        (counts - u.size / 64) ** 2 / (u.size / 64)
    ).sum() < 110  # χ² with 63 degrees of freedom: p > 0.0002
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.01
