"""Fair sharing: who always wants something gets its share by weight, nobody starves, and newcomers do not wait."""

import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_backend import FakeRequest
from lad_runtime.engine.scheduler.fair_queue import FairQueue
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.types.limits import MAX_SHARE_WEIGHT, MIN_SHARE_WEIGHT

BUDGET = 64
TENANT = st.tuples(
    st.floats(0.1, 8.0),  # weight
    st.integers(1, 2 * BUDGET),  # tokens of each request
    st.sampled_from(["a", "b"]),  # group
)


def job(tenant: Any, weight: float = 1.0, tokens: int = 8, group: str = "a") -> Job:
    made = Job(iter(()), tenant, weight, lambda _: None, lambda _: None)  # type: ignore[arg-type]
    made.request = FakeRequest(tokens=tokens, group=group)
    return made


def serve(turns: FairQueue, batches: int) -> list[list[Job]]:
    """Computes so many batches; whoever was served wants the same again."""
    served = []
    for _ in range(batches):
        batch = turns.next(BUDGET)
        for one in batch:
            turns.add(one)
        served.append(batch)
    return served


def cost_of(batches: list[list[Job]]) -> Counter:
    costs: Counter = Counter()
    for batch in batches:
        for one in batch:
            assert one.request is not None
            costs[one.tenant] += one.request.cost
    return costs


@settings(max_examples=100, deadline=None)
@given(tenants=st.lists(TENANT, min_size=1, max_size=6), batches=st.integers(1, 300))
def test_what_each_gets_is_its_weights_share_to_within_two_batches(tenants: list, batches: int) -> None:
    turns = FairQueue()
    for index, (weight, tokens, group) in enumerate(tenants):
        turns.add(job(index, weight, tokens, group))
    costs = cost_of(serve(turns, batches))
    clocks = [costs[index] / weight for index, (weight, _, _) in enumerate(tenants)]
    slack = max((BUDGET + tokens) / weight for weight, tokens, _ in tenants)
    assert max(clocks) - min(clocks) <= slack + 1e-6


@settings(max_examples=60, deadline=None)
@given(tenants=st.lists(TENANT, min_size=1, max_size=6))
def test_a_batch_is_of_one_group_within_the_budget_or_a_single_request(tenants: list) -> None:
    turns = FairQueue()
    for index, (weight, tokens, group) in enumerate(tenants):
        turns.add(job(index, weight, tokens, group))
    for batch in serve(turns, 30):
        assert batch
        assert len({one.request.group for one in batch}) == 1  # type: ignore[union-attr]
        assert len(batch) == 1 or sum(one.request.tokens for one in batch) <= BUDGET  # type: ignore[union-attr]


def test_an_interactive_request_waits_for_one_micro_step_of_a_trainer() -> None:
    turns = FairQueue()
    turns.add(job("trainer", tokens=BUDGET, group="gradient"))
    serve(turns, 1000)
    turns.add(job("sampler", tokens=8))
    order = [batch[0].tenant for batch in serve(turns, 40)]
    assert order[0] == "sampler"
    # from then on both get the same number of tokens: eight of the sampler's for each of the trainer's
    assert 3 <= order.count("trainer") <= 6


def test_idle_time_is_nobodys_credit() -> None:
    turns = FairQueue()
    sleeper = job("sleeper", tokens=BUDGET, group="b")
    turns.add(sleeper)
    assert turns.next(BUDGET) == [sleeper]
    turns.add(job("worker", tokens=BUDGET))
    serve(turns, 500)
    turns.add(sleeper)
    order = [batch[0].tenant for batch in serve(turns, 20)]
    assert 9 <= order.count("sleeper") <= 11


def test_equal_requests_ride_in_one_batch_however_long_they_go_on() -> None:
    turns = FairQueue()
    for name in "wxyz":
        turns.add(job(name, tokens=16))
    assert all(len(batch) == 4 for batch in serve(turns, 200))


def test_requests_of_different_lengths_are_batched_most_of_the_time() -> None:
    turns = FairQueue()
    for index in range(4):
        turns.add(job(index, tokens=4 + 4 * index))
    batches = serve(turns, 400)
    assert sum(map(len, batches)) / len(batches) > 2


def test_a_sharers_own_requests_go_first_come_first_served() -> None:
    turns = FairQueue()
    jobs = [job("one", tokens=40) for _ in range(3)]
    for each in jobs:
        turns.add(each)
    assert [turns.next(BUDGET) for _ in range(4)] == [[jobs[0]], [jobs[1]], [jobs[2]], []]


def test_clocks_of_those_who_have_gone_are_forgotten() -> None:
    turns = FairQueue()
    for index in range(100):
        turns.add(job(index))
        assert turns.next(BUDGET)
    turns.add(job("last", tokens=1))
    serve(turns, 20)
    assert len(turns._left) <= 2


# --- newcomers ----------------------------------------------------------------------------------------------------------


