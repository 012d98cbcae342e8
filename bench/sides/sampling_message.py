"""How to sample, as the harness tells it."""

from base64 import b64decode

from lad_runtime.gen.lad.v1 import sampling_pb2
from lad_runtime.types.sampling import SamplingSpec
from lad_runtime.wire.codec import reader

_read = reader(sampling_pb2.SamplingSpec, SamplingSpec)


def sampling_spec(message: str) -> SamplingSpec:
    """Of the message in base64."""
    return _read(sampling_pb2.SamplingSpec.FromString(b64decode(message)))
