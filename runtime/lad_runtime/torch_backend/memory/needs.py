"""How much memory things take, by their shapes, before they are made."""

from collections.abc import Sequence

from lad_runtime.torch_backend.adapters.optimizer import SLOTS
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.kernels.frozen_head_loss import CHUNK_BYTES
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.sampling.predict import REQUEST_TOKENS, in_groups
from lad_runtime.types.adapters import AdapterSpec
from lad_runtime.types.memory import TrainingNeeds
from lad_runtime.types.primitives import ForwardSpec
from lad_runtime.types.sampling import Canvas, PredictCanvas, PredictSpec, SamplingSpec
from lad_runtime.types.training import OptimizerSpec, TrainingSpec

_WEIGHT_BYTES = 4  # adapters are float32 whatever the base's type


def adapter_bytes(config: LlamaConfig, spec: AdapterSpec) -> int:
    """Of an adapter's weights."""
    shapes = [config.projection_shape(target) for target in spec.targets]
    return _WEIGHT_BYTES * config.num_layers * spec.rank * sum(map(sum, shapes))


def training_needs(model: Llama, spec: TrainingSpec, adapter: AdapterSpec) -> TrainingNeeds:
    """Gradients and optimizer state of an adapter, and what the largest micro-batch keeps for its backward."""
    tokens = min(max(spec.micro_batch_tokens, spec.window.window), spec.batch_size * spec.window.window)
    return TrainingNeeds(
        state=adapter_bytes(model.config, adapter) * (1 + len(SLOTS[spec.optimizer.kind])),
        activations=_activations(model, adapter, tokens, checkpointing=spec.gradient_checkpointing),
        tokens=tokens,
    )


def gradient_needs(
    model: Llama, longest: int, total: int, forward: ForwardSpec, trained: TrainedAdapter
) -> TrainingNeeds:
    """Of `forwardBackward` over sequences of `total` tokens, the longest of which has `longest`: gradients, and while it computes
    a copy of those gathered before, to go back to."""
    tokens = min(max(forward.micro_batch_tokens, longest), total)
    kept = trained.state_nbytes - trained.optimizer_nbytes
    computed = _activations(model, trained.spec, tokens, checkpointing=forward.gradient_checkpointing)
    gradients = adapter_bytes(model.config, trained.spec)
    return TrainingNeeds(
        state=gradients + trained.optimizer_nbytes, activations=computed + kept, tokens=tokens
    )


def step_needs(trained: TrainedAdapter, optimizer: OptimizerSpec) -> TrainingNeeds:
    """Of `optimStep`: gradients, also where none was gathered, and the optimizer's state."""
    state = trained.adapter.weight_nbytes * (1 + len(SLOTS[optimizer.kind]))
    return TrainingNeeds(state=state, activations=0, tokens=1)


def cache_bytes(model: Llama, tokens: int) -> int:
    """Of the keys and values of so many tokens in every layer."""
    return tokens * 2 * model.config.num_layers * model.config.kv_size * model.dtype.itemsize


def sampling_bytes(model: Llama, canvases: Sequence[Canvas], spec: SamplingSpec) -> int:
    """Keys and values that the canvases of a request read, all of them being under way at once.

    A prompt is there once for all canvases that begin with it. Each canvas copies it in front of its own answer, in mode `ar`
    and where an answer goes canvas by canvas; there the copy that it grows from is still there beside the new one.
    """
    if spec.mode != "ar" and spec.attention == "full":
        return 0
    guided = spec.mode == "llada" and spec.llada.guidance_scale > 0
    shared = sum(map(len, {canvas.prompt for canvas in canvases}))
    if guided:
        shared += sum({len(canvas.prompt) for canvas in canvases})
    answers = _copied_answers(spec)
    own = sum(len(canvas.prompt) + answer for canvas in canvases for answer in answers)
    return cache_bytes(model, shared + own * (2 if guided else 1))


def _copied_answers(spec: SamplingSpec) -> list[int]:
    """Tokens of its answer in each of the caches that a canvas has of its own at once."""
    if spec.mode == "ar":
        return [spec.answer_tokens - 1]
    size = spec.canvas_tokens or spec.answer_tokens
    finished = range(size, spec.answer_tokens, size)
    return list(finished[-2:])


def prediction_bytes(model: Llama, canvases: Sequence[PredictCanvas], spec: PredictSpec) -> int:
    """Keys and values of the prompts that predictions read, those of one request at a time."""
    if spec.mode != "causal-prefix":
        return 0
    groups = in_groups([c.answer_start for c in canvases], [len(c.ids) for c in canvases], REQUEST_TOKENS)
    most = max(sum(group) for group in groups)
    return cache_bytes(model, most * (2 if spec.guidance_scale > 0 else 1))


def _activations(model: Llama, adapter: AdapterSpec, tokens: int, *, checkpointing: bool) -> int:
    """Of a micro-batch of so many tokens, the logits of the loss among them."""
    kept = _floats_per_token(model.config, adapter, checkpointing=checkpointing) * model.dtype.itemsize
    logits = min(CHUNK_BYTES[model.device.type], 4 * tokens * model.config.vocab_size)
    return tokens * kept + 2 * logits


def _floats_per_token(config: LlamaConfig, adapter: AdapterSpec, *, checkpointing: bool) -> int:
    """Numbers that the forward keeps for the backward.

    Of each layer the inputs of both norms, rotated queries, keys and values, what attention gives, gate and up; and each input of
    a projection that an adapter targets. With checkpointing the input of every layer, and one layer's numbers at a time.
    """
    hidden, inner = config.hidden_size, config.intermediate_size
    query = config.query_size
    key_value = config.num_kv_heads * config.head_dim
    layer = 2 * hidden + 2 * query + 2 * key_value + 2 * inner
    targets = set(adapter.targets)
    if targets & {"q_proj", "k_proj", "v_proj"}:
        layer += hidden
    if targets & {"gate_proj", "up_proj"}:
        layer += hidden
    if "down_proj" in targets:
        layer += inner
    rank = adapter.rank * len(targets)
    if checkpointing:
        return config.num_layers * hidden + layer + rank + 2 * hidden
    return config.num_layers * (layer + rank) + 2 * hidden
