"""A backend without torch whose computations are arithmetic: what the engine and the server are tested with."""

import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lad_runtime.engine.backend import DeviceInfo
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.loss_report import ExampleLosses
from lad_runtime.method.policies.policy import DenoisingPolicy
from lad_runtime.types.adapters import AdapterClaims, AdapterSpec, MergeSpec, StoredCheckpoint
from lad_runtime.types.bases import BaseInfo, BaseSpec, LoadProgress
from lad_runtime.types.data import (
    CutExample,
    Example,
    Message,
    PreparedExample,
    WindowReport,
    WindowSpec,
)
from lad_runtime.types.evaluation import Score, ScoreItem, ScoreTask
from lad_runtime.types.memory import HeldMemory, Needs, TrainingNeeds
from lad_runtime.types.primitives import (
    ForwardBackwardResult,
    ForwardBackwardTask,
    NoisedExamples,
    NoisedForwardBackwardTask,
    OptimStepResult,
    OptimStepTask,
    TargetedSequence,
    ValidateTask,
)
from lad_runtime.types.runs import RunPaused, RunResumed
from lad_runtime.types.sampling import (
    AnswerEvent,
    Canvas,
    Edit,
    FrameEvent,
    PredictCanvas,
    Prediction,
    PredictTask,
    SampleTask,
    SamplingSpec,
)
from lad_runtime.types.task import Task
from lad_runtime.types.training import TrainingControl, TrainingSpec, TrainTask
from lad_runtime.types.training_events import (
    CheckpointEvent,
    LossReport,
    StepEvent,
    TrainingOutcome,
    TrainingStarted,
)
from lad_runtime.types.work import Park, Request, Work, ask
from method_specs import targeted_sequence
from type_specs import adapter_spec

REPORT = LossReport(
    loss=1.0,
    ce=1.0,
    content_ce=1.0,
    tail_ce=1.0,
    corrupted_ce=1.0,
    corrupted_content_ce=1.0,
    tokens=8,
    supervised_tokens=8,
    content_tokens=8,
    tail_tokens=0,
    corrupted_tokens=4,
    corrupted_content_tokens=4,
)


@dataclass(frozen=True)
class FakeRequest(Request[float]):
    """Asks for `value` + 1. `fails` makes any batch that it is in fail."""

    value: float = 0
    tokens: int = 8
    group: Hashable = "fake"
    fails: BaseException | None = None

    @property
    def cost(self) -> int:
        return self.tokens


@dataclass
class FakeBase:
    info: BaseInfo


@dataclass(eq=False)
class FakeAdapter:
    spec: AdapterSpec
    steps: int = 0
    gradient: float = 0.0
    parameter_count: int = 64
    weight_nbytes: int = 256
    state_nbytes: int = 0
    offloaded_nbytes: int = 0
    snapshot_nbytes: int = 0
    claims: AdapterClaims | None = None

    @property
    def nbytes(self) -> int:
        return self.weight_nbytes + self.state_nbytes


def base_info(**changes: Any) -> BaseInfo:
    info = BaseInfo(
        id="",
        name="fake",
        revision="r1",
        parameter_count=1000,
        nbytes=4000,
        dtype="float32",
        vocab_size=300,
        hidden_size=8,
        num_layers=2,
        num_heads=2,
        num_kv_heads=1,
        max_positions=128,
        projections=("q_proj", "v_proj"),
        max_rank=64,
        mask_token="[MASK]",
        mask_token_id=257,
        eos_token="[EOS]",
        eos_token_id=256,
        system_prompt="",
        has_chat_template=True,
    )
    return replace(info, **changes)


