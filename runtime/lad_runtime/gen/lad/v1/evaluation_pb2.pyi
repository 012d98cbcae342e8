from lad_runtime.gen.lad.v1 import data_pb2 as _data_pb2
from lad_runtime.gen.lad.v1 import options_pb2 as _options_pb2
from lad_runtime.gen.lad.v1 import training_pb2 as _training_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScoreRequest(_message.Message):
    __slots__ = ("base_id", "adapter_id", "mode", "items")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    adapter_id: str
    mode: _training_pb2.AttentionMode
    items: _containers.RepeatedCompositeFieldContainer[ScoreItem]
    def __init__(self, base_id: _Optional[str] = ..., adapter_id: _Optional[str] = ..., mode: _Optional[_Union[_training_pb2.AttentionMode, str]] = ..., items: _Optional[_Iterable[_Union[ScoreItem, _Mapping]]] = ...) -> None: ...

class ScoreItem(_message.Message):
    __slots__ = ("prompt", "continuation")
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    CONTINUATION_FIELD_NUMBER: _ClassVar[int]
    prompt: _data_pb2.TokenIds
    continuation: _data_pb2.TokenIds
    def __init__(self, prompt: _Optional[_Union[_data_pb2.TokenIds, _Mapping]] = ..., continuation: _Optional[_Union[_data_pb2.TokenIds, _Mapping]] = ...) -> None: ...

class ScoreResponse(_message.Message):
    __slots__ = ("scores",)
    SCORES_FIELD_NUMBER: _ClassVar[int]
    scores: _containers.RepeatedCompositeFieldContainer[Score]
    def __init__(self, scores: _Optional[_Iterable[_Union[Score, _Mapping]]] = ...) -> None: ...

class Score(_message.Message):
    __slots__ = ("log_likelihood", "token_log_likelihoods", "greedy")
    LOG_LIKELIHOOD_FIELD_NUMBER: _ClassVar[int]
    TOKEN_LOG_LIKELIHOODS_FIELD_NUMBER: _ClassVar[int]
    GREEDY_FIELD_NUMBER: _ClassVar[int]
    log_likelihood: float
    token_log_likelihoods: bytes
    greedy: bool
    def __init__(self, log_likelihood: _Optional[float] = ..., token_log_likelihoods: _Optional[bytes] = ..., greedy: _Optional[bool] = ...) -> None: ...
