"""What only a GPU can show: that CUDA computes what the CPU does, waits for nothing inside a step, and survives running out."""

import gc
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lad_runtime.engine.data.examples import read_examples
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.engine.worker import make_worker
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.policy import PolicySpec
from lad_runtime.tiny.generate import DATA
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.backend import TorchBackend
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.requests import ContextRequest, GradientRequest, LogitsRequest
from lad_runtime.torch_backend.model.compiled_elementwise import compiled_kernels
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.layout import Block
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.replays import Replays
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.training.needs import gradient_needs
from lad_runtime.types.sampling import AnswerEvent, Canvas, SampleTask, SamplingSpec
from lad_runtime.types.training import TrainingControl, TrainTask
from lad_runtime.types.training_events import StepEvent
from lad_runtime.types.work import Request, Work
from method_specs import lad_noise, loss_spec, schedule_spec, window_spec
from sampling_specs import (
    ar_policy,
    draw_spec,
    llada_policy,
    refine_policy,
    remask_policy,
    sampling_spec,
    speculative_policy,
)
from type_specs import adapter_spec, base_spec, forward_spec, optimizer_spec, run_spec

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
CONFIG = LlamaConfig(
    vocab_size=512,
    hidden_size=256,
    intermediate_size=384,
    num_layers=3,
    num_heads=4,
    num_kv_heads=2,
    head_dim=64,
    max_positions=256,
    tied=True,
)
TOLERANCES = {torch.float32: 1e-5, torch.bfloat16: 3e-2, torch.float16: 5e-3}
"""Of a result's norm, against float32 on the CPU."""
DTYPES = pytest.mark.parametrize(
    "dtype", list(TOLERANCES), ids=lambda dtype: str(dtype).removeprefix("torch.")
)


def model_on(device: torch.device, dtype: torch.dtype) -> Llama:
    """The same random weights everywhere, rounded as bfloat16 so that they are the same in every type."""
    source = Llama.random(CONFIG, seed=0, deviation=0.06).weights
    rounded = {name: weight.bfloat16().float() for name, weight in source.items()}
    return Llama(CONFIG, rounded, device=device, dtype=dtype)


def adapter_on(device: torch.device, rank: int = 8, dropout: float = 0.0) -> LoraAdapter:
    targets = ("q_proj", "v_proj", "down_proj")
    spec = adapter_spec(rank=rank, alpha=float(rank), targets=targets, seed=rank, dropout=dropout)
    adapter = LoraAdapter.create(CONFIG, spec, device)
    generator = torch.Generator().manual_seed(rank)
    with torch.no_grad():
        for name, parameter in adapter.parameters.items():
            if name.endswith("lora_B"):
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.02)
    return adapter


def ids(seed: int, length: int) -> Tensor:
    return torch.randint(0, CONFIG.vocab_size, (length,), generator=torch.Generator().manual_seed(seed))


def logits_request(model: Llama, adapters: tuple[LoraAdapter | None, ...]) -> LogitsRequest:
    """Sequences of every mode and any length, with a past and without, of several adapters."""
    segments = []
    for index, adapter in enumerate(adapters):
        seed = 10 * index
        context, cache = (KeyValueCache(model.config, 64, model.device, model.dtype) for _ in range(2))
        prompts = [Segment(ids=ids(seed + 7, 9), adapter=adapter, cache=kept) for kept in (context, cache)]
        compute(model, [ContextRequest.of(*prompts)])
        segments += [
            Segment(ids=ids(seed, 33), adapter=adapter),
            Segment(ids=ids(seed + 1, 5), adapter=adapter),
            Segment(ids=ids(seed + 2, 17), adapter=adapter, mode="causal"),
            Segment(ids=ids(seed + 3, 21), adapter=adapter, mode="prefix", prompt_tokens=8),
            Segment(ids=ids(seed + 4, 12), adapter=adapter, context=context),
            Segment(ids=ids(seed + 5, 3), adapter=adapter, mode="causal", cache=cache),
        ]
    return LogitsRequest(segments=tuple(segments), rows=tuple(torch.arange(len(s.ids)) for s in segments))


