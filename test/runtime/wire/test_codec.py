"""One plan for a message and a value: what it reads and writes, and that it is refused where the two do not match."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.gen.lad.v1 import (
    adapters_pb2,
    data_pb2,
    evaluation_pb2,
    sampling_pb2,
    training_pb2,
    worker_pb2,
)
from lad_runtime.method.policies.policy import Policy
from lad_runtime.method.policy import PolicySpec
from lad_runtime.types.data import PreparedExample
from lad_runtime.types.evaluation import Likelihood, MonteCarloLikelihood, Score, ScoreItem, ScoreTask
from lad_runtime.types.primitives import ForwardBackwardResult
from lad_runtime.types.sampling import AnswerSize, SamplingSpec
from lad_runtime.types.sampling_state import SamplingState
from lad_runtime.types.training import TrainingSpec
from lad_runtime.wire.codec import reader, writer
from lad_runtime.wire.tensors import write_floats
from sampling_specs import POLICY_BUILDERS, refine_policy
from test_wire import DRAW, refining, training_spec


@dataclass(frozen=True, kw_only=True)
class FileSize:
    name: str
    nbytes: int


@dataclass(frozen=True, kw_only=True)
class UploadHeader:
    base_id: str
    adapter_id: str
    files: tuple[FileSize, ...]
    allow_other_base: bool


@dataclass(frozen=True, kw_only=True)
class FilePiece:
    kind: Literal["piece"] = field(default="piece", init=False)  # which the message is by itself
    name: str
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Said:
    role: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Chat:
    messages: tuple[Said, ...]
    allow_special: bool


@dataclass(frozen=True, kw_only=True)
class Canvas:
    prompt: tuple[int, ...] | Chat
    seed: int | None
    begin: SamplingState | None
    size: AnswerSize | None


HEADER = UploadHeader(
    base_id="b", adapter_id="a", files=(FileSize(name="f", nbytes=2**40),), allow_other_base=True
)


def test_what_was_written_is_read_as_it_was() -> None:
    spec = reader(training_pb2.TrainingSpec, TrainingSpec)(training_spec())
    written = writer(TrainingSpec, training_pb2.TrainingSpec)(spec)
    assert written == training_spec()
    assert reader(training_pb2.TrainingSpec, TrainingSpec)(written) == spec


def test_a_message_of_one_oneof_is_a_union_whose_types_have_its_messages_names() -> None:
    write = writer(UploadHeader | FilePiece, adapters_pb2.UploadAdapterRequest)
    read = reader(adapters_pb2.UploadAdapterRequest, UploadHeader | FilePiece)
    piece = FilePiece(name="f", data=b"\0")
    assert (write(HEADER).WhichOneof("part"), write(piece).WhichOneof("part")) == ("header", "piece")
    assert [read(write(value)) for value in (HEADER, piece)] == [HEADER, piece]


def test_a_oneof_beside_other_fields_is_the_field_of_its_name() -> None:
    write, read = writer(Canvas, sampling_pb2.Canvas), reader(sampling_pb2.Canvas, Canvas)
    for prompt in ((1, 2), Chat(messages=(Said(role="user", content="hi"),), allow_special=True)):
        for seed in (7, 0, None):
            for size in (AnswerSize(answer_tokens=5, window_tokens=9), None):
                canvas = Canvas(prompt=prompt, seed=seed, begin=None, size=size)
                assert read(write(canvas)) == canvas


def test_a_oneof_without_a_case_names_its_option_and_the_cases() -> None:
    with pytest.raises(LadError) as raised:
        reader(adapters_pb2.UploadAdapterRequest, UploadHeader | FilePiece)(
            adapters_pb2.UploadAdapterRequest()
        )
    assert raised.value.code is ErrorCode.INVALID_OPTION
    assert str(raised.value) == "part is missing: it is not a known value. Give one of header, piece."


def test_a_list_alone_in_its_message_is_a_tuple() -> None:
    tokens = data_pb2.TokenIds(ids=[1, 2])
    item = evaluation_pb2.ScoreItem(prompt=tokens, continuation=data_pb2.TokenIds(ids=[3]), key=7)
    likelihood = evaluation_pb2.Likelihood(
        monte_carlo=evaluation_pb2.MonteCarloLikelihood(samples=8, stratified=True, seed=2**63)
    )
    request = evaluation_pb2.ScoreRequest(base_id="b", mode=1, items=[item], likelihood=likelihood)
    items = (ScoreItem(prompt=(1, 2), continuation=(3,), key=7),)
    assert reader(evaluation_pb2.ScoreRequest, ScoreTask)(request) == ScoreTask(
        mode="full", items=items, likelihood=MonteCarloLikelihood(samples=8, stratified=True, seed=2**63)
    )
    scores = (Score(log_likelihood=-1.5, token_log_likelihoods=(-0.5, -1.0), greedy=True, estimates=(-1.0,)),)
    written = writer(tuple[Score, ...], evaluation_pb2.ScoreResponse)(scores)
    assert reader(evaluation_pb2.ScoreResponse, tuple[Score, ...])(written) == scores


def test_bytes_are_floats_rows_of_floats_or_flags_as_the_value_says() -> None:
    result = ForwardBackwardResult(loss=1.0, tokens=3, supervised_tokens=2, ce=((0.5,), (0.25, 0.0)))
    written = writer(ForwardBackwardResult, training_pb2.ForwardBackwardResponse)(result)
    assert written.ce == write_floats([0.5, 0.25, 0.0])
    example = PreparedExample(id=3, ids=(1, 2), answer=(False, True), tail=(False, False))
    packed = writer(PreparedExample, data_pb2.PreparedExample)(example)
    assert (packed.answer, packed.tail) == (b"\0\1", b"\0\0")
    assert reader(data_pb2.PreparedExample, PreparedExample)(packed) == example


def test_what_may_not_be_left_out_is_missed() -> None:
    read = reader(sampling_pb2.SamplingSpec, SamplingSpec)
    sound = {"answer_tokens": 1, "attention": 1, "context": 1, "share_weight": 1}
    policy = read(sampling_pb2.SamplingSpec(**sound, draw=DRAW, policy=refining(1))).policy
    assert policy == refine_policy(iterations=1, early_stop=False)
    with pytest.raises(LadError, match="drawMethod is missing"):
        read(sampling_pb2.SamplingSpec(**sound, policy=refining(1)))
    with pytest.raises(
        LadError, match=r"policy is missing.*Give one of remask, refine, llada, ar, speculative, threshold"
    ):
        read(sampling_pb2.SamplingSpec(**sound, draw=DRAW))
    vague = sampling_pb2.Policy(remask=sampling_pb2.RemaskPolicy(iterations=1))
    with pytest.raises(LadError, match=r"policy\.schedule is missing"):
        read(sampling_pb2.SamplingSpec(**sound, draw=DRAW, policy=vague))


@pytest.mark.parametrize("policy", [build() for build in POLICY_BUILDERS.values()], ids=lambda p: p.kind)
def test_every_policy_is_the_case_of_its_name_and_comes_back_as_it_was(policy: Policy) -> None:
    message = writer(PolicySpec, sampling_pb2.Policy)(policy)
    assert message.WhichOneof("kind") == policy.kind.replace("-", "_")
    assert reader(sampling_pb2.Policy, PolicySpec)(message) == policy


@dataclass(frozen=True, kw_only=True)
class LacksAField:
    name: str


@dataclass(frozen=True, kw_only=True)
class HasOneMore:
    name: str
    data: bytes
    mode: int


@dataclass(frozen=True, kw_only=True)
class OfAnotherType:
    name: str
    data: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class OfAnotherWord:
    mode: Literal["full", "sideways"]
    items: tuple[ScoreItem, ...]
    likelihood: Likelihood


@dataclass(frozen=True, kw_only=True)
class NeverAbsent:
    role: str
    content: str | None


@dataclass(frozen=True, kw_only=True)
class Asked:
    name: str
    revision: str
    dtype: Literal["auto"]
    mask_token: str
    chat_template: str
    system_prompt: str
    hub_token: str
    seed: int
    compile: bool


@pytest.mark.parametrize(
    ("message", "value", "why"),
    [
        (adapters_pb2.FilePiece, LacksAField, "LacksAField has no data for lad.v1.FilePiece"),
        (adapters_pb2.FilePiece, HasOneMore, "FilePiece has no mode for HasOneMore"),
        (adapters_pb2.FilePiece, OfAnotherType, "FilePiece.data is no"),
        (evaluation_pb2.ScoreRequest, OfAnotherWord, "ScoreRequest.mode is no"),
        (data_pb2.Message, NeverAbsent, "Message.content is never absent"),
        (worker_pb2.LoadBaseRequest, Asked, "system_prompt is optional, which Asked does not allow"),
        (adapters_pb2.UploadAdapterRequest, UploadHeader | Said, "UploadAdapterRequest.piece is none of"),
        (
            adapters_pb2.UploadAdapterRequest,
            UploadHeader | FilePiece | Said,
            "UploadAdapterRequest.part has no",
        ),
        (data_pb2.TokenIds, tuple[str, ...], "TokenIds.ids is no"),
        (data_pb2.EncodeResponse, tuple[int, ...], "TokenIds is no"),
    ],
)
def test_a_plan_fails_where_names_or_types_do_not_match(message: Any, value: Any, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        reader(message, value)
    with pytest.raises(TypeError, match=why):
        writer(value, message)


def test_what_is_only_written_cannot_be_read() -> None:
    with pytest.raises(TypeError, match=r"ForwardBackwardResult.* cannot be read"):
        reader(training_pb2.ForwardBackwardResponse, ForwardBackwardResult)
