"""The shapes of the shipped bases, from the smallest to the largest."""

from pathlib import Path

from lad_runtime.tiny.vocabulary import VOCAB_SIZE
from lad_runtime.torch_backend.model.config import LlamaConfig

BASES = Path(__file__).parent / "bases"


def _config(*, hidden: int, intermediate: int, layers: int) -> LlamaConfig:
    head_dim = 32
    return LlamaConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=hidden,
        intermediate_size=intermediate,
        num_layers=layers,
        num_heads=hidden // head_dim,
        num_kv_heads=hidden // head_dim,
        head_dim=head_dim,
        rms_norm_eps=1e-5,
        rope_theta=10000.0,
        max_positions=256,
        tied=True,
    )


SIZES = {
    "tiny-0.7m": _config(hidden=128, intermediate=336, layers=3),
    "tiny": _config(hidden=192, intermediate=512, layers=4),
    "tiny-5m": _config(hidden=256, intermediate=704, layers=6),
}
"""By the base's name: 707,456, 1,955,520 and 5,065,984 parameters."""


def base_folder(name: str) -> Path:
    """Where the shipped base of that name lies."""
    assert name in SIZES
    return BASES / name