def gradient_request(
    adapter: LoraAdapter,
    lengths: tuple[int, ...] = (40, 23, 40),
    dropout_seed: int | None = None,
    **options: Any,
) -> GradientRequest:
    segments = tuple(
        Segment(ids=ids(i, length), adapter=adapter, dropout_seed=dropout_seed)
        for i, length in enumerate(lengths)
    )
    targets = tuple(ids(50 + i, length) for i, length in enumerate(lengths))
    weights = tuple(torch.full((length,), 1 / sum(lengths)) for length in lengths)
    return GradientRequest(segments=segments, targets=targets, weights=weights, **options)


def gradients(
    model: Llama, adapter: LoraAdapter, company: Sequence[LoraAdapter] = (), **options: Any
) -> tuple[Tensor, Tensor]:
    """CE of every token, and all gradients in one row, computed beside the requests of other adapters."""
    others = [gradient_request(other) for other in company]
    losses = compute(model, [*others, gradient_request(adapter, **options)])[-1]
    taken = torch.cat([p.grad.flatten().cpu() for p in adapter.parameters.values()])  # type: ignore[union-attr]
    for parameter in adapter.parameters.values():
        parameter.grad = None
    return torch.cat(losses), taken


def distance(value: Tensor, wanted: Tensor) -> float:
    """‖value − wanted‖ / ‖wanted‖; what is no number is infinitely far."""
    off = float((value.cpu().double() - wanted.double()).norm() / wanted.double().norm())
    return off if off == off else float("inf")


@DTYPES
def test_every_attention_mode_gives_the_cpus_logits(dtype: torch.dtype) -> None:
    adapters = lambda device: (None, adapter_on(device, 8), adapter_on(device, 20))  # noqa: E731
    reference, model = model_on(CPU, torch.float32), model_on(CUDA, dtype)
    (wanted,) = compute(reference, [logits_request(reference, adapters(CPU))])
    (given,) = compute(model, [logits_request(model, adapters(CUDA))])
    for logits, exact in zip(given, wanted, strict=True):
        assert distance(logits, exact) < TOLERANCES[dtype]


def test_in_half_precision_sequences_of_one_mode_share_one_call_whatever_their_past() -> None:
    model = model_on(CUDA, torch.bfloat16)
    request = logits_request(model, (None,))
    unsplit = [segment for segment in request.segments if segment.mode == "full"]
    (block,) = model.batch(unsplit).blocks
    assert isinstance(block, Block)


@DTYPES
def test_gradients_are_the_cpus(dtype: torch.dtype) -> None:
    wanted_ce, wanted = gradients(model_on(CPU, torch.float32), adapter_on(CPU))
    ce, taken = gradients(model_on(CUDA, dtype), adapter_on(CUDA))
    assert distance(ce, wanted_ce) < TOLERANCES[dtype]
    assert distance(taken, wanted) < 3 * TOLERANCES[dtype]


@DTYPES
def test_checkpointing_changes_no_gradient(dtype: torch.dtype) -> None:
    model, adapter = model_on(CUDA, dtype), adapter_on(CUDA)
    _, kept = gradients(model, adapter)
    _, recomputed = gradients(model, adapter, checkpointing=True)
    assert distance(recomputed, kept.cpu()) < TOLERANCES[dtype]


@DTYPES
def test_company_changes_a_result_by_rounding_at_most(dtype: torch.dtype) -> None:
    model = model_on(CUDA, dtype)
    first, second = adapter_on(CUDA, 8), adapter_on(CUDA, 20)
    together = compute(model, [logits_request(model, (first,)), logits_request(model, (second,))])
    for given, adapter in zip(together, (first, second), strict=True):
        (alone,) = compute(model, [logits_request(model, (adapter,))])
        for logits, exact in zip(given, alone, strict=True):
            assert distance(logits, exact.cpu()) < TOLERANCES[dtype]


@DTYPES
def test_company_changes_a_gradient_by_rounding_at_most(dtype: torch.dtype) -> None:
    model, adapter = model_on(CUDA, dtype), adapter_on(CUDA, 8)
    alone_ce, alone = gradients(model, adapter)
    ce, taken = gradients(model, adapter, company=[adapter_on(CUDA, 4), adapter_on(CUDA, 20)])
    assert distance(ce, alone_ce) < TOLERANCES[dtype]
    assert distance(taken, alone) < 3 * TOLERANCES[dtype]


