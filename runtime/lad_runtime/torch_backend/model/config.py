"""The shape of a Llama, read from and written as a Hugging Face `config.json`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lad_runtime.checks import MAX_FLOAT32
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.kernels.rope import Llama3Scaling
from lad_runtime.types.attention import ATTENTION_MODES, AttentionMode

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The linear layers of one transformer layer that an adapter may target."""

ATTENTION_KEY = "lad_attention"
"""Of a model with an adapter in its weights: the attention mode that it was trained in. Other programs pass over it."""

_LARGEST_SIZE = 2**40


@dataclass(frozen=True, kw_only=True)
class LlamaConfig:
    """Sizes of a Llama (arXiv 2302.13971, 2407.21783). `tied`: the head is the embedding matrix."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0
    rope_scaling: Llama3Scaling | None = None
    max_positions: int = 2048
    tied: bool = False

    def __post_init__(self) -> None:
        for name in (
            "vocab_size",
            "hidden_size",
            "intermediate_size",
            "num_layers",
            "num_heads",
            "num_kv_heads",
            "head_dim",
            "max_positions",
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _LARGEST_SIZE:
                raise _unfit(name, value, f"a whole number from 1 to {_LARGEST_SIZE}")
        if not 0 <= self.rms_norm_eps <= MAX_FLOAT32:
            raise _unfit("rms_norm_eps", self.rms_norm_eps, "a finite number of at least 0")
        if not 0 < self.rope_theta <= MAX_FLOAT32:
            raise _unfit("rope_theta", self.rope_theta, "a finite number above 0")
        if self.num_heads % self.num_kv_heads:
            raise invalid_config(
                f"{self.num_heads} heads cannot share {self.num_kv_heads} key/value heads evenly."
            )
        if self.head_dim % 2:
            raise invalid_config(f"head_dim is {self.head_dim}: rotary embeddings need an even number.")

    @property
    def query_size(self) -> int:
        return self.num_heads * self.head_dim

    @property
    def kv_size(self) -> int:
        return self.num_kv_heads * self.head_dim

    def projection_shape(self, projection: str) -> tuple[int, int]:
        """(output size, input size) of one of `PROJECTIONS`."""
        hidden, inner = self.hidden_size, self.intermediate_size
        return {
            "q_proj": (self.query_size, hidden),
            "k_proj": (self.kv_size, hidden),
            "v_proj": (self.kv_size, hidden),
            "o_proj": (hidden, self.query_size),
            "gate_proj": (inner, hidden),
            "up_proj": (inner, hidden),
            "down_proj": (hidden, inner),
        }[projection]

    @classmethod
    def from_hf(cls, raw: Mapping[str, Any]) -> "LlamaConfig":
        """Reads a parsed `config.json` (of any transformers version). Raises LadError for a model that this forward would
        compute wrongly."""
        if raw.get("model_type") != "llama":
            raise unsupported_config(
                f"model_type is {raw.get('model_type')!r}: only 'llama' is computed here."
            )
        for name in ("attention_bias", "mlp_bias"):
            if raw.get(name):
                raise unsupported_config(f"{name} is on: this worker computes Llamas without biases.")
        if raw.get("hidden_act", "silu") != "silu":
            raise unsupported_config(f"hidden_act is {raw['hidden_act']!r}: only 'silu' is computed here.")
        if raw.get("quantization_config"):
            raise unsupported_config("the checkpoint is quantised: give one in float32, bfloat16 or float16.")
        theta, scaling = _rope(raw)
        heads = whole_in(raw, "num_attention_heads")
        hidden = whole_in(raw, "hidden_size")
        return cls(
            vocab_size=whole_in(raw, "vocab_size"),
            hidden_size=hidden,
            intermediate_size=whole_in(raw, "intermediate_size"),
            num_layers=whole_in(raw, "num_hidden_layers"),
            num_heads=heads,
            num_kv_heads=whole_in(raw, "num_key_value_heads", heads),
            head_dim=whole_in(raw, "head_dim", hidden // max(heads, 1)),
            rms_norm_eps=number_in(raw, "rms_norm_eps", 1e-6),
            rope_theta=theta,
            rope_scaling=scaling,
            max_positions=whole_in(raw, "max_position_embeddings", 2048),
            tied=bool(raw.get("tie_word_embeddings", False)),
        )

    def to_hf(self, dtype: str = "float32") -> dict[str, Any]:
        """The `config.json` that `transformers.LlamaForCausalLM` loads."""
        raw: dict[str, Any] = {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": self.vocab_size,
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_hidden_layers": self.num_layers,
            "num_attention_heads": self.num_heads,
            "num_key_value_heads": self.num_kv_heads,
            "head_dim": self.head_dim,
            "hidden_act": "silu",
            "rms_norm_eps": self.rms_norm_eps,
            "rope_theta": self.rope_theta,
            "rope_scaling": None if self.rope_scaling is None else self.rope_scaling.to_hf(),
            "max_position_embeddings": self.max_positions,
            "tie_word_embeddings": self.tied,
            "attention_bias": False,
            "mlp_bias": False,
            "torch_dtype": dtype,
        }
        return raw


def attention_of(raw: Mapping[str, Any]) -> AttentionMode | None:
    """The mode that a `config.json` names under `ATTENTION_KEY`; None where it names none that there is."""
    return next((mode for mode in ATTENTION_MODES if mode == raw.get(ATTENTION_KEY)), None)


def _rope(raw: Mapping[str, Any]) -> tuple[float, Llama3Scaling | None]:
    # transformers 5 writes `rope_parameters` with the base inside; earlier versions write `rope_scaling` and `rope_theta`.
    rope = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    if not isinstance(rope, Mapping):
        raise invalid_config(f"the rope scaling is {rope!r}, not an object.")
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind not in ("default", "llama3"):
        raise unsupported_config(f"rope_type is {kind!r}: 'default' and 'llama3' are computed here.")
    if number_in(raw, "partial_rotary_factor", number_in(rope, "partial_rotary_factor", 1.0)) != 1.0:
        raise unsupported_config("partial_rotary_factor is not 1: this worker rotates whole heads.")
    theta = number_in(rope, "rope_theta", number_in(raw, "rope_theta", 10000.0))
    if kind == "default":
        return theta, None
    return theta, _llama3(rope)


def _llama3(rope: Mapping[str, Any]) -> Llama3Scaling:
    scaling = Llama3Scaling(
        factor=number_in(rope, "factor"),
        low_frequency_factor=number_in(rope, "low_freq_factor"),
        high_frequency_factor=number_in(rope, "high_freq_factor"),
        original_positions=whole_in(rope, "original_max_position_embeddings"),
    )
    low, high = scaling.low_frequency_factor, scaling.high_frequency_factor
    if not scaling.factor > 0:
        raise _unfit("factor", scaling.factor, "a number above 0")
    if not low > 0:
        raise _unfit("low_freq_factor", low, "a number above 0")
    if not high > low:
        raise _unfit("high_freq_factor", high, f"a number above low_freq_factor, {low}")
    if scaling.original_positions < 1:
        raise _unfit("original_max_position_embeddings", scaling.original_positions, "at least 1")
    return scaling


def whole_in(raw: Mapping[str, Any], name: str, otherwise: int | None = None) -> int:
    """A whole number of a configuration, `otherwise` for none or null. Raises LadError(INVALID_FILE) that names it."""
    value = raw.get(name)
    if value is None:
        if otherwise is None:
            raise invalid_config(f"{name} is missing.")
        return otherwise
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if not is_whole or isinstance(value, bool) or abs(value) > _LARGEST_SIZE:
        raise _unfit(name, value, f"a whole number of at most {_LARGEST_SIZE}")
    return int(value)


def number_in(raw: Mapping[str, Any], name: str, otherwise: float | None = None) -> float:
    """A finite float32 number of a configuration, `otherwise` for none or null. Raises LadError(INVALID_FILE) that names it."""
    value = raw.get(name)
    if value is None:
        if otherwise is None:
            raise invalid_config(f"{name} is missing.")
        return otherwise
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= MAX_FLOAT32:
        raise _unfit(name, value, "a finite number")
    return float(value)


def _unfit(name: str, value: object, wanted: str) -> LadError:
    # Whole numbers of thousands of digits cannot be written out.
    shown = "far too large" if isinstance(value, int) and abs(value) > 2**64 else repr(value)[:80]
    return invalid_config(f"{name} is {shown}: it must be {wanted}.")


def invalid_config(problem: str) -> LadError:
    return LadError(
        ErrorCode.INVALID_FILE,
        f"The model's config.json cannot be used: {problem}",
        remedy="Give an intact checkpoint.",
    )


def unsupported_config(problem: str) -> LadError:
    return LadError(
        ErrorCode.UNSUPPORTED_MODEL,
        f"This model is not supported: {problem}",
        remedy="Give a Llama-architecture checkpoint.",
    )
