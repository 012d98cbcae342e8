"""Reads a canvas. The codec cannot: the message has the seed beside the oneof, while each of the two values contains it."""

from lad_runtime.errors import invalid_option
from lad_runtime.gen.lad.v1 import data_pb2
from lad_runtime.gen.lad.v1 import sampling_pb2 as pb
from lad_runtime.types.data import Message
from lad_runtime.types.sampling import AnswerSize, Canvas, Chat
from lad_runtime.types.sampling_state import SamplingState
from lad_runtime.wire.codec import reader

_read_message = reader(data_pb2.Message, Message)
_read_state = reader(pb.SamplingState, SamplingState)
_read_size = reader(pb.AnswerSize, AnswerSize)


def read_canvas(message: pb.Canvas) -> Canvas | Chat:
    kind = message.WhichOneof("prompt")
    seed = message.seed if message.HasField("seed") else None
    begin = _read_state(message.begin) if message.HasField("begin") else None
    size = _read_size(message.size) if message.HasField("size") else None
    if kind == "ids":
        return Canvas(prompt=tuple(message.ids.ids), seed=seed, begin=begin, size=size)
    if kind == "chat":
        return Chat(
            messages=tuple(map(_read_message, message.chat.messages)),
            seed=seed,
            begin=begin,
            size=size,
            allow_special=message.chat.allow_special,
        )
    raise invalid_option("prompt", "", "it is missing", "Give token ids or chat messages.")