@DTYPES
@pytest.mark.parametrize("checkpointing", [False, True])
def test_dropout_draws_the_same_masks_again(dtype: torch.dtype, checkpointing: bool) -> None:
    model, adapter = model_on(CUDA, dtype), adapter_on(CUDA, dropout=0.3)
    _, wanted = gradients(model, adapter, dropout_seed=5)
    _, again = gradients(model, adapter, dropout_seed=5, checkpointing=checkpointing)
    _, other = gradients(model, adapter, dropout_seed=6)
    assert distance(again, wanted) < TOLERANCES[dtype]
    assert distance(other, wanted) > 10 * TOLERANCES[dtype]


def test_compiled_kernels_give_the_same() -> None:
    kernels, seconds = compiled_kernels(CONFIG, CUDA, torch.bfloat16)
    plain = model_on(CUDA, torch.bfloat16)
    compiled = Llama(CONFIG, plain.weights, device=CUDA, dtype=torch.bfloat16, kernels=kernels)
    assert seconds > 0
    wanted_ce, wanted = gradients(plain, adapter_on(CUDA))
    ce, taken = gradients(compiled, adapter_on(CUDA))
    assert distance(ce, wanted_ce) < 1e-2 and distance(taken, wanted) < 3e-2


def waits(function: Callable[[], Any]) -> int:
    """How often the host waits for the device."""
    function()  # what is made once is made
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            function()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchronizing" in str(warning.message) for warning in caught)


def test_the_host_waits_for_losses_alone() -> None:
    model, adapters = model_on(CUDA, torch.bfloat16), [adapter_on(CUDA, rank) for rank in (4, 8, 20)]
    assert waits(lambda: compute(model, [gradient_request(adapter) for adapter in adapters])) == 1


def test_the_host_waits_for_no_logits() -> None:
    model = model_on(CUDA, torch.bfloat16)
    adapter, context = adapter_on(CUDA), KeyValueCache(CONFIG, 9, CUDA, torch.bfloat16)
    compute(model, [ContextRequest.of(Segment(ids=ids(7, 9), adapter=adapter, cache=context))])
    segments = (
        Segment(ids=ids(0, 13), adapter=adapter),
        Segment(ids=ids(1, 12), adapter=adapter, context=context),
        Segment(ids=ids(2, 12), mode="causal"),
    )
    request = LogitsRequest(segments=segments, rows=(torch.arange(5),) * 3)
    assert waits(lambda: compute(model, [request])) == 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_a_replayed_forward_gives_the_bits_of_the_computed_one(dtype: torch.dtype) -> None:
    model = model_on(CUDA, dtype)
    adapters = (None, adapter_on(CUDA, 8), adapter_on(CUDA, 20))
    segments = [s for s in logits_request(model, adapters).segments if s.cache is None]
    (wanted,) = compute(model, [seen(segments, 0)])  # computed: this layout is met for the first time
    assert (model.replays.recorded, model.replays.replayed) == (0, 0)
    for company in range(4):
        for _ in range(2):  # other layouts' recordings, which take memory of the same pool
            compute(model, [seen(segments[company:], company)])
        (given,) = compute(model, [seen(segments, 0)])
        assert all(torch.equal(one, other) for one, other in zip(given, wanted, strict=True))
        (other_ids,) = compute(model, [seen(segments, 1)])
        assert not torch.equal(other_ids[0], wanted[0])
    assert (model.replays.recorded, model.replays.replayed) == (4, 13)


def seen(segments: Sequence[Segment], seed: int) -> LogitsRequest:
    """The same layout with ids of this seed."""
    filled = tuple(replace(s, ids=ids(seed + 100 * i, len(s.ids))) for i, s in enumerate(segments))
    return LogitsRequest(segments=filled, rows=tuple(torch.arange(len(s.ids)) for s in filled))