def busy_with(trainers: int, *, tokens: int = BUDGET) -> FairQueue:
    """Trainers of equal weight that cannot be computed together, long under way."""
    turns = FairQueue()
    for index in range(trainers):
        turns.add(job(("trainer", index), tokens=tokens, group=f"gradient {index}"))
    serve(turns, trainers * (BUDGET // tokens + 4))
    return turns


@settings(max_examples=50, deadline=None)
@given(trainers=st.integers(1, 20), tokens=st.integers(1, 2 * BUDGET), request=st.integers(1, BUDGET))
def test_a_newcomers_first_token_budget_is_computed_before_anyone_elses_turn(
    trainers: int, tokens: int, request: int
) -> None:
    turns = busy_with(trainers, tokens=tokens)
    turns.add(job("request", tokens=request))
    batches = serve(turns, BUDGET // request)
    assert all([one.tenant for one in batch] == ["request"] for batch in batches)


def test_of_several_newcomers_the_one_that_has_had_least_is_first() -> None:
    turns = FairQueue()
    for index in range(200):
        turns.add(job(index, tokens=30))
    serve(turns, 150)
    turns.add(job("short", tokens=4))
    assert turns.next(BUDGET)[0].tenant == "short"


def test_what_a_long_newcomer_has_had_ahead_of_its_turn_it_waits_for_later() -> None:
    turns = busy_with(3)
    turns.add(job("long", tokens=8))
    costs = cost_of(serve(turns, 400))
    shares = [costs[tenant] for tenant in [("trainer", 0), ("trainer", 1), ("trainer", 2), "long"]]
    assert max(shares) - min(shares) <= 2 * BUDGET


def test_the_turns_of_a_sampler_come_between_those_of_many_trainers() -> None:
    turns = busy_with(16)
    turns.add(job("sampler", tokens=3))
    order = [batch[0].tenant == "sampler" for batch in serve(turns, 400)][100:]
    assert all(first or second for first, second in itertools.pairwise(order))


PERMANENT = st.tuples(st.floats(0.1, 8.0), st.integers(1, 2 * BUDGET), st.sampled_from(["a", "b", "c"]))
PASSING = st.tuples(
    st.integers(1, 12),  # at a time
    st.integers(1, BUDGET),  # tokens of each request
    st.integers(1, 12),  # requests of each
)


@settings(max_examples=60, deadline=None)
@given(permanent=st.lists(PERMANENT, min_size=1, max_size=5), passing=PASSING)
def test_however_many_newcomers_keep_coming_half_of_the_device_goes_by_weight(
    permanent: list, passing: tuple[int, int, int]
) -> None:
    at_a_time, tokens, requests = passing
    turns = FairQueue()
    for index, (weight, size, group) in enumerate(permanent):
        turns.add(job(index, weight, size, group))
    open_requests: dict[str, int] = {}
    costs, numbers = Counter(), itertools.count()
    for _ in range(400):
        while len(open_requests) < at_a_time:
            name = f"newcomer {next(numbers)}"
            open_requests[name] = requests
            turns.add(job(name, tokens=tokens, group="newcomers"))
        for one in turns.next(BUDGET):
            costs[one.tenant] += one.request.cost  # type: ignore[union-attr]
            if one.tenant in open_requests:
                open_requests[one.tenant] -= 1
                if open_requests[one.tenant] == 0:
                    del open_requests[one.tenant]
                    continue
            turns.add(one)
    weights = sum(weight for weight, _, _ in permanent) + at_a_time
    for index, (weight, size, _) in enumerate(permanent):
        assert costs[index] >= weight / weights * costs.total() / 2 - 2 * (BUDGET + size)


@pytest.mark.parametrize("weight", [MIN_SHARE_WEIGHT, MAX_SHARE_WEIGHT])
def test_shares_hold_after_a_sharer_of_any_weight(weight: float) -> None:
    turns = FairQueue()
    turns.add(job("extreme", weight, tokens=BUDGET))
    serve(turns, 50)
    turns.next(BUDGET)
    for name, heavy in (("heavy", 3.0), ("light", 1.0)):
        turns.add(job(name, heavy, group=name))
    costs = cost_of(serve(turns, 400))
    assert costs["heavy"] / costs["light"] == pytest.approx(3, rel=0.1)


def test_an_idle_device_leaves_no_debts() -> None:
    turns = FairQueue()
    debtor = job("debtor", MIN_SHARE_WEIGHT, tokens=BUDGET)
    turns.add(debtor)
    turns.add(job("other"))
    while debtor not in turns.next(BUDGET):
        pass
    for one in turns:
        turns.remove(one)
    turns.reset()
    turns.add(job("other", tokens=BUDGET))
    turns.add(debtor)
    assert debtor in turns.next(BUDGET) + turns.next(BUDGET)


# --- cost ---------------------------------------------------------------------------------------------------------------


class CountedRequest(FakeRequest):
    """Counts how often anything of any of them is read."""

    reads = 0

    def __getattribute__(self, name: str) -> Any:
        CountedRequest.reads += 1
        return super().__getattribute__(name)


def test_a_batch_looks_at_the_requests_it_takes_however_many_wait() -> None:
    def reads_a_batch(waiting: int) -> int:
        turns = FairQueue()
        for index in range(waiting):
            one = job(index % 4, tokens=8)
            one.request = CountedRequest(tokens=8, group="a")
            turns.add(one)
        CountedRequest.reads = 0
        assert len(turns.next(BUDGET)) == BUDGET // 8
        assert turns.tokens == 8 * (waiting - BUDGET // 8)
        return CountedRequest.reads

    assert reads_a_batch(40) == reads_a_batch(4000)
