"""Answers under a sampling policy, and where they end."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from lad_lm_eval.arguments import ModelArguments
from lad_lm_eval.attention import CAUSAL_PREFIX, denoising_attention
from lad_lm_eval.connection import Connection, WorkerError
from lad_lm_eval.resident import Resident
from lad_runtime.gen.lad.v1 import runs_pb2, sampling_pb2, training_pb2

DEFAULTS: Mapping[str, Any] = json.loads((Path(__file__).parent / "sampling_defaults.json").read_text())
"""Every policy and its draws as the SDK's options have them by default."""

RANDOM_SPLIT = training_pb2.TrainingContext.TRAINING_CONTEXT_RANDOM_SPLIT
STOP_STRINGS, STOP_CHARACTERS = 16, 256
"""The most that a run takes, and the longest."""

BY_THE_BASE = ("ar",)
"""Policies of the base without an adapter."""


class Generator:
    """Samples answers in runs of the worker, as an adapter was trained to."""

    def __init__(self, connection: Connection, resident: Resident, arguments: ModelArguments) -> None:
        self._connection = connection
        self._resident = resident
        self._arguments = arguments
        self._spec = sampling_spec(arguments, resident)

    def answers(
        self,
        prompts: Sequence[Sequence[int]],
        seeds: Sequence[int],
        answer_tokens: int,
        draw: Mapping[str, Any],
        until: Sequence[str],
    ) -> list[str]:
        """An answer to each prompt, of at most so many tokens, up to the first of the strings that end it.

        Its draws are keyed by its seed alone.
        """
        spec = sampling_pb2.SamplingSpec()
        spec.CopyFrom(self._spec)
        spec.answer_tokens = answer_tokens
        ParseDict(dict(draw), spec.draw)
        spec.stop.extend(taken(until))
        by_the_base = self._arguments.policy in BY_THE_BASE
        request = sampling_pb2.StartSamplingRequest(
            base_id=self._resident.base.id,
            adapter_id="" if by_the_base else self._resident.adapter_id,
            canvases=[_canvas(ids, seed) for ids, seed in zip(prompts, seeds, strict=True)],
            spec=spec,
        )
        run_id = self._connection.call(self._connection.sampling.StartSampling, request).run_id
        return [ended(text, until) for text in self._followed(run_id, len(prompts))]

    def _followed(self, run_id: str, count: int) -> list[str]:
        texts = [""] * count
        request = runs_pb2.StreamEventsRequest(run_id=run_id)
        for event in self._connection.stream(self._connection.runs.StreamEvents, request):
            kind = event.WhichOneof("event")
            if kind == "answer":
                texts[event.answer.canvas] = event.answer.text
            elif kind == "failed":
                raise WorkerError(event.failed.message)
            elif kind == "cancelled":
                raise WorkerError(f"The run {run_id} was cancelled.")
        return texts


def sampling_spec(arguments: ModelArguments, resident: Resident) -> sampling_pb2.SamplingSpec:
    """A run's settings but for the answers' length. Raises ValueError for a policy or an option that there is not."""
    kind = arguments.policy
    if kind not in DEFAULTS:
        raise ValueError(f"policy is {kind}: give one of {', '.join(DEFAULTS)}.")
    spec = ParseDict(DEFAULTS[kind], sampling_pb2.SamplingSpec())
    policy = getattr(spec.policy, spec.policy.WhichOneof("kind"))
    for name, value in arguments.sampling.items():
        _set(policy, spec.draw, name, value)
    claims = resident.claims
    spec.attention = denoising_attention(claims)
    spec.context = training_pb2.TrainingContext.TRAINING_CONTEXT_PROMPT
    if claims is not None and kind not in BY_THE_BASE:
        spec.canvas_tokens = claims.canvas_tokens
        if spec.attention == CAUSAL_PREFIX and claims.context == "random-split":
            spec.context = RANDOM_SPLIT
    if kind == "speculative" and "decided" not in arguments.sampling and spec.context == RANDOM_SPLIT:
        policy.decided = sampling_pb2.SpeculativeDecided.SPECULATIVE_DECIDED_PAST
    return spec


def _set(policy: Any, draw: sampling_pb2.DrawSpec, name: str, value: Any) -> None:
    """Sets an option of the policy, or of the draws, by its name in the protocol."""
    for message in (policy, draw):
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is None:
            continue
        word = value
        if field.enum_type is not None:
            word = (
                f"{_prefix(field.enum_type.values_by_number[0].name)}{str(value).upper().replace('-', '_')}"
            )
        try:
            ParseDict({name: word}, message)
        except ParseError as error:
            raise ValueError(f"{name} is {value}: {error}.") from error
        return
    known = (*policy.DESCRIPTOR.fields_by_name, *draw.DESCRIPTOR.fields_by_name)
    raise ValueError(f"{name} is {value}: there is no such option. Known are {', '.join(known)}.")


def _prefix(unspecified: str) -> str:
    return unspecified.removesuffix("UNSPECIFIED")


def _canvas(ids: Sequence[int], seed: int) -> sampling_pb2.Canvas:
    canvas = sampling_pb2.Canvas(seed=seed)
    canvas.ids.ids.extend(ids)
    return canvas


def taken(until: Sequence[str]) -> list[str]:
    """Those of the strings that a run takes as its stop strings; `ended` cuts at the others."""
    return [stop for stop in until if 1 <= len(stop) <= STOP_CHARACTERS][:STOP_STRINGS]


def ended(text: str, until: Sequence[str]) -> str:
    """The text up to the first of the strings that end it."""
    ends = [place for place in (text.find(stop) for stop in until if stop) if place >= 0]
    return text[: min(ends, default=len(text))]