def test_weights_that_change_between_two_replays_are_seen() -> None:
    model, adapter = model_on(CUDA, torch.bfloat16), adapter_on(CUDA)
    segments = [Segment(ids=ids(0, 33), adapter=adapter)]
    before = [compute(model, [seen(segments, 0)])[0][0] for _ in range(3)][-1]
    with torch.no_grad():
        for parameter in adapter.parameters.values():
            parameter.mul_(1.5)
    after = compute(model, [seen(segments, 0)])[0][0]
    computing = model_on(CUDA, torch.bfloat16)
    assert torch.equal(after, compute(computing, [seen(segments, 0)])[0][0])
    assert not torch.equal(after, before)
    view, kept = adapter.view(adapter.version), after
    adapter.move()
    with torch.no_grad():
        for parameter in adapter.parameters.values():
            parameter.mul_(1.5)
    old = compute(model, [seen([replace(segments[0], adapter=view)], 0)])[0][0]
    new = compute(model, [seen(segments, 0)])[0][0]
    assert torch.equal(old, kept)
    assert torch.equal(new, compute(computing, [seen(segments, 0)])[0][0]) and not torch.equal(new, old)


def test_the_host_waits_for_no_recording_and_no_replay() -> None:
    model, segments = model_on(CUDA, torch.bfloat16), [Segment(ids=ids(0, 33), adapter=adapter_on(CUDA))]
    other = [Segment(ids=ids(0, 17))]
    waits(lambda: compute(model, [seen(other, 0)]))  # the stream to record on is made
    assert waits(lambda: compute(model, [seen(segments, 0)])) == 0  # recorded
    assert waits(lambda: compute(model, [seen(segments, 0)])) == 0  # replayed
    assert (model.replays.recorded, model.replays.replayed) == (2, 4)


def test_recorded_forwards_give_their_memory_back() -> None:
    model, adapter = model_on(CUDA, torch.bfloat16), adapter_on(CUDA)
    segments = [Segment(ids=ids(0, 129), adapter=adapter)]
    waits(lambda: compute(model, [seen([Segment(ids=ids(0, 17))], 0)]))  # libraries take theirs
    model.replays.drop()
    before = allocated()
    for _ in range(2):  # a pool of memory whose last recording has gone is followed by another
        compute(model, [seen(segments, 0)])
        compute(model, [seen(segments, 0)])
        assert allocated() > before
        assert model.replays.drop()
        assert allocated() == before


def test_others_may_compute_and_copy_while_a_forward_is_recorded() -> None:
    model, stop = model_on(CUDA, torch.bfloat16), threading.Event()

    def busy() -> None:
        while not stop.is_set():
            host = torch.randn(64, 64)
            assert torch.isfinite(host.to(CUDA).mm(host.to(CUDA)).cpu()).all()

    other = threading.Thread(target=busy)
    other.start()
    try:
        for length in range(20, 40):
            segments = [Segment(ids=ids(0, length))]
            given = [compute(model, [seen(segments, 0)])[0][0] for _ in range(3)]
            assert torch.equal(given[0], given[1]) and torch.equal(given[0], given[2])
    finally:
        stop.set()
        other.join()
    assert model.replays.recorded == 20


@pytest.fixture(scope="module")
def backends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TorchBackend]:
    make = lambda name: TorchBackend(device=name, threads=1, state=tmp_path_factory.mktemp(name))  # noqa: E731
    return {"cpu": make("cpu"), "cuda": make("cuda")}


@pytest.fixture(scope="module")
def tiny(backends: dict[str, TorchBackend]) -> Iterator[Callable[[str, str], Base]]:
    loaded: dict[tuple[str, str], Base] = {}

    def get(device: str, dtype: str) -> Base:
        if (device, dtype) not in loaded:
            loaded[device, dtype] = backends[device].load_base(
                base_spec(name="tiny", dtype=dtype), lambda _: None
            )
        return loaded[device, dtype]

    yield get
    for (device, _), base in loaded.items():
        backends[device].unload_base(base)


def drive(backend: TorchBackend, work: Work) -> tuple[list[Any], Any]:
    """A work computed by itself: its events and its outcome."""
    events: list[Any] = []
    reply: Any = None
    while True:
        try:
            item = work.send(reply)
        except StopIteration as end:
            return events, end.value
        if isinstance(item, Request):
            reply = backend.compute([item])[0]
        else:
            events.append(item)
            reply = None


