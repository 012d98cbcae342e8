"""How much memory canvases take, by their shapes, before they are sampled."""

from collections.abc import Sequence

from lad_runtime.method.policies.policy import DenoisingPolicy
from lad_runtime.method.policies.speculative import SpeculativePolicy
from lad_runtime.torch_backend.memory.needs import cache_bytes
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.types.sampling import Canvas, SamplingSpec


def sampling_bytes(model: Llama, canvases: Sequence[Canvas], spec: SamplingSpec) -> int:
    """Keys and values that the canvases of a request read, and the drafts that they keep, all of them being under way at once.

    A prompt is there once for all canvases that begin with it, and once more where the adapter's own keys and values draft what the
    base checks. Each canvas copies it in front of its own answer, where that is written from left to right and where it goes canvas
    by canvas; there the copy that it grows from is still there beside the new one.
    """
    if isinstance(spec.policy, DenoisingPolicy) and spec.attention == "full":
        return 0
    guided = spec.policy.guidance > 0
    shared = sum(map(len, {canvas.prompt for canvas in canvases}))
    if spec.policy.needs_adapter and spec.attention == "prefix":
        shared *= 2
    if guided:
        shared += sum({len(canvas.prompt) for canvas in canvases})
    sized = [(len(canvas.prompt), spec.sized(len(canvas.prompt), canvas.size)) for canvas in canvases]
    own = sum(prompt + answer for prompt, one in sized for answer in _copied_answers(one))
    drafts = sum(_draft_bytes(one, model.config.vocab_size) for _, one in sized)
    return cache_bytes(model, shared + own * (2 if guided else 1)) + drafts


def _copied_answers(spec: SamplingSpec) -> list[int]:
    """Tokens of its answer in each of the caches that a canvas has of its own at once."""
    if not isinstance(spec.policy, DenoisingPolicy):
        return [spec.answer_tokens - 1]
    size = spec.most_at_once
    finished = range(size, spec.answer_tokens, size)
    return list(finished[-2:])


def _draft_bytes(spec: SamplingSpec, vocab_size: int) -> int:
    """The float64 distributions that a draft was drawn from, which its checks need; at temperature 0 there are none."""
    policy = spec.policy
    if not isinstance(policy, SpeculativePolicy) or spec.draw.temperature == 0:
        return 0
    behind_first = max(0, spec.answer_tokens - 2)  # the base gives the first token, and the last
    return 8 * vocab_size * min(policy.draft_tokens, spec.most_at_once, behind_first)
