"""Enumerations: the words of `lad_runtime.types` for the numbers of the protocol, and back."""

from typing import Any, Generic, TypeVar, cast

from lad_runtime.errors import invalid_option
from lad_runtime.gen.lad.v1 import data_pb2, runs_pb2, sampling_pb2, training_pb2, worker_pb2
from lad_runtime.types.bases import DTypeName
from lad_runtime.types.runs import RunKind, RunState

Word = TypeVar("Word", bound=str)


class Enumeration(Generic[Word]):
    """One enumeration; `option` is what the caller knows it as."""

    def __init__(self, option: str, words: dict[Any, str]) -> None:
        self._option = option
        self._words = words
        self._numbers = {word: number for number, word in words.items()}

    def read(self, number: Any) -> Word:
        """Raises LadError(INVALID_OPTION) where nothing, or a newer protocol's value, was given."""
        if number not in self._words:
            known = ", ".join(self._words.values())
            value = "missing" if number == 0 else int(number)
            raise invalid_option(self._option, value, "it is not a known value", f"Give one of {known}.")
        return cast(Word, self._words[number])

    def write(self, word: Word) -> Any:
        return self._numbers[word]


DATA_TYPE: Enumeration[DTypeName] = Enumeration(
    "dataType",
    {
        worker_pb2.DATA_TYPE_UNSPECIFIED: "auto",
        worker_pb2.DATA_TYPE_FLOAT32: "float32",
        worker_pb2.DATA_TYPE_BFLOAT16: "bfloat16",
        worker_pb2.DATA_TYPE_FLOAT16: "float16",
    },
)
TOO_LONG: Enumeration[Any] = Enumeration(
    "tooLong",
    {
        data_pb2.TOO_LONG_DROP: "drop",
        data_pb2.TOO_LONG_TRUNCATE: "truncate",
        data_pb2.TOO_LONG_ERROR: "error",
    },
)
SUPERVISE_TURNS: Enumeration[Any] = Enumeration(
    "superviseTurns",
    {
        data_pb2.SUPERVISE_TURNS_LAST: "last",
        data_pb2.SUPERVISE_TURNS_ALL_ASSISTANT: "all-assistant",
    },
)
SUPERVISE_TOKENS: Enumeration[Any] = Enumeration(
    "loss.supervise",
    {
        training_pb2.SUPERVISE_TOKENS_ALL_TOKENS: "all-tokens",
        training_pb2.SUPERVISE_TOKENS_ALL_ANSWER_TOKENS: "all-answer-tokens",
        training_pb2.SUPERVISE_TOKENS_CORRUPTED_ANSWER_TOKENS: "corrupted-answer-tokens",
    },
)
LOSS_WEIGHTING: Enumeration[Any] = Enumeration(
    "loss.weighting",
    {
        training_pb2.LOSS_WEIGHTING_UNIFORM: "uniform",
        training_pb2.LOSS_WEIGHTING_INVERSE_TIME: "inverse-time",
    },
)
OPTIMIZER_KIND: Enumeration[Any] = Enumeration(
    "optimizer",
    {training_pb2.OPTIMIZER_KIND_ADAMW: "adamw", training_pb2.OPTIMIZER_KIND_MUON: "muon"},
)
DECAY: Enumeration[Any] = Enumeration(
    "decay",
    {
        training_pb2.DECAY_COSINE: "cosine",
        training_pb2.DECAY_LINEAR: "linear",
        training_pb2.DECAY_CONSTANT: "constant",
    },
)
ATTENTION_MODE: Enumeration[Any] = Enumeration(
    "attention",
    {
        training_pb2.ATTENTION_MODE_FULL: "full",
        training_pb2.ATTENTION_MODE_CAUSAL: "causal",
        training_pb2.ATTENTION_MODE_PREFIX: "prefix",
        training_pb2.ATTENTION_MODE_CAUSAL_PREFIX: "causal-prefix",
    },
)
SAMPLING_MODE: Enumeration[Any] = Enumeration(
    "mode",
    {
        sampling_pb2.SAMPLING_MODE_REMASK: "remask",
        sampling_pb2.SAMPLING_MODE_REFINE: "refine",
        sampling_pb2.SAMPLING_MODE_LLADA: "llada",
        sampling_pb2.SAMPLING_MODE_AUTOREGRESSIVE: "ar",
    },
)
DRAW_METHOD: Enumeration[Any] = Enumeration(
    "drawMethod",
    {sampling_pb2.DRAW_METHOD_INVERSE_CDF: "inverse-cdf", sampling_pb2.DRAW_METHOD_GUMBEL: "gumbel"},
)
CONFIDENCE: Enumeration[Any] = Enumeration(
    "confidence",
    {sampling_pb2.CONFIDENCE_UNFILTERED: "unfiltered", sampling_pb2.CONFIDENCE_FILTERED: "filtered"},
)
REMASK_SCHEDULE: Enumeration[Any] = Enumeration(
    "schedule",
    {
        sampling_pb2.REMASK_SCHEDULE_EXPONENTIAL: "exponential",
        sampling_pb2.REMASK_SCHEDULE_LINEAR: "linear",
    },
)
REMASK_POSITIONS: Enumeration[Any] = Enumeration(
    "positions",
    {
        sampling_pb2.REMASK_POSITIONS_RANDOM: "random",
        sampling_pb2.REMASK_POSITIONS_CLUSTERED: "clustered",
        sampling_pb2.REMASK_POSITIONS_CONFIDENCE: "confidence",
    },
)
RETENTION: Enumeration[Any] = Enumeration(
    "retention",
    {
        sampling_pb2.RETENTION_NONE: "none",
        sampling_pb2.RETENTION_EDITABLE: "editable",
        sampling_pb2.RETENTION_LOCKED: "locked",
    },
)
STOP_REASON: Enumeration[Any] = Enumeration(
    "stopped",
    {
        sampling_pb2.STOP_REASON_ITERATIONS: "iterations",
        sampling_pb2.STOP_REASON_SETTLED: "settled",
        sampling_pb2.STOP_REASON_EOS: "eos",
        sampling_pb2.STOP_REASON_LENGTH: "length",
    },
)
RUN_KIND: Enumeration[RunKind] = Enumeration(
    "kind", {runs_pb2.RUN_KIND_TRAINING: "training", runs_pb2.RUN_KIND_SAMPLING: "sampling"}
)
RUN_STATE: Enumeration[RunState] = Enumeration(
    "state",
    {
        runs_pb2.RUN_STATE_QUEUED: "queued",
        runs_pb2.RUN_STATE_RUNNING: "running",
        runs_pb2.RUN_STATE_FINISHED: "finished",
        runs_pb2.RUN_STATE_FAILED: "failed",
        runs_pb2.RUN_STATE_CANCELLED: "cancelled",
        runs_pb2.RUN_STATE_PAUSED: "paused",
    },
)