def new_adapter(backend: TorchBackend, base: Base) -> TrainedAdapter:
    spec = adapter_spec(rank=16, alpha=16.0, targets=("q_proj", "v_proj", "o_proj"), seed=1)
    return backend.create_adapter(base, spec)


def training_work(
    backend: TorchBackend,
    base: Base,
    adapter: TrainedAdapter,
    control: TrainingControl | None = None,
    **options: Any,
) -> Work:
    window = window_spec(window=60)
    examples, report = backend.prepare(
        base, read_examples((DATA / "train.jsonl").read_bytes().splitlines()[:64]), window
    )
    training = run_spec(
        dataset_id="tiny",
        window=window,
        noise=lad_noise(),
        loss=loss_spec(supervise="all-answer-tokens"),
        optimizer=optimizer_spec(kind="adamw"),
        schedule=schedule_spec(learning_rate=5e-3, warmup_steps=0, decay="constant"),
        steps=30,
        batch_size=8,
        seed=1,
    )
    spec = replace(training, **options)
    task = TrainTask(spec=spec, data=(examples, report), control=control or TrainingControl())
    return backend.work(base, adapter, task)


def sampling_work(
    backend: TorchBackend,
    base: Base,
    adapter: TrainedAdapter | None,
    prompt: tuple[int, ...],
    number: int,
    spec: SamplingSpec,
) -> Work[AnswerEvent]:
    """One canvas of several, with a seed of its own."""
    task = SampleTask(
        canvas=Canvas(prompt=prompt, seed=number, begin=None, size=None), index=number, spec=spec
    )
    return backend.work(base, adapter, task)


def losses_of(events: list[Any]) -> list[float]:
    return [event.report.loss for event in events if isinstance(event, StepEvent)]


def trained_losses(backend: TorchBackend, base: Base, rate: float, **options: Any) -> list[float]:
    schedule = schedule_spec(learning_rate=rate, warmup_steps=0, decay="constant")
    work = training_work(backend, base, new_adapter(backend, base), schedule=schedule, **options)
    return losses_of(drive(backend, work)[0])


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-3), ("bfloat16", 0.1)])
@pytest.mark.parametrize(("optimizer", "rate"), [("adamw", 5e-3), ("muon", 2e-2)])
@pytest.mark.parametrize("attention", ["full", "causal-prefix"])
def test_a_run_goes_as_it_does_on_the_cpu(
    backends, tiny, dtype: str, tolerance: float, optimizer: str, rate: float, attention: str
) -> None:
    options = {"optimizer": optimizer_spec(kind=optimizer), "attention": attention}
    wanted = trained_losses(backends["cpu"], tiny("cpu", "float32"), rate, **options)
    given = trained_losses(backends["cuda"], tiny("cuda", dtype), rate, **options)
    assert given[0] == pytest.approx(wanted[0], rel=tolerance)
    assert sum(given[-10:]) == pytest.approx(sum(wanted[-10:]), rel=0.1)
    assert sum(given[-10:]) < 0.9 * sum(given[:10])


@pytest.mark.parametrize(
    "policy",
    [ar_policy(), refine_policy(iterations=8), remask_policy(iterations=8), llada_policy(iterations=8)],
    ids=lambda policy: policy.kind,
)
@pytest.mark.parametrize("attention", ["full", "causal-prefix"])
@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_samplers_draw_what_they_draw_on_the_cpu(
    backends, tiny, policy: PolicySpec, attention: str, temperature: float
) -> None:
    spec = sampling_spec(
        policy=policy, answer_tokens=24, attention=attention, draw=draw_spec(temperature=temperature)
    )

    def answers(device: str) -> list[tuple[int, ...]]:
        base, backend = tiny(device, "float32"), backends[device]
        questions = [b"Name the capitals.\nPeru Kenya", b"Give the opposites.\nhot old", b"Add 3 and 4."]
        prompts = [backend.encode(base, [question.decode()], False)[0] for question in questions]
        works = [sampling_work(backend, base, None, prompt, n, spec) for n, prompt in enumerate(prompts)]
        return [drive(backend, work)[1].canvas_ids for work in works]

    pairs = list(zip(answers("cuda"), answers("cpu"), strict=True))
    assert sum(ours == theirs for ours, theirs in pairs) >= 2  # a near tie may turn one


