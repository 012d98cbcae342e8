"""LoRA adapters."""

import math
import re
from dataclasses import dataclass, field

from lad_runtime.checks import check_choice, check_number, check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.method.loss_targets import LossSpec
from lad_runtime.method.noise import NoiseSpec
from lad_runtime.method.random_split import CONTEXTS, Context, check_split
from lad_runtime.types.attention import ATTENTION_MODES, AttentionMode
from lad_runtime.types.bases import DTypeName
from lad_runtime.types.limits import MAX_UINT64

_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_DIGEST = re.compile(r"(?:[0-9a-f]{64})?")


@dataclass(frozen=True, kw_only=True)
class AdapterSpec:
    """A LoRA adapter (arXiv 2106.09685): W x + (alpha / rank) · B A x on each targeted projection of every layer;
    rank-stabilised (arXiv 2312.03732) (alpha / √rank) · B A x.

    Which ranks and targets its base allows is checked where an adapter is created (engine/calls/adapters.py).
    """

    rank: int
    alpha: float
    targets: tuple[str, ...]
    dropout: float
    seed: int
    use_rslora: bool  # rank-stabilised

    def __post_init__(self) -> None:
        check_whole("rank", self.rank, low=1)
        check_number("alpha", self.alpha, above=0)
        check_number("dropout", self.dropout, low=0, below=1)
        check_whole("seed", self.seed, low=0, high=MAX_UINT64)
        if not self.targets or len(set(self.targets)) < len(self.targets):
            raise invalid_option(
                "targets",
                list(self.targets),
                "it must name each projection once",
                'Give for instance ["q_proj", "v_proj"].',
            )

    @property
    def scaling(self) -> float:
        return self.alpha / (math.sqrt(self.rank) if self.use_rslora else self.rank)


@dataclass(frozen=True, kw_only=True)
class AdapterClaims:
    """How an adapter was trained last, as the worker saw it or as the adapter's files claim. They go with its weights."""

    base_name: str
    base_revision: str
    attention: AttentionMode
    context: Context
    noise: NoiseSpec | None  # None, like `loss`: sequences of the caller's own
    loss: LossSpec | None
    mask_token: str
    eos_token: str
    stop_tokens: tuple[str, ...]  # `eos_token` is one of them
    chat_template_digest: str  # SHA-256 of its text, in hexadecimal; empty: there was none
    steps: int  # optimizer steps over the adapter's life, those before its files were written included
    version: str  # of lad, at the last of them
    window_tokens: int  # prompt, answer and tail of every example of the last step; 0: they differed
    canvas_tokens: int  # the most tokens that a canvas of random-split context had; 0: there was no limit
    pad_tokens: tuple[str, ...]  # that filled the tails in turn; none: EOS, or sequences of the caller's own

    def __post_init__(self) -> None:
        check_choice("attention", self.attention, ATTENTION_MODES)
        check_choice("context", self.context, CONTEXTS)
        check_whole("steps", self.steps, low=0, high=2**63 - 1)
        check_whole("windowTokens", self.window_tokens, low=0, high=2**32 - 1)
        check_split(self.context, self.attention, self.canvas_tokens)
        if not _DIGEST.fullmatch(self.chat_template_digest):
            problem = "it is no SHA-256 in hexadecimal"
            raise invalid_option("chatTemplateDigest", self.chat_template_digest, problem, "Leave it empty.")


@dataclass(frozen=True, kw_only=True)
class MergeSpec:
    """How the checkpoint is written that has an adapter in its weights."""

    dtype: DTypeName  # auto: that of the base in memory
    shard_bytes: int  # the most bytes of tensors in one file; a tensor that has more is a file of its own

    def __post_init__(self) -> None:
        check_choice("dataType", self.dtype, ("auto", "float32", "bfloat16", "float16"))
        check_whole("maxShardBytes", self.shard_bytes, low=1, high=MAX_UINT64)


@dataclass(frozen=True, kw_only=True)
class PushSpec:
    """Where on a hub an adapter's files go."""

    repo: str  # owner/name
    private: bool  # if the repository is made
    message: str  # of the commit; empty: one that names lad and its version
    hub_token: str = field(repr=False)  # empty: what the worker's environment or login holds
    idle_timeout_ms: int  # the longest wait for a piece of an upload to be taken, or for a whole answer

    def __post_init__(self) -> None:
        check_whole("idleTimeoutMs", self.idle_timeout_ms, low=1, high=2**31 - 1)
        if _REPO.fullmatch(self.repo) is None or ".." in self.repo or "--" in self.repo:
            raise invalid_option("repo", self.repo, "it is no repository's name", "Give owner/name.")


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """What a push wrote."""

    url: str  # of the repository's page
    commit: str


@dataclass(frozen=True, kw_only=True)
class StoredCheckpoint:
    """The latest checkpoint of a name."""

    name: str
    base_name: str
    base_revision: str
    rank: int
    steps: int  # optimizer steps that the adapter has taken
    nbytes: int  # of its files


@dataclass(frozen=True, kw_only=True)
class AdapterInfo:
    id: str
    base_id: str
    spec: AdapterSpec
    parameter_count: int
    nbytes: int  # weights, gradients and optimizer state now held
    steps: int  # optimizer steps taken
    last_sequence: int = 0  # number of its last primitive; 0: none yet
    claims: AdapterClaims | None = None  # None: never trained, or its files do not say how
