"""Requests are measured where they lie: every text and list has a limit, and what keeps to them is read as it is."""

from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.gen.lad.v1 import adapters_pb2, data_pb2, evaluation_pb2, training_pb2, worker_pb2
from lad_runtime.server.calls.methods import LARGEST, SMALL, method, service_names
from lad_runtime.wire.admit import read_request
from lad_runtime.wire.protocol import METHODS, max_bytes, max_items
from test_fuzz import Fuzz, sound_requests


def request_fields() -> list[FieldDescriptor]:
    """Every field that a request of any method can hold."""
    found: dict[str, Descriptor] = {}
    waiting = [each.input_type for each in METHODS]
    while waiting:
        kind = waiting.pop()
        if kind.full_name not in found:
            found[kind.full_name] = kind
            waiting += [field.message_type for field in kind.fields if field.message_type is not None]
    return [field for kind in found.values() for field in kind.fields]


def refused(kind: Any, data: bytes) -> LadError:
    with pytest.raises(LadError) as raised:
        read_request(kind, data)
    assert raised.value.code is ErrorCode.INVALID_OPTION and raised.value.remedy
    return raised.value


def test_every_text_and_every_list_that_a_request_can_hold_has_a_bound_in_the_protocol() -> None:
    texts = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
    assert len(request_fields()) > 100
    for field in request_fields():
        assert (max_bytes(field) is not None) == (field.type in texts), field.full_name
        assert (max_items(field) is not None) == field.is_repeated, field.full_name


def test_lists_of_numbers_are_varints_which_are_counted_in_one_piece() -> None:
    varints = {FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_UINT64}
    assert {field.type for field in request_fields() if field.is_packed} == varints


def test_every_method_has_a_limit_and_a_place() -> None:
    assert len(service_names()) == 7
    for each in METHODS:
        known = method(f"/{each.containing_service.full_name}/{each.name}")
        assert known.name == f"{each.containing_service.name}/{each.name}"
        assert SMALL <= known.max_bytes <= LARGEST
        assert (known.shares == "uploads") == each.client_streaming


@given(st.integers(0, 10_000))
def test_what_keeps_to_its_limits_is_read_as_it_is(seed: int) -> None:
    fuzz = Fuzz(seed, sound_requests("b", "a", "d"), ["b"])
    each = METHODS[seed % len(METHODS)]
    kind = GetMessageClass(each.input_type)
    data = fuzz.request(each, 1 + seed % 7)
    read, parsed = read_request(kind, data), kind.FromString(data)  # not compared themselves: NaN is not NaN
    assert read.SerializeToString(deterministic=True) == parsed.SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    ("message", "option", "value"),
    [
        (data_pb2.EncodeRequest(base_id="x" * 257), "baseId", "257 bytes"),
        (data_pb2.EncodeRequest(texts=[""] * 4097), "texts", "4097"),
        (data_pb2.EncodeRequest(texts=["x" * ((4 << 20) + 1)]), "texts", "4194305 bytes"),
        (data_pb2.OpenDatasetRequest(path="/" + "x" * 5000), "path", "5001 bytes"),
        (worker_pb2.LoadBaseRequest(chat_template="x" * 300_000), "chatTemplate", "300000 bytes"),
        (worker_pb2.AdapterSpec(targets=["x"] * 65), "targets", "65"),
        (data_pb2.DecodeRequest(sequences=[data_pb2.TokenIds(ids=[300] * (2**20 + 1))]), "ids", "1048577"),
        (
            evaluation_pb2.ScoreRequest(items=[evaluation_pb2.ScoreItem()] * 4097),
            "items",
            "4097",
        ),
        (
            adapters_pb2.UploadAdapterRequest(
                header=adapters_pb2.UploadHeader(files=[adapters_pb2.FileSize()] * 17)
            ),
            "files",
            "17",
        ),
        (
            training_pb2.ForwardBackwardRequest(examples=training_pb2.NoisedExamples(rows=[1] * 5000)),
            "rows",
            "5000",
        ),
    ],
)
def test_what_is_beyond_a_limit_is_named_with_what_it_was(message: Any, option: str, value: str) -> None:
    error = refused(type(message), message.SerializeToString())
    assert (error.option, error.value) == (option, value)


def test_a_list_that_comes_in_parts_is_one_list() -> None:
    """A field that is there twice is merged by the parser, as often as somebody sends it."""
    half = training_pb2.TargetedSequences(sequences=[training_pb2.TargetedSequence()] * 3000)
    part = training_pb2.ForwardBackwardRequest(sequences=half).SerializeToString()
    assert len(read_request(training_pb2.ForwardBackwardRequest, part).sequences.sequences) == 3000
    assert refused(training_pb2.ForwardBackwardRequest, part + part).option == "sequences"
    rows = training_pb2.NoisedExamples(rows=[7] * 3000).SerializeToString()
    assert refused(training_pb2.NoisedExamples, rows + rows).option == "rows"
    single = b"\x38\x07" * 4097  # rows = 7, each by itself
    assert refused(training_pb2.NoisedExamples, single).value == "4097"


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"\x0a\x05ab",  # shorter than it says
        b"\x0a" + b"\xff" * 11,  # a length without end
        b"\x0b\x0c",  # a group
        b"\x0a\x01\xff",  # no UTF-8
        b"\x09\x00",  # half a double
    ],
)
def test_what_is_no_message_is_a_typed_error(data: bytes) -> None:
    error = refused(data_pb2.EncodeRequest, data)
    assert error.option == "request" and "EncodeRequest" in str(error)


def test_a_request_of_endless_small_parts_is_given_up_early() -> None:
    error = refused(data_pb2.EncodeRequest, b"\x98\x06\x01" * 2_000_000)  # a field that nobody knows
    assert (error.option, error.value) == ("request", "6000000 bytes")
    error = refused(data_pb2.EncodeRequest, b"\x18\x01" * 70_000)  # one that is known, again and again
    assert (error.option, error.value) == ("request", "65537 fields")