@pytest.mark.parametrize(("dtype", "most"), [("float32", 0.01), ("bfloat16", 1.0)])
@pytest.mark.parametrize("decided", ["canvas", "past"])
def test_speculation_answers_as_the_base_does_but_where_two_tokens_nearly_tie(
    backends, tiny, dtype: str, most: float, decided: str
) -> None:
    backend, base = backends["cuda"], tiny("cuda", dtype)
    adapter = new_adapter(backend, base)
    drive(backend, training_work(backend, base, adapter, attention="causal-prefix"))
    own = sampling_spec(policy=ar_policy(), answer_tokens=24, attention="causal-prefix")
    spec = replace(own, policy=speculative_policy(decided=decided))
    questions = [f"Name the capitals.\n{pair}" for pair in ("Peru Kenya", "Chile Iran", "Portugal Iraq")]
    margins = []
    for number, question in enumerate(questions):
        prompt = backend.encode(base, [question], False)[0]
        drafted, wanted = (
            drive(backend, sampling_work(backend, base, model, prompt, number, kind))[1].canvas_ids
            for model, kind in ((adapter, spec), (None, own))
        )
        margins.append(margin_of(tiny("cpu", "float32"), prompt, drafted, wanted))
    apart = [margin for margin in margins if margin is not None]
    assert all(margin < most for margin in apart), f"{len(apart)} answers differ, by {apart} nats"


def margin_of(
    base: Base, prompt: tuple[int, ...], given: Sequence[int], wanted: Sequence[int]
) -> float | None:
    """Where two answers part, how many nats the base has between their tokens; None for equal answers."""
    if given == wanted:
        return None
    place = next(place for place, (a, b) in enumerate(zip(given, wanted, strict=False)) if a != b)
    ids = torch.tensor([*prompt, *wanted[:place]])
    last = torch.tensor([len(ids) - 1])
    request = LogitsRequest(segments=(Segment(ids=ids, mode="causal"),), rows=(last,))
    logits_1V = compute(base.model, [request])[0][0]
    return abs(float(logits_1V[0, given[place]] - logits_1V[0, wanted[place]]))


@pytest.mark.parametrize("attention", ["full", "causal-prefix"])
def test_an_answer_is_recorded_once_and_replayed_and_is_the_computed_one(
    backends, tiny, attention: str
) -> None:
    backend, base = backends["cuda"], tiny("cuda", "bfloat16")
    snapshot = backend.snapshot(new_adapter(backend, base))
    policy = llada_policy(iterations=24)
    spec = sampling_spec(policy=policy, answer_tokens=24, attention=attention)
    prompt = backend.encode(base, ["Name the capitals.\nPeru Kenya"], False)[0]
    replays = base.model.replays
    recorded, replayed = replays.recorded, replays.replayed
    answer = drive(backend, sampling_work(backend, base, snapshot, prompt, 0, spec))[1]
    assert replays.recorded - recorded <= 1
    assert replays.replayed - replayed == answer.iterations - 1
    base.model.replays = Replays(None)
    try:
        computed = drive(backend, sampling_work(backend, base, snapshot, prompt, 0, spec))[1]
    finally:
        base.model.replays = replays
    assert computed == answer


def test_running_out_of_memory_is_a_named_error_and_the_worker_goes_on(
    backends, tiny, tmp_path: Path
) -> None:
    backend, base = backends["cuda"], tiny("cuda", "bfloat16")
    engine: Engine = make_worker(backend, tmp_path).engine
    free, _ = torch.cuda.mem_get_info()
    hog = torch.empty(free - (200 << 20), dtype=torch.uint8, device=CUDA)
    tokens = tuple([9] * 200)
    spec = sampling_spec(policy=refine_policy(iterations=1, early_stop=False), answer_tokens=40)

    def sample(canvases: int) -> list[Any]:
        works = [sampling_work(backend, base, None, tokens, n, spec) for n in range(canvases)]
        return engine.submit_all(works, tenant="test")

    try:
        big = torch.empty(300 << 20, dtype=torch.uint8, device="cpu")
        with pytest.raises(LadError) as caught:
            engine.call(lambda: big.to(CUDA)).result()
        assert caught.value.code is ErrorCode.OUT_OF_MEMORY
        assert all(job.future.result().iterations == 1 for job in sample(2))
    finally:
        del hog
        torch.cuda.empty_cache()
        engine.stop(10)