@dataclass
class FakeBackend:
    """Records what it computes. `seconds` is how long one batch takes; `gate`, where set, holds every batch up."""

    seconds: float = 0.0
    token_budget: int = 64
    batches: list[list[FakeRequest]] = field(default_factory=list)
    saved: dict[str, FakeAdapter] = field(default_factory=dict)
    gate: threading.Event | None = None
    computing: threading.Event = field(default_factory=threading.Event)
    bases: int = 0
    adapters: "weakref.WeakSet[FakeAdapter]" = field(default_factory=weakref.WeakSet)

    def compute(self, requests: Sequence[FakeRequest]) -> list[float]:
        self.batches.append(list(requests))
        self.computing.set()
        if self.gate is not None:
            assert self.gate.wait(30)
        time.sleep(self.seconds)
        for request in requests:
            if request.fails is not None:
                raise request.fails
        return [request.value + 1 for request in requests]

    def describe(self, error: BaseException) -> LadError | None:
        if isinstance(error, ArithmeticError):
            return LadError(ErrorCode.OUT_OF_MEMORY, "The fake device is out of memory.")
        return None

    def device(self) -> DeviceInfo:
        return DeviceInfo(kind="cpu", name="fake", threads=1, torch_version="none", memory_bytes=1 << 30)

    def held(self) -> HeldMemory:
        return HeldMemory(lasting=4000 * self.bases + sum(adapter.nbytes for adapter in self.adapters))

    def keep_prompts(self, nbytes: int) -> None:
        pass

    def adapter_bytes(self, base: FakeBase, spec: AdapterSpec) -> int:
        return 256

    def checkpoints(self) -> list[StoredCheckpoint]:
        return [
            StoredCheckpoint(
                name=name, base_name="fake", base_revision="", rank=adapter.spec.rank, steps=0, nbytes=0
            )
            for name, adapter in sorted(self.saved.items())
        ]

    def checkpoint_bytes(self, name: str) -> int:
        return 256

    def needs(self, base: FakeBase, adapter: FakeAdapter | None, tasks: Sequence[Task[object]]) -> Needs:
        match tasks[0]:
            case TrainTask(spec=spec):
                tokens = spec.micro_batch_tokens
                return Needs(training=TrainingNeeds(state=768, activations=tokens, tokens=tokens))
            case ForwardBackwardTask() | NoisedForwardBackwardTask() | OptimStepTask():
                return Needs(training=TrainingNeeds(state=0, activations=0, tokens=1))
        return Needs()

    def check(self, base: FakeBase, task: Task[object]) -> None:
        match task:
            case TrainTask(spec=spec) if spec.attention != "full":
                raise LadError(ErrorCode.INVALID_OPTION, "The fake trains in full.", option="attention")
            case SampleTask() if task.tokens > base.info.max_positions:
                raise LadError(ErrorCode.INVALID_OPTION, "prompt is too long.", option="prompt")

    def work(self, base: FakeBase, adapter: FakeAdapter | None, task: Task[Any]) -> Work[Any]:
        if isinstance(task, SampleTask):
            return self._sample(adapter, task.canvas, task.index, task.spec)
        if isinstance(task, PredictTask):
            return self._predict(task.canvases)
        if isinstance(task, ScoreTask):
            return self._score(task.items)
        if isinstance(task, ValidateTask):
            return self._validate(task)
        assert adapter is not None
        match task:
            case TrainTask(data=data) if data is not None:
                return self._train(adapter, *data, task.spec, task.validation, task.control)
            case ForwardBackwardTask():
                return self._forward_backward(adapter, task.sequences)
            case NoisedForwardBackwardTask():
                return self._forward_backward_noised(adapter, task.examples, task.given)
            case OptimStepTask():
                return self._optim_step(adapter)
        raise AssertionError(task)

    def offload(self, adapter: FakeAdapter) -> None:
        adapter.offloaded_nbytes, adapter.state_nbytes = adapter.state_nbytes, 0

    def load_base(
        self, spec: BaseSpec, progress: Callable[[LoadProgress], None], admit: Callable[[int], None]
    ) -> FakeBase:
        if spec.name == "missing":
            raise LadError(ErrorCode.NOT_FOUND, "There is no base missing.", option="base", value=spec.name)
        admit(4000)
        self.bases += 1
        progress(LoadProgress(phase="read", done=1, total=2))
        time.sleep(self.seconds)
        progress(LoadProgress(phase="read", done=2, total=2))
        return FakeBase(info=base_info(id=f"{spec.name}-r1", name=spec.name))

    def unload_base(self, base: FakeBase) -> None:
        self.bases -= 1

    def encode(
        self, base: FakeBase, texts: Sequence[str], allow_special: bool, add_special: bool = False
    ) -> list[tuple[int, ...]]:
        return [tuple(text.encode()) for text in texts]

    def decode(self, base: FakeBase, sequences: Sequence[Sequence[int]], keep_special: bool) -> list[str]:
        return [bytes(i for i in ids if i < 256).decode("utf-8", "replace") for ids in sequences]

    def render(
        self,
        base: FakeBase,
        messages: Sequence[Message],
        add_generation_prompt: bool,
        allow_special: bool,
    ) -> tuple[str, tuple[int, ...]]:
        text = "".join(f"<{message.role}>{message.content}" for message in messages)
        text += "<assistant>" if add_generation_prompt else ""
        return text, tuple(text.encode())

    def prepare(
        self, base: FakeBase, examples: Iterable[Example], window: WindowSpec
    ) -> tuple[list[PreparedExample], WindowReport]:
        prepared, total = [], 0
        for example in examples:
            total += 1
            ids = tuple("".join(message.content for message in example.messages).encode())
            if len(ids) <= window.window:
                ones = (True,) * len(ids)
                prepared.append(
                    PreparedExample(id=example.id, ids=ids, answer=ones, tail=(False,) * len(ids))
                )
            elif window.too_long == "error":
                raise LadError(ErrorCode.INVALID_DATA, f"Example {example.id} is too long.")
        if not prepared:
            raise LadError(ErrorCode.INVALID_DATA, f"No example is left of {total}.", option="windowTokens")
        report = WindowReport(
            examples=total,
            kept=len(prepared),
            dropped=total - len(prepared),
            truncated=0,
            prompt_tokens=0,
            answer_tokens=sum(len(example.ids) for example in prepared),
            tail_tokens=0,
        )
        return prepared, report

    def cut(self, base: FakeBase, examples: Iterable[Example], window: WindowSpec) -> Iterator[CutExample]:
        """A token for each byte; the last message is the answer, without a token that ends it."""
        for example in examples:
            *_, answer = (message.content.encode() for message in example.messages)
            ids = "".join(message.content for message in example.messages).encode()
            fits = len(ids) <= window.window
            yield CutExample(
                example=example,
                tokens=len(ids),
                prompt_tokens=len(ids) - len(answer),
                fits=fits,
                ids=ids if fits else b"",
                answer=[place >= len(ids) - len(answer) for place in range(len(ids) if fits else 0)],
                padding=(0,),
                special_tokens=0,
                mask_tokens=0,
            )

    def create_adapter(self, base: FakeBase, spec: AdapterSpec) -> FakeAdapter:
        made = FakeAdapter(spec=spec)
        self.adapters.add(made)
        return made

    def snapshot(self, adapter: FakeAdapter) -> FakeAdapter:
        return replace(adapter)

    def export_adapter(
        self, base: FakeBase, adapter: FakeAdapter, folder: Path, *, with_card: bool = False
    ) -> None:
        (folder / "adapter_config.json").write_bytes(b"{}")
        (folder / "adapter_model.safetensors").write_bytes(bytes(3 << 20))

    def merge(self, base: FakeBase, exported: Path, spec: MergeSpec) -> Iterator[tuple[str, bytes]]:
        for piece in range(64):
            yield "model.safetensors", bytes([piece]) * (1 << 20)

    def merge_bytes(self, base: FakeBase, spec: AdapterSpec) -> int:
        return 256

    def import_bytes(self, folder: Path) -> int:
        return sum(path.stat().st_size for path in folder.iterdir())

    def import_adapter(self, base: FakeBase, folder: Path, *, allow_other_base: bool = False) -> FakeAdapter:
        names = {path.name for path in folder.iterdir()}
        if names != {"adapter_config.json", "adapter_model.safetensors"}:
            raise LadError(ErrorCode.INVALID_FILE, f"These are no adapter's files: {sorted(names)}.")
        return FakeAdapter(spec=adapter_spec(rank=4, alpha=4, targets=("q_proj",)))

    def has_checkpoint(self, name: str) -> bool:
        return name in self.saved

    def save_checkpoint(
        self, base: FakeBase, adapter: FakeAdapter, name: str, *, replace: bool = False
    ) -> str:
        self.saved[name] = copy(adapter)
        return "0" * 64

    def delete_checkpoint(self, name: str) -> None:
        if self.saved.pop(name, None) is None:
            raise LadError(ErrorCode.NOT_FOUND, f"There is no checkpoint {name}.", option="name", value=name)

    def load_checkpoint(self, base: FakeBase, name: str) -> FakeAdapter:
        if name not in self.saved:
            raise LadError(ErrorCode.NOT_FOUND, f"There is no checkpoint {name}.", option="name", value=name)
        return replace(self.saved[name])

    def _train(
        self,
        adapter: FakeAdapter,
        examples: Sequence[PreparedExample],
        report: WindowReport,
        spec: TrainingSpec,
        validation: tuple[Sequence[PreparedExample], WindowReport] | None,
        control: TrainingControl,
    ) -> Work[TrainingOutcome]:
        yield TrainingStarted(
            report=report,
            validation_report=validation[1] if validation else None,
            trainable_parameters=64,
            accounted_bytes=256,
            from_step=0,
        )
        for step in range(1, spec.steps + 1):
            if control.pausing():
                yield RunPaused(steps=step - 1)
                while control.pausing() and not control.stopping():
                    yield Park()
                yield RunResumed(steps=step - 1)
            yield FakeRequest(value=step, tokens=spec.batch_size)
            adapter.steps += 1
            yield StepEvent(
                step=step,
                epoch=0.0,
                report=REPORT,
                gradient_norm=1.0,
                learning_rate=1e-3,
                seconds=0.0,
                tokens_per_second=1.0,
            )
            if control.stopping():
                if spec.checkpoint:
                    self.saved[spec.checkpoint] = replace(adapter)
                    yield CheckpointEvent(step=step, name=spec.checkpoint)
                raise LadError(ErrorCode.CANCELLED, "The worker is stopping.")
        return TrainingOutcome(
            steps=spec.steps, report=REPORT, validation=None, seconds=0.1, tokens_per_second=1.0
        )

    def _forward_backward(
        self, adapter: FakeAdapter, sequences: Sequence[TargetedSequence]
    ) -> Work[ForwardBackwardResult]:
        fails = ValueError("poison") if sequences[0].ids[0] == 13 else None
        gradient = yield from ask(FakeRequest(value=len(sequences), fails=fails))
        adapter.gradient += gradient
        return ForwardBackwardResult(
            loss=adapter.gradient,
            tokens=sum(len(sequence.ids) for sequence in sequences),
            supervised_tokens=1,
            ce=tuple(sequence.weights for sequence in sequences),
        )

    def _forward_backward_noised(
        self, adapter: FakeAdapter, examples: Sequence[PreparedExample], given: NoisedExamples
    ) -> Work[ForwardBackwardResult]:
        chosen = [examples[row] for row in given.rows]
        sequences = [
            targeted_sequence(ids=example.ids, targets=example.ids, weights=(1.0,) * len(example.ids))
            for example in chosen
        ]
        return (yield from self._forward_backward(adapter, sequences))

    def _optim_step(self, adapter: FakeAdapter) -> Work[OptimStepResult]:
        adapter.steps += 1
        norm, adapter.gradient = adapter.gradient, 0.0
        return OptimStepResult(gradient_norm=norm, step=adapter.steps)
        yield

    def _validate(self, task: ValidateTask) -> Work[tuple[LossReport, WindowReport, ExampleLosses]]:
        examples, report = task.data
        loss = yield from ask(FakeRequest(value=len(examples)))
        own = ExampleLosses(nats=(0.5,) * len(examples), tokens=(1,) * len(examples))
        return replace(REPORT, loss=loss), report, own

    def _sample(
        self, adapter: FakeAdapter | None, canvas: Canvas, index: int, spec: SamplingSpec
    ) -> Work[AnswerEvent]:
        assert isinstance(spec.policy, DenoisingPolicy)
        iterations, tokens = spec.policy.iterations, len(canvas.prompt) + spec.answer_tokens
        fails = ValueError("a secret detail") if canvas.seed == 13 else None
        answer = (adapter.steps if adapter else 0,) * spec.answer_tokens
        for iteration in range(iterations):
            yield FakeRequest(value=iteration, tokens=tokens, fails=fails)
            if spec.frames:
                edits = tuple(
                    Edit(position=p, old=257, new=answer[p], confidence=0.5, remasked=False, kept=False)
                    for p in range(spec.answer_tokens)
                )
                yield FrameEvent(
                    canvas=index,
                    iteration=iteration,
                    iterations=iterations,
                    edits=edits,
                    answer=answer,
                    masked=0,
                    state=None,
                )
        return AnswerEvent(
            canvas=index,
            ids=answer,
            canvas_ids=answer,
            text="x",
            iterations=iterations,
            stopped="iterations",
            pinned=(),
        )

    def _predict(self, canvases: Sequence[PredictCanvas]) -> Work[tuple[Prediction, ...]]:
        yield FakeRequest()
        return tuple(
            Prediction(
                ids=canvas.ids[canvas.answer_start :],
                confidences=(0.5,),
                entropies=(0.25,),
                standing=(0.125,),
                top_ids=(),
                top_probabilities=(),
                logits=b"",
            )
            for canvas in canvases
        )

    def _score(self, items: Sequence[ScoreItem]) -> Work[tuple[Score, ...]]:
        yield FakeRequest()
        return tuple(
            Score(log_likelihood=-1.5, token_log_likelihoods=(-1.5,), greedy=True, estimates=())
            for _ in items
        )
