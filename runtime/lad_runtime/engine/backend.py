"""What the engine asks of a backend: the one class that a new kind of device has to offer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lad_runtime.errors import LadError
from lad_runtime.types.adapters import AdapterSpec
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.bases import BaseInfo, BaseSpec, LoadProgress
from lad_runtime.types.data import Example, Message, PreparedExample, WindowReport, WindowSpec
from lad_runtime.types.evaluation import ScoreItem
from lad_runtime.types.memory import HeldMemory, TrainingNeeds
from lad_runtime.types.primitives import ForwardSpec, NoisedExamples, TargetedSequence
from lad_runtime.types.sampling import Canvas, PredictCanvas, PredictSpec, SamplingSpec
from lad_runtime.types.training import LossSpec, NoiseSpec, OptimizerSpec, TrainingControl, TrainingSpec
from lad_runtime.types.work import Work


@dataclass(frozen=True, kw_only=True)
class DeviceInfo:
    kind: str  # cpu | cuda
    name: str
    threads: int  # of the largest resident base, or as the caller set them
    torch_version: str
    memory_bytes: int


class ResidentBase(Protocol):
    """A frozen base on the device. The engine reads `info` and hands the rest back to the backend unread."""

    @property
    def info(self) -> BaseInfo: ...


class ResidentAdapter(Protocol):
    """An adapter on the device, with its gradients and its optimizer's state; or a snapshot, which has neither."""

    @property
    def spec(self) -> AdapterSpec: ...

    @property
    def parameter_count(self) -> int: ...

    @property
    def nbytes(self) -> int:
        """Weights, and what they are trained with."""
        ...

    @property
    def state_nbytes(self) -> int:
        """Gradients and optimizer state, those on the disk not counted."""
        ...

    @property
    def offloaded_nbytes(self) -> int:
        """Optimizer state on the disk."""
        ...

    @property
    def snapshot_nbytes(self) -> int:
        """What a snapshot taken now may come to take: 0 where there is one of the same weights."""
        ...

    @property
    def steps(self) -> int: ...


BaseT = TypeVar("BaseT", bound=ResidentBase)
AdapterT = TypeVar("AdapterT", bound=ResidentAdapter)