def test_the_device_names_itself_and_its_memory(backends) -> None:
    device = backends["cuda"].device()
    assert device.kind == "cuda" and device.name and device.memory_bytes > 1 << 30


def allocated() -> int:
    """Bytes of the tensors that live on the device."""
    gc.collect()
    torch.cuda.synchronize()
    return torch.cuda.memory_allocated()


def rounded_up(tensors: Sequence[Tensor]) -> int:
    """What the allocator adds to so many tensors at most: it gives memory by 512 bytes."""
    return 512 * len(tensors)


def test_what_is_accounted_for_is_what_the_device_holds(backends, tiny) -> None:
    backend, base = backends["cuda"], tiny("cuda", "bfloat16")
    drive(backend, training_work(backend, base, new_adapter(backend, base), steps=1))  # libraries take theirs
    before, counted = allocated(), backend.held().nbytes
    adapter = new_adapter(backend, base)
    drive(backend, training_work(backend, base, adapter, steps=2))
    taken, accounted = allocated() - before, backend.held().nbytes - counted
    assert accounted == 3 * adapter.adapter.weight_nbytes  # weights and AdamW's two states
    assert adapter.optimizer is not None
    tensors = [*adapter.parameters.values(), *adapter.optimizer.state().values()]
    assert accounted <= taken <= accounted + rounded_up(tensors)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_micro_batch_takes_no_more_than_was_asked_for_it(checkpointing: bool) -> None:
    tokens, config = 16_384, replace(CONFIG, num_layers=12)
    model = Llama.random(config, seed=0, device=CUDA, dtype=torch.bfloat16)
    adapter = LoraAdapter.create(config, adapter_spec(rank=8, alpha=8.0, targets=("q_proj", "v_proj")), CUDA)
    request = gradient_request(adapter, (256,) * (tokens // 256), checkpointing=checkpointing)
    compute(model, [request])  # its gradients stay, and the libraries have their workspace
    needs = gradient_needs(
        model,
        256,
        tokens,
        forward_spec(micro_batch_tokens=tokens, gradient_checkpointing=checkpointing, attention="full"),
        TrainedAdapter(adapter),
    )
    before = allocated()
    torch.cuda.reset_peak_memory_stats()
    compute(model, [request])
    torch.cuda.synchronize()
    assert torch.cuda.max_memory_allocated() - before < 1.3 * (needs.state + needs.activations)


def test_the_budget_is_a_share_of_the_devices_memory(backends, tmp_path: Path) -> None:
    worker = make_worker(backends["cuda"], tmp_path)
    worker.engine.stop(10)
    _, total = torch.cuda.mem_get_info()
    assert worker.memory.budget_bytes == pytest.approx(0.8 * total, rel=0.02)


def test_what_exceeds_the_budget_is_refused_before_the_device_is_asked(backends, tmp_path: Path) -> None:
    backend = backends["cuda"]
    worker = make_worker(backend, tmp_path, 1 << 20)
    before = allocated()
    try:
        with pytest.raises(LadError, match="the worker's budget is") as caught:
            worker.bases.load(base_spec(name="tiny", dtype="float32"), lambda _: None)
    finally:
        worker.engine.stop(10)
    assert caught.value.code is ErrorCode.OUT_OF_MEMORY
    assert allocated() == before


def test_a_snapshot_shares_its_adapters_memory_until_a_step_and_keeps_its_weights(backends, tiny) -> None:
    backend, base = backends["cuda"], tiny("cuda", "bfloat16")
    adapter = new_adapter(backend, base)
    drive(backend, training_work(backend, base, adapter, steps=2))
    kept = {name: p.detach().clone() for name, p in adapter.parameters.items()}
    before = allocated()
    snapshot = backend.snapshot(adapter)
    assert allocated() == before
    drive(backend, training_work(backend, base, adapter, steps=1))
    assert all(torch.equal(p, kept[name]) for name, p in snapshot.parameters.items())
    assert not any(torch.equal(p, kept[name]) for name, p in adapter.parameters.items())
    weights, tensors = adapter.adapter.weight_nbytes, list(kept.values())
    assert weights <= allocated() - before <= weights + rounded_up(tensors)


def test_a_checkpoint_brings_weights_and_optimizer_back_to_the_bit(backends, tiny) -> None:
    backend, base = backends["cuda"], tiny("cuda", "bfloat16")
    adapter = new_adapter(backend, base)
    drive(backend, training_work(backend, base, adapter, steps=3))
    backend.save_checkpoint(base, adapter, "to-the-bit")
    loaded = backend.load_checkpoint(base, "to-the-bit")
    assert loaded.steps == 3 and same(loaded.parameters, adapter.parameters)
    assert adapter.optimizer is not None and loaded.optimizer is not None
    assert same(loaded.optimizer.state(), adapter.optimizer.state())


def test_an_optimizer_that_waits_on_the_disk_gives_its_memory_back_and_returns_to_the_bit(
    backends, tiny
) -> None:
    backend, base = backends["cuda"], tiny("cuda", "bfloat16")
    adapter = new_adapter(backend, base)
    drive(backend, training_work(backend, base, adapter, steps=3))
    assert adapter.optimizer is not None
    state = {name: tensor.cpu() for name, tensor in adapter.optimizer.state().items()}
    before = allocated()
    backend.offload(adapter)
    assert before - allocated() >= 2 * adapter.adapter.weight_nbytes
    assert same(adapter.optimizer.state(), state)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-3), ("bfloat16", 5e-2)])
