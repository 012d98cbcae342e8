"""Frozen bases."""

from dataclasses import dataclass
from typing import Literal

from lad_runtime.checks import check_choice, check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.limits import MAX_UINT64

DTypeName = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, kw_only=True)
class BaseSpec:
    """Which base to load: `stub`, `tiny`, `smollm2-135m`, a hub id or a folder."""

    name: str
    revision: str  # a hub revision; empty: the default branch, resolved to a commit and reported
    dtype: DTypeName  # auto: float32 on the CPU, bfloat16 on CUDA
    mask_token: str  # empty: the base's entry in the registry
    chat_template: str  # empty: the model's own
    system_prompt: str | None  # None: the default of the base's entry
    hub_token: str
    seed: int  # of the `stub` base's weights
    compile: bool  # the kernels beside the matmuls, with torch.compile

    def __post_init__(self) -> None:
        if not self.name:
            raise invalid_option(
                "base", self.name, "it names no base", "Give stub, tiny, smollm2-135m, a hub id or a folder."
            )
        check_choice("dataType", self.dtype, ("auto", "float32", "bfloat16", "float16"))
        check_whole("seed", self.seed, low=0, high=MAX_UINT64)


Token = tuple[str, int]

"""A token's text and its id."""

MatmulKernel = Literal["mkl", "onednn"]

MatrixLayout = Literal["out-in", "in-out"]


@dataclass(frozen=True, kw_only=True)
class MatrixKernel:
    """How rows are multiplied with a kind of matrix (qkv, o, gate_up, down or head) on the CPU, and how it lies in memory.

    `mkl` is `torch.mm`, which goes to whatever BLAS PyTorch was built with.
    """

    matrix: str
    kernel: MatmulKernel
    layout: MatrixLayout


@dataclass(frozen=True, kw_only=True)
class BaseInfo:
    """A resident base. `projections` are the names an adapter may target.

    `eos_token` is the one that answers learn to end with, and their tails are made of: the chat template closes a turn with it.
    An answer ends with the first of the `stop_tokens`, which it is one of.
    """

    id: str
    name: str
    revision: str
    parameter_count: int
    nbytes: int
    dtype: DTypeName
    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    max_positions: int
    projections: tuple[str, ...]
    max_rank: int
    mask_token: str
    mask_token_id: int
    eos_token: str
    eos_token_id: int
    other_stops: tuple[Token, ...] = ()
    system_prompt: str
    has_chat_template: bool
    chat_template_digest: str = ""  # SHA-256 of its text, in hexadecimal
    compile_seconds: float = 0.0  # 0: its kernels are not compiled
    warnings: tuple[str, ...] = ()  # what is odd about its files, in a sentence each

    @property
    def stop_tokens(self) -> tuple[str, ...]:
        return (self.eos_token, *(text for text, _ in self.other_stops))

    @property
    def stop_token_ids(self) -> tuple[int, ...]:
        return (self.eos_token_id, *(id for _, id in self.other_stops))

    attention: AttentionMode | None = (
        None  # in which an adapter was trained that is in its weights; None: its files say none
    )
    kernels: tuple[MatrixKernel, ...] = ()  # empty where none were chosen: on CUDA, and in half precision


@dataclass(frozen=True, kw_only=True)
class LoadProgress:
    """`phase` is download | convert | read | place; `done` and `total` count bytes (total 0: not known)."""

    phase: str
    done: int
    total: int