class Backend(Protocol[BaseT, AdapterT]):
    """Computes. Methods down to `prepare` may be called from any thread; all others run on the engine's thread."""

    @property
    def token_budget(self) -> int:
        """Tokens of the flat batch at which the device is busy: requests are merged up to here."""
        ...

    def device(self) -> DeviceInfo: ...

    def load_base(
        self, spec: BaseSpec, progress: Callable[[LoadProgress], None], admit: Callable[[int], None]
    ) -> BaseT:
        """`admit` is called with the bytes of the weights before any are read, and raises where they do not fit."""
        ...

    def held(self) -> HeldMemory: ...

    def keep_prompts(self, nbytes: int) -> None:
        """Drops kept prompts, those used longest ago first, until they take no more than this, and never keeps more again."""
        ...

    def adapter_bytes(self, base: BaseT, spec: AdapterSpec) -> int: ...

    def checkpoint_bytes(self, name: str) -> int:
        """What loading a checkpoint takes; 0 where there is none."""
        ...

    def has_checkpoint(self, name: str) -> bool: ...

    def import_bytes(self, folder: Path) -> int:
        """What importing the adapter in a folder takes, by the shapes in its files. Raises LadError(INVALID_FILE)."""
        ...

    def sampling_bytes(self, base: BaseT, canvases: Sequence[Canvas], spec: SamplingSpec) -> int:
        """Keys and values that the works of a sampling request read, at most and all together."""
        ...

    def prediction_bytes(self, base: BaseT, canvases: Sequence[PredictCanvas], spec: PredictSpec) -> int:
        """Keys and values that a prediction reads at once."""
        ...

    def training_needs(self, base: BaseT, adapter: AdapterT, spec: TrainingSpec) -> TrainingNeeds: ...

    def gradient_needs(
        self, base: BaseT, adapter: AdapterT, longest: int, total: int, forward: ForwardSpec
    ) -> TrainingNeeds:
        """Of `forward_backward` over sequences of `total` tokens, the longest of which has `longest`."""
        ...

    def step_needs(self, adapter: AdapterT, optimizer: OptimizerSpec) -> TrainingNeeds: ...

    def unload_base(self, base: BaseT) -> None: ...

    def encode(self, base: BaseT, texts: Sequence[str], allow_special: bool = False) -> list[tuple[int, ...]]:
        """Special tokens that are written out in a text are text, unless `allow_special`."""
        ...

    def decode(self, base: BaseT, sequences: Sequence[Sequence[int]], keep_special: bool) -> list[str]: ...

    def render(
        self,
        base: BaseT,
        messages: Sequence[Message],
        add_generation_prompt: bool,
        allow_special: bool = False,
    ) -> tuple[str, tuple[int, ...]]:
        """A chat through the base's template: the text and its token ids. `allow_special` as in `encode`, for the messages."""
        ...

    def prepare(
        self, base: BaseT, examples: Iterable[Example], window: WindowSpec
    ) -> tuple[Sequence[PreparedExample], WindowReport]:
        """Token windows; at least one, or LadError(INVALID_DATA)."""
        ...

    def describe(self, error: BaseException) -> LadError | None:
        """The typed error for one of the device's own (out of memory), or None."""
        ...

    def compute(self, requests: Sequence[Any]) -> Sequence[Any]:
        """Results of requests of one group, in order.

        Of several requests all or nothing: an exception leaves every gradient as it was. Of a single one, the work that asked
        for it sees the exception and sets its own gradients back.
        """
        ...

    def create_adapter(self, base: BaseT, spec: AdapterSpec) -> AdapterT: ...

    def snapshot(self, adapter: AdapterT) -> AdapterT:
        """The weights as they are now; they share storage until the adapter's next change."""
        ...

    def offload(self, adapter: AdapterT) -> None:
        """Moves the optimizer's state to the disk, from where its next use brings it back. Raises LadError(STORAGE)."""
        ...

    def export_adapter(self, base: BaseT, adapter: AdapterT, folder: Path) -> None:
        """Writes the files of PEFT's format."""
        ...

    def import_adapter(self, base: BaseT, folder: Path) -> AdapterT:
        """From the files of PEFT's format."""
        ...

    def save_checkpoint(self, base: BaseT, adapter: AdapterT, name: str, *, replace: bool = False) -> str:
        """Writes adapter and optimizer to the store; returns the SHA-256 of the manifest.

        The one before it is kept too, unless it is to be replaced: what another adapter wrote is nothing to fall back on.
        """
        ...

    def delete_checkpoint(self, name: str) -> None:
        """Raises NOT_FOUND where there is none of that name."""
        ...

    def load_checkpoint(self, base: BaseT, name: str) -> AdapterT: ...

    def check_training(self, base: BaseT, spec: TrainingSpec) -> None:
        """Raises what is wrong with a specification, before any data is prepared for it."""
        ...

    def train(
        self,
        base: BaseT,
        adapter: AdapterT,
        examples: Sequence[PreparedExample],
        report: WindowReport,
        spec: TrainingSpec,
        validation: tuple[Sequence[PreparedExample], WindowReport] | None,
        control: TrainingControl,
    ) -> Work:
        """A run: TrainingStarted, then steps, validations and checkpoints; returns TrainingOutcome.

        Where `control.stopping()` is true after a step, it writes its checkpoint, if it has a name, and raises
        LadError(CANCELLED). Where `control.pausing()` is true before one, it parks, its gradients freed, its optimizer on disk.
        Closed or failed, it leaves the adapter as the last whole step left it, without gradients.
        """
        ...

    def forward_backward(
        self,
        base: BaseT,
        adapter: AdapterT,
        sequences: Sequence[TargetedSequence],
        forward: ForwardSpec,
    ) -> Work:
        """Adds the gradient of Σ weight · CE; returns ForwardBackwardResult. Closed or failed, it adds nothing."""
        ...

    def forward_backward_noised(
        self,
        base: BaseT,
        adapter: AdapterT,
        examples: Sequence[PreparedExample],
        given: NoisedExamples,
        forward: ForwardSpec,
    ) -> Work:
        """`forward_backward` of the sequences that a run with these options would compute for these rows as one batch."""
        ...

    def optim_step(
        self,
        base: BaseT,
        adapter: AdapterT,
        optimizer: OptimizerSpec,
        learning_rate: float,
        max_gradient_norm: float,
    ) -> Work:
        """One step on the gradients gathered, which it clears; returns OptimStepResult."""
        ...

    def validate(
        self,
        base: BaseT,
        adapter: AdapterT | None,
        examples: Sequence[PreparedExample],
        noise: NoiseSpec,
        loss: LossSpec,
        seed: int,
        attention: AttentionMode,
    ) -> Work:
        """Losses under noise that is fixed for each example; returns LossReport."""
        ...

    def check_sampling(self, base: BaseT, canvas: Canvas, spec: SamplingSpec) -> None:
        """Raises what is wrong with a canvas or a specification; from any thread, before `sample` is called for it."""
        ...

    def sample(
        self,
        base: BaseT,
        adapter: AdapterT | None,
        canvas: Canvas,
        index: int,
        spec: SamplingSpec,
    ) -> Work:
        """Denoises one canvas, number `index` of its run: FrameEvents, then returns AnswerEvent. `adapter` never changes."""
        ...

    def check_prediction(self, base: BaseT, canvases: Sequence[PredictCanvas], spec: PredictSpec) -> None:
        """Raises what is wrong with a prediction; from any thread, before `predict` is called for it."""
        ...

    def predict(
        self,
        base: BaseT,
        adapter: AdapterT | None,
        canvases: Sequence[PredictCanvas],
        spec: PredictSpec,
    ) -> Work:
        """One forward over each canvas; returns a Prediction for each."""
        ...

    def check_scoring(self, base: BaseT, items: Sequence[ScoreItem]) -> None:
        """Raises what is wrong with items; from any thread, before `score` is called for them."""
        ...

    def score(
        self,
        base: BaseT,
        adapter: AdapterT | None,
        items: Sequence[ScoreItem],
    ) -> Work:
        """Log-likelihoods under causal attention; returns a Score for each item."""
        ...


AnyBackend = Backend[Any, Any]
"""What the engine holds: it hands bases and adapters back to the backend that made them."""