def test_a_resumed_run_goes_on_as_the_one_that_was_not_interrupted(
    backends, tiny, dtype: str, tolerance: float
) -> None:
    backend, base, name = backends["cuda"], tiny("cuda", dtype), f"resumed-{dtype}"
    events, _ = drive(backend, training_work(backend, base, new_adapter(backend, base), steps=20))
    wanted = losses_of(events)
    stops = iter([False] * 9 + [True])
    interrupted = training_work(
        backend,
        base,
        new_adapter(backend, base),
        TrainingControl(stopping=lambda: next(stops)),
        steps=20,
        checkpoint=name,
    )
    with pytest.raises(LadError, match="stopped after step 10 of 20"):
        drive(backend, interrupted)
    resumed = training_work(backend, base, new_adapter(backend, base), steps=20, checkpoint=name, resume=True)
    assert losses_of(drive(backend, resumed)[0]) == pytest.approx(wanted[10:], rel=tolerance)


def test_requests_at_once_are_answered_as_each_is_alone(backends, tiny, tmp_path: Path) -> None:
    backend, base = backends["cuda"], tiny("cuda", "float32")
    engine = make_worker(backend, tmp_path).engine
    spec = sampling_spec(policy=remask_policy(iterations=8), answer_tokens=24, attention="causal-prefix")
    questions = ["Name the capitals.\nPeru Kenya", "Give the opposites.\nhot old", "Add 3 and 4."] * 2
    prompts = backend.encode(base, questions, False)

    def answers(sizes: Sequence[int]) -> list[tuple[int, ...]]:
        canvases = iter(enumerate(prompts))
        jobs: list[Any] = []
        for size in sizes:
            works = [
                sampling_work(backend, base, snapshot, prompt, n, spec)
                for n, prompt in (next(canvases) for _ in range(size))
            ]
            asked = engine.submit_all(works, tenant="test")
            jobs += [job.future.result() for job in asked]
        return [job.canvas_ids for job in jobs]

    def trained_snapshot() -> TrainedAdapter:
        adapter = new_adapter(backend, base)
        drive(backend, training_work(backend, base, adapter, steps=5))
        return backend.snapshot(adapter)

    try:
        snapshot = engine.call(trained_snapshot).result()
        pairs = zip(answers([6]), answers([1] * 6), strict=True)
        assert sum(together == alone for together, alone in pairs) >= 5  # a near tie may turn one
    finally:
        engine.stop(10)


def same(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> bool:
    """To the bit, wherever they lie."""
    return given.keys() == wanted.keys() and all(torch.equal(given[n].cpu(), wanted[n].cpu()) for n in given)
